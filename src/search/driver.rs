//! The way of a batch of queries, as a value that is stepped. Each step goes as far as the available bytes allow. Then
//! it is done, or it names the reads it misses.
//!
//! ```text
//! scan          flat        every row                              ┐
//! graph         hnsw        the graph, in memory                   ├─ rescore ── answers
//! disk walk     hnsw        the graph, node by node                │  rerank: by finer rows, stage by stage; then ids
//! probe         clusters    cells, then leaves, then lists         ┘
//! ```
//!
//! Hits depend on the file, the queries, the options and the route alone. Which bytes are available decides when others
//! are read, never which rows are scored.

use super::clusters::{Probe, ProbeScratch};
use super::flat::{self, Scan};
use super::hnsw::{Beam, DiskGraph, MemoryGraph, MissingReads, Walk};
use super::options::check_queries;
use super::plan::{self, CandidateCounts, Facts, Route};
use super::rerank::{self, Candidates};
use super::step::{Step, fitting, missing};
use super::{Answer, SearchOptions};
use crate::error::Error;
use crate::quant::Prepared;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Read, Source};
use crate::topk::TopK;

/// Memory that queries of one segment reuse, so that none allocates its own.
#[derive(Default)]
pub(crate) struct Scratch {
    beam: Beam,
    prepared: Prepared,
    probe: ProbeScratch,
    nearest: TopK,
    /// The graph's layers were found to be in order. A segment does not change, so once is enough.
    graph_checked: bool,
}

/// Where the search is. All lead to `Rescore`.
enum Stage {
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
    counts: CandidateCounts,
    route: Route,
    stage: Stage,
    /// Those of each query.
    candidates: Vec<Candidates>,
}

