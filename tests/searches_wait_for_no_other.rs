//! Searches of one index from many threads, over a file that is read piece by piece: none holds a lock or room while it
//! reads, so none stops another, and a panic below one of them harms nobody.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use pagevec::{
    Answer, CodecKind, Error, Extent, Form, Id, Index, IndexChoice, Io, Metric, OpenOptions, PublishOptions,
    ReadAt, SearchOptions, publish, with_threads,
};
use support::paged::{hits, least_budget};
use support::{data, options};

/// A file whose reads do something first.
struct Watched<F> {
    bytes: Vec<u8>,
    before: F,
}

impl<F: Fn() + Send + Sync> ReadAt for Watched<F> {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        (self.before)();
        into.copy_from_slice(&self.bytes[extent.offset as usize..extent.end() as usize]);
        Ok(())
    }
}

fn over(file: &[u8], budget: u64, before: impl Fn() + Send + Sync + 'static) -> Index {
    let reader = Watched { bytes: file.to_vec(), before };
    Index::from_reader(reader, &OpenOptions::new().memory_budget(budget)).unwrap()
}

fn by_clusters(probes: usize) -> SearchOptions {
    support::top(10).index(IndexChoice::Clusters).probes(probes)
}

fn all_hits(answers: &[Answer]) -> Vec<Vec<(u32, String, u32)>> {
    answers.iter().map(hits).collect()
}

/// Fails instead of never ending.
fn within(limit: Duration, f: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let running = std::thread::spawn(move || {
        f();
        done.send(()).unwrap();
    });
    match finished.recv_timeout(limit) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still not done after {limit:?}"),
        _ => running.join().unwrap(),
    }
}

fn open(folder: &Path, io: Io, memory_budget: u64) -> Index {
    Index::open_with(folder, &OpenOptions::new().io(io).memory_budget(memory_budget)).unwrap()
}

#[test]
fn single_searches_and_batches_in_one_pool_of_two() {
    let dim = 24;
    let rows = data::clustered(9000, dim, 311);
    let queries = data::queries(&rows, dim, 80, 312).concat();
    let build = options(Metric::L2, CodecKind::Sq8).graph(false).max_iterations(2);
    let file = support::file(&rows, dim, None, &build);
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &file, &PublishOptions::new().form(Form::Both)).unwrap();
    let o = by_clusters(120);
    let truth = Arc::new(all_hits(&Index::from_bytes(&file).unwrap().search_batch(&queries, &o).unwrap()));
    let (queries, least) = (Arc::new(queries), least_budget(&file));
    for (io, budget) in
        [(Io::Pread, least), (Io::Pread, least + 40_000), (Io::Parts, least), (Io::Parts, 1 << 30)]
    {
        let index = Arc::new(open(folder.path(), io, budget));
        let (queries, truth) = (queries.clone(), truth.clone());
        let o = o.clone();
        within(Duration::from_secs(120), move || {
            let batch = || assert_eq!(all_hits(&index.search_batch(&queries, &o).unwrap()), *truth);
            let single = || {
                for (query, truth) in queries.chunks(dim).zip(&*truth) {
                    assert_eq!(hits(&index.search(query, &o).unwrap()), *truth);
                }
            };
            // Inside the same pool of two, in a pool of one, and beside both.
            let both = || rayon::join(|| rayon::join(batch, single), || rayon::join(single, batch));
            std::thread::scope(|scope| {
                scope.spawn(|| with_threads(2, both).unwrap());
                scope.spawn(|| with_threads(1, batch).unwrap());
                scope.spawn(batch);
                scope.spawn(single);
                scope.spawn(|| {
                    for row in (0..9000).step_by(600) {
                        assert_eq!(index.vector(&Id::Number(row)).unwrap().len(), dim);
                    }
                });
            });
        });
    }
}

