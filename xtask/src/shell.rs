//! Helpers: processes, paths, and stamps that say whether a result is up to date.

use anyhow::{Context as _, Result, bail};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of the repository, whatever folder the command was given in.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Where cargo builds and where everything made here goes.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The folder of real embeddings, absolute: we and our children run in folders of our own choice.
pub(crate) fn data() -> Option<PathBuf> {
    let given = env::var_os("PAGEVEC_DATA").filter(|given| !given.is_empty())?;
    std::path::absolute(given).ok()
}

/// A command that starts in the repository's folder.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    if let Some(data) = data() {
        command.env("PAGEVEC_DATA", data);
    }
    command
}

/// Cargo, with the words of `line` as its arguments.
pub(crate) fn cargo(line: &str) -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What `cargo run` tells xtask about itself would look like a changed input to the build scripts of others.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_BIN_NAME" {
            command.env_remove(&name);
        }
    }
    command.args(line.split_whitespace());
    command
}

/// Has rustup add the standard library of a target, if it is not there.
pub(crate) fn add_target(target: &str) -> Result<()> {
    let mut rustc = command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let libraries = output(rustc.args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    run(command("rustup").args(["target", "add", target])).with_context(|| {
        format!(
            "Rust cannot compile for {target} here. With rustup, `rustup target add {target}` does it; a Rust from \
             elsewhere needs its own package for that target"
        )
    })
}

/// Runs a command to its end, its output going straight to ours; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start {}", show(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", show(command));
    }
    Ok(())
}

/// Runs a command and returns what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("could not start {}", show(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}",
            show(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The first program of this name on PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Copies a folder with everything in it, except what `keep` refuses (by its path within the folder).
pub(crate) fn copy_dir(from: &Path, to: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<()> {
    for file in files(from)? {
        let within = file.strip_prefix(from)?;
        if keep(within) {
            copy(&file, &to.join(within))?;
        }
    }
    Ok(())
}

/// Copies a folder as it is, with the times of its files, by which cargo knows what is fresh.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("could not read {}", from.display()))? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            copy_tree(&from, &to)?;
        } else {
            copy(&from, &to)?;
            fs::File::options().write(true).open(&to)?.set_modified(fs::metadata(&from)?.modified()?)?;
        }
    }
    Ok(())
}

/// Copies a file and makes the folders it needs.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).with_context(|| format!("could not make {}", dir.display()))?;
    }
    fs::copy(from, to).with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Removes a folder, or a link to one, if it is there.
pub(crate) fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

/// Every file below a folder, sorted; not those of node_modules, target and hidden folders.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("could not read {}", dir.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_dir() {
            found.push(path);
        } else if name != "node_modules" && name != "target" && !name.starts_with('.') {
            found.extend(files(&path)?);
        }
    }
    found.sort();
    Ok(found)
}

/// Remembers from what something was made, so that making it again can be skipped.
pub(crate) struct Stamp {
    file: PathBuf,
    mark: String,
}

impl Stamp {
    /// A stamp kept in `file` for the contents of `inputs`.
    pub(crate) fn new(file: impl Into<PathBuf>, inputs: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            fs::read(input).with_context(|| format!("could not read {}", input.display()))?.hash(&mut hasher);
        }
        Ok(Self { file: file.into(), mark: format!("{:016x}\n", hasher.finish()) })
    }

    /// Whether the inputs are those that were set last, and all of `made` is still there.
    pub(crate) fn fresh(&self, made: &[PathBuf]) -> bool {
        made.iter().all(|path| path.exists())
            && fs::read_to_string(&self.file).is_ok_and(|old| old == self.mark)
    }

    /// Everything was made from these inputs.
    pub(crate) fn set(&self) -> Result<()> {
        fs::write(&self.file, &self.mark).with_context(|| format!("could not write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::command;
    use std::process::Command;

    /// What runs below in a process of its own; alone it does nothing.
    #[test]
    #[ignore = "a part of the other test"]
    fn child() {
        let Some(wanted) = std::env::var_os("WANTED") else { return };
        let given = command("true")
            .get_envs()
            .find(|(name, _)| *name == "PAGEVEC_DATA")
            .map(|(_, v)| v.map(Into::into));
        assert_eq!(given, (!wanted.is_empty()).then_some(Some(wanted)));
    }

    #[test]
    fn a_relative_folder_of_data_reaches_children_as_an_absolute_one() {
        let here = std::env::temp_dir();
        let wanted = here.join("some/data");
        for (given, wanted) in
            [("some/data", wanted.as_path()), ("/there", "/there".as_ref()), ("", "".as_ref())]
        {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "shell::tests::child", "--ignored"]).current_dir(&here);
            let output = child.env("PAGEVEC_DATA", given).env("WANTED", wanted).output().unwrap();
            assert!(output.status.success(), "{given}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }
}
