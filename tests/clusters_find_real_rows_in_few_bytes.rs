//! A cold query over 20,000 real rows: recall, and bytes, requests and waves, which are exact.

mod support;

use pagevec::{BuildOptions, Id, Index, IndexChoice, SearchOptions};
use support::paged::Remote;
use support::{file, npy, oracle};

const ROWS: usize = 20_000;
const QUERIES: usize = 300;

#[test]
fn three_waves_and_few_bytes() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), ROWS);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let options = BuildOptions::default();
    let file = file(&rows, dim, None, &options);
    let (mut hit, mut first, mut later) = (0, 0, 0);
    let mut shared = Remote::open(&file, 16 << 20).unwrap();
    let index = Index::from_bytes(file.as_slice()).unwrap();
    let leaves = index.info().sections.iter().find(|s| s.name == "leaves").unwrap().length;
    for query in queries.chunks_exact(dim) {
        let scores = oracle::scores(options.metric, &rows, query);
        let least = oracle::kth(&scores, 10);
        let o = SearchOptions::default().index(IndexChoice::Clusters);
        let mut cold = Remote::open(&file, 4 << 20).unwrap();
        let (answer, cost) = cold.search(query, &o).unwrap();
        assert_eq!(cost.waves, 3, "leaves, lists, rows");
        // Where a wave costs as much as four times the other leaves do, all come at once, and are not asked for again.
        let mut near = Remote::open(&file, 4 << 20).unwrap();
        near.session.set_speculative_bytes(4 * leaves);
        let (same, more) = near.search(query, &o).unwrap();
        assert_eq!(same.hits, answer.hits);
        assert_eq!(more.waves, 3);
        assert!((cost.bytes..cost.bytes + leaves).contains(&more.bytes), "{more:?} after {cost:?}");
        assert!(near.search(&queries[..dim], &o).unwrap().1.waves <= 2);
        first += cost.bytes;
        later += shared.search(query, &o).unwrap().1.bytes;
        let near = |id: &Id| matches!(id, Id::Number(n) if scores[*n as usize] >= least);
        hit += answer.hits.iter().filter(|h| near(&h.id)).count();
    }
    let recall = hit as f64 / (10 * QUERIES) as f64;
    let (first, later) = (first / QUERIES as u64, later / QUERIES as u64);
    eprintln!("recall@10 {recall:.3}, a cold query {first} bytes, a later one {later}, of {}", file.len());
    assert!(recall >= 0.945, "{recall}");
    assert!(first <= 225_000, "{first} bytes for a cold query");
    assert!(later * 2 <= first, "{later} bytes for a later query");
}
