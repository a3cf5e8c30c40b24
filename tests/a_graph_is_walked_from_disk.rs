//! HNSW of which only checksums and upper layers are in memory: the hits of memory at every budget, and what it reads.

mod support;

use pagevec::{
    BuildOptions, CodecKind, Index, IndexChoice, Io, Metric, OpenOptions, Operation, Outcome, SearchOptions,
};
use support::paged::{Cost, Remote, hits, least_walk};
use support::{code, data, file, npy, options, oracle, texts};

const DIM: usize = 48;
const N: usize = 6000;

fn hnsw(k: usize, ef: usize) -> SearchOptions {
    support::top(k).ef(ef).index(IndexChoice::Hnsw)
}

fn cases() -> Vec<(&'static str, BuildOptions)> {
    let of = |metric, codec| options(metric, codec).ef_construction(60).m(8);
    vec![
        ("sq8", of(Metric::Cosine, CodecKind::Sq8)),
        ("binary, sq8 rows", of(Metric::L2, CodecKind::Binary)),
        ("sq8, f16 rows", of(Metric::Dot, CodecKind::Sq8).refine(CodecKind::F16)),
        ("f32", of(Metric::L2, CodecKind::F32)),
        ("pq, sq8 rows", of(Metric::Cosine, CodecKind::Pq(8))),
        ("sq4, sq8 rows, exact rows", of(Metric::Dot, CodecKind::Sq4).exact(CodecKind::F16)),
    ]
}

#[test]
fn hits_are_those_of_memory_whatever_is_here() {
    for (name, build) in cases() {
        let rows = data::clustered(N, DIM, 91);
        let file = file(&rows, DIM, Some(texts(N)), &build);
        let index = Index::from_bytes(&file).unwrap();
        index.verify().unwrap();
        let least = least_walk(&file);
        let refused = code(&Remote::walking(&file, least - 1).map(drop));
        assert_eq!(refused, "budget", "{name}: one byte less than the least");
        for budget in [least, least + 20_000, least + file.len() as u64 / 8] {
            let mut remote = Remote::walking(&file, budget).unwrap();
            for (i, query) in data::queries(&rows, DIM, 12, 92).iter().enumerate() {
                let o = hnsw([1, 10, 100][i % 3], [40, 100][i % 2]);
                let (answer, _) = remote.search(query, &o).unwrap();
                let truth = index.search(query, &o).unwrap();
                assert_eq!(hits(&answer), hits(&truth), "{name}, budget {budget}");
                assert_eq!(answer.stats, truth.stats, "{name}, budget {budget}");
            }
            // Not asked for, it is not walked: clusters take fewer waves. The last budget may hold codes and graph.
            if budget <= least + 20_000 {
                let auto = remote.search(&rows[..DIM], &support::top(5)).unwrap().0;
                assert_eq!(auto.stats.index, "clusters", "{name}");
            }
        }
    }
}

#[test]
fn batches_share_their_waves() {
    let (name, build) = cases().remove(0);
    let rows = data::clustered(N, DIM, 93);
    let file = file(&rows, DIM, None, &build);
    let queries = data::queries(&rows, DIM, 10, 94).concat();
    let mut remote = Remote::walking(&file, least_walk(&file) + 30_000).unwrap();
    let batch = Operation::Search { queries: queries.clone(), options: hnsw(10, 60) };
    let (outcome, cost) = remote.run(batch).unwrap();
    let truth = Index::from_bytes(&file).unwrap().search_batch(&queries, &hnsw(10, 60)).unwrap();
    assert_eq!(outcome, Outcome::Answers(truth), "{name}");
    let mut alone = Remote::walking(&file, least_walk(&file) + 30_000).unwrap();
    let each: u64 = queries.chunks_exact(DIM).map(|q| alone.search(q, &hnsw(10, 60)).unwrap().1.waves).sum();
    assert!(cost.waves < each, "{} waves together, {each} alone", cost.waves);
}

/// A walk that reaches too few rows is followed by all codes, here as in memory.
#[test]
fn rows_that_are_all_the_same_are_found() {
    let mut rows = data::clustered(1500, DIM, 95);
    rows.extend([1.0; DIM].repeat(1500));
    let file = file(&rows, DIM, None, &cases()[0].1.clone().m(2).ef_construction(4));
    let index = Index::from_bytes(&file).unwrap();
    let mut remote = Remote::walking(&file, least_walk(&file)).unwrap();
    for k in [10, 2000, 3000] {
        let answer = remote.search(&[1.0; DIM], &hnsw(k, 100)).unwrap().0;
        assert_eq!(answer.hits.len(), k);
        assert_eq!(answer, index.search(&[1.0; DIM], &hnsw(k, 100)).unwrap());
    }
}

