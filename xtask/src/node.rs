//! Finds Node, and installs the tools that run in it; xtask/package-lock.json pins their versions.

use crate::shell::{self, Stamp, command, output, run};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

const OLDEST: u32 = 20;
const ADVICE: &str = "pagevec's JS is built and tested with Node 20 or newer: install it from https://nodejs.org or \
                      with your system's packages, and see that `node` is on PATH";

/// Node, known to be new enough.
pub(crate) fn node() -> Result<Command> {
    let version = output(command("node").arg("--version")).context(ADVICE)?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(command("node")),
        _ => bail!("this is Node {version}. {ADVICE}"),
    }
}

/// npm, quiet about anything but its work.
pub(crate) fn npm() -> Result<Command> {
    node()?;
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    // Set here as well as in the .npmrc, which npm reads only in xtask/.
    npm.args(["--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error"]);
    Ok(npm)
}

/// A script of a pinned package that builds, to run with Node: `tool("binaryen/bin/wasm-opt")`.
pub(crate) fn tool(script: &str) -> Result<Command> {
    let mut node = node()?;
    node.arg(install(Wanted::Builders)?.join(script));
    Ok(node)
}

/// The folder with all pinned packages, those of the tests too, installed if the lock has changed.
pub(crate) fn modules() -> Result<PathBuf> {
    install(Wanted::All)
}

/// What is needed of xtask/package.json: `dependencies` build the package, the others test it.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Builders,
    All,
}

/// npm removes what it is not asked for, so the builders alone are installed only where nothing is.
fn install(wanted: Wanted) -> Result<PathBuf> {
    let xtask = shell::root().join("xtask");
    let modules = xtask.join("node_modules");
    let stamp = |name: &str| Stamp::new(modules.join(name), &[xtask.join("package-lock.json")]);
    let (builders, all) = (stamp(".stamp-builders")?, stamp(".stamp")?);
    if all.fresh(&[]) || (wanted == Wanted::Builders && builders.fresh(&[])) {
        return Ok(modules);
    }
    let (line, done) = match wanted {
        Wanted::Builders => (["ci", "--omit=dev"].as_slice(), builders),
        Wanted::All => (["ci"].as_slice(), all),
    };
    eprintln!("installing the tools of xtask/package-lock.json");
    run(npm()?.current_dir(&xtask).args(line)).context("npm could not install xtask's tools")?;
    done.set()?;
    Ok(modules)
}

/// The runtime of Cloudflare's workers; pinned for Linux alone.
pub(crate) fn workerd() -> Result<Option<PathBuf>> {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "64" };
    let program = modules()?.join(format!("@cloudflare/workerd-linux-{machine}/bin/workerd"));
    Ok(Some(program).filter(|path| cfg!(target_os = "linux") && path.exists()))
}
