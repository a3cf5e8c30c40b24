//! `pagevec eval`: measures recall, against the true nearest rows (`eval/truth.rs`), and speed; one line per ef.
//!
//! The first pass over the queries warms caches and counts recall, distances and bytes. The passes after it measure the
//! time of each query.

mod scan;
mod truth;

use super::arguments::{Source, Wanted};
use crate::failure::Failure;
use crate::input;
use crate::output;
use crate::progress::Progress;
use pagevec::{Index, SearchOptions};
use serde::Serialize;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Instant;
use truth::Truth;

const EXAMPLES: &str = "\
Examples:
  pagevec eval site/index --queries queries.npy --base words.npy --ef 16,64,256
  pagevec eval site/index --queries queries.npy --index clusters --recall 0.99 --json
  pagevec eval site/index --queries queries.npy --filter '{\"pos\":\"n\"}'
  pagevec eval site/index --queries queries.npy --io pread --memory-budget 64MB --index hnsw";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Eval {
    #[command(flatten)]
    source: Source,
    /// Query vectors, in a format that build reads
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    #[command(flatten)]
    truth: truth::Origin,
    #[command(flatten)]
    wanted: Wanted,
    /// Candidates that a search of the graph keeps; several values separated by commas [default: that of the codec]
    #[arg(long, value_delimiter = ',', value_name = "16,32,…")]
    ef: Vec<usize>,
    /// Queries that run at the same time, each on one thread
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Use only so many queries
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroU32>,
    /// Timed passes over the queries
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
    /// Print one JSON object per line, one line per ef
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Row {
    index: &'static str,
    ef: Option<usize>,
    k: usize,
    threads: u16,
    queries: usize,
    /// A description of the truth with which hits are compared.
    truth: String,
    recall: f64,
    /// The mean recall of the worst 10 % of the queries.
    worst_tenth: f64,
    qps: f64,
    p50_us: f64,
    p99_us: f64,
    /// The mean CPU time per query, which other processes do not affect. Null where the system does not report it.
    cpu_us: Option<f64>,
    /// Per query.
    distances: f64,
    /// Per query.
    bytes: f64,
}

/// The counts of the first pass.
struct Counts {
    index: &'static str,
    recall: f64,
    worst_tenth: f64,
    distances: f64,
    bytes: f64,
}

impl Eval {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if self.wanted.k == 0 {
            return Err(Failure::usage("-k must be at least 1"));
        }
        let index = self.source.open_for(self.wanted.index)?;
        let progress = Progress::new();
        let limit = self.limit.map_or(usize::MAX, |n| n.get() as usize);
        let queries = input::vectors(&self.queries, limit, &progress)?;
        if queries.dim != index.info().dim || queries.rows == 0 {
            let message = format!(
                "{} queries of {} components, the index has {}: use the model the index was built with",
                queries.rows,
                queries.dim,
                index.info().dim
            );
            return Err(Failure::input(&self.queries, message));
        }
        let whole = self.source.open_whole()?;
        let filter = self.wanted.filtered.filter()?;
        let truth = self.truth.read(&whole, &queries.data, self.wanted.k, filter.as_ref(), &progress)?;

