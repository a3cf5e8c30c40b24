//! The nearest rows by definition: every score in f64, sorted.

use pagevec::{Answer, Id, Metric};

/// The score users are promised: cosine, inner product, minus the squared distance.
pub(crate) fn score(metric: Metric, query: &[f32], row: &[f32]) -> f64 {
    let pairs = || query.iter().zip(row).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    let norm = |v: &[f32]| v.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    match metric {
        Metric::Dot => dot,
        Metric::L2 => -pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>(),
        Metric::Cosine => dot / (norm(query) * norm(row)),
    }
}

/// Row by row.
pub(crate) fn scores(metric: Metric, rows: &[f32], query: &[f32]) -> Vec<f64> {
    rows.chunks_exact(query.len()).map(|row| score(metric, query, row)).collect()
}

/// The score of the k-th nearest row.
pub(crate) fn kth(scores: &[f64], k: usize) -> f64 {
    let mut sorted = scores.to_vec();
    let at = k.min(sorted.len()) - 1;
    *sorted.select_nth_unstable_by(at, |a, b| b.total_cmp(a)).1
}

/// What rows two scores cannot tell apart in f32.
pub(crate) fn tolerance(score: f64) -> f64 {
    1e-5 * (1.0 + score.abs())
}

/// The row of a hit whose id is its row's number.
pub(crate) fn row(id: &Id) -> usize {
    match id {
        Id::Number(n) => *n as usize,
        Id::Text(t) => panic!("{t} is no number"),
    }
}

/// How many of the k nearest were found; a row as near as the k-th counts. Ids are row numbers.
pub(crate) fn found(answer: &Answer, scores: &[f64], k: usize) -> usize {
    let least = kth(scores, k) - 1e-7;
    answer.hits.iter().take(k).filter(|h| scores[row(&h.id)] >= least).count()
}

/// Mean recall@k of `search` over `queries`.
pub(crate) fn recall(
    metric: Metric,
    rows: &[f32],
    queries: &[Vec<f32>],
    k: usize,
    search: impl Fn(&[f32]) -> Answer,
) -> f64 {
    let total: usize = queries.iter().map(|q| found(&search(q), &scores(metric, rows, q), k)).sum();
    total as f64 / (queries.len() * k) as f64
}

/// Panics unless hits are at most `k`, of different rows, nearest first, equal scores in order of position.
pub(crate) fn well_formed(answer: &Answer, k: usize, count: usize) {
    assert_eq!(answer.hits.len(), k.min(count));
    for pair in answer.hits.windows(2) {
        let ordered = pair[0].score > pair[1].score
            || (pair[0].score == pair[1].score && pair[0].position < pair[1].position);
        assert!(ordered, "{pair:?}");
    }
    let mut positions: Vec<u32> = answer.hits.iter().map(|h| h.position).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), answer.hits.len(), "a position twice");
    assert!(positions.last().is_none_or(|&p| (p as usize) < count));
}
