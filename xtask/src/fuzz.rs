//! `cargo xtask fuzz`: runs libFuzzer over one target of fuzz/, or builds the corpus anew.
//!
//! Coverage is counted by a pass of the stable compiler, so no nightly Rust is needed. Sanitizers do not run: for these
//! use `cargo fuzz` with a nightly Rust.

use crate::shell::{self, cargo, command, output, run};
use anyhow::{Result, bail};
use clap::Args;
use std::fs;

const TARGETS: [&str; 7] = ["segment", "lists", "links", "payload", "sets", "wal", "manifest"];

/// What libFuzzer asks of the code it drives: a counter on each edge, and where the edges are.
const COUNTERS: [&str; 4] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
];

#[derive(Args)]
pub(crate) struct Options {
    /// What to fuzz
    #[arg(required_unless_present = "bless", value_parser = clap::builder::PossibleValuesParser::new(TARGETS))]
    target: Option<String>,
    /// For how long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Make fuzz/corpus anew instead, as after a change of the format
    #[arg(long, conflicts_with = "target")]
    bless: bool,
}

pub(crate) fn main(options: &Options) -> Result<()> {
    match &options.target {
        Some(target) if !options.bless => fuzz(target, options.seconds),
        // In the tests' profile, in which everything is built already.
        _ => run(&mut cargo("run --profile test --package pagevec-fuzz --example bless")),
    }
}

/// What it finds stays in target/fuzz; an input that breaks something is to be copied into fuzz/corpus by hand.
fn fuzz(target: &str, seconds: u64) -> Result<()> {
    // A target named keeps the counters out of build scripts.
    let host = output(command("rustc").args(["--print", "host-tuple"]))?;
    let folder = shell::target().join("fuzz");
    let mut build = cargo("build --release --package pagevec-fuzz --features libfuzzer --bin");
    build.args([target, "--target", &host, "--target-dir"]).arg(&folder);
    // A sum beyond its type is a defect too, if a panic is all it does.
    build.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true").env("CARGO_PROFILE_RELEASE_LTO", "off");
    run(build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", COUNTERS.join("\x1f")))?;
    let [found, broken] = ["corpus", "broken"].map(|name| folder.join(name).join(target));
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&broken)?;
    let mut fuzz = command(folder.join(&host).join("release").join(target));
    fuzz.arg(&found).arg(shell::root().join("fuzz/corpus").join(target));
    fuzz.arg(format!("-max_total_time={seconds}")).args(["-max_len=16384", "-timeout=60"]);
    fuzz.arg(format!("-artifact_prefix={}/", broken.display()));
    if run(&mut fuzz).is_err() {
        bail!("an input broke something: see {}", broken.display());
    }
    Ok(())
}
