//! k-means (Lloyd), deterministic: the start is seeded, distances come from codes, means are summed in order, and ties
//! go to the lower centroid.

use crate::build::nearest::{Nearest, Ties};
use crate::build::row_distances::{RowDistances, Scratch};
use crate::exec;
use crate::hash::hash;
use crate::quant::Sq8;
use crate::topk::argmin;
use crate::vectors::Rows;

/// Rows per task.
const CHUNK: usize = 1024;
/// Rows whose distances are computed at a time: they and as many centroids fit into the fastest cache.
const TILE: usize = 32;

/// Rows and their codes: distances are computed from the codes, means from the rows.
#[derive(Clone, Copy)]
pub(crate) struct EncodedRows<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) codes: &'a RowDistances<'a>,
    pub(crate) codec: &'a Sq8,
}

/// Up to `k` centroids (row-major) of the points `of`.
pub(crate) fn train(points: EncodedRows<'_>, of: &[u32], k: usize, iterations: usize, seed: u64) -> Vec<f32> {
    let mut start: Vec<u32> = of.to_vec();
    start.sort_unstable_by_key(|&r| (hash(seed ^ hash(u64::from(r))), r));
    let mut centroids: Vec<f32> = start.iter().take(k).flat_map(|&r| points.rows.row(r)).copied().collect();
    for _ in 0..iterations {
        let nearest = assign(points, of, &centroids);
        let moved = means(points.rows, of, &nearest, &centroids);
        if moved == centroids {
            break;
        }
        centroids = moved;
    }
    centroids
}

/// The number of the nearest centroid, for each of `of`.
pub(crate) fn assign(points: EncodedRows<'_>, of: &[u32], centroids: &[f32]) -> Vec<u32> {
    let centroids = RowDistances::euclidean(points.codec, centroids);
    let all: Vec<u32> = (0..centroids.count() as u32).collect();
    let chunks =
        exec::map_chunks(of.len(), CHUNK, |range| nearest(points.codes, &of[range], &centroids, &all));
    chunks.concat()
}

/// The nearest of `among`, for each of `of`.
pub(crate) fn nearest(
    codes: &RowDistances<'_>,
    of: &[u32],
    centroids: &RowDistances<'_>,
    among: &[u32],
) -> Vec<u32> {
    let mut nearest = Vec::with_capacity(of.len());
    compare(codes, of, centroids, among, |distances| nearest.push(among[argmin(distances).1]));
    nearest
}

/// The `count` nearest of `among`, nearest first, ties to the lower, for each of `of`.
pub(crate) fn nearest_few(
    codes: &RowDistances<'_>,
    of: &[u32],
    centroids: &RowDistances<'_>,
    among: &[u32],
    count: usize,
) -> Vec<Vec<u32>> {
    let mut found = Vec::with_capacity(of.len());
    compare(codes, of, centroids, among, |distances| {
        let mut nearest = Nearest::new(count, Ties::LOWER);
        nearest.offer(distances, among);
        found.push(nearest.sorted().map(|near| near.1).collect());
    });
    found
}

/// Calls `f` for each of `of` with its distances to all of `among`.
fn compare(
    codes: &RowDistances<'_>,
    of: &[u32],
    centroids: &RowDistances<'_>,
    among: &[u32],
    mut f: impl FnMut(&[f32]),
) {
    let (mut scratch, mut distances) = (Scratch::default(), Vec::new());
    for tile in of.chunks(TILE) {
        codes.matrix(tile, centroids, among, &mut scratch, &mut distances);
        distances.chunks_exact(among.len()).for_each(&mut f);
    }
}

/// The mean of some rows, summed in f64 in their order.
pub(crate) fn mean(rows: Rows<'_>, of: &[u32]) -> Vec<f32> {
    let mut sum = vec![0.0f64; rows.dim];
    for &row in of {
        sum.iter_mut().zip(rows.row(row)).for_each(|(s, &x)| *s += f64::from(x));
    }
    sum.into_iter().map(|s| (s / of.len().max(1) as f64) as f32).collect()
}

/// The mean of each centroid's rows; a centroid without rows is kept.
fn means(rows: Rows<'_>, of: &[u32], nearest: &[u32], centroids: &[f32]) -> Vec<f32> {
    let dim = rows.dim;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); centroids.len() / dim];
    of.iter().zip(nearest).for_each(|(&r, &c)| members[c as usize].push(r));
    let mean_or_old = |(members, old): (&Vec<u32>, &[f32])| match members.is_empty() {
        true => old.to_vec(),
        false => mean(rows, members),
    };
    members.iter().zip(centroids.chunks_exact(dim)).flat_map(mean_or_old).collect()
}
