//! `cargo xtask bench filters`: searches under filters of wordnet's fields, beside searches of all rows, as benches/filters.rs
//! measures them; writes the results.

use super::{cache, commit, date, results};
use crate::shell::{self, cargo, output};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::fmt::Write as _;
use std::fs;

/// Queries of a result.
const ENOUGH: usize = 200;

#[derive(Args)]
pub(crate) struct Options {
    /// Text queries of wordnet; with fewer than 200 it is no result: written to target/bench
    #[arg(long, default_value_t = ENOUGH)]
    queries: usize,
    /// Hits of a search
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Only the first rows of wordnet, which is no result either
    #[arg(long)]
    rows: Option<usize>,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let data = shell::data().context("PAGEVEC_DATA must name the folder that holds wordnet/")?;
    let mut bench = cargo("bench --package pagevec --bench filters --");
    bench.env("PAGEVEC_DATA", data);
    bench.args(["--queries", &options.queries.to_string(), "-k", &options.k.to_string()]);
    if let Some(rows) = options.rows {
        bench.args(["--rows", &rows.to_string()]);
    }
    let said = output(&mut bench)?;
    let Some(scan) = said.lines().find_map(|line| line.strip_prefix("a scan of all codes: ")) else {
        bail!("the bench printed no table:\n{said}");
    };
    let table: Vec<&str> = said.lines().filter(|line| line.starts_with('|')).collect();
    let mut text = format!("# Searches under filters, {}\n\n", date()?);
    let rows = options.rows.map_or("117,791".to_owned(), |rows| format!("the first {rows}"));
    writeln!(
        text,
        "{}, one thread, pagevec commit {}; a scan of all codes took {scan} there. `cargo xtask bench filters` writes this \
         (benches/filters.rs says how it measures). Wordnet, {rows} rows of 384 components, default options, k {}, {} of its text \
         queries; `a` and `b` are drawn from a million numbers. The rows of a filter are kept from the search before; `set us` is \
         what the first search under it takes more. A cold query reads a file of which nothing is held, by clusters. Every \
         search gave k hits where k rows match.\n",
        machine(),
        commit(),
        options.k,
        options.queries
    )?;
    table.iter().try_for_each(|line| writeln!(text, "{line}"))?;
    writeln!(text, "\n{}", summary(&table)?)?;
    let is_result = options.queries >= ENOUGH && options.rows.is_none();
    let folder = if is_result { results()? } else { cache()? };
    let file = folder.join("filters.md");
    fs::create_dir_all(&folder)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    eprintln!("written to {}", file.display());
    Ok(())
}

/// The processor and its cores, where Linux tells.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let all = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        all.lines().find_map(|line| line.strip_prefix("model name")).and_then(|line| line.split(": ").nth(1));
    format!("{cores} cores of {}", name.unwrap_or("an unknown processor"))
}

/// The least and the greatest figures of the table, whose first row is of all rows.
fn summary(table: &[&str]) -> Result<String> {
    let column = |number: usize| -> Result<Vec<f64>> {
        let of = |line: &&str| {
            let cell = line
                .trim_matches('|')
                .split(" | ")
                .nth(number)
                .map(|cell| cell.trim().trim_end_matches(" %"));
            cell.and_then(|cell| cell.parse().ok()).with_context(|| format!("column {number} of {line}"))
        };
        table.iter().skip(3).map(of).collect()
    };
    let least = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
    let (recall, worst, speed) = (column(3)?, column(4)?, column(6)?);
    let (set, bytes, waves) = (column(8)?, column(10)?, column(11)?);
    let mut sorted = speed.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    Ok(format!(
        "Under filters: recall from {:.3} (goal 0.95), of the worst tenth from {:.3}; speed from {:.2} of an unfiltered \
         search, median {median:.2} (goals 0.5 and 0.8); sets in at most {:.1} % of a scan; at most {:.2} times the bytes and \
         {:.1} waves.",
        least(&recall),
        least(&worst),
        least(&speed),
        most(&set),
        most(&bytes),
        most(&waves)
    ))
}
