//! A batch of queries as a resumable value. Each step reads what is here and either is done or names what it needs.
//!
//! Hits depend on the file, the queries, the options and the route alone: what is here decides when bytes move, never
//! which rows are scored.

use std::cell::Cell;

use super::clusters::{ListHit, Probe, ProbeScratch};
use super::hnsw::{self, Beam, DiskGraph, Distances, MissingReads, Walk};
use super::plan::{self, CandidateCounts, Facts, Route};
use super::{Answer, SearchOptions, flat};
use crate::error::Error;
use crate::kernels::prefetch;
use crate::metric::Metric;
use crate::quant::{Codec, Prepared};
use crate::segment::{GraphView, SectionKind, Segment};
use crate::storage::{Expected, Extent, Read, Source, in_order};
use crate::topk::TopK;
use crate::vectors::check_row;

/// A scan asks for so many bytes while it scores those before them.
const AHEAD: u64 = 4 << 20;
/// A walk tells a mapping what it will read at one step in so many at least.
const MOST_CALM: u32 = 15;

/// Memory that queries of one segment share, so that none allocates its own.
#[derive(Default)]
pub(crate) struct Scratch {
    beam: Beam,
    pub(super) prepared: Prepared,
    probe: ProbeScratch,
    pub(super) nearest: TopK,
    /// The graph's layers were found to be in order: immutable, so once is enough.
    graph_checked: bool,
}

/// What a step came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Step<T> {
    /// Deliver these, then step again.
    Need(Vec<Read>),
    /// The outcome.
    Done(T),
}

impl<T> Step<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Step::Need(reads) => Step::Need(reads),
            Step::Done(value) => Step::Done(f(value)),
        }
    }

    /// The outcome over a source that is here as a whole, where what is missing lies beyond its end.
    pub(crate) fn whole(self) -> Result<T, Error> {
        match self {
            Step::Done(value) => Ok(value),
            Step::Need(reads) => {
                let end = reads.iter().map(|r| r.extent.end()).max().unwrap_or(0);
                Err(Error::corrupt("file", format!("it ends before byte {end}")))
            }
        }
    }
}

/// Where the search stands; each hands over to `Rescore`.
enum Stage {
    /// Waiting for codes and graph.
    Graph,
    /// The next row to score.
    Scan(u32),
    /// One per query.
    Walk(Vec<Walk>),
    /// One per query.
    Probe(Vec<Probe>),
    /// Ranking candidates by the finer rows of this number, or by the codes themselves where there are none.
    Rescore(usize),
}

/// See the head of this file.
pub(crate) struct Search {
    pub(super) queries: Vec<f32>,
    pub(super) counts: CandidateCounts,
    pub(super) route: Route,
    stage: Stage,
    pub(super) states: Vec<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Flat: the nearest so far.
    nearest: TopK,
    pub(super) candidates: Vec<(f32, u32)>,
    /// Candidates before this one have their final distance.
    pub(super) rescored: usize,
    /// In stages that are over.
    pub(super) rescored_before: usize,
    pub(super) distances: u64,
    /// Clusters: what the lists said of the candidates, in the same order.
    pub(super) labels: Vec<ListHit>,
    /// The bytes of their ids, if these are texts.
    pub(super) texts: Vec<u8>,
}

