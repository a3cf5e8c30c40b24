//! Measures searches of which only a set of rows may be hits, beside searches of all rows, in one run.
//!
//! `PAGEVEC_DATA=… cargo bench --bench row_sets -- [--queries 30] [-k 10] [--rows N]` builds the rows of wordnet with the
//! default options, and prints a table. Times are of one thread, the least of five of each query, without the lookup of
//! ids; a cold query reads a file of which nothing is held.

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, clippy::duplicate_mod)]
mod support;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use pagevec::{BuildOptions, Ctx, Id, Index, IndexChoice, Io, OpenOptions, SearchOptions};
use support::sets::{Asked, Kind, measured};

const SHARES: [f64; 8] = [1.0, 0.9, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001];
const KINDS: [Kind; 4] = [Kind::Random, Kind::Near, Kind::Far, Kind::Beyond];
const CHOICES: [IndexChoice; 4] =
    [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters];
const TIMES: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(data) = support::npy::folder() else {
        println!("PAGEVEC_DATA is not set: nothing to measure");
        return Ok(());
    };
    let number = |name: &str, or: usize| argument(name).map_or(Ok(or), |n| n.parse());
    let (queries, dim) = support::npy::f16(&data.join("queries.f16.npy"), number("--queries", 30)?);
    let (rows, _) = support::npy::f16(&data.join("base.f16.npy"), number("--rows", usize::MAX / dim)?);
    let built = BuildOptions::default();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wordnet.bin");
    std::fs::write(&path, pagevec::build(rows.clone(), dim, None, &built, &Ctx::default())?)?;
    let index = Index::open_with(&path, &OpenOptions::new().io(Io::Memory))?;
    let asked: Vec<Asked<'_>> =
        queries.chunks_exact(dim).map(|query| Asked::new(built.metric, &rows, query)).collect();
    println!(
        "| rows that may be hits | index | answered by | recall | worst tenth | distances | p99 | us | cold bytes | waves |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (share, kind) in SHARES.into_iter().flat_map(|share| KINDS.map(|kind| (share, kind))) {
        if share == 1.0 && kind != Kind::Random {
            continue;
        }
        let sets: Vec<Vec<u32>> =
            asked.iter().zip(0..).map(|(asked, seed)| asked.set(kind, share, seed)).collect();
        for choice in CHOICES {
            let options = SearchOptions::new(number("-k", 10)?).index(choice);
            println!("{}", row(&index, &path, (&asked, &sets), &format!("{share}, {kind:?}"), &options)?);
        }
    }
    Ok(())
}

/// One row of the table.
fn row(
    index: &Index,
    path: &Path,
    (asked, sets): (&[Asked<'_>], &[Vec<u32>]),
    what: &str,
    options: &SearchOptions,
) -> Result<String, Box<dyn Error>> {
    let (mut found, mut times, mut cold, mut answered) = (Vec::new(), Vec::new(), [0, 0], "");
    for (asked, set) in asked.iter().zip(sets) {
        found.push(asked.found(index, set, options));
        let ids: Vec<Id> = set.iter().map(|&row| Id::Number(row.into())).collect();
        let selected = index.select(&options.clone().among(ids))?;
        let time = |_| {
            let started = Instant::now();
            index.search(asked.query, &selected).map(|_| started.elapsed())
        };
        times
            .push((0..TIMES).map(time).collect::<Result<Vec<_>, _>>()?.into_iter().min().unwrap_or_default());
        answered = index.search(asked.query, &selected)?.stats.index;
        if options.index == IndexChoice::Clusters {
            let fresh = Index::open_with(path, &OpenOptions::new().io(Io::Pread).memory_budget(64 << 20))?;
            let stats = fresh.search(asked.query, &selected)?.stats;
            cold = [cold[0] + stats.bytes, cold[1] + stats.waves];
        }
    }
    let count = asked.len() as f64;
    let result = measured(&found);
    let mut distances: Vec<u64> = found.iter().map(|f| f.1).collect();
    distances.sort_unstable();
    let us = times.iter().map(|time| time.as_secs_f64() * 1e6).sum::<f64>() / count;
    let cold = match options.index {
        IndexChoice::Clusters => format!("{:.0} | {:.2}", cold[0] as f64 / count, cold[1] as f64 / count),
        _ => " | ".to_owned(),
    };
    let (mean, worst) = (result.mean, result.worst_tenth);
    let p99 = distances[(distances.len() - 1) * 99 / 100];
    Ok(format!(
        "| {what} | {:?} | {answered} | {mean:.3} | {worst:.3} | {:.0} | {p99} | {us:.1} | {cold} |",
        options.index, result.distances
    ))
}

fn argument(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    arguments.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1].clone())
}
