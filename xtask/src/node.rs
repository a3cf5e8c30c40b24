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

/// A script of a pinned package, to run with Node: `tool("binaryen/bin/wasm-opt")`.
pub(crate) fn tool(script: &str) -> Result<Command> {
    let mut node = node()?;
    node.arg(modules()?.join(script));
    Ok(node)
}

/// The folder with the pinned packages, installed if the lock has changed.
pub(crate) fn modules() -> Result<PathBuf> {
    let xtask = shell::root().join("xtask");
    let modules = xtask.join("node_modules");
    let stamp = Stamp::new(modules.join(".stamp"), &[xtask.join("package-lock.json")])?;
    if !stamp.fresh(&[]) {
        eprintln!("installing the tools of xtask/package-lock.json");
        run(npm()?.current_dir(&xtask).arg("ci")).context("npm could not install xtask's tools")?;
        stamp.set()?;
    }
    Ok(modules)
}

/// The runtime of Cloudflare's workers; pinned for Linux alone.
pub(crate) fn workerd() -> Result<Option<PathBuf>> {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "64" };
    let program = modules()?.join(format!("@cloudflare/workerd-linux-{machine}/bin/workerd"));
    Ok(Some(program).filter(|path| cfg!(target_os = "linux") && path.exists()))
}
