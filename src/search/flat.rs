//! A scan: every row is scored, in order. It is exact on the codes.

use super::step::{chunk_around, missing};
use crate::quant::{Codec, Prepared};
use crate::segment::{SectionKind, Segment};
use crate::storage::{Extent, Read, Source};
use crate::topk::TopK;

/// Rows scored in one call of the codec.
const GROUP: usize = 64;
/// So many bytes are prefetched while those before them are scored.
const AHEAD: u64 = 4 << 20;

/// A scan under way.
pub(crate) struct Scan {
    /// The first row that was not scored yet.
    next: u32,
    /// For each query the nearest rows so far.
    pub(super) nearest: Vec<TopK>,
}

impl Scan {
    /// A scan for so many queries, which keeps so many candidates for each.
    pub(super) fn new(queries: usize, candidates: usize) -> Self {
        let mut nearest: Vec<TopK> = (0..queries).map(|_| TopK::default()).collect();
        nearest.iter_mut().for_each(|nearest| nearest.reset(candidates));
        Scan { next: 0, nearest }
    }

    /// Goes as far as the available codes allow. `sections` are read along with the first codes. Returns the missing
    /// reads; if there are none, all rows were scored.
    pub(super) fn step(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        sections: &[SectionKind],
        queries: &[f32],
        prepared: &mut Prepared,
    ) -> Vec<Read> {
        loop {
            let mut absent =
                if self.next == 0 { missing(segment, source, sections, &[]) } else { Vec::new() };
            if self.next as usize >= segment.count() {
                return absent;
            }
            let chunk = chunk_around(segment, source, self.next);
            let rows = source.get(chunk.extent);
            if rows.is_none() {
                absent.push(chunk);
            }
            let Some(rows) = rows.filter(|_| absent.is_empty()) else { return absent };
            self.score(segment, source, chunk.extent, rows, queries, prepared);
        }
    }

    /// Scores `rows`, the codes in `extent`, for all queries: some of the codes at a time, so that they are read from
    /// memory once.
    fn score(
        &mut self,
        segment: &Segment,
        source: &dyn Source,
        extent: Extent,
        rows: &[u8],
        queries: &[f32],
        prepared: &mut Prepared,
    ) {
        let codes = &segment.codes;
        let count = extent.length / codes.stride;
        let together = (AHEAD / codes.stride).max(1);
        let prefetch = |from: u64| {
            let length = together.min(count.saturating_sub(from)) * codes.stride;
            let offset = extent.offset + from * codes.stride;
            source.prefetch(&mut std::iter::once(Extent { offset, length }));
        };
        prefetch(0);
        for (rows, from) in
            rows.chunks((together * codes.stride) as usize).zip((0..).step_by(together as usize))
        {
            prefetch(from + together);
            let (first, some) = (self.next + from as u32, rows.len() / codes.stride as usize);
            for (query, nearest) in queries.chunks_exact(segment.dim()).zip(&mut self.nearest) {
                codes.codec.prepare(query, false, prepared);
                scan(&*codes.codec, prepared, rows, first, some, nearest);
            }
        }
        self.next += count as u32;
    }
}

/// Scores the rows `first..first + count` and offers them to `nearest`; `rows` has the codes of just those.
pub(crate) fn scan(
    codec: &dyn Codec,
    prepared: &mut Prepared,
    rows: &[u8],
    first: u32,
    count: usize,
    nearest: &mut TopK,
) {
    let mut distances = [0.0f32; GROUP];
    let mut ids = [0u32; GROUP];
    for start in (0..count).step_by(GROUP) {
        let length = GROUP.min(count - start);
        ids.iter_mut().enumerate().for_each(|(i, id)| *id = (start + i) as u32);
        codec.distances(prepared, rows, &ids[..length], &mut distances[..length]);
        for (&id, &distance) in ids.iter().zip(&distances[..length]) {
            nearest.offer(distance, first + id);
        }
    }
}
