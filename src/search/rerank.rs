//! From candidates to hits: candidates are ranked again by finer rows, stage by stage; then the hits get their ids.

use super::clusters::ListHit;
use super::plan::Route;
use super::view::View;
use super::{Answer, Hit, QueryStats};
use crate::error::Error;
use crate::id::Id;
use crate::metric::Metric;
use crate::quant::Prepared;
use crate::segment::{IdView, Matrix, STAGES, SectionKind, Segment};
use crate::storage::{Expected, Read, Source};
use crate::topk::TopK;

/// Rows ranked in one call of the codec.
const GROUP: usize = 64;

/// The candidates of one query.
#[derive(Default)]
pub(super) struct Candidates {
    /// Distance and position of each.
    pub(super) found: Vec<(f32, u32)>,
    /// So many of them, the first ones, have their distance in the current stage.
    pub(super) rescored: usize,
    /// How many had one in the stages before.
    rescored_before: usize,
    /// Distances computed on codes.
    pub(super) distances: u64,
    /// With clusters, what the lists say of each, in the same order.
    pub(super) list_hits: Vec<ListHit>,
    /// The bytes of their ids, if these are texts.
    pub(super) texts: Vec<u8>,
}

/// Ranks the candidates whose rows of a stage are available. Returns the reads of the others, as many as there are
/// slots for.
pub(super) fn rescore(
    view: &View<'_>,
    stage: usize,
    queries: &[f32],
    candidates: &mut [Candidates],
    prepared: &mut Prepared,
) -> Vec<Read> {
    let View { segment, source, .. } = *view;
    let rows = segment.finer.get(stage).unwrap_or(&segment.codes);
    let checksums = rows.checksums.and_then(|kind| segment.extent(kind)).and_then(|e| source.get(e));
    let mut missing = Vec::new();
    for (query, candidates) in queries.chunks_exact(segment.dim()).zip(candidates) {
        rows.codec.prepare(query, true, prepared);
        let left = candidates.found.get(candidates.rescored..).unwrap_or_default();
        source.prefetch(&mut left.iter().map(|c| rows.row(c.1)));
        candidates.rescore(rows, source, prepared);
        for (at, &(_, position)) in candidates.found.iter().enumerate().skip(candidates.rescored) {
            let listed = candidates.list_hits.get(at).map(|hit| hit.row_checksum);
            missing.push(match listed.or_else(|| Segment::stored_row_checksum(checksums?, position)) {
                Some(checksum) => {
                    Read { extent: rows.row(position), expected: Expected::Row { position, checksum } }
                }
                // Codes that serve as rows, and came in chunks.
                None => view.chunk_around(position),
            });
        }
    }
    view.fitting(missing)
}

/// Between two stages: keeps the `count` best of each query, which the next stage ranks.
pub(super) fn keep_best(candidates: &mut [Candidates], count: usize, best: &mut TopK) {
    for candidates in candidates {
        candidates.rescored_before += std::mem::take(&mut candidates.rescored);
        best.reset(count);
        candidates.found.drain(..).for_each(|(distance, position)| best.offer(distance, position));
        candidates.found.extend(best.unsorted());
    }
}

/// The answer where no row may be a hit.
pub(super) fn no_hits(route: Route) -> Answer {
    Answer { hits: Vec::new(), stats: QueryStats { index: route.name(), ..Default::default() } }
}

/// The `k` hits of each query. Ids are in the lists, or else in their section, which the source must have.
pub(super) fn answers(
    view: &View<'_>,
    route: Route,
    k: usize,
    candidates: &mut [Candidates],
    nearest: &mut TopK,
) -> Result<Vec<Answer>, Error> {
    let segment = view.segment;
    let metric = segment.header.metric;
    let ids = match route {
        Route::Clusters => None,
        _ => {
            let bytes = view.delivered(segment.required(SectionKind::Ids)?)?;
            Some(IdView::new(bytes, segment.count(), segment.header.text_ids)?)
        }
    };
    let finest = STAGES.get(segment.finer.len()).map_or("codes", |form| form.matrix.name());
    let mut answers = Vec::with_capacity(candidates.len());
    for candidates in candidates {
        nearest.reset(k);
        for &(distance, position) in &candidates.found {
            // Rows and queries are checked so that no code of theirs gives such a distance.
            if !distance.is_finite() {
                return Err(Error::corrupt(finest, format!("row {position} has no finite distance")));
            }
            // By the score that users see: rows with the same score are in order of position.
            nearest.offer(0.0 - score(metric, distance), position);
        }
        // Nothing needs them in the order of the candidates any more.
        ListHit::sort_by_position(&mut candidates.list_hits, &mut Vec::new());
        let nearest = nearest.sorted();
        let mut hits = Vec::with_capacity(nearest.len());
        for (distance, position) in nearest {
            let id = candidates.id(position, ids.as_ref())?;
            hits.push(Hit { position, id, score: 0.0 - distance });
        }
        let stats = QueryStats {
            index: route.name(),
            distances: candidates.distances,
            rescored: (candidates.rescored_before + candidates.rescored) as u64,
            ..Default::default()
        };
        answers.push(Answer { hits, stats });
    }
    Ok(answers)
}

impl Candidates {
    /// Gives candidates their distance in this stage as far as their rows are available, and moves those to the front.
    fn rescore(&mut self, rows: &Matrix, source: &dyn Source, prepared: &mut Prepared) {
        if let Some(matrix) = source.get(rows.extent) {
            return self.rescore_all(rows, matrix, prepared);
        }
        for at in self.rescored..self.found.len() {
            let position = self.found[at].1;
            let Some(row) = source.get(rows.row(position)) else { continue };
            let mut distance = [0.0];
            rows.codec.distances(prepared, row, &[0], &mut distance);
            self.found[at].0 = distance[0];
            self.found.swap(self.rescored, at);
            if !self.list_hits.is_empty() {
                self.list_hits.swap(self.rescored, at);
            }
            self.rescored += 1;
        }
    }

    /// The same where all rows are available: many in one call.
    fn rescore_all(&mut self, rows: &Matrix, matrix: &[u8], prepared: &mut Prepared) {
        let (mut positions, mut distances) = ([0; GROUP], [0.0; GROUP]);
        let left = self.found.get_mut(self.rescored..).unwrap_or_default();
        for group in left.chunks_mut(GROUP) {
            let (positions, distances) = (&mut positions[..group.len()], &mut distances[..group.len()]);
            positions.iter_mut().zip(&*group).for_each(|(position, candidate)| *position = candidate.1);
            rows.codec.distances(prepared, matrix, positions, distances);
            group.iter_mut().zip(distances).for_each(|(candidate, distance)| candidate.0 = *distance);
        }
        self.rescored = self.found.len();
    }

    /// The id of a candidate. `list_hits` are in order of position.
    fn id(&self, position: u32, ids: Option<&IdView<'_>>) -> Result<Id, Error> {
        if let Some(ids) = ids {
            return ids.id(position);
        }
        let hit = self.list_hits.binary_search_by_key(&position, |hit| hit.position);
        let hit = hit.ok().and_then(|at| self.list_hits.get(at));
        hit.ok_or_else(|| Error::corrupt("lists", "a candidate has no id"))?.id(&self.texts)
    }
}

/// The score of a distance, within what the metric allows: a codec may round past that.
fn score(metric: Metric, distance: f32) -> f32 {
    // From 0.0, so that a distance of 0 is a score of 0, not of -0.
    let score = 0.0 - distance;
    match metric {
        Metric::Cosine => score.clamp(-1.0, 1.0),
        Metric::Dot => score,
        Metric::L2 => score.min(0.0),
    }
}