impl Search {
    /// `queries` is row-major.
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
        if o.k == 0 {
            return Err(Error::argument("k", "0 hits were asked for: give 1 or more"));
        }
        if o.recall.is_some_and(|r| !(r > 0.0 && r <= 1.0)) {
            return Err(Error::argument(
                "recall",
                "the part of the neighbours to find is above 0 and at most 1",
            ));
        }
        let mut queries = queries.to_vec();
        check_queries(&mut queries, dim, segment.header.metric)?;
        let route = plan::route(o.index, Facts { k: o.k, ..Facts::of(segment, source) })?;
        let counts = plan::counts(segment, o);
        let mut states: Vec<State> = (0..queries.len() / dim).map(|_| State::default()).collect();
        let stage = match route {
            Route::Hnsw => Stage::Graph,
            Route::Walk => {
                let fine = segment.finer.is_empty() && counts.rescore > 0;
                let walk = |query| Walk::new(&*segment.codes.codec, query, fine, counts.ef, counts.k);
                Stage::Walk(queries.chunks_exact(dim).map(walk).collect())
            }
            Route::Flat => {
                states.iter_mut().for_each(|s| s.nearest.reset(counts.candidates()));
                Stage::Scan(0)
            }
            Route::Clusters => {
                let Some(clusters) = &segment.clusters else {
                    return Err(Error::corrupt("cells", "the section is missing"));
                };
                let width = plan::width(clusters, o, counts.k);
                Stage::Probe(states.iter().map(|_| Probe::new(segment.header.metric, width)).collect())
            }
        };
        // Lists are coarse: their candidates are always ranked again.
        let counts =
            if route == Route::Clusters { CandidateCounts { rescore: usize::MAX, ..counts } } else { counts };
        Ok(Search { queries, counts, route, stage, states })
    }

    /// Steps to the end over a source that is here as a whole.
    pub(crate) fn run(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Answer>, Error> {
        self.step(segment, source, scratch)?.whole()
    }

    /// Goes as far as the bytes that are here allow.
    pub(crate) fn step(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Step<Vec<Answer>>, Error> {
        loop {
            let missing = match self.stage {
                Stage::Graph => self.walk(segment, source, scratch)?,
                Stage::Walk(_) => self.walk_by_node(segment, source, scratch)?,
                Stage::Scan(first) => self.scan(segment, source, scratch, first)?,
                Stage::Probe(_) => self.probe(segment, source, scratch)?,
                Stage::Rescore(stage) => match self.rescore(segment, source, scratch, stage)? {
                    none if none.is_empty() && stage + 1 >= segment.finer.len() => {
                        return self.answers(segment, source, scratch).map(Step::Done);
                    }
                    none if none.is_empty() => {
                        self.keep_best(&mut scratch.nearest);
                        self.stage = Stage::Rescore(stage + 1);
                        none
                    }
                    missing => missing,
                },
            };
            if !missing.is_empty() {
                return Ok(Step::Need(missing));
            }
        }
    }

    fn walk(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let missing =
            missing(segment, source, &[SectionKind::Codes, SectionKind::Graph], &self.labelled(segment));
        if !missing.is_empty() {
            return Ok(missing);
        }
        let graph = here(source, segment.required(SectionKind::Graph)?)?;
        let graph = GraphView::new(graph, segment.count(), segment.header.m, scratch.graph_checked)?;
        scratch.graph_checked = true;
        let rows = here(source, segment.codes.extent)?;
        source.prefetch(&mut std::iter::once(segment.codes.row(graph.entry)));
        let links = segment.graph_parts().map(|parts| Extent { length: parts.stride, ..parts.base });
        for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
            let codec = &*segment.codes.codec;
            codec.prepare(query, false, &mut scratch.prepared);
            let stride = segment.codes.stride as usize;
            let prepared = &mut scratch.prepared;
            let mut to = FromQuery {
                codec,
                prepared,
                rows,
                stride,
                source,
                codes: segment.codes.row(0),
                links,
                calm: Cell::new((0, 1)),
            };
            scratch.beam.computed = 0;
            hnsw::search(&graph, &mut to, self.counts.ef, &mut scratch.beam)?;
            state.distances += scratch.beam.computed;
            let keep = self.counts.candidates().min(self.counts.ef);
            // The walk reached fewer rows than are wanted: few links, or many rows that are the same.
            if scratch.beam.pool.iter().len() < self.counts.k {
                scratch.nearest.reset(keep);
                let (prepared, nearest) = (&mut scratch.prepared, &mut scratch.nearest);
                flat::scan(codec, prepared, rows, 0, segment.count(), nearest);
                state.distances += segment.count() as u64;
                state.candidates.extend(nearest.unsorted());
            } else {
                state.candidates.extend(scratch.beam.pool.iter().take(keep));
            }
        }
        self.stage = Stage::Rescore(0);
        Ok(Vec::new())
    }

    /// Takes every query as far through the graph as it goes.
    fn walk_by_node(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let codes: &[SectionKind] =
            if source.fits(segment.codes.extent) { &[SectionKind::Codes] } else { &[] };
        let mut absent = missing(segment, source, &[SectionKind::NodeChecksums], &self.labelled(segment));
        absent.extend(missing(segment, source, codes, &[]));
        let upper = segment.graph_parts().map(|parts| parts.upper);
        absent.extend(
            upper
                .filter(|&e| source.get(e).is_none())
                .map(|extent| Read { extent, expected: Expected::Blocks }),
        );
        let Stage::Walk(walks) = &mut self.stage else { return Ok(Vec::new()) };
        let fine = segment.finer.is_empty() && self.counts.rescore > 0;
        let places = match DiskGraph::new(segment, source, fine, scratch.graph_checked)? {
            Some(places) if absent.is_empty() => places,
            _ => return Ok(absent),
        };
        scratch.graph_checked = true;
        let mut needs = MissingReads::default();
        walks.iter_mut().try_for_each(|walk| walk.step(&places, &mut needs))?;
        let reads = needs.reads(&places)?;
        if reads.is_empty() {
            for (walk, state) in walks.iter().zip(&mut self.states) {
                state.candidates = walk.candidates(self.counts.candidates());
                state.distances = walk.computed;
                state.rescored = if fine { state.candidates.len() } else { 0 };
            }
            self.stage = Stage::Rescore(0);
        }
        Ok(reads)
    }

    /// Scores the chunk of rows from `first`, or names it.
    fn scan(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
        first: u32,
    ) -> Result<Vec<Read>, Error> {
        let codes = &segment.codes;
        let mut missing = match first {
            0 => missing(segment, source, &[], &self.labelled(segment)),
            _ => Vec::new(),
        };
        if first as usize >= segment.count() {
            if missing.is_empty() {
                for state in &mut self.states {
                    state.candidates.extend(std::mem::take(&mut state.nearest).unsorted());
                }
                self.stage = Stage::Rescore(0);
            }
            return Ok(missing);
        }
        let read = chunk_around(segment, source, first);
        let count = read.extent.length / codes.stride;
        let rows = source.get(read.extent);
        if rows.is_none() {
            missing.push(read);
        }
        let Some(rows) = rows.filter(|_| missing.is_empty()) else { return Ok(missing) };
        let together = (AHEAD / codes.stride).max(1);
        let announce = |from: u64| {
            let length = together.min(count.saturating_sub(from)) * codes.stride;
            source.prefetch(&mut std::iter::once(Extent {
                offset: read.extent.offset + from * codes.stride,
                length,
            }));
        };
        announce(0);
        for (rows, from) in
            rows.chunks((together * codes.stride) as usize).zip((0..).step_by(together as usize))
        {
            announce(from + together);
            let some = rows.len() as u64 / codes.stride;
            for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
                codes.codec.prepare(query, false, &mut scratch.prepared);
                let (first, pool) = (first + from as u32, &mut state.nearest);
                flat::scan(&*codes.codec, &mut scratch.prepared, rows, first, some as usize, pool);
                state.distances += some;
            }
        }
        self.stage = Stage::Scan(first + count as u32);
        Ok(Vec::new())
    }

    /// Takes every query as far through the clusters as it goes.
    fn probe(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Vec<Read>, Error> {
        let (Stage::Probe(probes), Some(clusters)) = (&mut self.stage, &segment.clusters) else {
            return Ok(Vec::new());
        };
        let mut needs = Vec::new();
        for (query, probe) in self.queries.chunks_exact(segment.dim()).zip(probes.iter_mut()) {
            needs.extend(probe.step(segment, clusters, source, query, &mut scratch.probe)?);
        }
        if !needs.is_empty() {
            return Ok(fitting(needs, source, segment));
        }
        for (probe, state) in probes.iter_mut().zip(&mut self.states) {
            (state.labels, state.texts) = probe.candidates();
            state.candidates = state.labels.iter().map(|label| (label.distance, label.position)).collect();
            state.distances = probe.distances;
        }
        // Lists have the checksums of the finest rows: one wave for them, and a page of a mapping for each as for any other.
        self.stage = Stage::Rescore(segment.finer.len().saturating_sub(1));
        Ok(Vec::new())
    }

    /// Sections that name rows and their checksums, where no lists do.
    fn labelled(&self, segment: &Segment) -> Vec<SectionKind> {
        let checksums =
            segment.finer.iter().filter(|_| self.counts.rescore > 0).filter_map(|rows| rows.checksums);
        std::iter::once(SectionKind::Ids).chain(checksums).collect()
    }
}

