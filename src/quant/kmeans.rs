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
    let dim = rows.dim;
    // ‖x - c‖² = ‖x‖² + 2·(‖c‖²/2 - x·c): the row's own norm decides nothing.
    let halves: Vec<f32> = centroids.chunks_exact(dim).map(|c| (kernels().dot_f32)(c, c) * 0.5).collect();
    let groups: Vec<[&[f32]; 4]> = centroids
        .chunks(dim * 4)
        .map(|g| std::array::from_fn(|i| g.chunks_exact(dim).nth(i).unwrap_or(&g[..dim])))
        .collect();
    let chunks = exec::map_chunks(of.len(), CHUNK, |range| {
        let nearest = |&r: &u32| {
            let row = rows.row(r);
            let mut best = (f32::INFINITY, 0u32);
            for (g, group) in groups.iter().enumerate() {
                let dots = (kernels().dot_f32x4)(row, *group);
                for (i, (half, dot)) in halves[g * 4..].iter().zip(dots).enumerate() {
                    if half - dot < best.0 {
                        best = (half - dot, (g * 4 + i) as u32);
                    }
                }
            }
            best.1
        };
        of[range].iter().map(nearest).collect::<Vec<u32>>()
    });
    chunks.concat()
}

/// The mean of each centroid's rows; a centroid without rows stays where it was.
fn means(rows: Rows<'_>, of: &[u32], nearest: &[u32], centroids: &[f32]) -> Vec<f32> {
    let dim = rows.dim;
    let k = centroids.len() / dim;
    let mut sums = vec![0.0f64; centroids.len()];
    let mut counts = vec![0u32; k];
    for (&r, &c) in of.iter().zip(nearest) {
        let at = c as usize * dim;
        counts[c as usize] += 1;
        sums[at..at + dim].iter_mut().zip(rows.row(r)).for_each(|(s, &x)| *s += f64::from(x));
    }
    let mut means = centroids.to_vec();
    for (c, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
        let at = c * dim..(c + 1) * dim;
        let mean = sums[at.clone()].iter().map(|s| (s / f64::from(count)) as f32);
        means[at].iter_mut().zip(mean).for_each(|(m, x)| *m = x);
    }
    means
}
