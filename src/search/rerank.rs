//! From candidates to hits: candidates are ranked again by finer rows, stage by stage; then the hits get their ids.

use super::clusters::{ListHit, nth, sort_by_key, worst_of};
use super::lane::Lane;
use super::plan::Route;
use super::scratch::Scratch;
use super::view::View;
use super::{Answer, Hit, QueryStats, SegmentStats};
use crate::error::Error;
use crate::id::Id;
use crate::metric::Metric;
use crate::quant::Prepared;
use crate::segment::{IdView, Matrix, STAGES, SectionKind, Segment};
use crate::storage::{Expected, Read, Source};
use crate::topk::{Key, TopK};

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

/// Before the first stage: of the candidates that several segments found, the nearest of all go on, as many as one segment
/// alone would rank again.
pub(super) fn cut(lanes: &mut [Lane], k: usize, keys: &mut Vec<u64>) {
    if lanes.len() < 2 {
        return;
    }
    let queries = lanes.first().map_or(0, |lane| lane.candidates.len());
    let ranked = |lane: &&mut Lane| {
        lane.counts.rescore > 0 && matches!(lane.route, Route::Flat | Route::Hnsw | Route::Walk)
    };
    let mut walked: Vec<&mut Lane> = lanes.iter_mut().filter(ranked).collect();
    let count = walked.iter().map(|lane| lane.counts.candidates()).max().unwrap_or(0);
    for query in 0..queries {
        let limit = nearest_of(&walked, query, count, keys);
        walked.iter_mut().for_each(|lane| lane.candidates[query].found.retain(|found| found.0 <= limit));
    }
    let mut probed: Vec<&mut Lane> = lanes.iter_mut().filter(|lane| lane.doubt.is_some()).collect();
    let doubt = probed.iter().filter_map(|lane| lane.doubt).fold(0.0, f32::max);
    for query in 0..queries {
        let mut hits = probed.iter().flat_map(|lane| &lane.candidates[query].list_hits);
        let limit = worst_of(&mut hits, (k, doubt), keys);
        for lane in &mut probed {
            let own = lane.expected(k);
            let candidates = &mut lane.candidates[query];
            let nearest = nth(&mut candidates.list_hits.iter().map(|hit| hit.distance), own, keys);
            candidates.list_hits.retain(|hit| hit.distance <= nearest || hit.is_within(limit, doubt));
            candidates.found.clear();
            candidates.found.extend(candidates.list_hits.iter().map(|hit| (hit.distance, hit.position)));
        }
    }
}

/// The distance of the `count`-th nearest candidate of a query.
fn nearest_of(lanes: &[&mut Lane], query: usize, count: usize, keys: &mut Vec<u64>) -> f32 {
    let found = lanes.iter().flat_map(|lane| &lane.candidates[query].found);
    nth(&mut found.map(|candidate| candidate.0), count, keys)
}

/// Between two stages: keeps the `count` best of each query, which the next stage ranks.
pub(super) fn keep_best(lanes: &mut [&mut Lane], count: usize, scratch: &mut Scratch) {
    let Scratch { nearest: best, keys, .. } = scratch;
    for query in 0..lanes.first().map_or(0, |lane| lane.candidates.len()) {
        let limit = if lanes.len() > 1 { nearest_of(lanes, query, count, keys) } else { f32::INFINITY };
        for lane in &mut *lanes {
            let candidates = &mut lane.candidates[query];
            candidates.rescored_before += std::mem::take(&mut candidates.rescored);
            best.reset(count);
            let found = candidates.found.drain(..).filter(|found| found.0 <= limit);
            found.for_each(|(distance, position)| best.offer(distance, position));
            candidates.found.extend(best.unsorted());
        }
    }
}

