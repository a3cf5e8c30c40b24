//! `cargo xtask bench odd`: recall and cost over odd data of every kind, hnswlib and faiss beside it. Builds the
//! command line tool, then runs benches/odd, which installs the peers.

use super::{cache, results};
use crate::shell::{command, run};
use crate::stages::js::cli;
use anyhow::Result;
use clap::Args;
use std::env;
use std::path::PathBuf;

/// A table of fewer seeds is no result.
const SEEDS: u32 = 5;

#[derive(Args)]
pub(crate) struct Options {
    /// Some kinds alone, as benches/odd/kinds.py names them: written to target/bench/odd, not to benches/results
    #[arg(long, value_delimiter = ',', value_name = "KIND,…")]
    only: Vec<String>,
    /// Seeds of each kind; fewer than 5 are written to target/bench/odd too
    #[arg(long, default_value_t = SEEDS, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// The command line tool to measure [default: cargo builds it]
    #[arg(long, value_name = "FILE")]
    pagevec: Option<PathBuf>,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let home = cache()?.join("odd");
    let whole = options.only.is_empty() && options.seeds >= SEEDS;
    let tool = match &options.pagevec {
        Some(path) => std::path::absolute(path)?,
        None => cli()?,
    };
    let mut odd = command("python3");
    odd.arg("benches/odd/odd.py").arg("--pagevec").arg(tool).arg("--home").arg(&home);
    odd.arg("--out").arg(if whole { results()? } else { home });
    odd.args(["--seeds", &options.seeds.to_string(), "--only", &options.only.join(",")]);
    if let Some(data) = env::var_os("PAGEVEC_DATA") {
        odd.env("PAGEVEC_DATA", std::path::absolute(data)?);
    }
    run(&mut odd)
}
