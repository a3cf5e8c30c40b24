//! Makes more rows like those of a set. Each new row is a mix of a row, one of its nearest rows and the centre of its
//! neighbourhood, moved at random within the span of that neighbourhood.
//!
//! The weights of the mix sum to 1, as the rows of a neighbourhood are around one centre, and so do their squares:
//! then a mix varies around that centre as much as the rows themselves do. With the pushing left out, mixes would lie
//! nearer to the centre and be easier to find than rows.

use crate::npy::Matrix;
use pagevec::{BuildOptions, Ctx, Id, Index, IndexChoice, SearchOptions};
use rayon::prelude::*;
use std::error::Error;

/// The neighbourhood of a row, and those of it that it is mixed with.
const NEIGHBOURS: usize = 100;
const NEAREST: usize = 10;
/// The share of row and neighbour in a mix. Searched by text queries, 64 lists of all 117,791 rows of wordnet give
/// recall@10 0.910; of as many mixes 0.931, but 0.951 with 0.7 and 30 neighbours: the mixes of one row lie closer then.
const KEPT: f32 = 0.4;
/// Of what is kept, the share of the neighbour.
const PARTNER: std::ops::Range<f32> = 0.3..0.5;

/// The rows of `base`, then mixes until there are `rows`. Cosine: all are scaled to length 1.
pub(crate) fn mix(mut base: Matrix, rows: usize, seed: u64) -> Result<Matrix, Box<dyn Error>> {
    if base.rows() <= NEIGHBOURS || rows < base.rows() {
        return Err(format!("{rows} rows from {}: too few", base.rows()).into());
    }
    base.data.par_chunks_mut(base.dim).for_each(normalise);
    let near = neighbours(&base)?;
    let (count, dim) = (base.rows(), base.dim);
    let mut data = base.data.clone();
    data.resize(rows * dim, 0.0);
    data.par_chunks_mut(dim).enumerate().skip(count).for_each(|(number, out)| {
        let mut random = Random(seed ^ (number as u64).wrapping_mul(0xD134_2543_DE82_EF95));
        // Each row has as many mixes as any other.
        let row = number % count;
        let weights = weights(near[row].len(), &mut random);
        for (weight, &from) in weights.iter().zip(std::iter::once(&row).chain(&near[row])) {
            out.iter_mut().zip(base.row(from)).for_each(|(x, y)| *x += weight * y);
        }
        normalise(out);
    });
    Ok(Matrix { data, dim })
}

/// Of the row itself and of its neighbours, nearest first.
fn weights(neighbours: usize, random: &mut Random) -> Vec<f32> {
    let rows = neighbours + 1;
    let partner = PARTNER.start + (PARTNER.end - PARTNER.start) * random.unit();
    let mut weights = vec![(1.0 - KEPT) / rows as f32; rows];
    weights[0] += KEPT * (1.0 - partner);
    weights[1 + random.below(neighbours.min(NEAREST))] += KEPT * partner;
    // Noise that sums to 0, scaled so that |weights + noise|² = 1.
    let mut noise: Vec<f32> = (0..rows).map(|_| random.normal()).collect();
    let mean = noise.iter().sum::<f32>() / rows as f32;
    noise.iter_mut().for_each(|x| *x -= mean);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (along, squares) = (dot(&weights, &noise), dot(&noise, &noise));
    let missing = 1.0 - dot(&weights, &weights);
    let scale = ((along * along + squares * missing).sqrt() - along) / squares;
    weights.iter_mut().zip(&noise).for_each(|(weight, noise)| *weight += scale * noise);
    weights
}

/// By a graph: now and then it takes the 101st for the 100th, which changes nothing here.
fn neighbours(base: &Matrix) -> Result<Vec<Vec<usize>>, Box<dyn Error>> {
    let options = BuildOptions::default().clusters(false).ef_construction(100);
    let file = pagevec::build(base.data.clone(), base.dim, None, &options, &Ctx::default())?;
    let index = Index::from_bytes(&file)?;
    let options = SearchOptions::new(NEIGHBOURS + 1).ef(140).index(IndexChoice::Hnsw);
    let answers = index.search_batch(&base.data, &options)?;
    let others = |(row, answer): (usize, &pagevec::Answer)| {
        let rows = answer.hits.iter().filter_map(|hit| match hit.id {
            Id::Number(id) => usize::try_from(id).ok(),
            Id::Text(_) => None,
        });
        rows.filter(|&other| other != row).take(NEIGHBOURS).collect()
    };
    Ok(answers.iter().enumerate().map(others).collect())
}

fn normalise(row: &mut [f32]) {
    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    row.iter_mut().for_each(|x| *x /= norm);
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// 0 ≤ x < 1.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Below `end`, which is small.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Roughly normal with variance 1: the sum of twelve values of -1/2..1/2.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_their_squares_sum_to_one() {
        for seed in 0..100 {
            let weights = weights(NEIGHBOURS, &mut Random(seed));
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!((weights.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
