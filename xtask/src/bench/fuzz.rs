//! `cargo xtask bench fuzz`: runs the structure-aware fuzz of the tests over many more inputs, and writes the results.

use super::{cache, commit, date, results};
use crate::shell::{cargo, output, run};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

/// The test that holds the fuzz.
const TEST: &str = "hostile_files_are_survived";
/// Inputs of a result.
const ENOUGH: u64 = 1_000_000;

#[derive(Args)]
pub(crate) struct Options {
    /// How many inputs, of all kinds together; fewer than a million are no result: written to target/bench
    #[arg(long, default_value_t = ENOUGH)]
    inputs: u64,
    /// Other inputs than those of the tests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    run(cargo("test --package pagevec --no-run --test").arg(TEST))?;
    let mut fuzz = cargo("test --package pagevec --test");
    fuzz.args([TEST, "--", "--nocapture"]);
    fuzz.env("PAGEVEC_FUZZ", options.inputs.to_string()).env("PAGEVEC_FUZZ_SEED", options.seed.to_string());
    let started = Instant::now();
    let said = output(&mut fuzz)?;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    // `fuzz | what is changed | inputs | …`, a line for each kind. What the harness prints may stand before it.
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("fuzz | ")).map(|(_, line)| line).collect();
    let inputs = |line: &str| line.split(" | ").nth(1).and_then(|n| n.replace(',', "").parse::<u64>().ok());
    let total: u64 = lines.iter().filter_map(|line| inputs(line)).sum();
    if total < options.inputs {
        bail!("{total} inputs were tried of {}:\n{said}", options.inputs);
    }
    let mut text = format!("# Hostile files, {}\n\n", date()?);
    writeln!(
        text,
        "{total} inputs, seed {}, {minutes:.0} minutes, pagevec commit {}. `cargo xtask bench fuzz` writes this; \
         tests/{TEST}.rs says what is changed and what must hold: no panic, no search without an end, no more memory \
         than a small multiple of the file, answers well formed or errors with a code. Nothing broke it.\n",
        options.seed,
        commit()
    )?;
    text.push_str("| file | inputs | opened | what they gave, by code | most memory, of the file's length | slowest, ms |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    lines.iter().try_for_each(|line| writeln!(text, "| {line} |"))?;
    let folder = if options.inputs >= ENOUGH { results()? } else { cache()? };
    let file = folder.join("fuzz.md");
    fs::create_dir_all(&folder)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    eprintln!("written to {}", file.display());
    Ok(())
}
