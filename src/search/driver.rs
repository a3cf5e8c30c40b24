//! The way of a batch of queries, as a value that is stepped. Each step goes as far as the available bytes allow. Then
//! it is done, or it names the reads it misses.
//!
//! ```text
//! select ─┬─ listed     rerank      the rows of a set, where there are few         ┐
//! ids →   ├─ scan       flat        every row                                      │
//! a set   ├─ graph      hnsw        the graph, in memory                           ├─ rescore ── answers
//! of      ├─ disk walk  hnsw        the graph, node by node                        │  rerank: by finer rows, stage by
//! rows    ├─ leaves     clusters    the codes, leaf by leaf                        │  stage; then ids
//!         └─ probe      clusters    cells, then leaves, then lists                 ┘
//! ```
//!
//! Hits depend on the file, the queries, the options and the route alone. Which bytes are available decides when others
//! are read, never which rows are scored.

use super::clusters::Probe;
use super::flat::{self, Scan};
use super::hnsw::{DiskGraph, MemoryGraph, MissingReads, Walk};
use super::options::check_queries;
use super::plan::{self, CandidateCounts, Route};
use super::rerank::{self, Candidates};
use super::scratch::Scratch;
use super::select::Selection;
use super::step::Step;
use super::view::View;
use super::{Answer, IndexChoice, SearchOptions};
use crate::error::Error;
use crate::row_set::{RowSet, SharedRows};
use crate::segment::SectionKind;
use crate::storage::{Read, WALKS_FROM_DISK};

/// Where the search is. All lead to `Rescore`.
enum Stage {
    /// The ids of the options are looked up.
    Select(Selection),
    /// No row may be a hit, so nothing is read.
    NoHits,
    /// The rows of the set are the candidates.
    Listed,
    Scan(Scan),
    /// Codes and graph are read, then every query walks to its end.
    Graph,
    /// One walk per query.
    DiskWalk(Vec<Walk>),
    /// One per query.
    Probe(Vec<Probe>),
    /// Candidates are ranked by the finer rows of this number; without such rows, by the codes.
    Rescore(usize),
}

/// A search under way. The head of this file says how it goes.
pub(crate) struct Search {
    queries: Vec<f32>,
    options: SearchOptions,
    /// The rows that may be hits; `None`: all.
    rows: Option<SharedRows>,
    counts: CandidateCounts,
    route: Route,
    stage: Stage,
    /// Those of each query.
    candidates: Vec<Candidates>,
}

