//! Stages that are cargo's own: formatting, lints, native tests, documentation.

use super::links;
use crate::shell::{cargo, command, output, run};
use crate::wasm::wasm_cargo;
use anyhow::{Context as _, Result};

pub(super) fn fmt() -> Result<()> {
    run(&mut cargo("fmt --all --check")).context("`cargo fmt --all` mends it")
}

/// The core is checked in every shape in which it is built: with and without `native`, and for wasm.
pub(super) fn clippy() -> Result<()> {
    let line = "clippy --workspace --all-targets --features pagevec-fuzz/targets --";
    run(cargo(line).args(["-D", "warnings"]))?;
    run(cargo("clippy --package pagevec --no-default-features --").args(["-D", "warnings"]))?;
    // The core comes along as what the others depend on; its own tests do not compile for wasm.
    for features in ["search", "build", "search,build"] {
        let line = "clippy --package pagevec-wasm --no-default-features --all-targets";
        run(wasm_cargo(line, None)?.args(["--features", features, "--", "-D", "warnings"]))?;
    }
    run(wasm_cargo("clippy --package pagevec-fuzz --tests", None)?.args(["--", "-D", "warnings"]))
}

/// The default members of the workspace, all at once: naming crates would choose other features and build much again.
/// nextest where it is installed: it runs the slow tests side by side. It does not run the examples in the docs.
pub(super) fn native() -> Result<()> {
    let nextest = output(command("cargo").args(["nextest", "--version"])).is_ok();
    if nextest {
        run(&mut cargo("nextest run --no-fail-fast"))?;
    } else {
        run(&mut cargo("test --no-fail-fast --lib --bins --tests"))?;
    }
    run(&mut cargo("test --doc"))?;
    run(&mut cargo("test --package xtask"))
}

/// Private items too: most of what is written about the core is in the heads of its private modules.
pub(super) fn docs() -> Result<()> {
    let links = links::check();
    let line = "doc --workspace --no-deps --document-private-items --exclude xtask";
    run(cargo(line).env("RUSTDOCFLAGS", "-D warnings"))?;
    links
}
