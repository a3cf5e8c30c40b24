//! The search of one segment: from the queries to candidates, by the chosen route, and from candidates to those ranked by
//! finer rows. It is stepped: each step goes as far as the available bytes allow, and returns the reads it misses.
//!
//! ```text
//! listed     rerank      the rows of a set, where there are few         ┐
//! scan       flat        every row                                      │
//! graph      hnsw        the graph, in memory                           ├─ found ── rescore
//! disk walk  hnsw        the graph, node by node                        │           rerank: by finer rows, stage by stage
//! probe      clusters    cells, then leaves, then lists                 ┘
//! ```

use super::clusters::{InCommon, Joint, Probe};
use super::flat::{self, Scan};
use super::hnsw::{DiskGraph, MemoryGraph, MissingReads, Walk};
use super::plan::{self, CandidateCounts, Route};
use super::rerank::{self, Candidates};
use super::scratch::Scratch;
use super::view::View;
use super::{IndexChoice, SearchOptions};
use crate::error::Error;
use crate::row_set::{RowSet, SharedRows};
use crate::segment::SectionKind;
use crate::storage::{Read, WALKS_FROM_DISK};

/// Where the search of a segment is. All lead to `Found`.
pub(super) enum Stage {
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
    /// The candidates are known.
    Found,
}

/// What the searches of all segments have in common.
pub(super) struct Asked {
    /// Row-major.
    pub(super) queries: Vec<f32>,
    pub(super) options: SearchOptions,
}

/// See the head of this file.
pub(super) struct Lane {
    /// The number of its segment.
    number: usize,
    /// The rows that may be hits; `None`: all that the view has.
    rows: Option<SharedRows>,
    pub(super) counts: CandidateCounts,
    pub(super) route: Route,
    pub(super) stage: Stage,
    /// Candidates are ranked by the finer rows of this number; without such rows, by the codes.
    pub(super) finer: usize,
    /// Those of each query.
    pub(super) candidates: Vec<Candidates>,
    /// With clusters, a candidate's row is read if its estimate may be wrong by so many standard deviations.
    pub(super) doubt: Option<f32>,
    /// The segment's part of all rows that may be hits.
    pub(super) part: f64,
}