/// The `k` hits of each query. Ids are in the lists, or else in their section, which the source must have.
pub(super) fn answers(
    views: &[View<'_>],
    lanes: &mut [Lane],
    queries: usize,
    k: usize,
    scratch: &mut Scratch,
) -> Result<Vec<Answer>, Error> {
    let Scratch { nearest, keys, ranked, .. } = scratch;
    let mut answers = Vec::with_capacity(queries);
    // Those of the segment of the last hit.
    let mut ids: (Option<u32>, Option<IdView<'_>>) = (None, None);
    for query in 0..queries {
        ranked.clear();
        for ((lane, view), segment) in lanes.iter_mut().zip(views).zip(0..) {
            let nearest = lane.ranked(view, query, nearest, keys)?;
            ranked.extend(nearest.map(|(distance, position)| (distance, segment, position)));
        }
        if lanes.len() > 1 {
            // They are in order of segment, which settles ties.
            sort_by_key(ranked, keys, |at, hit| Key::new(hit.0, at));
            ranked.truncate(k);
        }
        let mut hits = Vec::with_capacity(ranked.len());
        for &(distance, segment, position) in &*ranked {
            let lane = &lanes[segment as usize];
            if ids.0 != Some(segment) {
                ids = (Some(segment), lane.ids(&views[segment as usize])?);
            }
            let id = lane.candidates[query].id(position, ids.1.as_ref())?;
            hits.push(Hit { segment, position, id, score: 0.0 - distance, fields: None });
        }
        answers.push(answer(hits, lanes, query));
    }
    Ok(answers)
}

/// The hits of a query with what they cost.
fn answer(hits: Vec<Hit>, lanes: &[Lane], query: usize) -> Answer {
    let of = |lane: &Lane| {
        let Candidates { distances, rescored, rescored_before, .. } = lane.candidates[query];
        let rescored = (rescored_before + rescored) as u64;
        SegmentStats { index: lane.route.name(), distances, rescored }
    };
    let mut stats = QueryStats::default();
    for segment in lanes.iter().map(of) {
        stats.index = match stats.index {
            "" => segment.index,
            index if index == segment.index => index,
            _ => "mixed",
        };
        stats.distances += segment.distances;
        stats.rescored += segment.rescored;
    }
    let segments = if lanes.len() > 1 { lanes.iter().map(of).collect() } else { Vec::new() };
    Answer { hits, stats, segments }
}

impl Lane {
    /// Whether no finer rows follow those by which the candidates are ranked now.
    pub(super) fn is_last(&self, view: &View<'_>) -> bool {
        self.finer + 1 >= view.segment.finer.len()
    }

    /// Goes on to the next finer rows.
    pub(super) fn next_finer(&mut self) {
        self.finer += 1;
    }

    /// How many of the k nearest rows the segment may well have, if they lie as all rows do: what is expected, and two
    /// deviations more.
    fn expected(&self, k: usize) -> usize {
        let expected = k as f64 * self.part;
        (expected + 2.0 * expected.sqrt()).ceil() as usize
    }

    /// The ids of the segment's rows; `None` where lists have them.
    fn ids<'a>(&self, view: &View<'a>) -> Result<Option<IdView<'a>>, Error> {
        let segment = view.segment;
        if self.route == Route::Clusters {
            return Ok(None);
        }
        let bytes = view.delivered(segment.required(SectionKind::Ids)?)?;
        IdView::new(bytes, segment.count(), segment.header.text_ids).map(Some)
    }

    /// The nearest candidates of a query, nearest first, by minus the score that users see: rows with the same score are
    /// in order of position.
    fn ranked<'s>(
        &mut self,
        view: &View<'_>,
        query: usize,
        nearest: &'s mut TopK,
        keys: &mut Vec<u64>,
    ) -> Result<impl Iterator<Item = (f32, u32)> + use<'s>, Error> {
        let segment = view.segment;
        let finest = STAGES.get(segment.finer.len()).map_or("codes", |form| form.matrix.name());
        let candidates = &mut self.candidates[query];
        nearest.reset(self.counts.k);
        for &(distance, position) in &candidates.found {
            // Rows and queries are checked so that no code of theirs gives such a distance.
            if !distance.is_finite() {
                return Err(Error::corrupt(finest, format!("row {position} has no finite distance")));
            }
            nearest.offer(0.0 - score(segment.header.metric, distance), position);
        }
        // Nothing needs them in the order of the candidates any more.
        ListHit::sort_by_position(&mut candidates.list_hits, keys);
        Ok(nearest.sorted())
    }
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
pub(crate) fn score(metric: Metric, distance: f32) -> f32 {
    // From 0.0, so that a distance of 0 is a score of 0, not of -0.
    let score = 0.0 - distance;
    match metric {
        Metric::Cosine => score.clamp(-1.0, 1.0),
        Metric::Dot => score,
        Metric::L2 => score.min(0.0),
    }
}
