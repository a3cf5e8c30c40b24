//! `cargo xtask crash`: runs the crashes of the tests over many more images, and writes the results.

use super::{cache, commit, date, results};
use crate::shell::{cargo, output, run};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

/// The test that makes the images, and its file.
const TEST: &str = "a_crash_leaves_the_old_index_or_the_new_one";
/// Images of a result.
const ENOUGH: u64 = 1_000_000;

#[derive(Args)]
pub(crate) struct Options {
    /// How many crashed disks are read; fewer than a million are no result: written to target/bench
    #[arg(long, default_value_t = ENOUGH)]
    images: u64,
    /// Other crashes than those of the tests
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    run(cargo("test --package pagevec --no-run --test").arg(TEST))?;
    let mut crash = cargo("test --package pagevec --test");
    crash.args([TEST, "--", "--nocapture", "--exact", TEST]);
    crash.env("PAGEVEC_CRASH_IMAGES", options.images.to_string());
    crash.env("PAGEVEC_CRASH_SEED", options.seed.to_string());
    let started = Instant::now();
    let said = output(&mut crash)?;
    let seconds = started.elapsed().as_secs_f64();
    // `crash | what was published where | images | …`, a line for each. What the harness prints may stand before it.
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("crash | ")).map(|(_, line)| line).collect();
    let images = |line: &str| line.split(" | ").nth(1).and_then(|n| n.parse::<u64>().ok());
    let total: u64 = lines.iter().filter_map(|line| images(line)).sum();
    if total < options.images {
        bail!("{total} images were read of {}:\n{said}", options.images);
    }
    let mut text = format!("# Crashes of a publication, {}\n\n", date()?);
    writeln!(
        text,
        "{total} images, from round {}, {seconds:.0} seconds ({:.0} a second), pagevec commit {}. `cargo xtask crash` \
         writes this; tests/{TEST}.rs says what must hold: the power fails before each change of the disk, what was \
         not synced is kept, lost, torn at sectors or reordered, and a reader finds the index of before or the new \
         one, whole; after success the new one. Nothing broke it.\n",
        options.seed,
        total as f64 / seconds,
        commit()
    )?;
    text.push_str(
        "| what was published | images | no index, as before | the old one | the new one | in a publication after one |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    lines.iter().try_for_each(|line| writeln!(text, "| {line} |"))?;
    let folder = if options.images >= ENOUGH { results()? } else { cache()? };
    let file = folder.join("crash.md");
    fs::create_dir_all(&folder)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    eprintln!("written to {}", file.display());
    Ok(())
}
