//! A batch of queries as a resumable value. Each step reads what is here and either is done or names what it needs.
//!
//! Hits depend on the file, the queries and the options alone: what is here decides when bytes move, never which rows
//! are scored.

use super::hnsw::{self, Beam, Distances, GraphView};
use super::pool::Pool;
use super::{Answer, Hit, IndexChoice, QueryStats, SearchOptions, flat};
use crate::error::Error;
use crate::metric::Metric;
use crate::quant::{Codec, CodecKind, Prepared};
use crate::segment::{IdView, Matrix, SectionKind, Segment};
use crate::storage::{Extent, Source};

/// Memory that queries of one segment share, so that none allocates its own.
#[derive(Default)]
pub(crate) struct Scratch {
    beam: Beam,
    prepared: Prepared,
    /// The graph's layers were found to be in order: immutable, so once is enough.
    graph_checked: bool,
}

/// What a step came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Step<T> {
    /// Deliver these, then step again.
    Need(Vec<Extent>),
    /// The outcome.
    Done(T),
}

impl<T> Step<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Step::Need(extents) => Step::Need(extents),
            Step::Done(value) => Step::Done(f(value)),
        }
    }

    /// The outcome over a source that is here as a whole, where what is missing lies beyond its end.
    pub(crate) fn whole(self) -> Result<T, Error> {
        match self {
            Step::Done(value) => Ok(value),
            Step::Need(extents) => {
                let end = extents.iter().map(|e| e.end()).max().unwrap_or(0);
                Err(Error::corrupt("file", format!("it ends before byte {end}")))
            }
        }
    }
}

enum Stage {
    /// Waiting for codes (and the graph).
    Candidates,
    /// Flat over codes that come in chunks: the next row.
    Scan(u32),
    /// Ranking candidates by finer rows.
    Rescore,
}

/// See the head of this file.
pub(crate) struct Search {
    queries: Vec<f32>,
    k: usize,
    ef: usize,
    rescore: usize,
    graph: bool,
    stage: Stage,
    states: Vec<State>,
}

#[derive(Default)]
struct State {
    /// Flat: the nearest so far.
    pool: Pool,
    candidates: Vec<(f32, u32)>,
    /// Candidates before this one have their final distance.
    rescored: usize,
    distances: u64,
}

