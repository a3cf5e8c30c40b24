//! Many hits are found at the cost of scoring rows and of ordering the hits: no step is quadratic in their number, and
//! the hits are those of a full sort.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::time::Duration;

use pagevec::{Answer, CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::{alloc, data, index, options};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

fn bits(answer: &Answer) -> Vec<(u32, u32)> {
    answer.hits.iter().map(|h| (h.position, h.score.to_bits())).collect()
}

/// Time that this thread has run: what else the machine does is not in it.
#[cfg(unix)]
fn ran() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes one timespec where one is.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn ran() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

fn least(index: &Index, query: &[f32], o: &SearchOptions) -> Duration {
    let time = |_| {
        let from = ran();
        std::hint::black_box(index.search(query, o).unwrap());
        ran() - from
    };
    (0..9).map(time).min().unwrap()
}

#[test]
fn every_k_gives_the_first_hits_of_a_full_sort() {
    let (n, dim) = (5003, 6);
    // Whole numbers: many rows are equally near.
    let rows = data::whole(n, dim, 201);
    for metric in [Metric::L2, Metric::Dot] {
        for codec in [CodecKind::F32, CodecKind::Sq8] {
            let o = options(metric, codec).clusters(false).m(4).ef_construction(20);
            let index = index(&rows, dim, &o);
            for query in [&rows[..dim], &rows[77 * dim..][..dim], &[0.3; 6]] {
                for choice in [IndexChoice::Flat, IndexChoice::Hnsw] {
                    // The same candidates for every k, so that the hits of one k start those of the next.
                    let with = |k| {
                        let all = Some(n);
                        let o = SearchOptions::new(k).ef(all).rescore(all).index(choice);
                        index.search(query, &o).unwrap()
                    };
                    let all = bits(&with(n));
                    assert_eq!(all.len(), n);
                    let before = |a: &(u32, u32), b: &(u32, u32)| {
                        let [x, y] = [a, b].map(|hit| f32::from_bits(hit.1));
                        x > y || (x == y && a.0 < b.0)
                    };
                    assert!(all.windows(2).all(|w| before(&w[0], &w[1])), "{metric:?} {codec:?} {choice:?}");
                    for k in [1, 2, 31, 32, 33, 63, 64, 65, 500, 2047, 2048, 2049, 2500, 4999, 5002] {
                        assert_eq!(bits(&with(k)), all[..k], "{metric:?} {codec:?} {choice:?} {k}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_fifth_of_all_rows_by_a_scan() {
    let (n, dim) = (100_000, 24);
    let rows = data::clustered(n, dim, 202);
    for codec in [CodecKind::Sq8, CodecKind::F32] {
        let base = options(Metric::Cosine, codec);
        let index = index(&rows, dim, &base.clone().graph(false).clusters(false).max_iterations(1));
        let query = &data::queries(&rows, dim, 1, 203)[0];
        let with = |k| SearchOptions::new(k).index(IndexChoice::Flat);
        let few = least(&index, query, &with(10));
        let many = least(&index, query, &with(n / 5));
        eprintln!("{codec:?}: k 10 {few:?}, k {} {many:?}", n / 5);
        // 3 to 4 times as many instructions, and memory that is touched for the first time. A quadratic step took 700
        // times as long.
        assert!(many <= few * 60, "{codec:?}: {many:?} for {few:?}");
        let (answer, used) = alloc::used(|| index.search(query, &with(n / 5)).unwrap());
        assert_eq!(answer.hits.len(), n / 5);
        // Candidates and keys of 8 bytes, each at most four times k of them and grown by doubling; hits of 48.
        let hits = 48 * n as u64 / 5;
        assert!(used.total <= hits + 2 * 8 * 3 * 2 * n as u64, "{codec:?}: {} bytes", used.total);
        assert!(used.times <= 40, "{codec:?}: {} allocations", used.times);
    }
}

#[test]
fn a_fifth_of_all_rows_by_the_graph() {
    let (n, dim) = (40_000, 8);
    let rows = data::clustered(n, dim, 204);
    let base = options(Metric::L2, CodecKind::Sq8);
    let index = index(&rows, dim, &base.clone().clusters(false).m(6).ef_construction(30));
    let query = &data::queries(&rows, dim, 1, 205)[0];
    let with = |k, index| SearchOptions::new(k).index(index);
    let scan = least(&index, query, &with(10, IndexChoice::Flat));
    let walk = least(&index, query, &with(n / 5, IndexChoice::Hnsw));
    let answer = index.search(query, &with(n / 5, IndexChoice::Hnsw)).unwrap();
    eprintln!("scan for 10 {scan:?}, walk for {} {walk:?}, {} distances", n / 5, answer.stats.distances);
    assert_eq!((answer.hits.len(), answer.stats.index), (n / 5, "hnsw"));
    assert!(walk <= scan * 40, "{walk:?} for {scan:?}");
}
