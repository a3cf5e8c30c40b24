//! Collections: how fast rows are written beside the bare file, how fast searches are meanwhile, how long opening takes, how many
//! bytes are written and kept. `cargo bench --bench collection -- [--rows N] [--only PART] [--folder F]`.
//!
//! Times are ratios of one run on one machine; the bare operations on files beside them are the measure.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that reports")]

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, clippy::duplicate_mod)]
mod support;

use pagevec::{Collection, CollectionOptions, Ctx, Id, SearchOptions};

use support::data::Random;

const DIM: usize = 384;
const BATCH: usize = 1000;

/// Rows in topics, as embeddings are.
struct Rows {
    centres: Vec<f32>,
    random: Random,
}

impl Rows {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let centres = (0..2000 * DIM).map(|_| random.normal()).collect();
        Rows { centres, random }
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        let mut rows = Vec::with_capacity(count * DIM);
        for _ in 0..count {
            let centre = (self.random.next() % 2000) as usize * DIM;
            for at in 0..DIM {
                rows.push(self.centres[centre + at] + self.random.normal() * 0.7);
            }
        }
        rows
    }
}

fn percentile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    times.get(((times.len() as f64 - 1.0) * part) as usize).copied().unwrap_or_default()
}

fn median(mut times: Vec<Duration>) -> Duration {
    percentile(&mut times, 0.5)
}

/// Writes and syncs so many bytes at a time into a file that was filled with zeros.
fn bare(folder: &Path, bytes: usize, times: usize) -> Duration {
    let path = folder.join("bare");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path).unwrap();
    let block = vec![7u8; bytes];
    for _ in 0..times {
        file.write_all(&vec![0; bytes]).unwrap();
    }
    file.sync_all().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut all = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
        all.push(start.elapsed());
    }
    std::fs::remove_file(path).unwrap();
    median(all)
}

fn upsert(collection: &Collection, first: u64, rows: Vec<f32>) -> Duration {
    let ids = (0..(rows.len() / DIM) as u64).map(|at| Id::Number(first + at)).collect();
    let start = Instant::now();
    collection.upsert_matrix(ids, rows, Vec::new(), None).unwrap();
    start.elapsed()
}

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|&at| fields.get(at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok()).unwrap_or(0)
}

fn folder_bytes(folder: &Path, prefix: &str) -> u64 {
    let named = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(prefix);
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.filter(named).map(|entry| entry.metadata().map_or(0, |meta| meta.len())).sum()
}

fn batches(folder: &Path) {
    let collection = Collection::open(folder.join("batches"), &CollectionOptions::new(DIM)).unwrap();
    let mut rows = Rows::new(1);
    let bytes = BATCH * (DIM * 4 + 16);
    let (mut own, mut raw) = (Vec::new(), Vec::new());
    let start = cpu();
    let mut spent = Duration::ZERO;
    for round in 0..12 {
        let block = rows.take(BATCH);
        let before = cpu();
        own.push(upsert(&collection, round * BATCH as u64, block));
        spent += cpu() - before;
        raw.push(bare(folder, bytes, 3));
    }
    let _ = start;
    let (own, raw) = (median(own), median(raw));
    println!(
        "upserts of 1,000, strict | {own:?} beside {raw:?} bare | {:.2} | ≥ 0.7",
        raw.as_secs_f64() / own.as_secs_f64()
    );
    println!("processor time a row | {:.1} µs | | ≤ 8", spent.as_secs_f64() * 1e6 / 12_000.0);
}

fn singles(folder: &Path) {
    let path = folder.join("singles");
    let collection = Collection::open(&path, &CollectionOptions::new(DIM)).unwrap();
    let mut rows = Rows::new(2);
    let (mut own, mut raw) = (Vec::new(), Vec::new());
    for round in 0..60 {
        own.push(upsert(&collection, round, rows.take(1)));
        raw.push(bare(folder, 4096, 1));
    }
    let (one, raw) = (median(own), median(raw));
    println!(
        "single upserts | {one:?} beside {raw:?} bare | {:.2} | ≥ 0.8",
        raw.as_secs_f64() / one.as_secs_f64()
    );
    let each = 40;
    let time = |writers: u64| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for writer in 0..writers {
                let collection = &collection;
                scope.spawn(move || {
                    let mut rows = Rows::new(writer + 10);
                    (0..each).for_each(|at| {
                        upsert(collection, 10_000 * (writer + 1) + at, rows.take(1));
                    });
                });
            }
        });
        (writers * each) as f64 / start.elapsed().as_secs_f64()
    };
    let (alone, together) = (time(1), time(16));
    println!("16 writers beside one | {together:.0}/s beside {alone:.0}/s | {:.1}x | ≥ 8x", together / alone);
}

/// Times of searches, of those that began with at least so many rows.
fn searches(
    collection: &Collection,
    queries: &[f32],
    least: usize,
    until: &dyn Fn() -> bool,
) -> Vec<Duration> {
    let mut times = Vec::new();
    let options = SearchOptions::new(10);
    for query in queries.chunks_exact(DIM).cycle() {
        if until() {
            break;
        }
        let counts = collection.count() >= least;
        let start = Instant::now();
        collection.search(query, &options).unwrap();
        if counts {
            times.push(start.elapsed());
        }
    }
    times
}

