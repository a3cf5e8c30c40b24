//! `pagevec eval`: recall and speed against known nearest rows, one line per ef.
//!
//! A first pass over the queries warms caches and counts what does not depend on time: recall, distances, bytes. The
//! passes after it do nothing but search and take the time of each query.

use super::{IndexChoice, Source};
use crate::failure::Failure;
use crate::input::{ids, npy};
use crate::output;
use crate::progress::Progress;
use pagevec::{Id, Index, SearchOptions};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Eval {
    #[command(flatten)]
    source: Source,
    /// .npy of query vectors
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// .npy (int32, int64): for each query the numbers of the input rows nearest to it, nearest first
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The ids file the index was built with, if it was: it tells which row an id names
    #[arg(long, value_name = "FILE")]
    truth_ids: Option<PathBuf>,
    /// How many hits
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Candidates that the graph keeps, several parted by commas [default: the index's]
    #[arg(long, value_delimiter = ',', value_name = "16,32,…")]
    ef: Vec<usize>,
    /// Which index answers
    #[arg(long, value_enum, default_value = "auto")]
    index: IndexChoice,
    /// Lists that the clusters scan: more finds more and reads more [default: as calibrated when built]
    #[arg(long)]
    probes: Option<usize>,
    /// The part of the true nearest rows that the clustered index should find [default: 0.95]
    #[arg(long, value_name = "PART")]
    recall: Option<f32>,
    /// Queries in flight at a time; each runs on one thread
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Take only the first queries
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
    recall: f64,
    qps: f64,
    p50_us: f64,
    p99_us: f64,
    /// Per query, the mean; on a busy machine the others' work is not in it. Where the system tells.
    cpu_us: Option<f64>,
    /// Per query.
    distances: f64,
    /// Per query.
    bytes: f64,
}

/// What the first pass counts.
struct Counts {
    index: &'static str,
    recall: f64,
    distances: f64,
    bytes: f64,
}

impl Eval {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if self.k == 0 {
            return Err(Failure::usage("-k: at least 1"));
        }
        let index = self.source.open()?;
        let progress = Progress::new();
        let limit = self.limit.map_or(usize::MAX, |n| n.get() as usize);
        let queries = npy::Array::open(&self.queries)?.vectors(limit, &progress)?;
        if queries.dim != index.info().dim || queries.rows == 0 {
            let message = format!(
                "{} queries of {} components, the index has {}: use the model the index was built with",
                queries.rows,
                queries.dim,
                index.info().dim
            );
            return Err(Failure::input(&self.queries, message));
        }
        let truth = self.truth(&index, queries.rows, &progress)?;

        if !self.json {
            output::text(|out| {
                write!(out, "{:>6} {:>10} {:>10}", "ef", format!("recall@{}", self.k), "queries/s")?;
                writeln!(out, " {:>10} {:>10} {:>10} {:>10}", "p50 µs", "p99 µs", "distances", "bytes")
            })?;
        }
        let efs = if self.ef.is_empty() { vec![None] } else { self.ef.iter().copied().map(Some).collect() };
        for ef in efs {
            let options = SearchOptions {
                k: self.k,
                ef,
                index: self.index.into(),
                probes: self.probes,
                recall: self.recall,
                ..Default::default()
            };
            let row = self.measure(&index, &queries.data, &truth, &options, &progress)?;
            self.print(&row)?;
        }
        Ok(())
    }

    /// For each query the ids of its nearest k rows.
    fn truth(&self, index: &Index, queries: usize, progress: &Progress) -> Result<Vec<HashSet<Id>>, Failure> {
        let array = npy::Array::open(&self.truth)?;
        let (rows, columns) = (array.rows, array.columns);
        let count = index.info().count;
        let wanted = self.k.min(count);
        if rows < queries || columns < wanted {
            let message =
                format!("{rows} x {columns} row numbers, wanted {queries} x {wanted}: lower --limit or -k");
            return Err(Failure::input(&self.truth, message));
        }
        let names = self.truth_ids.as_deref().map(ids::lines).transpose()?;
        if names.is_none() && index.info().ids == "text" {
            return Err(Failure::usage("the ids of this index are text: give its ids file with --truth-ids"));
        }
        if let (Some(path), Some(names)) = (&self.truth_ids, &names)
            && names.len() != count
        {
            return Err(Failure::input(path, format!("{} ids where the index has {count}", names.len())));
        }
        let text = index.info().ids == "text";
        let name = |row: &i64| {
            let row = usize::try_from(*row).ok().filter(|row| *row < count);
            let row = row.ok_or_else(|| {
                "it names rows that the index does not have: it is for other vectors".to_owned()
            })?;
            match names.as_ref().and_then(|names| names.get(row)) {
                Some(name) if text => Ok(Id::Text(name.clone())),
                Some(name) => {
                    name.trim().parse().map(Id::Number).map_err(|_| format!("{name:?} is no number"))
                }
                None => Ok(Id::Number(row as u64)),
            }
        };
        let numbers = array.integers(queries, progress)?;
        let nearest = |row: &[i64]| row.iter().take(wanted).map(name).collect();
        let sets: Result<Vec<HashSet<Id>>, String> = numbers.chunks_exact(columns).map(nearest).collect();
        sets.map_err(|message| Failure::input(&self.truth, message))
    }

    fn measure(
        &self,
        index: &Index,
        queries: &[f32],
        truth: &[HashSet<Id>],
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
            k: self.k,
            threads: self.threads,
            queries: truth.len(),
            recall: counts.recall,
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
                "{ef:>6} {:>10.4} {:>10.0} {:>10.1} {:>10.1}",
                row.recall, row.qps, row.p50_us, row.p99_us
            )?;
            writeln!(out, " {:>10.0} {:>10.0}  {}", row.distances, row.bytes, row.index)
        })
    }
}

fn count(
    index: &Index,
    queries: &[f32],
    truth: &[HashSet<Id>],
    options: &SearchOptions,
    progress: &Progress,
) -> Result<Counts, Failure> {
    let total = truth.len();
    let mut indexes = HashMap::new();
    let (mut found, mut distances, mut bytes) = (0, 0, 0);
    for (i, (query, near)) in queries.chunks_exact(index.info().dim).zip(truth).enumerate() {
        let answer = index.search(query, options)?;
        found += answer.hits.iter().filter(|hit| near.contains(&hit.id)).count();
        distances += answer.stats.distances;
        bytes += answer.stats.bytes;
        *indexes.entry(answer.stats.index).or_insert(0) += 1;
        progress.tick("warm up", i as u64, total as u64);
    }
    let wanted: usize = truth.iter().map(HashSet::len).sum();
    let mean = |sum: u64| sum as f64 / total as f64;
    let index = if indexes.len() == 1 { indexes.into_keys().next().unwrap_or_default() } else { "mixed" };
    Ok(Counts {
        index,
        recall: found as f64 / wanted.max(1) as f64,
        distances: mean(distances),
        bytes: mean(bytes),
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

/// Nanoseconds that this thread has run, where the system tells (Linux).
fn cpu_time() -> Option<u64> {
    // What the system has counted is brought up to date when a thread gives way.
    std::thread::yield_now();
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// In microseconds, of sorted nanoseconds: the smallest time that `percent` of all times do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |ns| *ns as f64 / 1000.0)
}