impl Search {
    /// Checks the arguments; reads nothing. `queries` is row-major.
    pub(crate) fn new(
        view: &View<'_>,
        mut queries: Vec<f32>,
        mut options: SearchOptions,
    ) -> Result<Self, Error> {
        let dim = view.segment.dim();
        if queries.is_empty() || !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() });
        }
        options.check()?;
        check_queries(&mut queries, dim, view.segment.header.metric)?;
        let selection = Selection::of(&mut options);
        let rows = options.rows.take();
        let view = &View { rows: rows.as_deref(), ..*view };
        // A choice that this segment does not allow for is refused before ids are looked up.
        let (route, counts) = plan::choose(view, &options)?;
        let candidates = queries.chunks_exact(dim).map(|_| Candidates::default()).collect();
        let stage = Stage::NoHits;
        let mut search = Search { queries, options, rows: rows.clone(), counts, route, stage, candidates };
        match selection {
            Some(selection) => search.stage = Stage::Select(selection),
            None => search.begin(view)?,
        }
        Ok(search)
    }

    /// The same search, of which the row at `position` is no hit.
    pub(crate) fn without(mut self, position: u32) -> Self {
        self.stage = Stage::Select(match self.stage {
            Stage::Select(selection) => selection.without(position),
            _ => Selection::new(self.rows.take()).without(position),
        });
        self
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(
        &mut self,
        view: &View<'_>,
        scratch: &mut Scratch,
    ) -> Result<Step<Vec<Answer>>, Error> {
        loop {
            let rows = self.rows.clone();
            let view = &View { rows: rows.as_deref(), ..*view };
            let missing = match &mut self.stage {
                Stage::Select(selection) => match selection.step(view)? {
                    Step::Need(reads) => reads,
                    Step::Done(rows) => {
                        self.rows = rows.clone();
                        let view = &View { rows: rows.as_deref(), ..*view };
                        (self.route, self.counts) = plan::choose(view, &self.options)?;
                        self.begin(view)?;
                        Vec::new()
                    }
                },
                Stage::NoHits => {
                    let none = self.candidates.iter().map(|_| rerank::no_hits(self.route));
                    return Ok(Step::Done(none.collect()));
                }
                Stage::Listed => self.listed(view),
                Stage::Scan(_) => self.scan(view, scratch),
                Stage::Graph => self.walk(view, scratch)?,
                Stage::DiskWalk(_) if WALKS_FROM_DISK => self.walk_from_disk(view, scratch)?,
                Stage::DiskWalk(_) => return Err(Error::internal("no walk from disk here")),
                Stage::Probe(_) => self.probe(view, scratch)?,
                &mut Stage::Rescore(stage) => {
                    let missing = self.rescore(view, scratch, stage);
                    if missing.is_empty() && stage + 1 >= view.segment.finer.len() {
                        let (k, nearest) = (self.counts.k, &mut scratch.nearest);
                        return rerank::answers(view, self.route, k, &mut self.candidates, nearest)
                            .map(Step::Done);
                    }
                    if missing.is_empty() {
                        let count = plan::rerank_count(self.counts.k).min(self.counts.rescore);
                        rerank::keep_best(&mut self.candidates, count, &mut scratch.nearest);
                        self.stage = Stage::Rescore(stage + 1);
                    }
                    missing
                }
            };
            if !missing.is_empty() {
                return Ok(Step::Need(missing));
            }
        }
    }

    /// Begins the chosen route, now that the rows that may be hits are known.
    fn begin(&mut self, view: &View<'_>) -> Result<(), Error> {
        let counts = self.counts;
        let batch = self.queries.chunks_exact(view.segment.dim());
        self.stage = match self.route {
            _ if view.count() == 0 => Stage::NoHits,
            Route::Listed => Stage::Listed,
            Route::Hnsw => Stage::Graph,
            Route::Walk => {
                let fine = view.segment.finer.is_empty() && counts.rescore > 0;
                let walk = |query| Walk::new(view, query, fine, counts.ef, counts.k);
                Stage::DiskWalk(if WALKS_FROM_DISK { batch.map(walk).collect() } else { Vec::new() })
            }
            Route::Flat => Stage::Scan(Scan::new(batch.len(), counts.candidates())),
            Route::Clusters => {
                let Some(clusters) = &view.segment.clusters else {
                    return Err(Error::corrupt("cells", "the section is missing"));
                };
                let (metric, wanted) = (view.segment.header.metric, plan::wanted(&self.options, counts.k));
                // Lists are coarse: their candidates are always ranked again.
                self.counts.rescore = usize::MAX;
                Stage::Probe(batch.map(|_| Probe::new(metric, clusters, wanted)).collect())
            }
        };
        Ok(())
    }

    /// Where few rows may be hits, all are ranked by the finest rows.
    fn listed(&mut self, view: &View<'_>) -> Vec<Read> {
        let missing = view.missing(&self.sections_of_rows(view));
        if missing.is_empty() {
            for candidates in &mut self.candidates {
                candidates.found.extend(view.positions(0..view.segment.count() as u32).map(|p| (0.0, p)));
            }
            self.stage = Stage::Rescore(view.segment.finer.len().saturating_sub(1));
        }
        missing
    }

    fn scan(&mut self, view: &View<'_>, scratch: &mut Scratch) -> Vec<Read> {
        let sections = self.sections_of_rows(view);
        let Stage::Scan(scan) = &mut self.stage else { return Vec::new() };
        let missing = scan.step(view, &sections, &self.queries, &mut scratch.prepared);
        if missing.is_empty() {
            for (candidates, mut nearest) in self.candidates.iter_mut().zip(std::mem::take(&mut scan.nearest))
            {
                candidates.found.extend(nearest.unsorted());
                candidates.distances = view.count() as u64;
            }
            self.stage = Stage::Rescore(0);
        }
        missing
    }

    fn walk(&mut self, view: &View<'_>, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let mut missing = view.missing(&[SectionKind::Codes, SectionKind::Graph]);
        missing.extend(view.missing(&self.sections_of_rows(view)));
        if !missing.is_empty() {
            return Ok(missing);
        }
        let graph = MemoryGraph::new(view, scratch.graph_checked)?;
        scratch.graph_checked = true;
        let Scratch { beam, prepared, nearest, .. } = scratch;
        let codec = &*view.segment.codes.codec;
        let (ef, auto) = (self.counts.ef, self.options.index == IndexChoice::Auto);
        let limit = |rows: &RowSet, found| match auto {
            true => plan::worth_walking(rows, found, ef),
            false => rows.count() as u64,
        };
        for (query, candidates) in self.queries.chunks_exact(view.segment.dim()).zip(&mut self.candidates) {
            codec.prepare(query, false, prepared);
            graph.walk(view, prepared, self.counts.ef, limit, beam)?;
            candidates.distances = beam.computed;
            let keep = self.counts.candidates().min(self.counts.ef);
            // The walk reached fewer rows than are wanted: few links, or many rows that are the same, or few that may
            // be hits.
            if beam.gave_up() || beam.pool.iter().len() < self.counts.k {
                nearest.reset(keep);
                let codes =
                    flat::Codes { codec, rows: graph.rows, first: 0, count: view.segment.count() as u32 };
                flat::scan_all(view, codes, prepared, nearest);
                candidates.distances += view.count() as u64;
                candidates.found.extend(nearest.unsorted());
            } else {
                candidates.found.extend(beam.pool.iter().take(keep));
            }
        }
        self.stage = Stage::Rescore(0);
        Ok(Vec::new())
    }

    fn walk_from_disk(&mut self, view: &View<'_>, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let absent = DiskGraph::missing(view, &self.sections_of_rows(view));
        let fine = view.segment.finer.is_empty() && self.counts.rescore > 0;
        let Stage::DiskWalk(walks) = &mut self.stage else { return Ok(Vec::new()) };
        let graph = match DiskGraph::new(view, fine, scratch.graph_checked)? {
            Some(graph) if absent.is_empty() => graph,
            _ => return Ok(absent),
        };
        scratch.graph_checked = true;
        let mut missing = MissingReads::default();
        walks.iter_mut().try_for_each(|walk| walk.step(view, &graph, &mut missing))?;
        let reads = missing.reads(&graph)?;
        if reads.is_empty() {
            for (walk, candidates) in walks.iter().zip(&mut self.candidates) {
                candidates.found = walk.candidates(self.counts.candidates());
                candidates.distances = walk.computed();
                candidates.rescored = if fine { candidates.found.len() } else { 0 };
            }
            self.stage = Stage::Rescore(0);
        }
        Ok(reads)
    }

    fn probe(&mut self, view: &View<'_>, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let (Stage::Probe(probes), Some(clusters)) = (&mut self.stage, &view.segment.clusters) else {
            return Ok(Vec::new());
        };
        let mut missing = Vec::new();
        for (query, probe) in self.queries.chunks_exact(view.segment.dim()).zip(probes.iter_mut()) {
            missing.extend(probe.step(view, clusters, query, &mut scratch.probe)?);
        }
        if !missing.is_empty() {
            return Ok(view.fitting(missing));
        }
        for (probe, candidates) in probes.iter_mut().zip(&mut self.candidates) {
            (candidates.list_hits, candidates.texts) = probe.candidates(&mut scratch.probe);
            candidates.found = candidates.list_hits.iter().map(|hit| (hit.distance, hit.position)).collect();
            candidates.distances = probe.distances;
        }
        // Lists have the checksums of the finest rows, which are read next: in one wave, a page of a mapping for each.
        self.stage = Stage::Rescore(view.segment.finer.len().saturating_sub(1));
        Ok(Vec::new())
    }

    fn rescore(&mut self, view: &View<'_>, scratch: &mut Scratch, stage: usize) -> Vec<Read> {
        if self.counts.rescore == 0 {
            return Vec::new();
        }
        rerank::rescore(view, stage, &self.queries, &mut self.candidates, &mut scratch.prepared)
    }

    /// The sections that have the ids and the checksums of rows, for a search without lists, which have both.
    fn sections_of_rows(&self, view: &View<'_>) -> Vec<SectionKind> {
        let mut sections = if self.counts.rescore > 0 { view.checksums_of_rows() } else { Vec::new() };
        sections.insert(0, SectionKind::Ids);
        sections
    }
}
