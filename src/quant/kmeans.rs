//! k-means (Lloyd), deterministic: seeded start, distances of codes, means summed in order, ties to the lower centroid.

use super::coded::{Coded, Scratch};
use super::least::{Least, Ties};
use super::sq8::Sq8;
use crate::exec;

/// Rows per task.
const CHUNK: usize = 1024;
/// Rows whose distances are computed at a time: they and as many centroids stay in the fastest cache.
const TILE: usize = 32;

/// A pseudo-random u64 of `x`: SplitMix64's finaliser (Steele, Lea, Flood 2014).
pub(crate) fn hash(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Rows of a matrix by number.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) dim: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn row(self, number: u32) -> &'a [f32] {
        &self.data[number as usize * self.dim..][..self.dim]
    }

    pub(crate) fn count(self) -> usize {
        self.data.len() / self.dim
    }
}

/// Rows with their codes: the codes tell which is near, the rows what their mean is.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) codes: &'a Coded<'a>,
    pub(crate) codec: &'a Sq8,
}

/// Up to `k` centroids (row-major) of the points `of`.
pub(crate) fn train(points: Points<'_>, of: &[u32], k: usize, iterations: usize, seed: u64) -> Vec<f32> {
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

/// For each of `of` the number of its nearest centroid.
pub(crate) fn assign(points: Points<'_>, of: &[u32], centroids: &[f32]) -> Vec<u32> {
    let centroids = Coded::euclidean(points.codec, centroids);
    let all: Vec<u32> = (0..centroids.count() as u32).collect();
    let chunks =
        exec::map_chunks(of.len(), CHUNK, |range| nearest(points.codes, &of[range], &centroids, &all));
    chunks.concat()
}

/// For each of `of` which of `among` is nearest.
pub(crate) fn nearest(codes: &Coded<'_>, of: &[u32], centroids: &Coded<'_>, among: &[u32]) -> Vec<u32> {
    let (mut scratch, mut distances) = (Scratch::default(), Vec::new());
    let mut nearest = Vec::with_capacity(of.len());
    for tile in of.chunks(TILE) {
        codes.matrix(tile, centroids, among, &mut scratch, &mut distances);
        nearest.extend(distances.chunks_exact(among.len()).map(|line| among[least(line).1]));
    }
    nearest
}

/// For each of `of` the `count` nearest of `among`, nearest first, ties to the lower.
pub(crate) fn nearest_few(
    codes: &Coded<'_>,
    of: &[u32],
    centroids: &Coded<'_>,
    among: &[u32],
    count: usize,
) -> Vec<Vec<u32>> {
    let (mut scratch, mut distances) = (Scratch::default(), Vec::new());
    let mut found = Vec::with_capacity(of.len());
    for tile in of.chunks(TILE) {
        codes.matrix(tile, centroids, among, &mut scratch, &mut distances);
        for line in distances.chunks_exact(among.len()) {
            let mut least = Least::new(count, Ties::LOWER);
            least.offer(line, among);
            found.push(least.sorted().map(|near| near.1).collect());
        }
    }
    found
}

/// The least of some distances and where it is, ties to the first.
pub(crate) fn least(distances: &[f32]) -> (f32, usize) {
    let least = smallest(distances);
    (least, distances.iter().position(|&d| d <= least).unwrap_or(0))
}

/// The least of some distances.
pub(super) fn smallest(distances: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (lines, rest) = distances.as_chunks::<LANES>();
    let mut lanes = [f32::INFINITY; LANES];
    for line in lines {
        lanes.iter_mut().zip(line).for_each(|(l, &d)| *l = if d < *l { d } else { *l });
    }
    lanes.iter().chain(rest).fold(f32::INFINITY, |l, &d| if d < l { d } else { l })
}

/// The mean of some rows, summed in f64 in their order.
pub(crate) fn mean(rows: Rows<'_>, of: &[u32]) -> Vec<f32> {
    let mut sum = vec![0.0f64; rows.dim];
    for &row in of {
        sum.iter_mut().zip(rows.row(row)).for_each(|(s, &x)| *s += f64::from(x));
    }
    sum.into_iter().map(|s| (s / of.len().max(1) as f64) as f32).collect()
}

/// The mean of each centroid's rows; a centroid without rows stays where it was.
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
