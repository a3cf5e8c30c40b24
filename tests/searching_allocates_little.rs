//! An index that has warmed up neither grows nor asks for much: what a query allocates is its hits and a few vectors.

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::paged::Remote;
use support::{alloc, data, file, options, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 32;
const N: usize = 5000;
/// Ten texts of ids among them.
const CLUSTERS: u64 = 31;

fn indexes() -> Vec<(CodecKind, Vec<f32>, Vec<u8>)> {
    let rows = data::clustered(N, DIM, 181);
    let build = |codec| options(Metric::Cosine, codec).ef_construction(40);
    let of = |codec| (codec, rows.clone(), file(&rows, DIM, Some(texts(N)), &build(codec)));
    support::CODECS.map(of).into()
}

#[test]
fn nothing_is_kept_and_little_is_asked_for() {
    for (codec, rows, file) in indexes() {
        let index = Index::from_bytes(&file).unwrap();
        for choice in [IndexChoice::Flat, IndexChoice::Hnsw] {
            let o = SearchOptions::default().index(choice);
            let queries = data::queries(&rows, DIM, 300, 182);
            let round = || queries.iter().for_each(|q| drop(index.search(q, &o).unwrap()));
            round();
            let ((), used) = alloc::used(round);
            assert_eq!(used.kept, 0, "{codec:?} {choice:?}");
            // Candidates of 8 bytes (400 for binary) held twice, hits of 48 with their texts, the query.
            let each = used.total / 300;
            assert!(each <= 16_000, "{codec:?} {choice:?}: {each} bytes a query");
            // Ten texts of ids, and what holds them.
            assert!(used.times <= 300 * 20, "{codec:?} {choice:?}: {} allocations a query", used.times / 300);
            eprintln!("{codec:?} {choice:?}: {each} bytes in {} allocations a query", used.times / 300);
            assert!(used.peak <= 16_000, "{codec:?} {choice:?}: {} bytes at once", used.peak);
        }
    }
}

#[test]
fn opening_takes_one_copy_and_a_session_only_its_budget() {
    for (codec, rows, file) in indexes() {
        let (index, used) = alloc::used(|| Index::from_bytes(&file).unwrap());
        // A byte for each component of 256 centroids, and their squares; the places of segments in an index, and what indexes
        // share of them.
        let beside = 10_000
            + if let CodecKind::Pq(parts) = codec { 300 * DIM + 1024 * parts as usize } else { 0 } as u64;
        assert!(used.peak <= file.len() as u64 + beside, "{codec:?}: {} bytes for {}", used.peak, file.len());
        drop(index);
        let (mut remote, used) = alloc::used(|| Remote::open(&file, file.len() as u64 / 2).unwrap());
        assert!(used.peak <= beside, "{codec:?}: opening took {} bytes", used.peak);
        let mut round = || {
            for query in data::queries(&rows, DIM, 30, 183) {
                remote.search(&query, &support::top(10)).unwrap();
            }
        };
        let ((), first) = alloc::used(&mut round);
        // Beside the budget: what says which rows are where, and the queries themselves.
        let beside = 200_000;
        assert!(first.peak <= file.len() as u64 / 2 + beside, "{codec:?}: {}", first.peak);
        (0..3).for_each(|_| round());
        let ((), later) = alloc::used(&mut round);
        assert!(later.kept.abs() < 2_000, "{codec:?}: {} bytes more after a round", later.kept);
    }
}

/// Clusters: what is ranked and estimated lies in memory that searches share; ids are made for hits alone.
#[test]
fn a_search_by_clusters_asks_for_little_too() {
    for (codec, rows, file) in indexes() {
        let index = Index::from_bytes(&file).unwrap();
        let o = SearchOptions::default().index(IndexChoice::Clusters);
        let queries = data::queries(&rows, DIM, 300, 184);
        let round = || queries.iter().for_each(|q| drop(index.search(q, &o).unwrap()));
        round();
        let ((), used) = alloc::used(round);
        assert_eq!(used.kept, 0, "{codec:?}");
        eprintln!("{codec:?}: {} bytes in {} allocations a query", used.total / 300, used.times / 300);
        assert!(used.times <= 300 * CLUSTERS, "{codec:?}: {} allocations a query", used.times / 300);
    }
}
