//! What writing does to a folder, as a list of steps. The list is made before anything is done, so its order is tested
//! without a disk: after each prefix of it, whatever was synced must be the old state or the new one.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::storage::FOLDERS_ARE_SYNCED;

/// One change, which is done or not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Creates a folder in a folder that is there.
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

/// Does the steps in order, up to the first that fails. A step that fails leaves no temporary file.
pub(super) fn run(steps: &[Step<'_>]) -> Result<(), Error> {
    for step in steps {
        let (path, done) = match step {
            Step::CreateFolder(path) => (path.as_path(), create_folder(path)),
            Step::Write { temporary, bytes } => (temporary.as_path(), write(temporary, bytes)),
            Step::Rename { temporary, to } => (to.as_path(), rename(temporary, to)),
            Step::SyncFile(path) => (path.as_path(), sync_file(path)),
            Step::SyncFolder(path) => (path.as_path(), sync_folder(path)),
        };
        done.map_err(|source| Error::Io { path: path.display().to_string(), source })?;
    }
    Ok(())
}

/// Creates those of a folder and its ancestors that are missing, and syncs the parent of each.
pub(super) fn create_folders(folder: &Path, is_folder: &dyn Fn(&Path) -> bool) -> Vec<Step<'static>> {
    let named = folder.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<&Path> = named.take_while(|path| !is_folder(path)).collect();
    missing.reverse();
    let steps = |path: &Path| [Step::CreateFolder(path.to_owned()), Step::SyncFolder(parent(path))];
    missing.into_iter().flat_map(steps).collect()
}

/// Replaces a file as a whole; its folder is yet to be synced.
pub(super) fn replace<'a>(path: &Path, bytes: Cow<'a, [u8]>) -> [Step<'a>; 2] {
    let temporary = temporary(path);
    [Step::Write { temporary: temporary.clone(), bytes }, Step::Rename { temporary, to: path.to_owned() }]
}

/// The folder that holds the name of `path`.
pub(super) fn parent(path: &Path) -> PathBuf {
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

/// The name for which a temporary file was written.
pub(super) fn meant_for(name: &str) -> Option<&str> {
    Some(name.strip_suffix(".tmp")?.rsplit_once('.')?.0)
}

/// Whether a file holds just these bytes. A file that cannot be read does not.
pub(super) fn holds(path: &Path, bytes: &[u8]) -> bool {
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

fn create_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        // Another writer was faster.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        done => done,
    }
}

fn write(temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| forget(temporary))
}

fn rename(temporary: &Path, to: &Path) -> io::Result<()> {
    fs::rename(temporary, to).inspect_err(|_| forget(temporary))
}

/// The error that matters is the one before; what this cannot remove, the next publication does.
fn forget(temporary: &Path) {
    let _ = fs::remove_file(temporary);
}

/// Windows syncs only what is open for writing.
fn sync_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).write(!FOLDERS_ARE_SYNCED).open(path)?.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    if FOLDERS_ARE_SYNCED { File::open(path)?.sync_all() } else { Ok(()) }
}
