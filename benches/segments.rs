//! Measures an index of several segments beside one segment of the same rows, in one run.
//!
//! `PAGEVEC_DATA=… cargo bench --bench segments -- [--segments 8] [--rows N] [--queries 200] [-k 10] [--keep FOLDER]` builds
//! the rows of wordnet with the default options, as one segment and as several of as many rows each: in their order, which
//! is by topic, and shuffled. A cold query reads files of which nothing but the fronts is held; a warm one walks the graphs
//! in memory, on one thread: the least of five times of each query. `--keep` keeps the files for another run.

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, clippy::duplicate_mod)]
mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pagevec::{BuildOptions, Ctx, Id, Ids, IndexChoice, Metric, Operation, SearchOptions, SessionOptions};
use support::oracle;
use support::paged::Remote;

const BUDGET: u64 = 64 << 20;
const PLENTY: u64 = 4 << 30;
const TIMES: usize = 5;

struct Data {
    rows: Vec<f32>,
    queries: Vec<f32>,
    /// Of each query, the scores of all rows.
    least: Vec<f64>,
    dim: usize,
    k: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = support::npy::folder() else {
        println!("PAGEVEC_DATA is not set: nothing to measure");
        return Ok(());
    };
    let number = |name: &str, or: usize| argument(name).map_or(Ok(or), |n| n.parse());
    let (k, segments) = (number("-k", 10)?, number("--segments", 8)?);
    let (queries, dim) = support::npy::f16(&folder.join("queries.f16.npy"), number("--queries", 200)?);
    let (rows, _) = support::npy::f16(&folder.join("base.f16.npy"), number("--rows", usize::MAX / dim)?);
    let scores = queries.chunks_exact(dim).map(|query| oracle::scores(Metric::Cosine, &rows, query));
    let least = scores.map(|scores| oracle::kth(&scores, k)).collect();
    let data = Data { rows, queries, least, dim, k };
    let temporary = tempfile::tempdir()?;
    let keep = argument("--keep").map_or(temporary.path().to_owned(), PathBuf::from);
    let count = data.rows.len() / dim;
    let mut order: Vec<usize> = (0..count).collect();
    println!(
        "| rows | segments | searched | recall | fronts | bytes of a query | requests | waves | distances | rescored | us |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, number) in [("all", 1), ("in order", segments), ("shuffled", segments)] {
        if name == "shuffled" {
            support::data::Random(1).shuffle(&mut order);
        }
        let files = files(&data, &order, number, &keep, name)?;
        for choice in [IndexChoice::Clusters, IndexChoice::Hnsw] {
            println!("| {name} | {number} | {} |", measure(&data, &files, choice)?);
        }
    }
    Ok(())
}

/// The files of the rows in this order, in so many segments.
fn files(
    data: &Data,
    order: &[usize],
    segments: usize,
    keep: &Path,
    name: &str,
) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let each = order.len().div_ceil(segments);
    let mut files = Vec::new();
    for (number, order) in order.chunks(each).enumerate() {
        let path = keep.join(format!("{}-{name}-{segments}-{number}.bin", data.rows.len()));
        if !path.exists() {
            let rows = order.iter().flat_map(|&row| &data.rows[row * data.dim..][..data.dim]).copied();
            let ids = Ids::Numbers(order.iter().map(|&row| row as u64).collect());
            let options = BuildOptions::default();
            let file = pagevec::build(rows.collect(), data.dim, Some(ids), &options, &Ctx::default())?;
            std::fs::write(&path, file)?;
        }
        files.push(std::fs::read(&path)?);
    }
    Ok(files)
}

/// The rest of a row of the table.
fn measure(data: &Data, files: &[Vec<u8>], choice: IndexChoice) -> Result<String, Box<dyn Error>> {
    let segments: Vec<_> = files.iter().map(|file| (file.as_slice(), None)).collect();
    let open = |budget| Remote::of_segments(&segments, &SessionOptions::new(budget));
    let options = SearchOptions::new(data.k).index(choice);
    let cold = choice == IndexChoice::Clusters;
    let mut warm = open(PLENTY)?;
    warm.run(Operation::Load)?;
    let fronts: u64 = warm.session.segments().map(|(segment, ..)| segment.info().memory_to_open).sum();
    let (mut found, mut cost, mut waves, mut time) = (0, [0; 4], 0, Duration::ZERO);
    for (query, &least) in data.queries.chunks_exact(data.dim).zip(&data.least) {
        let mut remote = if cold { open(BUDGET)? } else { open(PLENTY)? };
        let (answer, moved) =
            if cold { remote.search(query, &options)? } else { warm.search(query, &options)? };
        let score = |id: &Id| {
            oracle::score(Metric::Cosine, query, &data.rows[oracle::row(id) * data.dim..][..data.dim])
        };
        found += answer.hits.iter().filter(|hit| score(&hit.id) >= least).count();
        let more = [moved.bytes, moved.requests, answer.stats.distances, answer.stats.rescored];
        cost.iter_mut().zip(more).for_each(|(all, more)| *all += more);
        waves = waves.max(moved.waves);
        if !cold {
            let timed = (0..TIMES).map(|_| {
                let started = Instant::now();
                warm.search(query, &options).map(|_| started.elapsed())
            });
            time += timed.collect::<Result<Vec<_>, _>>()?.into_iter().min().unwrap_or_default();
        }
    }
    let queries = data.least.len();
    let [bytes, requests, distances, rescored] = cost.map(|all| all / queries as u64);
    let recall = found as f64 / (queries * data.k) as f64;
    let micros = time.as_micros() / queries as u128;
    Ok(format!(
        "{choice:?} | {recall:.4} | {fronts} | {bytes} | {requests} | {waves} | {distances} | {rescored} | {micros}"
    ))
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next()
}
