//! From candidates to hits: ranked again by the finest rows, named by their ids.

use super::clusters::ListHit;
use super::driver::{Scratch, Search, State, chunk_around, fitting, here};
use super::plan::{self, Route};
use super::{Answer, Hit, QueryStats};
use crate::error::Error;
use crate::id::Id;
use crate::metric::Metric;
use crate::quant::Prepared;
use crate::segment::{IdView, Matrix, STAGES, SectionKind, Segment};
use crate::storage::{Expected, Read, Source};
use crate::topk::TopK;

/// Rows ranked in one call.
const GROUP: usize = 64;

impl Search {
    /// Ranks the candidates whose rows of a stage are here; names as many of the others as there is room for.
    pub(super) fn rescore(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
        stage: usize,
    ) -> Result<Vec<Read>, Error> {
        if self.counts.rescore == 0 {
            return Ok(Vec::new());
        }
        let rows = segment.finer.get(stage).unwrap_or(&segment.codes);
        let checksums = rows.checksums.and_then(|kind| segment.extent(kind)).and_then(|e| source.get(e));
        let mut needs = Vec::new();
        for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
            rows.codec.prepare(query, true, &mut scratch.prepared);
            let left = state.candidates.get(state.rescored..).unwrap_or_default();
            source.prefetch(&mut left.iter().map(|c| rows.row(c.1)));
            state.rescore(rows, source, &mut scratch.prepared);
            for (at, &(_, position)) in state.candidates.iter().enumerate().skip(state.rescored) {
                let label = state.labels.get(at).map(|l| l.row_checksum);
                needs.push(match label.or_else(|| Segment::stored_row_checksum(checksums?, position)) {
                    Some(checksum) => {
                        Read { extent: rows.row(position), expected: Expected::Row { position, checksum } }
                    }
                    // Codes that serve as rows, and came in chunks.
                    None => chunk_around(segment, source, position),
                });
            }
        }
        Ok(fitting(needs, source, segment))
    }

    /// Between two stages: the best few of each query, none of them ranked by the next stage yet.
    pub(super) fn keep_best(&mut self, best: &mut TopK) {
        let rerank_count = plan::rerank_count(self.counts.k).min(self.counts.rescore);
        for state in &mut self.states {
            state.rescored_before += std::mem::take(&mut state.rescored);
            best.reset(rerank_count);
            state.candidates.drain(..).for_each(|(distance, position)| best.offer(distance, position));
            state.candidates.extend(best.unsorted());
        }
    }

    pub(super) fn answers(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Answer>, Error> {
        let metric = segment.header.metric;
        let ids = match self.route {
            Route::Clusters => None,
            _ => {
                let bytes = here(source, segment.required(SectionKind::Ids)?)?;
                Some(IdView::new(bytes, segment.count(), segment.header.text_ids)?)
            }
        };
        let finest = STAGES.get(segment.finer.len()).map_or("codes", |form| form.matrix.name());
        let mut answers = Vec::with_capacity(self.states.len());
        for state in &mut self.states {
            scratch.nearest.reset(self.counts.k);
            for &(distance, position) in &state.candidates {
                // Rows and queries are checked so that no code of theirs gives such a distance.
                if !distance.is_finite() {
                    return Err(Error::corrupt(finest, format!("row {position} has no finite distance")));
                }
                // Ranked by what the user sees: scores that are cut to the same are in order of position.
                scratch.nearest.offer(0.0 - score(metric, distance), position);
            }
            // Nothing moves with them any more.
            ListHit::sort_by_position(&mut state.labels);
            let nearest = scratch.nearest.sorted();
            let mut hits = Vec::with_capacity(nearest.len());
            for (distance, position) in nearest {
                let id = state.id(position, ids.as_ref())?;
                hits.push(Hit { position, id, score: 0.0 - distance });
            }
            let stats = QueryStats {
                index: self.route.name(),
                distances: state.distances,
                rescored: (state.rescored_before + state.rescored) as u64,
                ..Default::default()
            };
            answers.push(Answer { hits, stats });
        }
        Ok(answers)
    }
}

impl State {
    /// Gives candidates their final distance as far as their rows are here; those move to the front.
    fn rescore(&mut self, rows: &Matrix, source: &dyn Source, prepared: &mut Prepared) {
        if let Some(matrix) = source.get(rows.extent) {
            return self.rescore_all(rows, matrix, prepared);
        }
        for at in self.rescored..self.candidates.len() {
            let position = self.candidates[at].1;
            let Some(row) = source.get(rows.row(position)) else { continue };
            let mut distance = [0.0];
            rows.codec.distances(prepared, row, &[0], &mut distance);
            self.candidates[at].0 = distance[0];
            self.candidates.swap(self.rescored, at);
            if !self.labels.is_empty() {
                self.labels.swap(self.rescored, at);
            }
            self.rescored += 1;
        }
    }

    /// All rows are here: many a call.
    fn rescore_all(&mut self, rows: &Matrix, matrix: &[u8], prepared: &mut Prepared) {
        let (mut positions, mut distances) = ([0; GROUP], [0.0; GROUP]);
        let left = self.candidates.get_mut(self.rescored..).unwrap_or_default();
        for group in left.chunks_mut(GROUP) {
            let (positions, distances) = (&mut positions[..group.len()], &mut distances[..group.len()]);
            positions.iter_mut().zip(&*group).for_each(|(position, candidate)| *position = candidate.1);
            rows.codec.distances(prepared, matrix, positions, distances);
            group.iter_mut().zip(distances).for_each(|(candidate, distance)| candidate.0 = *distance);
        }
        self.rescored = self.candidates.len();
    }

    /// The id of a candidate; labels are in order of position.
    fn id(&self, position: u32, ids: Option<&IdView<'_>>) -> Result<Id, Error> {
        if let Some(ids) = ids {
            return ids.id(position);
        }
        let label = self.labels.binary_search_by_key(&position, |label| label.position);
        let label = label.ok().and_then(|at| self.labels.get(at));
        label.ok_or_else(|| Error::corrupt("lists", "a candidate has no id"))?.id(&self.texts)
    }
}

/// The score of a distance: rounding in a codec does not take it past what the metric can be.
fn score(metric: Metric, distance: f32) -> f32 {
    // From 0.0, so that a distance of 0 is a score of 0, not of -0.
    let score = 0.0 - distance;
    match metric {
        Metric::Cosine => score.clamp(-1.0, 1.0),
        Metric::Dot => score,
        Metric::L2 => score.min(0.0),
    }
}
