//! `auto` scans where that is exact and costs no more, walks the graph where codes and graph are in memory or cost nothing
//! to bring, and reads lists only where bytes are far.

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::paged::{Remote, hits, least_budget};
use support::{CODECS, METRICS, data, file, options, oracle};

fn built(n: usize, dim: usize, metric: Metric, codec: CodecKind, seed: u64) -> (Vec<f32>, Vec<u8>) {
    let rows = data::clustered(n, dim, seed);
    let o = options(metric, codec).m(8).ef_construction(40).max_iterations(2);
    let file = file(&rows, dim, None, &o);
    (rows, file)
}

fn pinned(k: usize, index: IndexChoice) -> SearchOptions {
    SearchOptions::new(k).index(index)
}

#[test]
fn few_rows_in_memory_are_scanned_and_more_are_walked() {
    for (i, codec) in CODECS.into_iter().enumerate() {
        let metric = METRICS[i % 3];
        for (n, expected) in [(40, "flat"), (900, "flat"), (1500, "flat"), (1501, "hnsw")] {
            let (rows, file) = built(n, 12, metric, codec, 211);
            let index = Index::from_bytes(&file).unwrap();
            for query in data::queries(&rows, 12, 5, 212) {
                let answer = index.search(&query, &support::top(3)).unwrap();
                assert_eq!(answer.stats.index, expected, "{codec:?} {n}");
                let same = index.search(&query, &pinned(3, support::same_way(&answer))).unwrap();
                assert_eq!(hits(&answer), hits(&same));
                assert!(answer.stats.distances <= n as u64);
            }
        }
    }
    // Few rows, but long: a walk reads less of them.
    let (rows, file) = built(500, 700, Metric::L2, CodecKind::F32, 213);
    let index = Index::from_bytes(&file).unwrap();
    assert_eq!(index.search(&rows[..700], &support::top(3)).unwrap().stats.index, "hnsw");
}

/// An eighth of all rows, and all: exact for floats, and nearly so for codes with finer rows, which rank 4·k candidates.
#[test]
fn where_most_rows_are_wanted_they_are_scanned() {
    let (n, dim) = (6000, 48);
    for (i, codec) in CODECS.into_iter().enumerate() {
        let codec = if let CodecKind::Pq(_) = codec { CodecKind::Pq(12) } else { codec };
        let metric = METRICS[(i + 1) % 3];
        let (rows, file) = built(n, dim, metric, codec, 214);
        let index = Index::from_bytes(&file).unwrap();
        let queries = data::queries(&rows, dim, 10, 215);
        for (k, expected) in [(n / 8 - 1, "hnsw"), (n / 8, "flat"), (n, "flat"), (n * 2, "flat")] {
            let search = |query: &[f32]| {
                let answer = index.search(query, &support::top(k)).unwrap();
                assert_eq!((answer.stats.index, answer.hits.len()), (expected, k.min(n)), "{codec:?} {k}");
                answer
            };
            let found = oracle::recall(metric, &rows, &queries, k.min(n), search);
            eprintln!("{codec:?} {metric:?} k {k} by {expected}: recall {found:.4}");
            if expected == "flat" {
                let least = if codec == CodecKind::F32 { 1.0 } else { 0.97 };
                assert!(found >= least, "{codec:?} {k}: {found}");
            }
        }
    }
}

#[test]
fn bytes_that_cost_nothing_to_read_are_as_good_as_here() {
    let (n, dim) = (20_000, 64);
    let (rows, file) = built(n, dim, Metric::Cosine, CodecKind::Sq8, 216);
    let index = Index::from_bytes(&file).unwrap();
    let queries = data::queries(&rows, dim, 20, 217);
    let answers = |budget: u64, spare: u64, o: SearchOptions| {
        let mut remote = Remote::open(&file, budget).unwrap();
        remote.session.set_speculative_bytes(spare);
        let all: Vec<_> = queries.iter().map(|q| remote.search(q, &o).unwrap()).collect();
        let expected: Vec<_> = queries
            .iter()
            .map(|q| index.search(q, &pinned(o.k, support::same_way(&all[0].0))).unwrap())
            .collect();
        for ((answer, _), expected) in all.iter().zip(&expected) {
            assert_eq!(hits(answer), hits(expected));
            assert_eq!(answer.stats.index, all[0].0.stats.index);
        }
        (all[0].0.stats.index, all[1..].iter().map(|a| a.1.bytes).sum::<u64>())
    };
    // Room for lists and rows comes before that for codes and graph.
    let whole = 64 << 20;
    let near = u64::MAX;
    assert_eq!(answers(whole, near, support::top(10)), ("hnsw", 0), "after the first search nothing is read");
    assert_eq!(answers(whole, near, support::top(n / 8)), ("flat", 0));
    // Far, or without the room.
    assert_eq!(answers(whole, 0, support::top(10)).0, "clusters");
    assert_eq!(answers(whole, 1 << 40, support::top(10)).0, "clusters");
    assert_eq!(answers(least_budget(&file) + 300_000, near, support::top(10)).0, "clusters");
}

#[test]
fn a_small_cold_file_is_scanned_in_fewer_bytes_than_its_graph_has() {
    for codec in CODECS {
        let (rows, file) = built(1400, 32, Metric::L2, codec, 218);
        let cost = |index| {
            let mut remote = Remote::open(&file, 2 * file.len() as u64).unwrap();
            let (answer, cost) = remote.search(&rows[..32], &pinned(5, index)).unwrap();
            (answer.stats.index, cost)
        };
        let ((auto, scan), (_, walk)) = (cost(IndexChoice::Auto), cost(IndexChoice::Hnsw));
        assert_eq!(auto, "flat", "{codec:?}");
        assert!(scan.bytes < walk.bytes && scan.waves <= walk.waves, "{codec:?}: {scan:?}, graph {walk:?}");
    }
}
