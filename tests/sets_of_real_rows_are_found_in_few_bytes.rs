//! A cold query over 20,000 real rows of which a part may be hits: recall, and bytes and waves beside those of a query
//! over all rows, which are exact.

mod support;

use pagevec::{BuildOptions, Id, IndexChoice, Operation, Outcome, SearchOptions};
use support::paged::Remote;
use support::sets::{Asked, Kind};
use support::{file, npy, oracle};

const ROWS: usize = 20_000;
const QUERIES: usize = 200;
/// The part of the rows that may be hits, and how many times the bytes of a query over all rows it may take at most.
const SHARES: [(f64, f64); 4] = [(0.5, 1.3), (0.1, 1.7), (0.01, 1.3), (0.001, 0.8)];

#[test]
fn rows_at_random() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), ROWS);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let built = BuildOptions::default();
    let file = file(&rows, dim, None, &built);
    let cold = |query: &[f32], options: &SearchOptions| {
        Remote::open(&file, 4 << 20).unwrap().search(query, options).unwrap()
    };
    let clusters = SearchOptions::default().index(IndexChoice::Clusters);
    let asked: Vec<Asked<'_>> =
        queries.chunks_exact(dim).map(|query| Asked::new(built.metric, &rows, query)).collect();
    let all: u64 = asked.iter().map(|asked| cold(asked.query, &clusters).1.bytes).sum();
    // The ids are looked up where the whole file is: only the search is counted.
    let mut whole = Remote::open(&file, 4 * file.len() as u64).unwrap();
    for (share, most) in SHARES {
        let (mut found, mut bytes, mut waves, mut wanted) = (0, 0, 0, 0);
        for (asked, seed) in asked.iter().zip(0..) {
            let set = asked.set(Kind::Random, share, seed);
            let ids: Vec<Id> = set.iter().map(|&row| Id::Number(row.into())).collect();
            let select = Operation::Select(clusters.clone().among(ids));
            let (Outcome::Selected(options), _) = whole.run(select).unwrap() else { panic!("no options") };
            let (answer, cost) = cold(asked.query, &options);
            let k = 10.min(set.len());
            assert_eq!(answer.hits.len(), k);
            let scores: Vec<f64> = set.iter().map(|&row| asked.scores[row as usize]).collect();
            let least = oracle::kth(&scores, k) - 1e-6;
            found += answer.hits.iter().filter(|hit| asked.scores[oracle::row(&hit.id)] >= least).count();
            wanted += k;
            (bytes, waves) = (bytes + cost.bytes, waves + cost.waves);
        }
        let (recall, times) = (found as f64 / wanted as f64, bytes as f64 / all as f64);
        let waves = waves as f64 / asked.len() as f64;
        eprintln!("{share}: recall {recall:.3}, {times:.2} times the bytes, {waves:.2} waves");
        assert!(recall >= 0.945, "{share}: recall {recall}");
        assert!(times <= most, "{share}: {times} times the bytes");
        assert!(waves <= 3.2, "{share}: {waves} waves");
    }
}