/// `room` is asked what can be held: with the graph or codes not whole, the graph cannot serve.
pub(crate) fn graph_fits(segment: &Segment, source: &dyn Source) -> bool {
    let fits = |kind| segment.extent(kind).is_some_and(|e| source.room(e) >= e.length);
    segment.header.m > 0 && fits(SectionKind::Graph) && fits(SectionKind::Codes)
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
        let mut queries = queries.to_vec();
        for (i, query) in queries.chunks_exact_mut(dim).enumerate() {
            super::build::check_row(query, i, segment.header.metric)?;
        }
        let k = o.k.min(segment.count());
        let binary = segment.header.codec == CodecKind::Binary;
        let default = if binary { SearchOptions::DEFAULT_EF_BINARY } else { SearchOptions::DEFAULT_EF };
        let ef = o.ef.unwrap_or(default).clamp(k.max(1), segment.count().max(1));
        let graph = match o.index {
            IndexChoice::Flat => false,
            IndexChoice::Auto => graph_fits(segment, source),
            IndexChoice::Hnsw if graph_fits(segment, source) => true,
            IndexChoice::Hnsw if segment.header.m == 0 => {
                return Err(Error::argument(
                    "index",
                    "this segment has no graph: search it flat or rebuild it with one",
                ));
            }
            IndexChoice::Hnsw => {
                return Err(Error::argument(
                    "index",
                    "codes and graph do not fit the memory budget: raise it or use flat",
                ));
            }
        };
        // Codes that are ranked again in place cost no reads; coarse ones want all their candidates ranked.
        let enough = if segment.rows.is_some() { ef } else { (4 * k).max(32) };
        let rescore = match segment.header.codec {
            CodecKind::F32 | CodecKind::F16 if segment.rows.is_none() => 0,
            CodecKind::Binary if segment.rows.is_none() => 0,
            _ => o.rescore.unwrap_or(enough).max(k),
        };
        let states = (0..queries.len() / dim).map(|_| State::default()).collect();
        Ok(Search { queries, k, ef, rescore, graph, stage: Stage::Candidates, states })
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
        if let Stage::Candidates = self.stage {
            let missing = self.missing_sections(segment, source);
            if !missing.is_empty() {
                return Ok(Step::Need(missing));
            }
            if self.graph {
                self.walk(segment, source, scratch)?;
                self.stage = Stage::Rescore;
            } else {
                self.states.iter_mut().for_each(|s| s.pool.reset(self.ef.max(self.rescore)));
                self.stage = Stage::Scan(0);
            }
        }
        while let Stage::Scan(first) = self.stage {
            match self.scan(segment, source, scratch, first)? {
                Some(need) => return Ok(Step::Need(vec![need])),
                None => continue,
            }
        }
        match self.rescore(segment, source, scratch)? {
            Some(needs) => Ok(Step::Need(needs)),
            None => self.answers(segment, source).map(Step::Done),
        }
    }

    /// What must be whole before the first row is scored.
    fn missing_sections(&self, segment: &Segment, source: &dyn Source) -> Vec<Extent> {
        let mut kinds = vec![SectionKind::Ids];
        if segment.rows.is_some() && self.rescore > 0 {
            kinds.push(SectionKind::RowSums);
        }
        if self.graph {
            kinds.extend([SectionKind::Codes, SectionKind::Graph]);
        }
        let extents = kinds.into_iter().filter_map(|k| segment.extent(k));
        extents.filter(|&e| e.length > 0 && source.get(e).is_none()).collect()
    }

    fn walk(&mut self, segment: &Segment, source: &dyn Source, scratch: &mut Scratch) -> Result<(), Error> {
        let graph = here(source, segment.required(SectionKind::Graph)?)?;
        let graph = GraphView::new(graph, segment.count(), segment.header.m, scratch.graph_checked)?;
        scratch.graph_checked = true;
        let rows = here(source, segment.codes.extent)?;
        for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
            let codec = &*segment.codes.codec;
            codec.prepare(query, false, &mut scratch.prepared);
            let mut to = FromQuery { codec, prepared: &mut scratch.prepared, rows };
            scratch.beam.computed = 0;
            hnsw::search(&graph, &mut to, self.ef, &mut scratch.beam)?;
            state.candidates.extend(scratch.beam.pool.iter().take(self.rescore.max(self.k)));
            state.distances += scratch.beam.computed;
        }
        Ok(())
    }

    /// Scores the chunk of rows from `first`, or names it.
    fn scan(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
        first: u32,
    ) -> Result<Option<Extent>, Error> {
        let codes = &segment.codes;
        let per_chunk = (source.room(codes.extent) / codes.stride).max(1);
        let count = per_chunk.min((segment.count() as u64).saturating_sub(u64::from(first)));
        let extent = Extent {
            offset: codes.extent.offset + u64::from(first) * codes.stride,
            length: count * codes.stride,
        };
        if count == 0 {
            let keep = self.rescore.max(self.k);
            self.states.iter_mut().for_each(|s| s.candidates.extend(s.pool.iter().take(keep)));
            self.stage = Stage::Rescore;
            return Ok(None);
        }
        let Some(rows) = source.get(extent) else { return Ok(Some(extent)) };
        for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
            codes.codec.prepare(query, false, &mut scratch.prepared);
            flat::scan(&*codes.codec, &mut scratch.prepared, rows, first, count as usize, &mut state.pool);
            state.distances += count;
        }
        self.stage = Stage::Scan(first + count as u32);
        Ok(None)
    }

    /// Ranks the candidates whose rows are here; names as many of the others as there is room for.
    fn rescore(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        scratch: &mut Scratch,
    ) -> Result<Option<Vec<Extent>>, Error> {
        if self.rescore == 0 {
            return Ok(None);
        }
        let rows = segment.finest();
        for (query, state) in self.queries.chunks_exact(segment.dim()).zip(&mut self.states) {
            rows.codec.prepare(query, true, &mut scratch.prepared);
            state.rescore(rows, source, &mut scratch.prepared);
        }
        let room = (source.room(rows.extent) / rows.stride).max(1) as usize;
        let waiting = self.states.iter().flat_map(|s| &s.candidates[s.rescored..]).map(|c| c.1);
        let mut positions: Vec<u32> = waiting.collect();
        positions.sort_unstable();
        positions.dedup();
        positions.truncate(room);
        let needs: Vec<Extent> = positions.into_iter().map(|p| rows.row(p)).collect();
        Ok((!needs.is_empty()).then_some(needs))
    }

    fn answers(&mut self, segment: &Segment, source: &dyn Source) -> Result<Vec<Answer>, Error> {
        let ids = here(source, segment.required(SectionKind::Ids)?)?;
        let ids = IdView::new(ids, segment.count(), segment.header.text_ids)?;
        let index = if self.graph { "hnsw" } else { "flat" };
        let mut answers = Vec::with_capacity(self.states.len());
        for state in &mut self.states {
            state.candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let nearest = state.candidates.iter().take(self.k);
            let hit = |&(distance, position): &(f32, u32)| {
                ids.id(position).map(|id| Hit { position, id, score: score(segment.header.metric, distance) })
            };
            let stats = QueryStats {
                index,
                distances: state.distances,
                rescored: state.rescored as u64,
                ..Default::default()
            };
            answers.push(Answer { hits: nearest.map(hit).collect::<Result<_, _>>()?, stats });
        }
        Ok(answers)
    }
}

impl State {
    /// Gives candidates their final distance, in order, as long as their rows are here.
    fn rescore(&mut self, rows: &Matrix, source: &dyn Source, prepared: &mut Prepared) {
        // Those that are here move before those that are not.
        for at in self.rescored..self.candidates.len() {
            let position = self.candidates[at].1;
            let Some(row) = source.get(rows.row(position)) else { continue };
            let mut distance = [0.0];
            rows.codec.distances(prepared, row, &[0], &mut distance);
            self.candidates[at].0 = distance[0];
            self.candidates.swap(self.rescored, at);
            self.rescored += 1;
        }
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

/// Bytes that were found to be here a moment ago.
fn here(source: &dyn Source, extent: Extent) -> Result<&[u8], Error> {
    if extent.length == 0 {
        return Ok(&[]);
    }
    source.get(extent).ok_or_else(|| Error::argument("source", "bytes that were delivered are gone"))
}

struct FromQuery<'a> {
    codec: &'a dyn Codec,
    prepared: &'a mut Prepared,
    rows: &'a [u8],
}

impl Distances for FromQuery<'_> {
    fn distances(&mut self, ids: &[u32], out: &mut [f32]) {
        self.codec.distances(self.prepared, self.rows, ids, out);
    }
}
