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
/// Those of collections.
const ENOUGH_OF_COLLECTIONS: u64 = 5_000_000;

/// The test of collections, which is a claim of its own.
const OF_COLLECTIONS: &str = "a_crash_loses_no_acknowledged_write";

#[derive(Args)]
pub(crate) struct Options {
    /// Crashes of a collection, in place of those of a publication: to crash-collection.md
    #[arg(long)]
    collection: bool,
    /// How many crashed disks are read: a million, five million of a collection. Fewer are no result: written to target/bench
    #[arg(long)]
    images: Option<u64>,
    /// Other crashes than those of the tests
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
}

impl Options {
    /// Images of a result.
    fn enough(&self) -> u64 {
        if self.collection { ENOUGH_OF_COLLECTIONS } else { ENOUGH }
    }

    fn images(&self) -> u64 {
        self.images.unwrap_or(self.enough())
    }
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    if options.collection { of_collections(options) } else { of_publications(options) }
}

/// What a test prints over so many images, how long it took, and of which commit it is: others may come meanwhile.
fn run_test(test: &str, options: &Options) -> Result<(String, f64, String)> {
    let commit = commit();
    run(cargo("test --package pagevec --no-run --test").arg(test))?;
    let mut crash = cargo("test --package pagevec --test");
    crash.args([test, "--", "--nocapture", "--exact", test]);
    crash.env("PAGEVEC_CRASH_IMAGES", options.images().to_string());
    crash.env("PAGEVEC_CRASH_SEED", options.seed.to_string());
    let started = Instant::now();
    Ok((output(&mut crash)?, started.elapsed().as_secs_f64(), commit))
}

fn of_collections(options: &Options) -> Result<()> {
    let (said, seconds, commit) = run_test(OF_COLLECTIONS, options)?;
    // `crash | images | images of second lives`, once.
    let counts = said.lines().find_map(|line| line.split_once("crash | ")?.1.split_once(" | "));
    let count = |n: Option<&str>| n.and_then(|n| n.trim().parse::<u64>().ok());
    let (Some(first), Some(second)) = (count(counts.map(|c| c.0)), count(counts.map(|c| c.1))) else {
        bail!("the test did not say how many images it read:\n{said}");
    };
    if first + second < options.images() {
        bail!("{} images were read of {}:\n{said}", first + second, options.images());
    }
    let text = format!(
        "# Crashes of a collection, {}\n\n{} images, from round {}, {seconds:.0} seconds, pagevec commit {}: {first} of a \
         first life from its creation on, {second} of a second one, which began with an image. `cargo xtask crash \
         --collection` writes this; tests/{OF_COLLECTIONS}.rs says what must hold: the power fails before each change of the \
         disk, what was not synced is kept, lost, torn at sectors or reordered, and the collection opens with every write \
         that was acknowledged, each batch whole or not at all. Nothing broke it.\n",
        date()?,
        first + second,
        options.seed,
        commit
    );
    write("crash-collection.md", &text, options)
}

fn of_publications(options: &Options) -> Result<()> {
    let (said, seconds, commit) = run_test(TEST, options)?;
    // `crash | what was published where | images | …`, a line for each. What the harness prints may stand before it.
    let lines: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("crash | ")).map(|(_, line)| line).collect();
    let images = |line: &str| line.split(" | ").nth(1).and_then(|n| n.parse::<u64>().ok());
    let total: u64 = lines.iter().filter_map(|line| images(line)).sum();
    if total < options.images() {
        bail!("{total} images were read of {}:\n{said}", options.images());
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
        commit
    )?;
    text.push_str(
        "| what was published | images | no index, as before | the old one | the new one | in a publication after one |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    lines.iter().try_for_each(|line| writeln!(text, "| {line} |"))?;
    write("crash.md", &text, options)
}

fn write(name: &str, text: &str, options: &Options) -> Result<()> {
    let folder = if options.images() >= options.enough() { results()? } else { cache()? };
    let file = folder.join(name);
    fs::create_dir_all(&folder)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    eprintln!("written to {}", file.display());
    Ok(())
}
