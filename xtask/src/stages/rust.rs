//! Stages that run cargo: formatting, lints, native tests, documentation, the package of the core.

use super::links;
use crate::shell::{cargo, command, output, run};
use crate::wasm::wasm_cargo;
use anyhow::{Context as _, Result, ensure};

pub(super) fn fmt() -> Result<()> {
    run(&mut cargo("fmt --all --check")).context("`cargo fmt --all` mends it")
}

/// The core is checked in every shape in which it is built: with and without `native`, and for wasm.
pub(super) fn clippy() -> Result<()> {
    let line = "clippy --workspace --all-targets --features pagevec-fuzz/targets --";
    run(cargo(line).args(["-D", "warnings"]))?;
    run(cargo("clippy --package pagevec --no-default-features --").args(["-D", "warnings"]))?;
    // The core comes along as what the others depend on; its own tests do not compile for wasm.
    for features in ["search", "filter", "build", "collection", "filter,build,collection"] {
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

/// Private items too: most of what is written about the core is in the heads of its private modules. Then the core as
/// docs.rs builds it.
pub(super) fn docs() -> Result<()> {
    let links = links::check();
    let private = "doc --workspace --no-deps --document-private-items --exclude xtask";
    let public = "doc --package pagevec --no-deps --all-features";
    for (line, flags) in [(private, "-D warnings"), (public, "-D warnings --cfg docsrs")] {
        run(cargo(line).env("RUSTDOCFLAGS", flags))?;
    }
    links
}

/// What would be published of the core holds what it must, and builds by itself; npm would take the package.
pub(super) fn package() -> Result<()> {
    // What is not committed is checked too. All that it depends on is here since the first stage.
    let line = "package --package pagevec --allow-dirty --offline --quiet";
    let files = output(cargo(line).arg("--list"))?;
    let has = |name: &str| files.lines().any(|line| line == name);
    for name in ["Cargo.toml", "src/lib.rs", "README.md", "CHANGELOG.md", "FORMAT.md", "LICENSE-MIT"] {
        ensure!(has(name), "{name} would not be published:\n{files}");
    }
    let own = ["tests/", "benches/", "fuzz/", "xtask/", "pkg/"];
    let astray = files.lines().find(|line| own.iter().any(|own| line.starts_with(own)));
    ensure!(astray.is_none(), "{} would be published", astray.unwrap_or_default());
    run(&mut cargo(line))?;
    crate::package::publish_dry()
}
