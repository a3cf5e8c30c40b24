//! k-means (Lloyd), deterministic: seeded start, fixed chunks summed in order, ties to the lower centroid.

use crate::exec;
use crate::kernels::kernels;

const CHUNK: usize = 1024;

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
}

/// Up to `k` centroids (row-major) of the rows `of`.
pub(crate) fn train(rows: Rows<'_>, of: &[u32], k: usize, iterations: usize, seed: u64) -> Vec<f32> {
    let mut start: Vec<u32> = of.to_vec();
    start.sort_unstable_by_key(|&r| (hash(seed ^ hash(u64::from(r))), r));
    let mut centroids: Vec<f32> = start.iter().take(k).flat_map(|&r| rows.row(r)).copied().collect();
    for _ in 0..iterations {
        let nearest = assign(rows, of, &centroids);
        let moved = means(rows, of, &nearest, &centroids);
        if moved == centroids {
            break;
        }
        centroids = moved;
    }
    centroids
}

/// For each of `of` the number of its nearest centroid.
pub(crate) fn assign(rows: Rows<'_>, of: &[u32], centroids: &[f32]) -> Vec<u32> {
    nearest(rows, of, centroids, 1)
}

/// For each of `of` the numbers of its `count` nearest centroids, nearest first, ties to the lower.
pub(crate) fn nearest(rows: Rows<'_>, of: &[u32], centroids: &[f32], count: usize) -> Vec<u32> {
    let halves = halves(centroids, rows.dim);
    let chunks = exec::map_chunks(of.len(), CHUNK, |range| {
        let mut found = Vec::with_capacity(range.len() * count);
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
        for &row in &of[range] {
            best.clear();
            scan(rows.row(row), centroids, &halves, |distance, c| {
                if best.len() < count || best.last().is_some_and(|l| distance < l.0) {
                    let at = best.partition_point(|b| b.0 <= distance);
                    best.insert(at, (distance, c));
                    best.truncate(count);
                }
            });
            found.extend(best.iter().map(|b| b.1));
        }
        found
    });
    chunks.concat()
}

/// The nearest of a few centroids to one vector: half its squared distance less half the vector's square, and which.
pub(crate) fn nearest_one(vector: &[f32], centroids: &[f32], halves: &[f32]) -> (f32, usize) {
    let mut best = (f32::INFINITY, 0);
    scan(vector, centroids, halves, |distance, c| {
        if distance < best.0 {
            best = (distance, c as usize);
        }
    });
    best
}

/// ‖c‖² / 2 of each centroid.
pub(crate) fn halves(centroids: &[f32], dim: usize) -> Vec<f32> {
    centroids.chunks_exact(dim).map(|c| (kernels().dot_f32)(c, c) * 0.5).collect()
}

/// Offers ‖c‖²/2 - x·c of every centroid, in order: ‖x - c‖² = ‖x‖² + 2·(‖c‖²/2 - x·c), so the vector's own norm
/// decides nothing.
pub(crate) fn scan(vector: &[f32], centroids: &[f32], halves: &[f32], mut offer: impl FnMut(f32, u32)) {
    let dim = vector.len();
    let mut number = 0;
    for group in centroids.chunks(dim * 4) {
        let rows = std::array::from_fn(|i| group.get(i * dim..(i + 1) * dim).unwrap_or(&group[..dim]));
        for dot in (kernels().dot_f32x4)(vector, rows).into_iter().take(group.len() / dim) {
            offer(halves[number] - dot, number as u32);
            number += 1;
        }
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
