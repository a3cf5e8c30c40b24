//! Stages that use the package as a user does: the packed tarball, installed in a project of its own.
//!
//! The tests get, as environment variables: `PAGEVEC_CLI` (the command line tool, as its own tests build it),
//! `PAGEVEC_ROOT` (this repository, for www/ and docs/), `CHROME` (the browser and embedding stages), `WORKERD` (if it runs
//! on this machine), and `PAGEVEC_DATA` if it is set. Those of embedding also get `TARBALL`, `MODULES` (where Transformers.js
//! is) and `MODEL` (if it is to be had).

use crate::package::Project;
use crate::shell::{self, cargo, run};
use crate::{browser, model, node, package};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(super) fn node() -> Result<()> {
    let project = project()?;
    run(&mut tests(project, "tests/js", 2)?)
}

pub(super) fn browser() -> Result<()> {
    let chrome = browser::find()?;
    let project = project()?;
    // One browser at a time: two on two cores time each other out.
    run(tests(project, "tests/js/browser", 1)?.env("CHROME", chrome))
}

/// The tests install the tarball and Transformers.js as README says. Where there is no model they say that they are skipped.
pub(super) fn embedding() -> Result<()> {
    let chrome = browser::find()?;
    let project = project()?;
    let mut node = tests(project, "tests/js/embedding", 1)?;
    node.env("CHROME", chrome).env("TARBALL", &project.tarball).env("MODULES", node::modules()?);
    if let Some(model) = model::find()? {
        node.env("MODEL", model);
    }
    run(&mut node)
}

/// node --test over the *.test.mjs files directly in a folder, so many at once.
fn tests(project: &Project, folder: &str, at_once: usize) -> Result<Command> {
    let project = project.folder.as_path();
    let mut files = shell::files(&project.join(folder))?;
    let is_test = |file: &Path| file.to_string_lossy().ends_with(".test.mjs");
    files.retain(|file| is_test(file) && file.parent() == Some(&project.join(folder)));
    if files.is_empty() {
        bail!("there is no {folder}/*.test.mjs");
    }
    let mut node = node::node()?;
    let slow_limit = ["--import", "./tests/js/support/slow-limit.mjs"];
    node.current_dir(project)
        .arg("--test")
        .arg(format!("--test-concurrency={at_once}"))
        .args(slow_limit)
        .args(files);
    node.env("PAGEVEC_ROOT", shell::root()).env("PAGEVEC_CLI", tested_cli()?);
    if let Some(workerd) = node::workerd()? {
        node.env("WORKERD", workerd);
    }
    Ok(node)
}

/// The command line tool, built for release.
pub(crate) fn cli() -> Result<PathBuf> {
    run(&mut cargo("build --release --package pagevec-cli"))?;
    Ok(shell::target().join("release").join(CLI))
}

/// The one that the native tests ran. Examples are asked for as they bring what tests depend on, without which some
/// crates would have other features and be built again.
pub(crate) fn tested_cli() -> Result<PathBuf> {
    run(&mut cargo("build --profile test --bins --examples"))?;
    Ok(shell::target().join("debug").join(CLI))
}

const CLI: &str = if cfg!(windows) { "pagevec.exe" } else { "pagevec" };

/// The project with the package, made once for all stages.
fn project() -> Result<&'static Project> {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    if let Some(project) = PROJECT.get() {
        return Ok(project);
    }
    let project = package::project()?;
    Ok(PROJECT.get_or_init(|| project))
}