#[test]
fn as_many_reads_are_under_way_as_there_are_threads() {
    const THREADS: usize = 8;
    let dim = 20;
    let rows = data::clustered(6000, dim, 321);
    let build = options(Metric::Cosine, CodecKind::Sq8).graph(false).max_iterations(2);
    let file = support::file(&rows, dim, None, &build);
    // A read waits until all threads read, or for so long that the test fails.
    let reading = Arc::new((Mutex::new((false, 0, 0)), Condvar::new()));
    let seen = reading.clone();
    let index = over(&file, least_budget(&file), move || {
        let mut state = seen.0.lock().unwrap();
        state.1 += 1;
        state.2 = state.1.max(state.2);
        seen.1.notify_all();
        if state.0 {
            let limit = Duration::from_secs(20);
            state = seen.1.wait_timeout_while(state, limit, |s| s.2 < THREADS).unwrap().0;
        }
        state.1 -= 1;
    });
    reading.0.lock().unwrap().0 = true;
    let queries = data::queries(&rows, dim, THREADS, 322);
    std::thread::scope(|scope| {
        for query in &queries {
            scope.spawn(|| index.search(query, &by_clusters(30)).unwrap());
        }
    });
    assert_eq!(reading.0.lock().unwrap().2, THREADS, "reads at once");
}

#[test]
fn eight_threads_wait_for_a_slow_file_at_once() {
    let (dim, each) = (16, 12);
    let rows = data::clustered(12_000, dim, 331);
    let build = options(Metric::Cosine, CodecKind::Sq8).graph(false).max_iterations(2);
    let file = support::file(&rows, dim, None, &build);
    let queries = data::queries(&rows, dim, 8 * each, 332);
    let rate = |threads: usize| {
        let index = over(&file, least_budget(&file), || std::thread::sleep(Duration::from_micros(300)));
        let started = Instant::now();
        std::thread::scope(|scope| {
            for queries in queries.chunks(each).take(threads) {
                let index = &index;
                scope.spawn(move || {
                    for query in queries {
                        index.search(query, &by_clusters(30)).unwrap();
                    }
                });
            }
        });
        (threads * each) as f64 / started.elapsed().as_secs_f64()
    };
    let ratios: Vec<f64> = (0..3).map(|_| rate(8) / rate(1)).collect();
    let best = ratios.iter().copied().fold(0.0, f64::max);
    eprintln!("eight threads search {ratios:.1?} times as fast as one over a file that waits 0.3 ms");
    // 6 and more where a core is free; other tests run beside this one. With a lock over reads it is 1.
    assert!(best > 3.0, "{ratios:?}");
}

#[test]
fn a_panic_in_any_read_leaves_the_index_as_it_was() {
    let dim = 24;
    let rows = data::clustered(5000, dim, 341);
    let queries = data::queries(&rows, dim, 40, 342);
    std::panic::set_hook(Box::new(|info| {
        if !info.payload_as_str().is_some_and(|text| text.contains("on purpose")) {
            eprintln!("{info}");
        }
    }));
    for clusters in [true, false] {
        let build = options(Metric::Cosine, CodecKind::Binary).graph(false).clusters(clusters);
        let file = support::file(&rows, dim, None, &build);
        let here = Index::from_bytes(&file).unwrap();
        let o = support::top(10).index(if clusters { IndexChoice::Clusters } else { IndexChoice::Flat });
        let truth: Vec<_> = queries.iter().map(|q| hits(&here.search(q, &o).unwrap())).collect();
        let (armed, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (fires, counts) = (armed.clone(), left.clone());
        let index = over(&file, least_budget(&file), move || {
            if fires.load(SeqCst) && counts.fetch_sub(1, SeqCst) == 0 {
                fires.store(false, SeqCst);
                panic!("on purpose");
            }
        });
        let mut panics = 0;
        for after in (0..).step_by(3).take(60) {
            left.store(after, SeqCst);
            armed.store(true, SeqCst);
            // Half of them while others search.
            std::thread::scope(|scope| {
                for (query, truth) in queries.iter().zip(&truth).skip(after % 30).take(1 + after % 2 * 3) {
                    let (index, o) = (&index, &o);
                    let search = move || index.search(query, o).unwrap();
                    scope.spawn(move || match catch_unwind(AssertUnwindSafe(search)) {
                        Ok(answer) => {
                            assert_eq!(hits(&answer), *truth);
                            0
                        }
                        Err(_) => 1,
                    });
                }
            });
            panics += usize::from(!armed.swap(false, SeqCst));
            for (query, truth) in queries.iter().zip(&truth).skip(after % 37).take(3) {
                assert_eq!(hits(&index.search(query, &o).unwrap()), *truth, "after a panic in read {after}");
            }
        }
        assert!(panics > 3, "{panics} panics");
        index.verify().unwrap();
    }
}
