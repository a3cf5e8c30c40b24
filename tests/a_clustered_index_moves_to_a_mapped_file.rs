//! `ClusteredIndex`: the same hits in memory and mapped, the memory it says it takes, and what it refuses.

mod support;

use std::fs;

use pagevec::{ClusteredIndex, CodecKind, Index, IndexChoice, Metric};
use support::{alloc, code, data, oracle};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 48;
const N: usize = 4000;

fn built(metric: Metric) -> (Vec<f32>, ClusteredIndex) {
    let rows = data::clustered(N, DIM, 71);
    let index = ClusteredIndex::build(rows.clone(), DIM, 16, 32, metric, 4).expect("the rows are good");
    (rows, index)
}

#[test]
fn hits_are_the_same_in_memory_mapped_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    for metric in support::METRICS {
        let (rows, mut index) = built(metric);
        assert!(!index.is_using_mmap());
        let queries = data::queries(&rows, DIM, 30, 72);
        let ask = |index: &ClusteredIndex| -> Vec<_> {
            queries.iter().map(|q| index.search(q, 10, Some(20), Some(8)).unwrap()).collect()
        };
        let before = ask(&index);
        let path = folder.path().join(metric.name());
        index.use_mmap_storage(&path).unwrap();
        assert!(index.is_using_mmap());
        assert_eq!(ask(&index), before);
        assert_eq!(index.search_batch(&queries.concat(), 10, Some(20), Some(8)).unwrap(), before);
        assert_eq!(ask(&ClusteredIndex::open(&path).unwrap()), before);
        index.index().verify().unwrap();

        // The file is a segment like any other.
        let plain = Index::open(&path).unwrap();
        let o = support::top(10).probes(20).rescore(80).index(IndexChoice::Clusters);
        let plain: Vec<_> = queries.iter().map(|q| plain.search(q, &o).unwrap()).collect();
        assert_eq!(plain, before);

        // Scores are those of the floats, and most of the nearest are found.
        let mut found = 0;
        for (query, answer) in queries.iter().zip(&before) {
            assert!(answer.stats.rescored <= 80);
            let scores = oracle::scores(metric, &rows, query);
            let least = oracle::kth(&scores, 10);
            found += answer.hits.iter().filter(|h| f64::from(h.score) >= least - 1e-4).count();
        }
        assert!(found >= 270, "{found} of 300 under {metric:?}");
    }
}

#[test]
fn more_probes_and_a_higher_factor_find_more() {
    let (rows, index) = built(Metric::Cosine);
    let queries = data::queries(&rows, DIM, 40, 73);
    let best = |probes, factor| -> f32 {
        let best = |q: &Vec<f32>| index.search(q, 10, Some(probes), Some(factor)).unwrap().hits;
        queries.iter().flat_map(best).map(|h| h.score).sum()
    };
    assert!(best(1, 1) < best(40, 1) && best(40, 1) < best(40, 20), "sums of scores");
}

/// The figure is that of the allocator, and what is left is a small part of the vectors.
#[test]
fn memory_is_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (n, dim) = (3000, 768);
    let rows = data::clustered(n, dim, 74);
    let mut index = ClusteredIndex::build(rows.clone(), dim, 64, 32, Metric::Cosine, 2).unwrap();
    let before = index.memory_usage_bytes();
    assert!(before >= (n * dim * 4) as u64);
    let path = folder.path().join("index");
    index.use_mmap_storage(&path).unwrap();
    let after = index.memory_usage_bytes();
    assert!(after * 25 <= before, "{after} of {before} bytes: less than 96 % saved");
    drop(index);

    let (index, used) = alloc::used(|| ClusteredIndex::open(&path).unwrap());
    let (says, holds) = (index.memory_usage_bytes(), used.kept as u64);
    assert_eq!(says, after);
    assert!(holds.abs_diff(says) <= says / 20 + 20_000, "{holds} bytes are held, {says} named");
    let ((), used) = alloc::used(|| {
        for query in data::queries(&rows, dim, 50, 75) {
            index.search(&query, 10, None, None).unwrap();
        }
    });
    assert!(used.kept < 50_000, "{} bytes are kept after searching", used.kept);
}

#[test]
fn threads_share_it() {
    fn shared<T: Send + Sync>(_: &T) {}
    let (rows, index) = built(Metric::L2);
    shared(&index);
    let queries = data::queries(&rows, DIM, 20, 76);
    let ask = || queries.iter().map(|q| index.search(q, 5, None, None).unwrap()).collect::<Vec<_>>();
    let alone = ask();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), alone));
    });
}

#[test]
fn what_is_refused_is_named_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, mut index) = built(Metric::Dot);
    let query = &rows[..DIM];
    let before = index.search(query, 5, None, None).unwrap();

    // A place that cannot be written: the index goes on in memory.
    assert_eq!(code(&index.use_mmap_storage(&folder.path().join("no/such/folder"))), "io");
    assert!(!index.is_using_mmap());
    assert_eq!(index.search(query, 5, None, None).unwrap(), before);

    let path = folder.path().join("index");
    index.use_mmap_storage(&path).unwrap();
    let twice = index.use_mmap_storage(&folder.path().join("other"));
    assert_eq!(code(&twice), "argument");
    let message = twice.unwrap_err().to_string();
    assert!(message.contains("mapped already") && message.contains("index"), "{message}");
    assert!(!folder.path().join("other").exists());
    assert_eq!(index.search(query, 5, None, None).unwrap(), before);
    assert_eq!(code(&index.search(&query[1..], 5, None, None)), "dimension");
    assert_eq!(code(&index.search(query, 0, None, None)), "argument");

    // Another length, another byte in what is held, no file, no clusters.
    let whole = fs::read(&path).unwrap();
    let section =
        |name: &str| index.index().info().sections.iter().find(|s| s.name == name).cloned().unwrap();
    let reopened = |bytes: &[u8]| {
        let other = folder.path().join("changed");
        fs::write(&other, bytes).unwrap();
        code(&ClusteredIndex::open(&other))
    };
    assert_eq!(reopened(&whole), "ok");
    assert_eq!(reopened(&whole[..whole.len() - 1]), "length");
    assert_eq!(reopened(&[&whole[..], &[0]].concat()), "length");
    for name in ["leaves", "lists"] {
        let mut flipped = whole.clone();
        flipped[(section(name).offset + section(name).length / 2) as usize] ^= 4;
        assert_eq!(reopened(&flipped), "checksum", "{name}");
    }
    assert_eq!(code(&ClusteredIndex::open(&folder.path().join("nowhere"))), "io");
    let plain = support::plain(Metric::Dot, CodecKind::F32);
    assert_eq!(reopened(&support::file(&rows, DIM, None, &plain)), "argument");
    let small = support::options(Metric::Dot, CodecKind::Sq8).graph(false);
    assert_eq!(reopened(&support::file(&rows, DIM, None, &small)), "ok", "any segment with clusters");
}

#[test]
fn no_rows_and_one_row_work() {
    let folder = tempfile::tempdir().unwrap();
    for n in [0, 1] {
        let mut index = ClusteredIndex::build(vec![1.0; n * 3], 3, 16, 32, Metric::Cosine, 2).unwrap();
        index.use_mmap_storage(&folder.path().join(n.to_string())).unwrap();
        if n == 1 {
            assert_eq!(index.search(&[1.0, 0.0, 0.0], 5, None, None).unwrap().hits.len(), 1);
        }
    }
}
