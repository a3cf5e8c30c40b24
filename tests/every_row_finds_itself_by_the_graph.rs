//! No row is beyond the reach of the graph: asked by itself, with a moderate ef, each one is found.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{CodecKind, IndexChoice, Metric};
use support::{data, index, options, oracle};

const EF: usize = 100;

/// For each row the `k` rows found by it.
fn found(rows: &[f32], dim: usize, metric: Metric, k: usize) -> Vec<Vec<usize>> {
    let index = index(rows, dim, &options(metric, CodecKind::Sq8));
    index.verify().unwrap();
    let o = support::top(k).index(IndexChoice::Hnsw).ef(EF);
    let hits = |row: &[f32]| index.search(row, &o).unwrap().hits;
    rows.chunks_exact(dim).map(|row| hits(row).iter().map(|hit| oracle::row(&hit.id)).collect()).collect()
}

/// Rows that are not found by themselves.
fn lost(rows: &[f32], dim: usize, metric: Metric) -> Vec<usize> {
    let found = found(rows, dim, metric, 1);
    (0..found.len()).filter(|&row| found[row] != [row]).collect()
}

#[test]
fn random_rows() {
    let mut random = data::Random(71);
    let rows = random.vector(6000 * 16);
    for metric in [Metric::Cosine, Metric::L2] {
        assert_eq!(lost(&rows, 16, metric), [0; 0], "{metric:?}");
    }
}

#[test]
fn clusters_that_touch() {
    let rows = data::clustered(6000, 32, 72);
    for metric in [Metric::Cosine, Metric::L2] {
        assert_eq!(lost(&rows, 32, metric), [0; 0], "{metric:?}");
    }
}

/// A kind of rows with thirteen copies each is far from the others, so a walk may miss one: 5 of
/// the 300 under L2 when this was written.
#[test]
fn rows_that_are_there_many_times() {
    let mut random = data::Random(74);
    let (dim, kinds) = (16, 300);
    let rows = random.vector(kinds * dim).repeat(13);
    for metric in [Metric::Cosine, Metric::L2] {
        let found = found(&rows, dim, metric, 13);
        let others = |(row, hits): &(usize, &Vec<usize>)| hits.iter().any(|hit| hit % kinds != row % kinds);
        let lost: Vec<usize> = found.iter().enumerate().filter(others).map(|f| f.0).collect();
        assert!(lost.len() <= 6 * 13, "{metric:?}: {lost:?}");
    }
}
