//! Computes the scores of the true nearest rows, by an exact scan in f64 over all rows, on all cores.

use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Metric;
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The score of the `k`-th nearest row of each query, among `total` rows; `at` returns a row by its number.
pub(super) fn kth_scores<'a>(
    total: usize,
    at: impl Fn(usize) -> Result<Cow<'a, [f32]>, Failure> + Sync,
    metric: Metric,
    queries: &[f32],
    k: usize,
    progress: &Progress,
) -> Result<Vec<f64>, Failure> {
    /// Rows that are fetched together, so that they stay in the cache while every query is scored.
    const BLOCK: usize = 64;
    let next = AtomicUsize::new(0);
    let Some(dim) = (total > 0).then(|| at(0)).transpose()?.map(|row| row.len()) else {
        return Ok(vec![f64::NEG_INFINITY; queries.len()]);
    };
    let queries: Vec<Vector> = queries.chunks_exact(dim.max(1)).map(Vector::new).collect();
    let work = |told: Option<&Progress>| -> Result<Vec<Vec<f64>>, Failure> {
        let mut best = vec![Vec::new(); queries.len()];
        loop {
            let first = next.fetch_add(BLOCK, Ordering::Relaxed);
            if first >= total {
                return Ok(best);
            }
            if let Some(progress) = told {
                progress.tick("truth", first as u64, total as u64);
            }
            let row = |number| at(number).map(|row| Vector::new(&row));
            let block: Vec<Vector> = (first..total.min(first + BLOCK)).map(row).collect::<Result<_, _>>()?;
            for (query, best) in queries.iter().zip(&mut best) {
                best.extend(block.iter().map(|row| query.score(metric, row)));
                if best.len() > 4 * k + BLOCK {
                    keep(best, k);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| work(None))).collect();
        let mine = work(Some(progress));
        let join = |t: std::thread::ScopedJoinHandle<'_, _>| {
            // A worker only computes; if that panics, so may we.
            t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        std::iter::once(mine).chain(others.into_iter().map(join)).collect::<Result<Vec<_>, Failure>>()
    })?;
    let mut best = vec![Vec::new(); queries.len()];
    for part in parts {
        best.iter_mut().zip(part).for_each(|(all, some): (&mut Vec<f64>, _)| all.extend(some));
    }
    Ok(best
        .iter_mut()
        .map(|scores| {
            keep(scores, k);
            scores.iter().copied().fold(f64::INFINITY, f64::min)
        })
        .collect())
}

/// Keeps the `k` largest.
fn keep(scores: &mut Vec<f64>, k: usize) {
    if k < scores.len() {
        scores.select_nth_unstable_by(k, |a, b| b.total_cmp(a));
        scores.truncate(k);
    }
}

/// A query or a row.
pub(super) struct Vector {
    data: Vec<f64>,
    norm: f64,
}

impl Vector {
    pub(super) fn new(data: &[f32]) -> Self {
        let data: Vec<f64> = data.iter().copied().map(f64::from).collect();
        Vector { norm: sum(&data, &data, |a, b| a * b).sqrt(), data }
    }

    /// The score of a row by definition: cosine, inner product, or minus the squared distance.
    pub(super) fn score(&self, metric: Metric, row: &Vector) -> f64 {
        match metric {
            Metric::Dot => sum(&self.data, &row.data, |a, b| a * b),
            Metric::L2 => -sum(&self.data, &row.data, |a, b| (a - b) * (a - b)),
            Metric::Cosine => sum(&self.data, &row.data, |a, b| a * b) / (self.norm * row.norm),
        }
    }
}

/// A sum in eight lanes, which the compiler turns into vector instructions.
fn sum(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for i in 0..8 {
            sums[i] += term(a[i], b[i]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}
