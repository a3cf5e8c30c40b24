//! How wide a search looks by default: measured once, when the segment is built, on queries the caller gives, or else
//! on queries made of two rows each. (Rows themselves find their neighbours far more easily than real queries do.)

use super::tree::Tree;
use crate::exec;
use crate::index::pool::Pool;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::kmeans::hash;
use crate::segment::clusters::Defaults;

/// Queries measured with.
const QUERIES: usize = 256;
const NEIGHBOURS: usize = 10;
/// The part of the true neighbours that the lists looked at must hold.
const WANTED: f64 = 0.975;
/// The part that the cells looked at must hold.
const WANTED_IN_CELLS: f64 = 0.997;

/// `rows` (row-major) in the order of the tree.
pub(crate) fn calibrate(
    tree: &Tree,
    rows: &[f32],
    dim: usize,
    metric: Metric,
    seed: u64,
    queries: &[f32],
) -> Defaults {
    let made = if queries.is_empty() { mixtures(rows, dim, seed) } else { Vec::new() };
    let queries = if queries.is_empty() { &made } else { queries };
    let queries: Vec<&[f32]> = queries.chunks_exact(dim).take(QUERIES).collect();
    let ranks = exec::map_chunks(queries.len(), 1, |q| ranks(tree, rows, dim, metric, queries[q.start]));
    let ranks: Vec<(u32, u32)> = ranks.concat();
    let cells = quantile(ranks.iter().map(|r| r.0), WANTED_IN_CELLS);
    let in_cells = |r: &(u32, u32)| if r.0 <= cells { r.1 } else { u32::MAX };
    let probes = quantile(ranks.iter().map(in_cells), WANTED).min(tree.leaves.len() as u32 - 1);
    Defaults { cells: cells.max(1), probes: probes.max(1) }
}

/// The smallest value that is no less than `part` of the values.
fn quantile(values: impl Iterator<Item = u32>, part: f64) -> u32 {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    let at = (values.len() as f64 * part).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or(1)
}

/// Means of two rows chosen by chance.
fn mixtures(rows: &[f32], dim: usize, seed: u64) -> Vec<f32> {
    let count = (rows.len() / dim) as u64;
    let row = |at: u64| &rows[(at % count.max(1)) as usize * dim..][..dim];
    let mixture = |q: u64| {
        let first = hash(seed ^ hash(q));
        let second = hash(first);
        row(first).iter().zip(row(second)).map(|(a, b)| (a + b) * 0.5)
    };
    if count == 0 { Vec::new() } else { (0..QUERIES as u64).flat_map(mixture).collect() }
}

/// For each true neighbour of a query, the ranks (from 1) of its cell and of its leaf.
fn ranks(tree: &Tree, rows: &[f32], dim: usize, metric: Metric, query: &[f32]) -> Vec<(u32, u32)> {
    let distance = |row: &[f32]| match metric {
        Metric::L2 => (kernels().l2_f32)(query, row),
        Metric::Cosine | Metric::Dot => -(kernels().dot_f32)(query, row),
    };
    let mut pool = Pool::default();
    pool.reset(NEIGHBOURS);
    rows.chunks_exact(dim).zip(0..).for_each(|(row, position)| pool.offer(distance(row), position));
    let distances = |centroids: &[f32]| centroids.chunks_exact(dim).map(distance).collect::<Vec<f32>>();
    let (cells, leaves) = (distances(&tree.cell_centroids), distances(&tree.leaf_centroids));
    let rank =
        |distances: &[f32], at: usize| distances.iter().filter(|d| **d < distances[at]).count() as u32 + 1;
    let holds = |starts: &[u32], what: u32| starts.partition_point(|&s| s <= what) - 1;
    let of = |position: u32| {
        let leaf = holds(&tree.leaves, position);
        (rank(&cells, holds(&tree.cells, leaf as u32)), rank(&leaves, leaf))
    };
    pool.iter().map(|c| of(c.1)).collect()
}
