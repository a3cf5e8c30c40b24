//! A fixed random rotation: rounds of sign flips and fast Walsh-Hadamard transforms over overlapping blocks, since few
//! dimensions are powers of two. Additions and one multiplication per round, in one order: the same on every target.

use crate::hash::hash;
use crate::memory::bytes;

const ROUNDS: usize = 4;

/// Rotates vectors of one length.
pub(crate) struct Rotation {
    dim: usize,
    /// The largest power of two that fits.
    block: usize,
    /// One sign per component and round.
    signs: Vec<f32>,
}

impl Rotation {
    pub(crate) fn new(dim: usize) -> Self {
        let sign = |i: usize| if hash(i as u64 ^ 0x726F_7461_7465) & 1 == 0 { 1.0 } else { -1.0 };
        Rotation { dim, block: 1 << dim.max(1).ilog2(), signs: (0..dim * ROUNDS).map(sign).collect() }
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.signs)
    }

    /// In place.
    pub(crate) fn apply(&self, x: &mut [f32]) {
        // Orthogonal: a transform over b components grows lengths by √b.
        let scale = 1.0 / (self.block as f32).sqrt();
        for (round, signs) in self.signs.chunks_exact(self.dim.max(1)).enumerate() {
            x.iter_mut().zip(signs).for_each(|(x, s)| *x *= s);
            let start = if round % 2 == 0 { 0 } else { self.dim - self.block };
            let block = &mut x[start..start + self.block];
            transform(block);
            block.iter_mut().for_each(|x| *x *= scale);
        }
    }
}

/// The Walsh-Hadamard transform, unscaled.
fn transform(x: &mut [f32]) {
    let mut half = 1;
    while half < x.len() {
        for pair in x.chunks_exact_mut(half * 2) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_lengths_and_spreads_a_single_component() {
        for dim in [1, 2, 3, 7, 64, 100, 384, 768, 1000] {
            let rotation = Rotation::new(dim);
            for hot in [0, dim / 2, dim - 1] {
                let mut x = vec![0.0f32; dim];
                x[hot] = 2.0;
                rotation.apply(&mut x);
                let norm: f32 = x.iter().map(|x| x * x).sum();
                assert!((norm - 4.0).abs() < 1e-4, "dim {dim}: {norm}");
                let largest = x.iter().fold(0.0f32, |a, x| a.max(x.abs()));
                assert!(dim < 64 || largest < 1.2, "dim {dim}, component {hot}: {largest}");
            }
        }
    }
}
