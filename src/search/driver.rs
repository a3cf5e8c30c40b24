//! The way of a batch of queries through the segments of an index, as a value that is stepped. Each step goes as far as the
//! available bytes allow. Then it is done, or it names the reads it misses: those of all segments, so that they are one
//! wave.
//!
//! ```text
//! select: ids → sets of rows ── find: each segment its candidates ── rescore: the best of all, stage by stage ── answers ── fields
//!                               lane                                 rerank                                      rerank
//! ```
//!
//! Hits depend on the files, the queries, the options and the routes alone. Which bytes are available decides when others
//! are read, never which rows are scored.

use super::clusters::{InCommon, narrow};
use super::fields::{self, FieldReads};
use super::lane::{Asked, Lane};
use super::options::check_queries;
use super::plan;
use super::rerank;
use super::scratch::Scratch;
use super::select::Selection;
use super::step::Step;
use super::view::View;
use super::{Answer, RowPlace, SearchOptions};
use crate::error::Error;
use crate::row_set::Selected;
use crate::storage::Read;

/// Where the search is.
pub(super) enum Stage {
    /// The ids of the options are looked up.
    Select(Selection),
    /// Each segment finds its candidates.
    Find,
    /// Candidates are ranked by finer rows.
    Rescore,
    /// The fields of the hits are read.
    Fields(Vec<Answer>, FieldReads),
}

/// A search under way. The head of this file says how it goes.
pub(crate) struct Search {
    pub(super) asked: Asked,
    pub(super) stage: Stage,
    /// One for each segment.
    pub(super) lanes: Vec<Lane>,
}

