//! Wordnet (384 components, real text queries): recall against brute force, on the first 20,000 rows.
//! Needs `PAGEVEC_DATA`; says so and passes without it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::{file, npy, options, oracle};

const QUERIES: usize = 300;

struct Set {
    rows: Vec<f32>,
    dim: usize,
    queries: Vec<Vec<f32>>,
    /// Score of the tenth nearest row, per query, and all scores.
    scores: Vec<Vec<f64>>,
}

fn set() -> Option<Set> {
    let Some(folder) = npy::folder() else {
        eprintln!(
            "SKIPPED: PAGEVEC_DATA names no folder with wordnet/, so recall on real embeddings was not measured"
        );
        return None;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), 20_000);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let queries: Vec<Vec<f32>> = queries.chunks_exact(dim).map(<[f32]>::to_vec).collect();
    let scores = queries.iter().map(|q| oracle::scores(Metric::Cosine, &rows, q)).collect();
    Some(Set { rows, dim, queries, scores })
}

impl Set {
    /// Recall@10 and mean distances per query.
    fn measure(&self, index: &Index, o: &SearchOptions) -> (f64, u64) {
        let (mut found, mut distances) = (0, 0);
        for (query, scores) in self.queries.iter().zip(&self.scores) {
            let answer = index.search(query, o).unwrap();
            found += oracle::found(&answer, scores, 10);
            distances += answer.stats.distances;
        }
        (found as f64 / (QUERIES * 10) as f64, distances / QUERIES as u64)
    }
}

#[test]
fn at_the_recall_that_is_promised() {
    let Some(set) = set() else { return };
    let of = |codec, graph| {
        let options = options(Metric::Cosine, codec).graph(graph);
        let index = Index::from_bytes(&file(&set.rows, set.dim, None, &options)).unwrap();
        index.verify().unwrap();
        index
    };
    let at = |ef: usize| SearchOptions::default().ef(ef).index(IndexChoice::Hnsw);
    let default = SearchOptions::default();
    let flat = default.clone().index(IndexChoice::Flat);
    let clusters = default.clone().index(IndexChoice::Clusters);
    let (sq8, binary) = (of(CodecKind::Sq8, true), of(CodecKind::Binary, true));
    // Index, options, least recall, most distances: just beside what was measured.
    let bounds = [
        ("sq8, flat", &sq8, flat.clone(), 0.99, 20_000),
        ("sq8, ef 64", &sq8, at(64), 0.975, 1200),
        ("sq8, ef 256", &sq8, at(256), 0.99, 3400),
        ("sq8, default", &sq8, default.clone(), 0.985, 1700),
        ("binary, default", &binary, default, 0.975, 5000),
        ("binary, flat", &binary, flat, 0.975, 20_000),
        ("sq8, clusters", &sq8, clusters.clone(), 0.92, 3500),
        ("binary, clusters", &binary, clusters, 0.92, 3500),
    ];
    let mut low = Vec::new();
    for (name, index, o, least, most) in bounds {
        let (recall, distances) = set.measure(index, &o);
        eprintln!("{name}: recall@10 {recall:.4}, {distances} distances");
        if recall < least || distances > most {
            low.push((name, recall, distances));
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
