//! k-means (Lloyd), deterministic: the start is seeded, distances come from codes, means are summed in order, and ties
//! go to the lower centroid.

use crate::build::nearest::{Nearest, Ties};
use crate::build::row_distances::{RowDistances, Scratch};
use crate::error::Error;
use crate::exec;
use crate::hash::hash;
use crate::quant::Sq8;
use crate::rows::Reader;
use crate::sort;
use crate::topk::argmin;
use crate::vectors::Rows;

/// Rows per task.
const CHUNK: usize = 1024;
/// Rows whose distances are computed at a time: they and as many centroids fit into the fastest cache.
const TILE: usize = 32;

/// Rows and their codes: distances are computed from the codes, means from the rows.
#[derive(Clone, Copy)]
pub(crate) struct EncodedRows<'a> {
    pub(crate) rows: Reader<'a>,
    pub(crate) codes: &'a RowDistances<'a>,
    pub(crate) codec: &'a Sq8,
}

/// Up to `k` centroids (row-major) of the points `of`.
pub(crate) fn train(
    points: EncodedRows<'_>,
    of: &[u32],
    k: usize,
    iterations: usize,
    seed: u64,
) -> Result<Vec<f32>, Error> {
    // They are read once for all rounds.
    let data = points.rows.gather(of)?;
    let rows = Rows { data: &data, dim: points.rows.dim() };
    let mut start: Vec<u32> = (0..of.len() as u32).collect();
    sort::by_key(&mut start, |&at| {
        let row = of[at as usize];
        (hash(seed ^ hash(u64::from(row))), row)
    });
    let mut centroids: Vec<f32> = start.iter().take(k).flat_map(|&at| rows.row(at)).copied().collect();
    for _ in 0..iterations {
        let nearest = assign(points, of, &centroids);
        let moved = means(rows, &nearest, &centroids);
        if moved == centroids {
            break;
        }
        centroids = moved;
    }
    Ok(centroids)
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

/// The mean of rows, summed in f64 in their order.
pub(crate) struct Mean(Vec<f64>, usize);

impl Mean {
    pub(crate) fn new(dim: usize) -> Self {
        Mean(vec![0.0; dim], 0)
    }

    pub(crate) fn add(&mut self, row: &[f32]) {
        self.0.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        self.1 += 1;
    }

    pub(crate) fn get(self) -> impl Iterator<Item = f32> {
        let count = self.1.max(1) as f64;
        self.0.into_iter().map(move |s| (s / count) as f32)
    }
}

/// The mean of each centroid's rows; a centroid without rows is kept.
fn means(rows: Rows<'_>, nearest: &[u32], centroids: &[f32]) -> Vec<f32> {
    let dim = rows.dim;
    let mut means: Vec<Mean> = centroids.chunks_exact(dim).map(|_| Mean::new(dim)).collect();
    rows.data.chunks_exact(dim).zip(nearest).for_each(|(row, &c)| means[c as usize].add(row));
    let mut moved = Vec::with_capacity(centroids.len());
    for (mean, old) in means.into_iter().zip(centroids.chunks_exact(dim)) {
        if mean.1 == 0 { moved.extend_from_slice(old) } else { moved.extend(mean.get()) }
    }
    moved
}