impl Search {
    /// Checks the arguments; reads nothing. `queries` is row-major. The segments of `views` have the same dimension and
    /// metric; there is at least one.
    pub(crate) fn new(
        views: &[View<'_>],
        mut queries: Vec<f32>,
        mut options: SearchOptions,
    ) -> Result<Self, Error> {
        let first = views.first().ok_or_else(|| Error::internal("an index without segments"))?.segment;
        let dim = first.dim();
        if queries.is_empty() || !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() });
        }
        options.check()?;
        check_queries(&mut queries, dim, first.header.metric)?;
        if options.fields {
            fields::check(views)?;
        }
        let selection = Selection::of(views, &mut options)?;
        let rows = options.rows.take();
        let asked = Asked { queries, options };
        let mut search = Search { asked, stage: Stage::Find, lanes: Vec::new() };
        // A choice that a segment does not allow for is refused before ids are looked up.
        search.choose(views, rows.as_ref())?;
        match selection {
            Some(selection) => search.stage = Stage::Select(selection),
            None => search.begin(views)?,
        }
        search.asked.options.rows = rows;
        Ok(search)
    }

    /// The same search, of which this row is no hit.
    pub(crate) fn without(mut self, row: RowPlace) -> Self {
        self.stage = Stage::Select(match self.stage {
            Stage::Select(selection) => selection.without(row),
            _ => Selection::new(self.asked.options.rows.take()).without(row),
        });
        self
    }

    /// Chooses the route through each segment.
    fn choose(&mut self, views: &[View<'_>], rows: Option<&Selected>) -> Result<(), Error> {
        let mut lanes = Vec::with_capacity(views.len());
        for (number, view) in views.iter().enumerate() {
            let rows = rows.and_then(|rows| rows.get(number)).cloned().flatten();
            lanes.push(Lane::new((number, view), &self.asked, rows)?);
        }
        self.lanes = lanes;
        Ok(())
    }

    fn begin(&mut self, views: &[View<'_>]) -> Result<(), Error> {
        let mut all = InCommon::default();
        self.lanes.iter().zip(views).for_each(|(lane, view)| all.add(view.segment, lane.rows(view)));
        let all = (views.len() > 1).then_some(all);
        self.lanes.iter_mut().zip(views).try_for_each(|(lane, view)| lane.begin(view, &self.asked, all))
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(
        &mut self,
        views: &[View<'_>],
        scratch: &mut Scratch,
    ) -> Result<Step<Vec<Answer>>, Error> {
        loop {
            let missing = match &mut self.stage {
                Stage::Select(selection) => match selection.step(views, scratch)? {
                    Step::Need(reads) => reads,
                    Step::Done(rows) => {
                        self.choose(views, Some(&rows))?;
                        self.begin(views)?;
                        self.stage = Stage::Find;
                        Vec::new()
                    }
                },
                Stage::Find => self.find(views, scratch)?,
                Stage::Rescore => {
                    let missing = self.rescore(views, scratch);
                    if missing.is_empty() && self.lanes.iter().zip(views).all(|(l, v)| l.is_last(v)) {
                        let (k, queries) = (self.asked.options.k, self.asked.queries.len());
                        let batch = queries / views[0].segment.dim();
                        let answers = rerank::answers(views, &mut self.lanes, batch, k, scratch)?;
                        if !self.asked.options.fields {
                            return Ok(Step::Done(answers));
                        }
                        let hits = answers.iter().flat_map(|answer| &answer.hits);
                        let reads = FieldReads::new(hits.map(|hit| hit.place()));
                        self.stage = Stage::Fields(answers, reads);
                        continue;
                    }
                    if missing.is_empty() {
                        self.next_finer(views, scratch);
                    }
                    missing
                }
                Stage::Fields(answers, reads) => match reads.step(views, scratch)? {
                    Step::Need(missing) => return Ok(Step::Need(missing)),
                    Step::Done(()) => {
                        let hits = answers.iter_mut().flat_map(|answer| &mut answer.hits);
                        hits.zip(&mut reads.rows).for_each(|(hit, row)| hit.fields = row.fields.take());
                        return Ok(Step::Done(std::mem::take(answers)));
                    }
                },
            };
            if !missing.is_empty() {
                return self.with_fields_ahead(views, missing).map(Step::Need);
            }
        }
    }

    /// Adds to the reads of a wave what the fields of the hits will need, as far as that is known: candidates that are ranked
    /// may be hits.
    #[inline(never)]
    fn with_fields_ahead(&self, views: &[View<'_>], mut missing: Vec<Read>) -> Result<Vec<Read>, Error> {
        let ranked = matches!(self.stage, Stage::Rescore);
        let lanes = self.lanes.iter().zip(views).filter(|_| self.asked.options.fields);
        for (lane, view) in lanes {
            let candidates = if ranked { &lane.candidates[..] } else { &[] };
            let mut positions = candidates.iter().flat_map(|of_query| &of_query.found).map(|found| found.1);
            fields::ahead(view, &mut positions, &mut missing)?;
        }
        Ok(missing)
    }

    /// Each segment goes on to its candidates.
    fn find(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let mut missing = Vec::new();
        for (lane, view) in self.lanes.iter_mut().zip(views) {
            missing.extend(lane.find(view, &self.asked, scratch)?);
        }
        if !missing.is_empty() {
            return Ok(missing);
        }
        if self.lanes.iter().all(Lane::has_found) {
            rerank::cut(&mut self.lanes, self.asked.options.k, &mut scratch.keys);
            self.stage = Stage::Rescore;
            return Ok(missing);
        }
        for query in 0..self.asked.queries.len() / views[0].segment.dim() {
            let probes = self.lanes.iter_mut().filter_map(|lane| lane.probes().get_mut(query));
            let mut waiting: Vec<_> = probes.filter(|probe| probe.waits()).collect();
            narrow(self.asked.options.k, &mut waiting, &mut scratch.keys);
        }
        Ok(missing)
    }

    fn rescore(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Vec<Read> {
        let lanes = self.lanes.iter_mut().zip(views);
        let mut missing = Vec::new();
        lanes.for_each(|(lane, view)| missing.extend(lane.rescore(view, &self.asked, scratch)));
        missing
    }

    /// The best candidates go on to the next finer rows of their segments.
    fn next_finer(&mut self, views: &[View<'_>], scratch: &mut Scratch) {
        let lanes = self.lanes.iter_mut().zip(views);
        let mut lanes: Vec<&mut Lane> = lanes.filter(|(l, v)| !l.is_last(v)).map(|(lane, _)| lane).collect();
        let rescore = lanes.iter().map(|lane| lane.counts.rescore).max().unwrap_or(0);
        let count = plan::rerank_count(self.asked.options.k).min(rescore);
        rerank::keep_best(&mut lanes, count, scratch);
        lanes.into_iter().for_each(Lane::next_finer);
    }
}