impl Search {
    /// Checks the arguments; reads nothing. `queries` is row-major.
    pub(crate) fn new(
        segment: &Segment,
        source: &dyn Source,
        queries: &[f32],
        o: &SearchOptions,
    ) -> Result<Self, Error> {
        let dim = segment.dim();
        if queries.is_empty() || !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() });
        }
        o.check()?;
        let mut queries = queries.to_vec();
        check_queries(&mut queries, dim, segment.header.metric)?;
        let route = plan::route(o.index, Facts { k: o.k, ..Facts::of(segment, source) })?;
        let mut counts = plan::counts(segment, o);
        let batch = queries.chunks_exact(dim);
        let candidates = batch.clone().map(|_| Candidates::default()).collect();
        let stage = match route {
            Route::Hnsw => Stage::Graph,
            Route::Walk => {
                let fine = segment.finer.is_empty() && counts.rescore > 0;
                let walk = |query| Walk::new(&*segment.codes.codec, query, fine, counts.ef, counts.k);
                Stage::DiskWalk(batch.map(walk).collect())
            }
            Route::Flat => Stage::Scan(Scan::new(batch.len(), counts.candidates())),
            Route::Clusters => {
                let Some(clusters) = &segment.clusters else {
                    return Err(Error::corrupt("cells", "the section is missing"));
                };
                let width = plan::width(clusters, o, counts.k);
                // Lists are coarse: their candidates are always ranked again.
                counts.rescore = usize::MAX;
                Stage::Probe(batch.map(|_| Probe::new(segment.header.metric, width)).collect())
            }
        };
        Ok(Search { queries, counts, route, stage, candidates })
    }

    /// Steps to the end over a source that has the whole file.
    pub(crate) fn run(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Answer>, Error> {
        self.step(segment, source, scratch)?.whole()
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Step<Vec<Answer>>, Error> {
        loop {
            let missing = match self.stage {
                Stage::Scan(_) => self.scan(segment, source, scratch),
                Stage::Graph => self.walk(segment, source, scratch)?,
                Stage::DiskWalk(_) => self.walk_from_disk(segment, source, scratch)?,
                Stage::Probe(_) => self.probe(segment, source, scratch)?,
                Stage::Rescore(stage) => {
                    let missing = self.rescore(segment, source, scratch, stage);
                    if missing.is_empty() && stage + 1 >= segment.finer.len() {
                        let (k, nearest) = (self.counts.k, &mut scratch.nearest);
                        let candidates = &mut self.candidates;
                        return rerank::answers(segment, source, self.route, k, candidates, nearest)
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

    fn scan(&mut self, segment: &Segment, source: &dyn Source, scratch: &mut Scratch) -> Vec<Read> {
        let sections = self.sections_of_rows(segment);
        let Stage::Scan(scan) = &mut self.stage else { return Vec::new() };
        let missing = scan.step(segment, source, &sections, &self.queries, &mut scratch.prepared);
        if missing.is_empty() {
            for (candidates, mut nearest) in self.candidates.iter_mut().zip(std::mem::take(&mut scan.nearest))
            {
                candidates.found.extend(nearest.unsorted());
                candidates.distances = segment.count() as u64;
            }
            self.stage = Stage::Rescore(0);
        }
        missing
    }

    fn walk(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let kinds = [SectionKind::Codes, SectionKind::Graph];
        let missing = missing(segment, source, &kinds, &self.sections_of_rows(segment));
        if !missing.is_empty() {
            return Ok(missing);
        }
        let graph = MemoryGraph::new(segment, source, scratch.graph_checked)?;
        scratch.graph_checked = true;
        let Scratch { beam, prepared, nearest, .. } = scratch;
        let codec = &*segment.codes.codec;
        for (query, candidates) in self.queries.chunks_exact(segment.dim()).zip(&mut self.candidates) {
            codec.prepare(query, false, prepared);
            graph.walk(prepared, self.counts.ef, beam)?;
            candidates.distances = beam.computed;
            let keep = self.counts.candidates().min(self.counts.ef);
            // The walk reached fewer rows than are wanted: few links, or many rows that are the same.
            if beam.pool.iter().len() < self.counts.k {
                nearest.reset(keep);
                flat::scan(codec, prepared, graph.rows, 0, segment.count(), nearest);
                candidates.distances += segment.count() as u64;
                candidates.found.extend(nearest.unsorted());
            } else {
                candidates.found.extend(beam.pool.iter().take(keep));
            }
        }
        self.stage = Stage::Rescore(0);
        Ok(Vec::new())
    }

    fn walk_from_disk(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let absent = DiskGraph::missing(segment, source, &self.sections_of_rows(segment));
        let fine = segment.finer.is_empty() && self.counts.rescore > 0;
        let Stage::DiskWalk(walks) = &mut self.stage else { return Ok(Vec::new()) };
        let graph = match DiskGraph::new(segment, source, fine, scratch.graph_checked)? {
            Some(graph) if absent.is_empty() => graph,
            _ => return Ok(absent),
        };
        scratch.graph_checked = true;
        let mut missing = MissingReads::default();
        walks.iter_mut().try_for_each(|walk| walk.step(&graph, &mut missing))?;
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

    fn probe(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let (Stage::Probe(probes), Some(clusters)) = (&mut self.stage, &segment.clusters) else {
            return Ok(Vec::new());
        };
        let mut missing = Vec::new();
        for (query, probe) in self.queries.chunks_exact(segment.dim()).zip(probes.iter_mut()) {
            missing.extend(probe.step(segment, clusters, source, query, &mut scratch.probe)?);
        }
        if !missing.is_empty() {
            return Ok(fitting(missing, source, segment));
        }
        for (probe, candidates) in probes.iter_mut().zip(&mut self.candidates) {
            (candidates.list_hits, candidates.texts) = probe.candidates(&mut scratch.probe);
            candidates.found = candidates.list_hits.iter().map(|hit| (hit.distance, hit.position)).collect();
            candidates.distances = probe.distances;
        }
        // Lists have the checksums of the finest rows, which are read next: in one wave, a page of a mapping for each.
        self.stage = Stage::Rescore(segment.finer.len().saturating_sub(1));
        Ok(Vec::new())
    }

    fn rescore(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
        stage: usize,
    ) -> Vec<Read> {
        if self.counts.rescore == 0 {
            return Vec::new();
        }
        let (queries, candidates) = (&self.queries, &mut self.candidates);
        rerank::rescore(segment, source, stage, queries, candidates, &mut scratch.prepared)
    }

    /// The sections that have the ids and the checksums of rows, for a search without lists, which have both.
    fn sections_of_rows(&self, segment: &Segment) -> Vec<SectionKind> {
        let finer = segment.finer.iter().filter(|_| self.counts.rescore > 0);
        std::iter::once(SectionKind::Ids).chain(finer.filter_map(|rows| rows.checksums)).collect()
    }
}
