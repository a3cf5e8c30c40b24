//! `cargo xtask browser`: finds a Chromium for the browser tests: the one that CHROME names, one on this machine, one
//! from Debian's packages, or the one that Playwright downloads, in this order.

use crate::node;
use crate::shell::{command, output, run, which};
use anyhow::{Context as _, Result, bail};
use std::env;
use std::path::{Path, PathBuf};

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// The path of a Chromium that starts.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROME") {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("CHROME names {}, which is not a file", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = installed() {
        return Ok(path);
    }
    if Path::new("/etc/debian_version").exists() && is_root() {
        debian().context("could not install Debian's chromium: install a Chromium and name it in CHROME")?;
        if let Some(path) = installed() {
            return Ok(path);
        }
    }
    playwright().context("found no Chromium and could not download one: install one and name it in CHROME")
}

fn installed() -> Option<PathBuf> {
    let macos = PathBuf::from(MACOS);
    NAMES.iter().find_map(|name| which(name)).or_else(|| macos.is_file().then_some(macos))
}

fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|id| id == "0")
}

fn debian() -> Result<()> {
    eprintln!("installing Debian's chromium");
    // apt talks much: only what it says when it fails is of interest.
    output(command("apt-get").args(["update", "-q"]))?;
    let install = ["install", "-q", "-y", "--no-install-recommends", "chromium"];
    output(command("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive")).map(|_| ())
}

fn playwright() -> Result<PathBuf> {
    eprintln!("no Chromium here: Playwright downloads its own");
    run(node::node()?.arg(node::modules()?.join("playwright-core/cli.js")).args(["install", "chromium"]))?;
    let script = "console.log(require('playwright-core').chromium.executablePath())";
    let path = output(node::node()?.current_dir(node::modules()?).args(["--eval", script]))?;
    Ok(PathBuf::from(path))
}
