//! A scan: every row that may be a hit is scored, in order. It is exact on the codes.

use super::view::View;
use crate::kernels::prefetch;
use crate::quant::{Codec, Prepared};
use crate::row_set::RowSet;
use crate::segment::SectionKind;
use crate::storage::{Extent, Read};
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
        view: &View<'_>,
        sections: &[SectionKind],
        queries: &[f32],
        prepared: &mut Prepared,
    ) -> Vec<Read> {
        loop {
            let mut absent = if self.next == 0 { view.missing(sections) } else { Vec::new() };
            let Some(next) = view.positions(self.next..view.segment.count() as u32).next() else {
                return absent;
            };
            let chunk = unit_around(view, next);
            let rows = view.source.get(chunk.extent);
            if rows.is_none() {
                absent.extend(missing_units(view, next));
            }
            let Some(rows) = rows.filter(|_| absent.is_empty()) else { return absent };
            self.score(view, chunk.extent, rows, queries, prepared);
        }
    }

    /// Scores `rows`, the codes in `extent`, for all queries: some of the codes at a time, so that they are read from
    /// memory once.
    fn score(
        &mut self,
        view: &View<'_>,
        extent: Extent,
        rows: &[u8],
        queries: &[f32],
        prepared: &mut Prepared,
    ) {
        let codes = &view.segment.codes;
        let first = ((extent.offset - codes.extent.offset) / codes.stride) as u32;
        let count = extent.length / codes.stride;
        let together = (AHEAD / codes.stride).max(1);
        let prefetch = |from: u64| {
            let length = together.min(count.saturating_sub(from)) * codes.stride;
            let offset = extent.offset + from * codes.stride;
            if view.rows.is_none() {
                view.source.prefetch(&mut std::iter::once(Extent { offset, length }));
            }
        };
        prefetch(0);
        for (rows, from) in
            rows.chunks((together * codes.stride) as usize).zip((0..).step_by(together as usize))
        {
            prefetch(from + together);
            let (first, some) = (first + from as u32, rows.len() / codes.stride as usize);
            for (query, nearest) in queries.chunks_exact(view.segment.dim()).zip(&mut self.nearest) {
                codes.codec.prepare(query, false, prepared);
                let codes = Codes { codec: &*codes.codec, rows, first, count: some as u32 };
                scan_all(view, codes, prepared, nearest);
            }
        }
        self.next = first + count as u32;
    }
}

/// The codes that are read together with those of the row at `position`. Under a set of rows these are as few as
/// checksums allow.
fn unit_around(view: &View<'_>, position: u32) -> Read {
    let codes = &view.segment.codes;
    let sparse = view.rows.is_some() && view.source.get(codes.extent).is_none();
    match sparse && view.source.fits(codes.extent) {
        true => view.segment.block_around(codes.row(position)),
        false => view.chunk_around(position),
    }
}

/// The units from that of `position` on that are missing and have rows that may be hits: all if codes fit whole, else
/// the first.
fn missing_units(view: &View<'_>, position: u32) -> Vec<Read> {
    let (codes, count) = (&view.segment.codes, view.segment.count() as u32);
    let mut missing = Vec::new();
    let mut next = Some(position);
    while let Some(position) = next {
        let unit = unit_around(view, position);
        let end = ((unit.extent.end() - codes.extent.offset) / codes.stride) as u32;
        if view.source.get(unit.extent).is_none() {
            missing.push(unit);
        }
        if !view.source.fits(codes.extent) {
            break;
        }
        next = view.positions(end..count).next();
    }
    missing
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

/// The codes of the rows `first..first + count`.
#[derive(Clone, Copy)]
pub(super) struct Codes<'a> {
    pub(super) codec: &'a dyn Codec,
    pub(super) rows: &'a [u8],
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Scores those of `codes` that may be hits, and offers them to `nearest`.
pub(super) fn scan_all(view: &View<'_>, codes: Codes<'_>, prepared: &mut Prepared, nearest: &mut TopK) {
    match view.rows {
        None => scan(codes.codec, prepared, codes.rows, codes.first, codes.count as usize, nearest),
        Some(set) => scan_set(view, set, codes, prepared, nearest),
    }
}

/// Scores the rows of the set among `codes` and offers them to `nearest`. While some are scored, the next are
/// prefetched: they do not lie side by side.
fn scan_set(view: &View<'_>, set: &RowSet, codes: Codes<'_>, prepared: &mut Prepared, nearest: &mut TopK) {
    let Codes { codec, rows, first, count } = codes;
    let stride = view.segment.codes.stride as usize;
    let mut positions = set.within(first..first + count).map(|position| position - first);
    let mut groups = [[0u32; GROUP]; 2];
    let mut fill = |group: &mut [u32; GROUP]| {
        let mut filled = 0;
        for (id, position) in group.iter_mut().zip(&mut positions) {
            (*id, filled) = (position, filled + 1);
        }
        view.source.prefetch_records(view.segment.codes.row(first), &group[..filled]);
        group[..filled].iter().for_each(|&id| prefetch(&rows[id as usize * stride..][..stride]));
        filled
    };
    let mut distances = [0.0f32; GROUP];
    let [now, next] = &mut groups;
    let mut filled = fill(now);
    while filled > 0 {
        let ahead = fill(next);
        let ids = &now[..filled];
        codec.distances(prepared, rows, ids, &mut distances[..filled]);
        for (&id, &distance) in ids.iter().zip(&distances[..filled]) {
            nearest.offer(distance, first + id);
        }
        std::mem::swap(now, next);
        filled = ahead;
    }
}
