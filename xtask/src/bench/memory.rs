//! `cargo xtask bench memory`: an index under less and less memory, and an edge worker with a hundred searches at once.

use super::sets::{Name, Set};
use super::{cache, commit, date, results};
use crate::shell::{copy_dir, root, run};
use crate::stages::js::cli;
use crate::{node, package};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf, absolute};

#[derive(Args)]
pub(crate) struct Options {
    /// The set to search
    #[arg(long, value_enum, default_value = "1m")]
    set: Name,
    /// Few queries, to try the program: written to the cache, not to benches/results
    #[arg(long)]
    quick: bool,
    /// Where sets and indexes are kept [default: target/bench]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let cache = options.cache.as_deref().map_or_else(cache, |folder| Ok(absolute(folder)?))?;
    let set = Set::prepare(options.set, &cache)?;
    let folder = set.index(&cli()?, &cache)?;
    let project = package::project()?.folder;
    for part in ["benches/memory", "benches/remote", "benches/edge"] {
        copy_dir(&root().join(part), &project.join(part), &|_| true)?;
    }
    let out = if options.quick { cache.join("quick") } else { results()? }.join("memory");
    let size = if options.quick {
        json!({ "queries": 20, "flat": 1_000, "requests": 200, "atOnce": 100 })
    } else {
        json!({ "queries": 200, "flat": 3_000, "requests": 2_000, "atOnce": 100 })
    };
    let task: Value = json!({
        "set": { "name": set.name, "about": set.about, "folder": folder, "queries": set.queries, "truth": set.truth },
        "size": size, "root": root(), "pkg": project.join("node_modules/pagevec"), "workerd": node::workerd()?,
        "out": out, "date": date()?, "commit": commit(),
    });
    let program = Path::new("benches/memory/run.mjs");
    // The inspector of workerd is asked through a WebSocket, which Node 20 has behind a flag.
    let mut bench = node::node()?;
    bench.current_dir(&project).arg("--experimental-websocket").arg(program).arg(task.to_string());
    run(&mut bench)?;
    println!("{}", out.with_extension("md").display());
    Ok(())
}
