//! `cargo xtask packaging`: small projects, one for each row of tests/packaging/matrix.json, that install the packed
//! package into the stacks people have, build, search, and find what the command line finds. Then what tools say of the
//! package itself. Installed stacks stay in target/packaging.

use crate::shell::{self, run};
use crate::stages::js;
use crate::{browser, node, package};
use anyhow::Result;
use clap::Args;
use std::path::Path;
use std::process::Command;

/// What every run of the checks does: a stack of each kind, in less than two minutes once it is installed.
const FAST: [&str; 5] = ["plain", "node-24", "vite-8", "esbuild", "webpack-5"];

#[derive(Args)]
pub(crate) struct Options {
    /// The rows to run [default: all]
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
    /// Write the table of results into docs/bundlers.md; takes all rows
    #[arg(long, conflicts_with = "rows")]
    write: bool,
}

pub(crate) fn main(options: &Options) -> Result<()> {
    let results = shell::target().join("packaging/results.json");
    let tarball = package::pack()?;
    let script = |name: &str| script(name, &tarball, &results);
    let mut rows = script("run.mjs")?;
    // A row that fails is in the table too.
    let ran = run(rows.args(&options.rows));
    if options.rows.is_empty() {
        run(&mut script("facts.mjs")?)?;
    }
    if options.write {
        run(&mut script("table.mjs")?)?;
    }
    ran
}

/// A stage of `cargo xtask test`.
pub(crate) fn fast() -> Result<()> {
    let tarball = package::pack()?;
    let results = shell::target().join("packaging/fast.json");
    run(script("run.mjs", &tarball, &results)?.args(FAST))
}

fn script(name: &str, tarball: &Path, results: &Path) -> Result<Command> {
    let mut node = node::node()?;
    node.arg(shell::root().join("tests/packaging").join(name));
    node.env("TARBALL", tarball).env("WORK", shell::target().join("packaging")).env("RESULTS", results);
    node.env("PAGEVEC_CLI", js::tested_cli()?).env("CHROME", browser::find()?);
    Ok(node)
}