/// Refuses queries that no distance is defined for, and under cosine makes each a unit vector.
pub(crate) fn check_queries(queries: &mut [f32], dim: usize, metric: Metric) -> Result<(), Error> {
    let batch = queries.len() > dim;
    for (i, query) in queries.chunks_exact_mut(dim).enumerate() {
        check_row(query, i, metric).map_err(|error| error.of_query(batch.then_some(i)))?;
    }
    Ok(())
}

/// Those of these sections that are not here, as reads.
pub(super) fn missing(
    segment: &Segment,
    source: &dyn Source,
    a: &[SectionKind],
    b: &[SectionKind],
) -> Vec<Read> {
    let extents = a.iter().chain(b).filter_map(|&k| segment.extent(k));
    let absent = extents.filter(|&e| e.length > 0 && source.get(e).is_none());
    absent.map(|extent| Read { extent, expected: Expected::Blocks }).collect()
}

/// The codes around a row that come together: all of them, or the chunk that there is room for.
pub(super) fn chunk_around(segment: &Segment, source: &dyn Source, position: u32) -> Read {
    let codes = &segment.codes;
    let count = segment.count() as u64;
    let chunk =
        if source.fits(codes.extent) { count } else { source.slots(codes.extent).bytes / codes.stride };
    let first = u64::from(position) / chunk.max(1) * chunk.max(1);
    let length = chunk.max(1).min(count.saturating_sub(first)) * codes.stride;
    let extent = Extent { offset: codes.extent.offset + first * codes.stride, length };
    Read { extent, expected: Expected::Blocks }
}

