//! The exact nearest rows by cosine, by a scan of all rows.

use crate::npy::Matrix;
use pagevec::kernels::available;
use rayon::prelude::*;

#[derive(Clone, Copy)]
pub(crate) struct Near {
    pub(crate) row: usize,
    pub(crate) cosine: f32,
}

/// Queries that share a pass over the rows, and rows that stay in the cache meanwhile.
const TOGETHER: usize = 32;
const BLOCK: usize = 512;

/// For each query its `k` nearest rows, nearest first, the lower row first where two are as near.
pub(crate) fn nearest(base: &Matrix, queries: &Matrix, k: usize) -> Vec<Vec<Near>> {
    let dot = available().last().map_or(plain as fn(&[f32], &[f32]) -> f32, |kernels| kernels.dot_f32);
    let norms: Vec<f32> = (0..base.rows()).map(|row| dot(base.row(row), base.row(row)).sqrt()).collect();
    let part = |chunk: &[f32]| {
        let mut best = vec![Best { near: Vec::new(), k }; chunk.len() / base.dim];
        for start in (0..base.rows()).step_by(BLOCK) {
            for (query, best) in chunk.chunks_exact(base.dim).zip(&mut best) {
                let norm = dot(query, query).sqrt();
                let cosine = |row: usize| dot(query, base.row(row)) / (norm * norms[row]);
                for row in start..base.rows().min(start + BLOCK) {
                    best.offer(Near { row, cosine: cosine(row) });
                }
            }
        }
        best.into_iter().map(Best::sorted).collect::<Vec<_>>()
    };
    queries.data.par_chunks(TOGETHER * base.dim).flat_map_iter(part).collect()
}

fn plain(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The best of what was offered, and some that are not.
#[derive(Clone)]
struct Best {
    near: Vec<Near>,
    k: usize,
}

impl Best {
    fn offer(&mut self, near: Near) {
        // After a cut the k-th stands last: what is no nearer than it need not be kept.
        if self.near.len() >= self.k && near.cosine <= self.near[self.k - 1].cosine {
            return;
        }
        self.near.push(near);
        if self.near.len() == 2 * self.k {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.near.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.row.cmp(&b.row)));
        self.near.truncate(self.k);
    }

    fn sorted(mut self) -> Vec<Near> {
        self.cut();
        self.near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_full_sort_finds() {
        let mut random = crate::mix::Random(1);
        let dim = 8;
        let mut matrix =
            |rows: usize| Matrix { data: (0..rows * dim).map(|_| random.normal()).collect(), dim };
        let (base, queries) = (matrix(1500), matrix(40));
        let cosine = |q: &[f32], r: &[f32]| plain(q, r) / (plain(q, q) * plain(r, r)).sqrt();
        for (query, found) in nearest(&base, &queries, 10).iter().enumerate() {
            let mut all: Vec<usize> = (0..base.rows()).collect();
            let score = |row: &usize| cosine(queries.row(query), base.row(*row));
            all.sort_by(|a, b| score(b).total_cmp(&score(a)));
            assert_eq!(found.iter().map(|near| near.row).collect::<Vec<_>>(), all[..10]);
        }
    }
}