impl Lane {
    /// Chooses the route. `rows` may be hits; `None`: all that the view has.
    pub(super) fn new(
        (number, view): (usize, &View<'_>),
        asked: &Asked,
        rows: Option<SharedRows>,
    ) -> Result<Self, Error> {
        let view = &view.of_rows(rows.as_deref());
        let (route, counts) = match view.segment.count() {
            0 if number > 0 => (Route::Flat, CandidateCounts::default()),
            _ => plan::choose(view, &asked.options)?,
        };
        let candidates = asked.queries.chunks_exact(view.segment.dim()).map(|_| Candidates::default());
        let candidates = candidates.collect();
        let stage = Stage::NoHits;
        Ok(Lane { number, rows, counts, route, stage, finer: 0, candidates, doubt: None, part: 1.0 })
    }

    /// Whether the candidates are known.
    pub(super) fn has_found(&self) -> bool {
        matches!(self.stage, Stage::NoHits | Stage::Found)
    }

    /// The probes of all queries, if the segment is searched by clusters.
    pub(super) fn probes(&mut self) -> &mut [Probe] {
        if let Stage::Probe(probes) = &mut self.stage { probes } else { &mut [] }
    }

    /// Goes as far as the available bytes allow. Returns the missing reads; if there are none, the candidates are known, or
    /// it waits for the probes of other segments.
    pub(super) fn find(
        &mut self,
        view: &View<'_>,
        asked: &Asked,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let rows = self.rows.clone();
        let view = &view.of_rows(rows.as_deref());
        let reads = match &mut self.stage {
            Stage::NoHits | Stage::Found => Vec::new(),
            Stage::Listed => self.listed(view),
            Stage::Scan(_) => self.scan(view, asked, scratch),
            Stage::Graph => self.walk(view, asked, scratch)?,
            Stage::DiskWalk(_) if WALKS_FROM_DISK => self.walk_from_disk(view, scratch)?,
            Stage::DiskWalk(_) => return Err(Error::internal("no walk from disk here")),
            Stage::Probe(_) => self.probe(view, asked, scratch)?,
        };
        Ok(view.placed(reads))
    }

    /// How many rows may be hits.
    pub(super) fn rows(&self, view: &View<'_>) -> usize {
        view.of_rows(self.rows.as_deref()).count()
    }

    /// Begins the chosen route, now that the rows that may be hits are known. `all`: what the segments have in common, if there
    /// are several.
    pub(super) fn begin(
        &mut self,
        view: &View<'_>,
        asked: &Asked,
        all: Option<InCommon>,
    ) -> Result<(), Error> {
        let rows = self.rows.clone();
        let view = &view.of_rows(rows.as_deref());
        self.part = all.map_or(1.0, |all| all.part(view.count()));
        if asked.options.ef.is_none() {
            // The nearest rows of all are among the nearest of their segments, which need fewer candidates to be found.
            let few = (self.counts.ef as f64 * plan::part_of_many(self.part)).ceil() as usize;
            self.counts.ef = few.max(self.counts.k).min(self.counts.ef);
        }
        let counts = self.counts;
        let batch = asked.queries.chunks_exact(view.segment.dim());
        self.stage = match self.route {
            _ if view.count() == 0 => Stage::NoHits,
            Route::Listed => Stage::Listed,
            Route::Hnsw => Stage::Graph,
            Route::Walk => {
                let fine = view.segment.finer.is_empty() && counts.rescore > 0;
                let kept = (counts.ef, self.least_kept(asked));
                let walk = |query| Walk::new(view, query, fine, kept, counts.k);
                Stage::DiskWalk(if WALKS_FROM_DISK { batch.map(walk).collect() } else { Vec::new() })
            }
            Route::Flat => Stage::Scan(Scan::new(batch.len(), counts.candidates())),
            Route::Clusters => {
                let Some(clusters) = &view.segment.clusters else {
                    return Err(Error::corrupt("cells", "the section is missing"));
                };
                let (metric, wanted) = (view.segment.header.metric, plan::wanted(&asked.options, counts.k));
                // Lists are coarse: their candidates are always ranked again.
                self.counts.rescore = usize::MAX;
                let joint = || all.map(|all| Joint::new(&all, clusters.cells.row_count(), view.count()));
                Stage::Probe(batch.map(|_| Probe::new(metric, clusters, wanted, joint())).collect())
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
            (self.stage, self.finer) = (Stage::Found, view.segment.finer.len().saturating_sub(1));
        }
        missing
    }

    fn scan(&mut self, view: &View<'_>, asked: &Asked, scratch: &mut Scratch) -> Vec<Read> {
        let sections = self.sections_of_rows(view);
        let Stage::Scan(scan) = &mut self.stage else { return Vec::new() };
        let missing = scan.step(view, &sections, &asked.queries, &mut scratch.prepared);
        if missing.is_empty() {
            for (candidates, mut nearest) in self.candidates.iter_mut().zip(std::mem::take(&mut scan.nearest))
            {
                candidates.found.extend(nearest.unsorted());
                candidates.distances = view.count() as u64;
            }
            self.stage = Stage::Found;
        }
        missing
    }

    fn walk(&mut self, view: &View<'_>, asked: &Asked, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let mut missing = view.missing(&[SectionKind::Codes, SectionKind::Graph]);
        missing.extend(view.missing(&self.sections_of_rows(view)));
        if !missing.is_empty() {
            return Ok(missing);
        }
        let file = &view.segment.header.file_id;
        let graph = MemoryGraph::new(view, scratch.graph_checked(self.number, file))?;
        scratch.set_graph_checked(self.number, file);
        let Scratch { beam, prepared, nearest, .. } = scratch;
        let codec = &*view.segment.codes.codec;
        let (ef, auto) = (self.counts.ef, asked.options.index == IndexChoice::Auto);
        let limit = |rows: &RowSet, found, kept| match auto {
            true => plan::worth_walking(rows, found, (ef, kept)),
            false => rows.count() as u64,
        };
        let kept = (ef, self.least_kept(asked));
        for (query, candidates) in asked.queries.chunks_exact(view.segment.dim()).zip(&mut self.candidates) {
            codec.prepare(query, false, prepared);
            graph.walk(view, prepared, kept, limit, beam)?;
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
        self.stage = Stage::Found;
        Ok(Vec::new())
    }

    /// How many candidates a walk must keep whatever it finds: those that are ranked again, and all that are asked for.
    fn least_kept(&self, asked: &Asked) -> usize {
        let CandidateCounts { k, ef, .. } = self.counts;
        let least = self.counts.candidates().max(plan::rerank_count(k));
        if asked.options.ef.is_some() { ef } else { least.min(ef) }
    }

    fn walk_from_disk(&mut self, view: &View<'_>, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let absent = DiskGraph::missing(view, &self.sections_of_rows(view));
        let fine = view.segment.finer.is_empty() && self.counts.rescore > 0;
        let Stage::DiskWalk(walks) = &mut self.stage else { return Ok(Vec::new()) };
        let file = &view.segment.header.file_id;
        let graph = match DiskGraph::new(view, fine, scratch.graph_checked(self.number, file))? {
            Some(graph) if absent.is_empty() => graph,
            _ => return Ok(absent),
        };
        scratch.set_graph_checked(self.number, file);
        let mut missing = MissingReads::default();
        walks.iter_mut().try_for_each(|walk| walk.step(view, &graph, &mut missing))?;
        let reads = missing.reads(&graph)?;
        if reads.is_empty() {
            for (walk, candidates) in walks.iter().zip(&mut self.candidates) {
                candidates.found = walk.candidates(self.counts.candidates());
                candidates.distances = walk.computed();
                candidates.rescored = if fine { candidates.found.len() } else { 0 };
            }
            self.stage = Stage::Found;
        }
        Ok(reads)
    }

    fn probe(&mut self, view: &View<'_>, asked: &Asked, scratch: &mut Scratch) -> Result<Vec<Read>, Error> {
        let (Stage::Probe(probes), Some(clusters)) = (&mut self.stage, &view.segment.clusters) else {
            return Ok(Vec::new());
        };
        let mut missing = Vec::new();
        for (query, probe) in asked.queries.chunks_exact(view.segment.dim()).zip(probes.iter_mut()) {
            missing.extend(probe.step(view, clusters, query, &mut scratch.probe)?);
        }
        if !missing.is_empty() || probes.iter().any(Probe::waits) {
            return Ok(view.fitting(missing));
        }
        self.doubt = probes.first().map(|probe| probe.width.doubt);
        for (probe, candidates) in probes.iter_mut().zip(&mut self.candidates) {
            (candidates.list_hits, candidates.texts) = probe.candidates(&mut scratch.probe);
            candidates.found = candidates.list_hits.iter().map(|hit| (hit.distance, hit.position)).collect();
            candidates.distances = probe.distances;
        }
        // Lists have the checksums of the finest rows, which are read next: in one wave, a page of a mapping for each.
        (self.stage, self.finer) = (Stage::Found, view.segment.finer.len().saturating_sub(1));
        Ok(Vec::new())
    }

    /// Ranks the candidates by the current finer rows, as far as they are available. Returns the reads of the others.
    pub(super) fn rescore(&mut self, view: &View<'_>, asked: &Asked, scratch: &mut Scratch) -> Vec<Read> {
        if self.counts.rescore == 0 {
            return Vec::new();
        }
        let (stage, prepared) = (self.finer, &mut scratch.prepared);
        view.placed(rerank::rescore(view, stage, &asked.queries, &mut self.candidates, prepared))
    }

    /// The sections that have the ids and the checksums of rows, for a search without lists, which have both.
    fn sections_of_rows(&self, view: &View<'_>) -> Vec<SectionKind> {
        let mut sections = if self.counts.rescore > 0 { view.checksums_of_rows() } else { Vec::new() };
        sections.insert(0, SectionKind::Ids);
        sections
    }
}
