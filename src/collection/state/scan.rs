//! Searches the rows in memory: all that may be hits are scored, those that are nearest once more by the finest codes.

use std::collections::HashMap;

use crate::collection::state::memtable::{CHUNK, Chunk, Memtable};
use crate::id::Id;
use crate::metric::Metric;
use crate::quant::Prepared;
use crate::search::{plan, score};
use crate::topk::TopK;

/// Rows scored in one call of the codec.
const GROUP: usize = 64;
/// Up to so many ids are looked for one by one.
const FEW: usize = 4;

/// The nearest rows of one query.
pub(crate) struct Scanned {
    /// Score and number of each, nearest first.
    pub(crate) hits: Vec<(f32, u32)>,
    pub(crate) distances: u64,
    pub(crate) rescored: u64,
}

/// The `k` rows nearest to each of `queries`, which were checked. Those whose bit in `allowed` is not set are left out.
pub(crate) fn scan(
    memtable: &Memtable,
    metric: Metric,
    queries: &[f32],
    dim: usize,
    k: usize,
    allowed: Option<&[bool]>,
) -> Vec<Scanned> {
    let may_be_hits: Vec<Vec<u32>> =
        (0..).zip(&memtable.chunks).map(|(at, chunk)| rows_of(chunk, at, allowed)).collect();
    let (mut prepared, mut nearest) = (Prepared::default(), TopK::default());
    let scanned = |query| scan_for(memtable, metric, query, k, &may_be_hits, (&mut prepared, &mut nearest));
    queries.chunks_exact(dim).map(scanned).collect()
}

/// The numbers in a chunk of its rows that may be hits.
fn rows_of(chunk: &Chunk, at: usize, allowed: Option<&[bool]>) -> Vec<u32> {
    let allows = |row: &usize| {
        allowed.is_none_or(|allowed| allowed.get(at * CHUNK + row).is_some_and(|&allowed| allowed))
    };
    chunk.live().filter(allows).map(|row| row as u32).collect()
}

fn scan_for(
    memtable: &Memtable,
    metric: Metric,
    query: &[f32],
    k: usize,
    rows: &[Vec<u32>],
    (prepared, nearest): (&mut Prepared, &mut TopK),
) -> Scanned {
    let stages = &memtable.epoch.0;
    let (scanned, finest) = (memtable.epoch.scanned(), stages.len() - 1);
    let mut distances = [0.0f32; GROUP];
    let count: usize = rows.iter().map(Vec::len).sum();
    stages[scanned].codec.prepare(query, false, prepared);
    nearest.reset(plan::rerank_count(k).min(count));
    for (at, (chunk, rows)) in memtable.chunks.iter().zip(rows).enumerate() {
        for group in rows.chunks(GROUP) {
            let distances = &mut distances[..group.len()];
            stages[scanned].codec.distances(prepared, &chunk.codes[scanned], group, distances);
            group
                .iter()
                .zip(&*distances)
                .for_each(|(row, &distance)| nearest.offer(distance, (at * CHUNK) as u32 + row));
        }
    }
    let found: Vec<u32> = nearest.unsorted().map(|(_, slot)| slot).collect();
    stages[finest].codec.prepare(query, true, prepared);
    nearest.reset(k.min(found.len()));
    for &slot in &found {
        let (chunk, row) = memtable.place(slot);
        let distance = &mut distances[..1];
        stages[finest].codec.distances(prepared, &chunk.codes[finest], &[row as u32], distance);
        nearest.offer(0.0 - score(metric, distance[0]), slot);
    }
    let hits = nearest.sorted().map(|(distance, slot)| (0.0 - distance, slot)).collect();
    Scanned { hits, distances: count as u64, rescored: found.len() as u64 }
}

/// The numbers of the live rows with these ids.
pub(crate) fn find(memtable: &Memtable, ids: &[Id]) -> Vec<Option<u32>> {
    if memtable.live() == 0 {
        return vec![None; ids.len()];
    }
    let live = || {
        let rows = |(at, chunk)| {
            let chunk: &Chunk = chunk;
            chunk.live().map(move |row| ((at * CHUNK + row) as u32, &chunk.ids[row]))
        };
        memtable.chunks.iter().map(|chunk| &**chunk).enumerate().flat_map(rows)
    };
    if ids.len() <= FEW {
        return ids.iter().map(|id| live().find(|row| row.1 == id).map(|row| row.0)).collect();
    }
    let slots: HashMap<&Id, u32> = live().map(|(slot, id)| (id, slot)).collect();
    ids.iter().map(|id| slots.get(id).copied()).collect()
}