#[test]
fn damage_is_found_where_it_is_read() {
    let rows = data::clustered(N, DIM, 96);
    let good = file(&rows, DIM, None, &cases()[0].1);
    let index = Index::from_bytes(&good).unwrap();
    let section = |name: &str| index.info().sections.iter().find(|s| s.name == name).cloned().unwrap();
    let budget = least_walk(&good);
    for name in ["codes", "graph", "node checksums"] {
        let mut bad = good.clone();
        let range = section(name).offset as usize..(section(name).offset + section(name).length) as usize;
        bad[range].iter_mut().for_each(|b| *b ^= 1);
        let mut remote = Remote::walking(&bad, budget).unwrap();
        let answer = remote.search(&rows[..DIM], &hnsw(10, 50));
        assert_eq!(code(&answer), "checksum", "{name}");
        assert_eq!(remote.session.stats().operations, 0);
    }
}

#[test]
fn by_path_and_only_when_opened_for_it() {
    let rows = data::clustered(N, DIM, 97);
    let folder = tempfile::tempdir().unwrap();
    let file = file(&rows, DIM, None, &cases()[0].1);
    pagevec::publish(folder.path(), &file, &pagevec::PublishOptions::new()).unwrap();
    let open = |index| {
        let memory_budget = least_walk(&file) + 10_000;
        Index::open_with(
            folder.path(),
            &OpenOptions::new().io(Io::Pread).memory_budget(memory_budget).index(index),
        )
        .unwrap()
    };
    let truth = Index::from_bytes(&file).unwrap().search(&rows[..DIM], &hnsw(10, 60)).unwrap();
    let answer = open(IndexChoice::Hnsw).search(&rows[..DIM], &hnsw(10, 60)).unwrap();
    assert_eq!((hits(&answer), answer.stats.distances), (hits(&truth), truth.stats.distances));
    assert!(answer.stats.waves > 5 && answer.stats.bytes < file.len() as u64 / 2, "{:?}", answer.stats);
    assert_eq!(code(&open(IndexChoice::Auto).search(&rows[..DIM], &hnsw(10, 60))), "argument");
}

/// 20,000 rows of wordnet: recall, reads, bytes and waves, with a part of the file in memory.
#[test]
fn real_rows_with_a_part_of_the_file_in_memory() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    const QUERIES: usize = 60;
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), 20_000);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let scores = |query: &[f32]| oracle::scores(Metric::Cosine, &rows, query);
    let truth: Vec<Vec<f64>> = queries.chunks_exact(dim).map(scores).collect();
    // By percent of the file: bytes and reads of a query after the first.
    let sq8 = [(5, (700_000, 1800)), (10, (600_000, 1600)), (25, (370_000, 1000))];
    let binary = [(5, (460_000, 5400)), (10, (270_000, 1700)), (25, (160_000, 480))];
    for (codec, budgets) in [(CodecKind::Sq8, sq8), (CodecKind::Binary, binary)] {
        let build = options(Metric::Cosine, codec);
        let file = file(&rows, dim, None, &build);
        let index = Index::from_bytes(&file).unwrap();
        let o = support::top(10).index(IndexChoice::Hnsw);
        eprintln!("{codec:?}: {} bytes, least budget {}", file.len(), least_walk(&file));
        for (percent, limits) in budgets {
            let budget = file.len() as u64 * percent / 100;
            let mut remote = Remote::walking(&file, budget).unwrap();
            let (mut hit, mut total, mut most) = (0, Cost::default(), 0);
            for (at, (query, scores)) in queries.chunks_exact(dim).zip(&truth).enumerate() {
                let nearest = oracle::kth(scores, 10);
                let (answer, cost) = remote.search(query, &o).unwrap();
                assert_eq!(hits(&answer), hits(&index.search(query, &o).unwrap()));
                hit += answer.hits.iter().filter(|h| near(&h.id, scores, nearest)).count();
                // The first query brings what stays.
                if at > 0 {
                    total.bytes += cost.bytes;
                    total.requests += cost.requests;
                    total.waves += cost.waves;
                    most = most.max(cost.bytes);
                }
            }
            let each = |n: u64| n / (QUERIES as u64 - 1);
            let recall = hit as f64 / (10 * QUERIES) as f64;
            eprintln!(
                "{percent} % ({budget}): recall {recall:.3}, {} bytes (at most {most}), {} reads, {} waves a query",
                each(total.bytes),
                each(total.requests),
                each(total.waves)
            );
            assert!(recall >= 0.97, "{recall}");
            assert!(each(total.bytes) <= limits.0, "{} bytes a query", each(total.bytes));
            assert!(each(total.requests) <= limits.1, "{} reads a query", each(total.requests));
        }
    }
}

fn near(id: &pagevec::Id, scores: &[f64], nearest: f64) -> bool {
    matches!(id, pagevec::Id::Number(n) if scores[*n as usize] >= nearest)
}
