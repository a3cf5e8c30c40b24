//! `cargo xtask test`: runs the stages in order, all of them even if one fails, and closes with a table.

use crate::stages::{self, Stage};
use anyhow::{Result, bail};
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Args)]
pub(crate) struct Options {
    /// Only what needs no wasm, Node or browser: fmt, clippy, native
    #[arg(long, conflicts_with = "names")]
    quick: bool,
    /// The stages to run [default: all]
    #[arg(value_name = "STAGE", value_parser = clap::builder::PossibleValuesParser::new(stages::ALL.map(|s| s.name)))]
    names: Vec<String>,
}

struct Report {
    name: &'static str,
    took: Duration,
    failed: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let chosen = |stage: &&Stage| match options.names.as_slice() {
        [] => stage.quick || !options.quick,
        names => names.iter().any(|name| name == stage.name),
    };
    let reports: Vec<Report> = stages::ALL.iter().filter(chosen).map(report).collect();
    println!("\n{:<10} {:>8}  result", "stage", "seconds");
    for Report { name, took, failed } in &reports {
        println!("{name:<10} {:>8.1}  {}", took.as_secs_f64(), if *failed { "FAILED" } else { "ok" });
    }
    let failed: Vec<&str> = reports.iter().filter(|r| r.failed).map(|r| r.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}. To see one alone: cargo xtask test {}", failed.join(", "), failed.join(" "));
    }
    Ok(())
}

fn report(stage: &Stage) -> Report {
    println!("\n==== {}: {}", stage.name, stage.about);
    let start = Instant::now();
    let result = (stage.run)();
    let took = start.elapsed();
    match &result {
        Ok(()) => println!("==== {}: ok, {:.1} s", stage.name, took.as_secs_f64()),
        Err(error) => println!("==== {}: FAILED after {:.1} s: {error:#}", stage.name, took.as_secs_f64()),
    }
    Report { name: stage.name, took, failed: result.is_err() }
}
