//! `cargo xtask bench remote`: prepares sets, indexes and the packed package, then runs benches/remote in Node.

use super::sets::{Name, Set};
use super::{commit, date, results};
use crate::shell::{self, copy_dir, run};
use crate::stages::js::cli;
use crate::{browser, node, package};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Options {
    /// The sets to measure
    #[arg(long, value_delimiter = ',', value_enum, default_value = "wordnet,glove,1m")]
    sets: Vec<Name>,
    /// What to measure of each
    #[arg(long, value_delimiter = ',', value_enum, default_value = "journeys,budgets,memory")]
    parts: Vec<Part>,
    /// One link and few repetitions, to try the program: written to the cache, not to benches/results
    #[arg(long)]
    quick: bool,
    /// Where sets and indexes are kept [default: target/bench]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Only make the sets and their indexes
    #[arg(long)]
    prepare: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// open, first, second and later queries over each link
    Journeys,
    /// Less and less memory
    Budgets,
    /// Ten thousand queries in 16 MiB, of the 1M set
    Memory,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let cache = std::path::absolute(options.cache.clone().unwrap_or_else(|| shell::target().join("bench")))?;
    let cli = cli()?;
    let mut sets = Vec::new();
    for &name in &options.sets {
        let set = Set::prepare(name, &cache)?;
        let folder = set.index(&cli, &cache)?;
        sets.push(json!({
            "name": set.name,
            "about": set.about,
            "folder": folder,
            "queries": set.queries,
            "truth": set.truth,
            "flat": name == Name::Million,
        }));
    }
    if options.prepare {
        return Ok(());
    }
    let project = package::project()?.folder;
    copy_dir(&shell::root().join("benches/remote"), &project.join("benches/remote"), &|_| true)?;
    let date = date()?;
    let out = if options.quick { cache.join("quick") } else { results()? }.join("remote");
    let parts: Vec<String> = options
        .parts
        .iter()
        .filter_map(|part| Some(part.to_possible_value()?.get_name().to_owned()))
        .collect();
    let task: Value = json!({
        "sets": sets, "quick": options.quick, "parts": parts, "out": out, "date": date, "commit": commit(),
    });
    let mut bench = node::node()?;
    bench.current_dir(&project).arg("benches/remote/run.mjs").arg(task.to_string());
    run(bench.env("CHROME", browser::find()?))?;
    println!("{}", out.with_extension("md").display());
    Ok(())
}
