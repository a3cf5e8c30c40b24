//! `cargo xtask bench race`: pagevec against other engines, natively and in Chromium, and the instructions of its own
//! loops. Prepares sets and tools, then runs benches/race.

use super::sets::{Name, Set};
use super::{commit, date, results};
use crate::shell::{self, command, copy_dir, run};
use crate::stages::js::cli;
use crate::{browser, node, package};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Options {
    /// The sets of the native race; 1m takes hours
    #[arg(long, value_delimiter = ',', value_enum, default_value = "wordnet,glove")]
    sets: Vec<Name>,
    /// What to run
    #[arg(long, value_delimiter = ',', value_enum, default_value = "native,browser,instructions")]
    parts: Vec<Part>,
    /// The command line tool to race [default: cargo builds it]
    #[arg(long, value_name = "FILE")]
    pagevec: Option<PathBuf>,
    /// Sweeps of each engine
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Engines of the native race: names, or how names begin, parted by semicolons
    #[arg(long, value_name = "NAME;…")]
    engines: Option<String>,
    /// Search the peers' indexes that an earlier race built
    #[arg(long)]
    keep: bool,
    /// Few rows, to try the program: written to the cache, not to benches/results
    #[arg(long)]
    quick: bool,
    /// Where sets, indexes and the peers are kept [default: target/bench]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// In Python's processes, against hnswlib, faiss, usearch, SVS and VSAG
    Native,
    /// In pages, against hnswlib-wasm, edgevec, voy and mememo
    Browser,
    /// How many instructions a search and a build take: numbers that do not drift
    Instructions,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let cache = std::path::absolute(options.cache.clone().unwrap_or_else(|| shell::target().join("bench")))?;
    let home = cache.join("race");
    let out = if options.quick { cache.join("quick") } else { results()? };
    let tool = match &options.pagevec {
        Some(path) => std::path::absolute(path)?,
        None => cli()?,
    };
    if options.parts.contains(&Part::Native) {
        native(options, &tool, &home, &cache, &out)?;
    }
    if options.parts.contains(&Part::Browser) {
        in_chromium(options, &home, &cache, &out)?;
    }
    if options.parts.contains(&Part::Instructions) {
        let set = Set::prepare(Name::Wordnet, &cache)?;
        let mut count = python("instructions.py");
        count.arg("--pagevec").arg(&tool).arg("--base").arg(&set.base).arg("--queries").arg(&set.queries);
        run(count.arg("--home").arg(&home).arg("--out").arg(&out))?;
    }
    Ok(())
}

fn native(options: &Options, tool: &Path, home: &Path, cache: &Path, out: &Path) -> Result<()> {
    let mut race = python("race.py");
    for &name in &options.sets {
        let set = Set::prepare(name, cache)?;
        race.arg("--set").arg(set.name.to_lowercase()).args([&set.base, &set.queries, &set.truth]);
    }
    race.arg("--pagevec").arg(tool).arg("--home").arg(home).arg("--out").arg(out);
    race.args(["--rounds", &options.rounds.to_string()]);
    if let Some(engines) = &options.engines {
        race.args(["--engines", engines]);
    }
    if options.keep {
        race.arg("--keep");
    }
    if options.quick {
        race.args(["--rows", "10000", "--queries", "1000"]);
    }
    run(&mut race)
}

fn in_chromium(options: &Options, home: &Path, cache: &Path, out: &Path) -> Result<()> {
    let set = Set::prepare(Name::Wordnet, cache)?;
    let project = package::project()?.folder;
    copy_dir(&shell::root().join("benches/race/browser"), &project.join("benches/race/browser"), &|_| true)?;
    let rows = if options.quick { json!([2000, 1000]) } else { json!([20_000, 5_000]) };
    let task = json!({
        "base": set.base, "queries": set.queries, "home": home.join("npm"), "out": out.join("race-browser"),
        "date": date()?, "commit": commit(), "rounds": options.rounds, "rows": rows,
    });
    let mut race = node::node()?;
    race.current_dir(&project).arg("benches/race/browser/run.mjs").arg(task.to_string());
    run(race.env("CHROME", browser::find()?))
}

fn python(script: &str) -> std::process::Command {
    let mut python = command("python3");
    python.arg(Path::new("benches/race").join(script));
    python
}
