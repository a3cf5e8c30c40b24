//! The nearest rows by definition: every score in f64, sorted.

use pagevec::{Answer, Hit, Id, Metric};

/// The score users are promised: cosine, inner product, minus the squared distance.
pub(crate) fn score(metric: Metric, query: &[f32], row: &[f32]) -> f64 {
    score_by(metric, norm(query), query, row)
}

/// Row by row.
pub(crate) fn scores(metric: Metric, rows: &[f32], query: &[f32]) -> Vec<f64> {
    let norm = norm(query);
    rows.chunks_exact(query.len()).map(|row| score_by(metric, norm, query, row)).collect()
}

fn score_by(metric: Metric, norm_of_query: f64, query: &[f32], row: &[f32]) -> f64 {
    match metric {
        Metric::Dot => sum(query, row, |a, b| a * b),
        Metric::L2 => -sum(query, row, |a, b| (a - b) * (a - b)),
        Metric::Cosine => sum(query, row, |a, b| a * b) / (norm_of_query * norm(row)),
    }
}

fn norm(vector: &[f32]) -> f64 {
    sum(vector, vector, |a, b| a * b).sqrt()
}

/// Over all pairs of components, in f64. Eight sums that do not wait for one another: in one, the tests would spend
/// most of their time here.
fn sum(a: &[f32], b: &[f32], of: impl Fn(f64, f64) -> f64) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += of(a.into(), b.into());
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(&a, &b)| of(a.into(), b.into()));
    sums.into_iter().chain(rest).sum()
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

/// Panics unless hits are at most `k`, of different rows, nearest first, equal scores in order of segment and position.
pub(crate) fn well_formed(answer: &Answer, k: usize, count: usize) {
    assert_eq!(answer.hits.len(), k.min(count));
    let place = |hit: &Hit| (hit.segment, hit.position);
    for pair in answer.hits.windows(2) {
        let ordered = pair[0].score > pair[1].score
            || (pair[0].score == pair[1].score && place(&pair[0]) < place(&pair[1]));
        assert!(ordered, "{pair:?}");
    }
    let mut places: Vec<(u32, u32)> = answer.hits.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), answer.hits.len(), "a row twice");
    assert!(places.iter().all(|place| (place.1 as usize) < count));
}