        if !self.json {
            output::text(|out| {
                writeln!(out, "truth: {}\n", truth.told)?;
                write!(
                    out,
                    "{:>6} {:>10} {:>11} {:>10}",
                    "ef",
                    format!("recall@{}", self.wanted.k),
                    "worst tenth",
                    "queries/s"
                )?;
                writeln!(out, " {:>10} {:>10} {:>10} {:>10}", "p50 µs", "p99 µs", "distances", "bytes")
            })?;
        }
        let efs = if self.ef.is_empty() { vec![None] } else { self.ef.iter().copied().map(Some).collect() };
        for ef in efs {
            let options = self.wanted.options()?.ef(ef);
            let row = self.measure(&index, &queries.data, &truth, &options, &progress)?;
            self.print(&row)?;
        }
        Ok(())
    }

    fn measure(
        &self,
        index: &Index,
        queries: &[f32],
        truth: &Truth<'_>,
        options: &SearchOptions,
        progress: &Progress,
    ) -> Result<Row, Failure> {
        let dim = index.info().dim;
        let counts = count(index, queries, truth, options, progress)?;

        let repeat = self.repeat.get();
        let share = (queries.len() / dim).div_ceil(usize::from(self.threads)) * dim;
        let (mut times, mut cpu) = (Vec::new(), Some(0));
        let started = Instant::now();
        for pass in 0..repeat {
            progress.tick("measure", u64::from(pass), u64::from(repeat));
            let parts = std::thread::scope(|scope| {
                let run = |part| scope.spawn(move || time_each(index, part, options));
                let running: Vec<_> = queries.chunks(share).map(run).collect();
                running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
            });
            for part in parts {
                // A worker only searches; if that panics, so may we.
                let (part, ran) = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                times.extend(part);
                cpu = cpu.zip(ran).map(|(cpu, ran)| cpu + ran);
            }
        }
        let qps = times.len() as f64 / started.elapsed().as_secs_f64();
        times.sort_unstable();
        Ok(Row {
            index: counts.index,
            ef: options.ef,
            k: self.wanted.k,
            threads: self.threads,
            queries: queries.len() / dim,
            truth: truth.told.clone(),
            recall: counts.recall,
            worst_tenth: counts.worst_tenth,
            qps,
            p50_us: percentile(&times, 50),
            p99_us: percentile(&times, 99),
            cpu_us: cpu.map(|cpu| cpu as f64 / 1000.0 / times.len() as f64),
            distances: counts.distances,
            bytes: counts.bytes,
        })
    }

    fn print(&self, row: &Row) -> Result<(), Failure> {
        if self.json {
            return output::json(row);
        }
        output::text(|out| {
            let ef = row.ef.map_or("-".to_owned(), |ef| ef.to_string());
            write!(
                out,
                "{ef:>6} {:>10.4} {:>11.4} {:>10.0} {:>10.1} {:>10.1}",
                row.recall, row.worst_tenth, row.qps, row.p50_us, row.p99_us
            )?;
            writeln!(out, " {:>10.0} {:>10.0}  {}", row.distances, row.bytes, row.index)
        })
    }
}

fn count(
    index: &Index,
    queries: &[f32],
    truth: &Truth<'_>,
    options: &SearchOptions,
    progress: &Progress,
) -> Result<Counts, Failure> {
    let dim = index.info().dim;
    let total = queries.len() / dim;
    let (mut indexes, mut recalls) = (HashMap::new(), Vec::with_capacity(total));
    let (mut distances, mut bytes) = (0, 0);
    for (i, query) in queries.chunks_exact(dim).enumerate() {
        let answer = index.search(query, options)?;
        recalls.push(truth.recall(index.info().metric, i, query, &answer.hits)?);
        distances += answer.stats.distances;
        bytes += answer.stats.bytes;
        *indexes.entry(answer.stats.index).or_insert(0) += 1;
        progress.tick("warm up", i as u64, total as u64);
    }
    recalls.sort_unstable_by(f64::total_cmp);
    let worst = recalls.get(..total.div_ceil(10)).unwrap_or_default();
    let mean = |recalls: &[f64]| recalls.iter().sum::<f64>() / recalls.len().max(1) as f64;
    let index = if indexes.len() == 1 { indexes.into_keys().next().unwrap_or_default() } else { "mixed" };
    Ok(Counts {
        index,
        recall: mean(&recalls),
        worst_tenth: mean(worst),
        distances: distances as f64 / total as f64,
        bytes: bytes as f64 / total as f64,
    })
}

/// Searches each query alone, on this thread; nanoseconds of each.
fn time_each(
    index: &Index,
    queries: &[f32],
    options: &SearchOptions,
) -> Result<(Vec<u64>, Option<u64>), Failure> {
    pagevec::with_threads(1, || {
        let before = cpu_time();
        let time = |query| {
            let started = Instant::now();
            index.search(query, options).map(|_| started.elapsed().as_nanos() as u64)
        };
        let times = queries.chunks_exact(index.info().dim).map(time).collect::<Result<Vec<_>, _>>()?;
        Ok((times, cpu_time().zip(before).map(|(after, before)| after - before)))
    })?
}

/// The CPU time of this thread in nanoseconds, on Linux.
fn cpu_time() -> Option<u64> {
    // The system updates its count when a thread yields.
    std::thread::yield_now();
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// In microseconds, of sorted nanoseconds: the smallest time that `percent` of all times do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |ns| *ns as f64 / 1000.0)
}