/// Each read once, and as many as there is room for; all are units of one section.
pub(super) fn fitting(mut reads: Vec<Read>, source: &dyn Source, segment: &Segment) -> Vec<Read> {
    in_order(&mut reads);
    reads.dedup_by_key(|r| r.extent);
    let Some(section) = reads.first().and_then(|r| segment.section_extent(r.extent)) else { return reads };
    reads.retain(|r| section.contains(r.extent));
    reads.truncate(source.slots(section).count.max(1));
    reads
}

/// Bytes that were found to be here a moment ago.
pub(super) fn here(source: &dyn Source, extent: Extent) -> Result<&[u8], Error> {
    if extent.length == 0 {
        return Ok(&[]);
    }
    source.get(extent).ok_or_else(|| Error::internal("bytes that were delivered are gone"))
}

struct FromQuery<'a> {
    codec: &'a dyn Codec,
    prepared: &'a mut Prepared,
    rows: &'a [u8],
    stride: usize,
    /// Where the rows come from, and the first of them and of the records of links there.
    source: &'a dyn Source,
    codes: Extent,
    links: Option<Extent>,
    /// Steps until the source is told of rows again; and how many it was not told of before.
    calm: Cell<(u32, u32)>,
}

impl FromQuery<'_> {
    /// Tells the source what the next step will read. While two rows of it were asked for before, as all are in the end,
    /// twice as many steps pass without that each time: a walk through what is in memory hardly pays for it.
    #[inline(never)]
    fn announce(&self, ids: &[u32], before: u32) {
        let Some((first, middle)) = ids.first().zip(ids.get(ids.len() / 2)) else { return };
        let mut news = self.source.prefetch_records(self.codes, &[*first, *middle]);
        if news || before == 0 {
            news |= self.source.prefetch_records(self.codes, ids);
            news |= self.links.is_some_and(|links| self.source.prefetch_records(links, ids));
        }
        let steps = if news { 0 } else { (2 * before + 1).min(MOST_CALM) };
        self.calm.set((steps, steps));
    }
}

impl Distances for FromQuery<'_> {
    fn distances(&mut self, ids: &[u32], out: &mut [f32]) {
        self.codec.distances(self.prepared, self.rows, ids, out);
    }

    fn prefetch(&self, ids: &[u32]) {
        ids.iter().for_each(|&id| prefetch(&self.rows[id as usize * self.stride..][..self.stride]));
        match self.calm.get() {
            (0, before) => self.announce(ids, before),
            (steps, before) => self.calm.set((steps - 1, before)),
        }
    }
}
