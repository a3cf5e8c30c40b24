//! Measures the first query over a mapped file of which nothing is in memory.
//!
//! `PAGEVEC_DATA=… cargo bench --bench cold_mmap -- [--file SEGMENT] [--queries 100] [--index clusters] [--rows N]
//! [--percent P]`: with P the file is read by position into memory of P % of its bytes, laid out for the index.
//! Without `--file` it builds the rows of wordnet into a temporary folder (not a tmpfs).

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "support/cache.rs"]
mod cache;
#[path = "../tests/support/npy.rs"]
#[allow(dead_code)]
mod npy;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cache::percentile;
use pagevec::{BuildOptions, Ctx, Index, Io, OpenOptions, SearchOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(data) = npy::folder() else {
        println!("PAGEVEC_DATA is not set: nothing to measure");
        return Ok(());
    };
    let count = argument("--queries").map_or(Ok(100), |n| n.parse())?;
    let (queries, dim) = npy::f16(&data.join("queries.f16.npy"), count);
    let options =
        SearchOptions::default().index(argument("--index").as_deref().unwrap_or("clusters").parse()?);
    let folder = tempfile::tempdir()?;
    let path = match argument("--file") {
        Some(path) => PathBuf::from(path),
        None => {
            let limit = argument("--rows").map_or(Ok(usize::MAX / dim), |n| n.parse())?;
            let (rows, dim) = npy::f16(&data.join("base.f16.npy"), limit);
            let build = BuildOptions::default().graph(options.index == pagevec::IndexChoice::Hnsw);
            let path = folder.path().join("wordnet.bin");
            std::fs::write(&path, pagevec::build(rows, dim, None, &build, &Ctx::default())?)?;
            path
        }
    };
    measure(&path, &queries, dim, &options)
}

fn measure(
    path: &Path,
    queries: &[f32],
    dim: usize,
    options: &SearchOptions,
) -> Result<(), Box<dyn std::error::Error>> {
    println!("{}\n", cache::HOW);
    let open = match argument("--percent") {
        Some(percent) => OpenOptions::new()
            .io(Io::Pread)
            .memory_budget(path.metadata()?.len() * percent.parse::<u64>()? / 100)
            .index(options.index),
        None => OpenOptions::default(),
    };
    let (mut cold, mut opening, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    let (mut major, mut minor) = (0, 0);
    for query in queries.chunks_exact(dim) {
        cache::drop_pages(path)?;
        let started = Instant::now();
        let index = Index::open_with(path, &open)?;
        opening.push(started.elapsed());
        let (before, started) = (cache::faults(), Instant::now());
        let first = index.search(query, options)?;
        cold.push(started.elapsed());
        let after = cache::faults();
        (major, minor) = (major + after.0 - before.0, minor + after.1 - before.1);
        let started = Instant::now();
        let second = index.search(query, options)?;
        warm.push(started.elapsed());
        assert_eq!(first.hits, second.hits);
    }
    let info = Index::open_with(path, &open)?.info().clone();
    println!(
        "{} rows, {} bytes, index {:?}, {} queries",
        info.count,
        info.file_length,
        options.index,
        cold.len()
    );
    let line = |name: &str, times: &mut Vec<Duration>| {
        let [p50, p95] = [50, 95].map(|p| percentile(times, p));
        println!("{name:<22} p50 {p50:>7.2} ms   p95 {p95:>7.2} ms");
    };
    line("open", &mut opening);
    line("cold query", &mut cold);
    line("the same query again", &mut warm);
    println!("{open:?}");
    let each = |n: u64| n as f64 / cold.len() as f64;
    println!(
        "faults of a cold query: {:.1} that waited for the disk, {:.1} that did not",
        each(major),
        each(minor)
    );
    Ok(())
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|a| a != name).nth(1)
}