fn ingest(folder: &Path, count: usize, searching: bool) {
    let path = folder.join(if searching { "searched" } else { "ingested" });
    let collection = Collection::open(&path, &CollectionOptions::new(DIM)).unwrap();
    let (mut rows, queries) = (Rows::new(3), Rows::new(3).take(500));
    let (done, before, start) = (AtomicBool::new(false), written(), Instant::now());
    let mut most = 0;
    let mut times = std::thread::scope(|scope| {
        let searched = searching.then(|| {
            scope.spawn(|| searches(&collection, &queries, count / 2, &|| done.load(Ordering::Relaxed)))
        });
        for first in (0..count).step_by(BATCH) {
            upsert(&collection, first as u64, rows.take(BATCH));
            most = most.max(collection.stats().unindexed);
        }
        done.store(true, Ordering::Relaxed);
        searched.map(|searched| searched.join().unwrap()).unwrap_or_default()
    });
    let acknowledged = start.elapsed();
    while collection.stats().unindexed > 16_384 + 4 * 16_384 {
        std::thread::sleep(Duration::from_millis(50));
    }
    while collection.maintain(&Ctx::default()).unwrap() {}
    let all = start.elapsed();
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    let what = if searching { "while one thread searches" } else { "alone" };
    println!(
        "{count} rows {what} | {:.0}/s acknowledged, {:.0}/s with all merges | unindexed at most {most} | ≥ 3,000/s, 2,000/s",
        rate(acknowledged),
        rate(all)
    );
    println!(
        "bytes written a byte of input | {:.2} | | ≤ 4",
        (written() - before) as f64 / (count * DIM * 4) as f64
    );
    if searching {
        let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
        let start = Instant::now();
        let mut idle = searches(&collection, &queries, 0, &|| start.elapsed() > Duration::from_secs(3));
        let (idle50, idle99) = (percentile(&mut idle, 0.5), percentile(&mut idle, 0.99));
        println!(
            "search p50 | {p50:?} beside {idle50:?} idle | {:.2}x | ≤ 1.5x",
            p50.as_secs_f64() / idle50.as_secs_f64()
        );
        println!(
            "search p99 | {p99:?} beside {idle99:?} idle | {:.2}x | ≤ 3x",
            p99.as_secs_f64() / idle99.as_secs_f64()
        );
    }
    let stats = collection.stats();
    println!(
        "segments | {} | {:?} |",
        stats.segments.len(),
        stats.segments.iter().map(|segment| segment.rows.live).collect::<Vec<_>>()
    );
    drop(collection);
    let opened = |what: &str| {
        let mut all = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            let collection = Collection::open(&path, &CollectionOptions::default()).unwrap();
            all.push(start.elapsed());
            drop(collection);
        }
        println!("reopen, {what} | {:?} | | clean ≤ 30 ms, full log ≤ 150 ms", median(all));
    };
    opened("as it is");
    let collection = Collection::open(&path, &CollectionOptions::default()).unwrap();
    collection.flush().unwrap();
    drop(collection);
    opened("clean");
    let collection = Collection::open(&path, &CollectionOptions::default()).unwrap();
    for first in 0..16 {
        upsert(&collection, (count + first * BATCH) as u64, rows.take(BATCH));
    }
    drop(collection);
    opened("16,000 rows in the log");
}

fn halves(folder: &Path) {
    let path = folder.join("halves");
    let collection = Collection::open(&path, &CollectionOptions::new(DIM)).unwrap();
    let mut rows = Rows::new(4);
    for first in (0..40_000).step_by(BATCH) {
        upsert(&collection, first, rows.take(BATCH));
    }
    collection.compact(&Ctx::default()).unwrap();
    let before = folder_bytes(&path, "seg-");
    let dead: Vec<Id> = (0..40_000).step_by(2).map(Id::Number).collect();
    collection.delete(&dead).unwrap();
    collection.compact(&Ctx::default()).unwrap();
    let after = folder_bytes(&path, "seg-");
    println!(
        "half deleted, compacted | {after} of {before} bytes | {:.3} | ≤ 0.52",
        after as f64 / before as f64
    );
    drop(collection);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        arguments.iter().position(|at| at == name).and_then(|at| arguments.get(at + 1)?.parse::<usize>().ok())
    };
    let rows = value("--rows").unwrap_or(200_000);
    let only = arguments.iter().position(|at| at == "--only").and_then(|at| arguments.get(at + 1).cloned());
    let base = arguments.iter().position(|at| at == "--folder").and_then(|at| arguments.get(at + 1).cloned());
    let base = base.map_or_else(std::env::temp_dir, Into::into);
    let folder = base.join(format!("pagevec-collection-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let parts: [(&str, &dyn Fn()); 5] = [
        ("batches", &|| batches(&folder)),
        ("singles", &|| singles(&folder)),
        ("ingest", &|| ingest(&folder, rows, false)),
        ("searched", &|| ingest(&folder, rows, true)),
        ("halves", &|| halves(&folder)),
    ];
    println!("what | measured | ratio | goal\n---|---|---|---");
    parts.iter().filter(|part| only.as_ref().is_none_or(|only| only == part.0)).for_each(|part| part.1());
    File::open(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
