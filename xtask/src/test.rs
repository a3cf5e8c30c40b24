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
    cpu: Option<f64>,
    failed: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let chosen = |stage: &&Stage| match options.names.as_slice() {
        [] => stage.quick || !options.quick,
        names => names.iter().any(|name| name == stage.name),
    };
    let reports: Vec<Report> = stages::ALL.iter().filter(chosen).map(report).collect();
    println!("\n{:<10} {:>8} {:>8}  result", "stage", "seconds", "of CPU");
    for Report { name, took, cpu, failed } in &reports {
        let cpu = cpu.map(|cpu| format!("{cpu:.1}")).unwrap_or_default();
        println!(
            "{name:<10} {:>8.1} {cpu:>8}  {}",
            took.as_secs_f64(),
            if *failed { "FAILED" } else { "ok" }
        );
    }
    let all: Duration = reports.iter().map(|r| r.took).sum();
    let cpu: f64 = reports.iter().filter_map(|r| r.cpu).sum();
    println!("{:<10} {:>8.1} {cpu:>8.1}", "all", all.as_secs_f64());
    let failed: Vec<&str> = reports.iter().filter(|r| r.failed).map(|r| r.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}. To see one alone: cargo xtask test {}", failed.join(", "), failed.join(" "));
    }
    Ok(())
}

fn report(stage: &Stage) -> Report {
    println!("\n==== {}: {}", stage.name, stage.about);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let result = (stage.run)();
    let took = start.elapsed();
    let cpu = cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    match &result {
        Ok(()) => println!("==== {}: ok, {:.1} s", stage.name, took.as_secs_f64()),
        Err(error) => println!("==== {}: FAILED after {:.1} s: {error:#}", stage.name, took.as_secs_f64()),
    }
    Report { name: stage.name, took, cpu, failed: result.is_err() }
}

/// What this process and the children it waited for have used, where /proc tells: unlike the time that a stage takes,
/// it depends little on what else the machine does.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold spaces. Then from the twelfth on: own time and the system's, and those of children.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(4).map(|field| field.parse::<u64>().ok());
    Some(ticks.sum::<Option<u64>>()? as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::cpu_seconds;

    #[test]
    fn work_is_counted() {
        let Some(before) = cpu_seconds() else { return };
        while cpu_seconds().is_some_and(|now| now < before + 0.05) {}
        assert!(cpu_seconds().is_some_and(|now| now < before + 60.0));
    }
}
