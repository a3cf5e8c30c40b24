//! Moves an index from memory into a mapped file, and shows the memory that this saves and the time of cold and warm
//! searches.
//!
//! `cargo run --release --example mmap_demo -- [--n 100000] [--dim 768] [--queries 100] [--dir /tmp]`

// An example prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../benches/support/cache.rs"]
mod cache;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cache::percentile;
use pagevec::{Answer, ClusteredIndex, Error, Id, Index, IndexChoice, Metric, SearchOptions};

const K: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (n, dim) = (number("--n", 100_000)?, number("--dim", 768)?);
    let count = number("--queries", 100)?;
    let folder = argument("--dir").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(format!("pagevec-mmap-demo-{}.bin", std::process::id()));

    let started = Instant::now();
    let mut rows = clustered(n + count, dim, 1);
    let queries = rows.split_off(n * dim);
    println!("{n} x {dim} rows from a seed, {count} queries of the same kind: {:.1?}", started.elapsed());
    let started = Instant::now();
    let mut index = ClusteredIndex::build(rows, dim, 64, 32, Metric::Cosine, 8)?;
    println!("built in {:.1?}\n", started.elapsed());

    let truth = truth(index.index(), &queries)?;
    let (mut times, answers) = timed(&queries, dim, |q| search(&index, q))?;
    let before = index.memory_usage_bytes();
    println!(
        "in memory   {:>8.1} MB   {}   recall@{K} {:.3}",
        mb(before),
        spread(&mut times),
        recall(&answers, &truth)
    );
    println!("            process: {}", resident());

    let started = Instant::now();
    index.use_mmap_storage(&path)?;
    println!(
        "\nmoved to a mapped file of {:.1} MB in {:.1?}",
        mb(index.index().info().file_length),
        started.elapsed()
    );
    let result = mapped(index, &path, &queries, dim, before, &answers);
    std::fs::remove_file(&path)?;
    result
}

fn mapped(
    index: ClusteredIndex,
    path: &Path,
    queries: &[f32],
    dim: usize,
    before: u64,
    expected: &[Answer],
) -> Result<(), Box<dyn std::error::Error>> {
    assert!(index.is_using_mmap());
    let after = index.memory_usage_bytes();
    println!("mapped      {:>8.1} MB: {:.1} % less", mb(after), 100.0 * (1.0 - after as f64 / before as f64));
    println!("            process: {}", resident());
    drop(index);

    println!("\n{}", cache::HOW);
    let mut cold = Vec::new();
    let mut faults = 0;
    for query in queries.chunks_exact(dim) {
        cache::drop_pages(path)?;
        let index = ClusteredIndex::open(path)?;
        let (read, started) = (cache::faults().0, Instant::now());
        search(&index, query)?;
        cold.push(started.elapsed());
        faults += cache::faults().0 - read;
    }
    println!(
        "cold                       {}   {:.1} major faults a query",
        spread(&mut cold),
        faults as f64 / cold.len() as f64
    );

    // Turn by turn, so that what else the machine does meets both.
    let (index, memory) = (ClusteredIndex::open(path)?, Index::from_bytes(&std::fs::read(path)?)?);
    let options = SearchOptions::new(K).index(IndexChoice::Clusters);
    let (mut warm, mut here) = (Vec::new(), Vec::new());
    for round in 0..6 {
        for (query, expected) in queries.chunks_exact(dim).zip(expected) {
            let started = Instant::now();
            let answer = search(&index, query)?;
            let between = Instant::now();
            memory.search(query, &options)?;
            assert_eq!(answer.hits, expected.hits, "the mapping changes no hit");
            if round > 0 {
                warm.push(between - started);
                here.push(between.elapsed());
            }
        }
    }
    println!("warm                       {}", spread(&mut warm));
    println!("in memory, turn by turn    {}", spread(&mut here));
    let ratio = |a: &mut [Duration], b: &mut [Duration]| percentile(a, 50) / percentile(b, 50);
    println!(
        "\nwarm / in memory {:.2}   cold / in memory {:.1}",
        ratio(&mut warm, &mut here),
        ratio(&mut cold, &mut here)
    );
    let started = Instant::now();
    let answers = index.search_batch(queries, K, None, None)?;
    println!("a batch of {} queries, in parallel: {:.1?}", answers.len(), started.elapsed());
    Ok(())
}

fn search(index: &ClusteredIndex, query: &[f32]) -> Result<Answer, Error> {
    index.search(query, K, None, None)
}

fn timed(
    queries: &[f32],
    dim: usize,
    search: impl Fn(&[f32]) -> Result<Answer, Error>,
) -> Result<(Vec<Duration>, Vec<Answer>), Error> {
    // Once unmeasured.
    queries.chunks_exact(dim).try_for_each(|query| search(query).map(drop))?;
    let each = |query| {
        let started = Instant::now();
        search(query).map(|answer| (started.elapsed(), answer))
    };
    queries.chunks_exact(dim).map(each).collect::<Result<Vec<_>, _>>().map(|v| v.into_iter().unzip())
}

/// The ids of the true nearest: every row, by its floats.
fn truth(index: &Index, queries: &[f32]) -> Result<Vec<HashSet<Id>>, Error> {
    let flat = SearchOptions::new(K).index(IndexChoice::Flat);
    let answers = index.search_batch(queries, &flat)?;
    Ok(answers.into_iter().map(|a| a.hits.into_iter().map(|h| h.id).collect()).collect())
}

fn recall(answers: &[Answer], truth: &[HashSet<Id>]) -> f64 {
    let found = |(a, t): (&Answer, &HashSet<Id>)| a.hits.iter().filter(|h| t.contains(&h.id)).count();
    let found: usize = answers.iter().zip(truth).map(found).sum();
    found as f64 / (truth.len() * K).max(1) as f64
}

fn spread(times: &mut [Duration]) -> String {
    format!("p50 {:.2} ms  p95 {:.2} ms", percentile(times, 50), percentile(times, 95))
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// What the system counts as this process's: memory of its own, and pages of files.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|l| l.starts_with("RssAnon") || l.starts_with("RssFile"));
    lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

/// Rows around 256 topics of 64 parts each, off the origin as embeddings are.
fn clustered(count: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut vector = |scale: f32| -> Vec<f32> { (0..dim).map(|_| random.normal() * scale).collect() };
    let topics: Vec<Vec<f32>> = (0..256).map(|_| vector(1.0)).collect();
    let parts: Vec<Vec<f32>> = (0..256 * 64).map(|i| sum(&topics[i / 64], &vector(0.8))).collect();
    let mut random = Random(seed ^ 0xABCD);
    let mut rows = Vec::with_capacity(count * dim);
    for _ in 0..count {
        let part = &parts[random.next() as usize % parts.len()];
        rows.extend(part.iter().map(|x| 0.2 + x + random.normal() * 0.8));
    }
    rows
}

fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// About normal: the sum of four numbers of -1/2..1/2.
    fn normal(&mut self) -> f32 {
        let x = self.next();
        (0..4).map(|i| (x >> (16 * i) & 0xFFFF) as f32 / 65536.0 - 0.5).sum()
    }
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|a| a != name).nth(1)
}

fn number(name: &str, default: usize) -> Result<usize, std::num::ParseIntError> {
    argument(name).map_or(Ok(default), |value| value.parse())
}
