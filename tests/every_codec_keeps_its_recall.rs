//! Each codec with each metric and each kind of rows finds what it is known to find, flat and by the graph.
//! The bounds lie just below what was measured; a fall below one is a change of quality, whatever caused it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{BuildOptions, CodecKind, IndexChoice, Metric};
use support::{METRICS, data, index, options, oracle};

const N: usize = 2000;
const DIM: usize = 48;

/// Codes, rows, the least recall@10 flat and by the graph (the worst of the three metrics) at the default ef.
const BOUNDS: [(CodecKind, Option<CodecKind>, f64, f64); 14] = [
    (CodecKind::F32, None, 1.0, 0.99),
    (CodecKind::F16, None, 0.995, 0.99),
    (CodecKind::F16, Some(CodecKind::F32), 1.0, 0.99),
    (CodecKind::Sq8, None, 0.985, 0.98),
    (CodecKind::Sq8, Some(CodecKind::F16), 0.995, 0.99),
    (CodecKind::Sq8, Some(CodecKind::F32), 1.0, 0.99),
    (CodecKind::Binary, None, 0.985, 0.98),
    (CodecKind::Binary, Some(CodecKind::F16), 0.995, 0.99),
    (CodecKind::Binary, Some(CodecKind::F32), 0.995, 0.99),
    (CodecKind::Sq4, None, 0.985, 0.98),
    (CodecKind::Sq4, Some(CodecKind::F32), 1.0, 0.99),
    // 48 components in 20 parts: eight of three components, twelve of two.
    (CodecKind::Pq(20), None, 0.985, 0.98),
    (CodecKind::Pq(20), Some(CodecKind::F32), 0.999, 0.99),
    (CodecKind::Pq(7), Some(CodecKind::F32), 0.995, 0.99),
];

/// As above, with exact rows of f32 behind the rows.
const WITH_EXACT: [(CodecKind, Option<CodecKind>, f64, f64); 3] = [
    (CodecKind::Binary, None, 0.995, 0.99),
    (CodecKind::Sq4, None, 1.0, 0.99),
    (CodecKind::Pq(20), Some(CodecKind::F16), 0.999, 0.99),
];

/// What the clustered index, at the width it was calibrated to, may find less than the graph.
const CLUSTERS_LOSE: f64 = 0.05;

fn measure(metric: Metric, options: &BuildOptions) -> [f64; 3] {
    let rows = data::clustered(N, DIM, 21);
    let queries = data::queries(&rows, DIM, 100, 22);
    let index = index(&rows, DIM, options);
    [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters].map(|index_choice| {
        let o = support::top(10).index(index_choice);
        oracle::recall(metric, &rows, &queries, 10, |q| {
            let answer = index.search(q, &o).unwrap();
            oracle::well_formed(&answer, 10, N);
            answer
        })
    })
}

#[test]
fn recall_is_above_its_bound() {
    let mut low = Vec::new();
    let bounds = BOUNDS.map(|b| (b, None)).into_iter();
    for ((codec, rows, flat, hnsw), exact) in bounds.chain(WITH_EXACT.map(|b| (b, Some(CodecKind::F32)))) {
        for metric in METRICS {
            let found = measure(metric, &options(metric, codec).refine(rows).exact(exact));
            eprintln!("{codec:?} {rows:?} {exact:?} {metric:?}: flat, hnsw, clusters {found:.3?}");
            if found[0] < flat || found[1] < hnsw || found[2] < hnsw - CLUSTERS_LOSE {
                low.push((codec, rows, metric, found));
            }
        }
    }
    assert!(low.is_empty(), "{low:#?}");
}

/// The stated score of a lossy code is near the true one, by the scale of the vectors it is made of.
#[test]
fn scores_are_near_the_truth() {
    let rows = data::clustered(500, DIM, 23);
    for metric in METRICS {
        for (codec, close) in [
            (CodecKind::F16, 1e-3),
            (CodecKind::Sq8, 5e-3),
            (CodecKind::Binary, 5e-3),
            (CodecKind::Sq4, 5e-3),
            (CodecKind::Pq(20), 5e-3),
        ] {
            let index = index(&rows, DIM, &options(metric, codec));
            for query in data::queries(&rows, DIM, 20, 24) {
                let truth = oracle::scores(metric, &rows, &query);
                let scale =
                    if metric == Metric::Cosine { 1.0 } else { oracle::score(Metric::Dot, &query, &query) };
                for hit in index.search(&query, &support::top(10)).unwrap().hits {
                    let truth = truth[oracle::row(&hit.id)];
                    let off = (f64::from(hit.score) - truth).abs() / scale;
                    assert!(off <= close, "{codec:?} {metric:?}: {} for {truth}", hit.score);
                }
            }
        }
    }
}
