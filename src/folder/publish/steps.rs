//! The changes that a publication makes to a folder, as a list of steps. The list is complete before the first step
//! runs, so tests check its order without a disk: after each prefix of the list, the synced state must be the old index
//! or the new one.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::folder::manifest::FILE_NAME;
use crate::storage::{FOLDERS_ARE_SYNCED, io_error};

/// One change to a folder: it is done as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::folder) enum Step<'a> {
    /// Creates a folder in a folder that exists.
    CreateFolder(PathBuf),
    /// Creates a temporary file, fills and syncs it.
    Write { temporary: PathBuf, bytes: Cow<'a, [u8]> },
    /// Gives a temporary file its name, in place of a file that has it.
    Rename { temporary: PathBuf, to: PathBuf },
    /// Syncs a file that was there before.
    SyncFile(PathBuf),
    /// Syncs the names in a folder.
    SyncFolder(PathBuf),
}

/// What happens to new files and folders when a later step fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::folder) enum OnError {
    /// They are kept, since other writers may use them already.
    Keep,
    /// They are removed, so that a full disk has space for the next attempt; but not after the manifest was renamed,
    /// which names them.
    Undo,
}

/// Runs the steps in order, up to the first that fails. A step that fails leaves no temporary file.
pub(in crate::folder) fn run(steps: &[Step<'_>], on_error: OnError) -> Result<(), Error> {
    let mut new: Vec<&Path> = Vec::new();
    for step in steps {
        if let Err(source) = step.run(&mut new) {
            if on_error == OnError::Undo {
                new.iter().rev().for_each(|path| forget(path));
            }
            return Err(io_error(&step.about(), source));
        }
    }
    Ok(())
}

impl Step<'_> {
    /// Runs the step, and adds the files and folders that it creates to `new`.
    fn run<'s>(&'s self, new: &mut Vec<&'s Path>) -> io::Result<()> {
        match self {
            Step::CreateFolder(path) => {
                if create_folder(path)? {
                    new.push(path);
                }
            }
            Step::Write { temporary, bytes } => write(temporary, bytes)?,
            Step::Rename { temporary, to } => {
                let there = to.exists();
                fs::rename(temporary, to).inspect_err(|_| forget(temporary))?;
                if to.ends_with(FILE_NAME) {
                    new.clear();
                } else if !there {
                    new.push(to);
                }
            }
            Step::SyncFile(path) => sync_file(path)?,
            Step::SyncFolder(path) => sync_folder(path)?,
        }
        Ok(())
    }

    /// The path that an error names: that of the file, not of its temporary file.
    fn about(&self) -> PathBuf {
        match self {
            Step::Write { temporary: path, .. } => {
                let name = path.file_name().and_then(|name| meant_for(name.to_str()?));
                name.map_or_else(|| path.clone(), |name| path.with_file_name(name))
            }
            Step::Rename { to: path, .. }
            | Step::CreateFolder(path)
            | Step::SyncFile(path)
            | Step::SyncFolder(path) => path.clone(),
        }
    }
}

/// The steps that create a folder and its missing ancestors, and sync the parent of each.
pub(in crate::folder) fn create_folders(
    folder: &Path,
    is_folder: &dyn Fn(&Path) -> bool,
) -> Vec<Step<'static>> {
    let named = folder.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<&Path> = named.take_while(|path| !is_folder(path)).collect();
    missing.reverse();
    let steps = |path: &Path| [Step::CreateFolder(path.to_owned()), Step::SyncFolder(parent(path))];
    missing.into_iter().flat_map(steps).collect()
}

/// The steps that replace a file as a whole. Its folder must be synced afterwards.
pub(in crate::folder) fn replace<'a>(path: &Path, bytes: Cow<'a, [u8]>) -> [Step<'a>; 2] {
    let temporary = temporary(path);
    [Step::Write { temporary: temporary.clone(), bytes }, Step::Rename { temporary, to: path.to_owned() }]
}

/// The folder that holds the name of `path`.
pub(in crate::folder) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A name beside `path` that no other writer uses, in this process or another, on this machine or another that
/// shares the folder.
fn temporary(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().build_hasher().finish();
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{:x}-{count:x}-{random:016x}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// The name that the temporary file `name` was written for.
pub(in crate::folder) fn meant_for(name: &str) -> Option<&str> {
    Some(name.strip_suffix(".tmp")?.rsplit_once('.')?.0)
}

/// Whether a file holds exactly these bytes; `false` if it cannot be read.
pub(in crate::folder) fn holds(path: &Path, bytes: &[u8]) -> bool {
    const PIECE: usize = 1 << 20;
    let same = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() || meta.len() != bytes.len() as u64 {
            return Ok(false);
        }
        let mut buffer = vec![0; PIECE.min(bytes.len())];
        for piece in bytes.chunks(PIECE) {
            let read = &mut buffer[..piece.len()];
            file.read_exact(read)?;
            if read != piece {
                return Ok(false);
            }
        }
        Ok(true)
    };
    same().unwrap_or(false)
}

/// Creates a folder; returns whether it is new.
fn create_folder(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        // Another writer has created it meanwhile.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        done => done.map(|()| true),
    }
}

fn write(temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| forget(temporary))
}

/// Removes a file or an empty folder. The error that matters is the one before; a temporary file that this cannot
/// remove goes with the next publication.
fn forget(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
}

/// Windows syncs only what is open for writing.
fn sync_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).write(!FOLDERS_ARE_SYNCED).open(path)?.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    if FOLDERS_ARE_SYNCED { File::open(path)?.sync_all() } else { Ok(()) }
}
