//! Files in a folder that its manifest does not name: segments of earlier versions, and temporary files of killed
//! writers.

use std::fs::{self, DirEntry};
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use super::lock::{Lock, PATIENCE};
use super::steps::meant_for;
use crate::error::Error;
use crate::folder::manifest::{FILE_NAME, Manifest};
use crate::storage::io_error;

/// A segment that was published into a folder and that the folder's manifest no longer names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OldSegment {
    /// The file, or the folder of its parts.
    pub path: PathBuf,
    /// The bytes that removing it frees.
    pub bytes: u64,
}

/// The segments of earlier versions that lie in `folder`, by name.
///
/// # Errors
/// `io`, `corrupt`, `version`.
pub fn old_segments(folder: impl AsRef<Path>) -> Result<Vec<OldSegment>, Error> {
    let folder = folder.as_ref();
    let manifest = Manifest::read(folder)?;
    let entry = manifest.entry()?;
    let mut old = Vec::new();
    for found in list(folder)? {
        let name = found.file_name().to_string_lossy().into_owned();
        let Ok(kind) = found.file_type() else { continue };
        let ours = if kind.is_dir() { is_parts(&name) } else { is_segment(&name) };
        if ours && !entry.names(&name) {
            let path = found.path();
            let bytes = match kind.is_dir() {
                true => list(&path)?.iter().map(size).sum(),
                false => size(&found),
            };
            old.push(OldSegment { path, bytes });
        }
    }
    old.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(old)
}

/// Removes the segments of earlier versions from `folder`, and returns them. A reader that has one open by mmap or
/// pread can go on reading (on Windows the file cannot be removed, which is an error). A reader of parts, or over HTTP,
/// fails: where a host serves the folder, keep earlier versions for as long as a visit may last.
///
/// # Errors
/// `locked` if others write for more than five minutes; `io`, also on a file system without locks, where another writer
/// may be about to name a segment; `corrupt`, `version`.
pub fn prune(folder: impl AsRef<Path>) -> Result<Vec<OldSegment>, Error> {
    let folder = folder.as_ref();
    // A folder without a manifest is not an index, so no lock file is created in it.
    Manifest::read(folder)?;
    let lock = Lock::take(folder, PATIENCE)?;
    if !lock.holds {
        let detail = "this file system has no locks, so a segment may be one that is being published: remove old \
                      segments by hand";
        return Err(io_error(folder, IoError::new(ErrorKind::Unsupported, detail)));
    }
    let old = old_segments(folder)?;
    for segment in &old {
        let removed = match segment.path.is_dir() {
            true => fs::remove_dir_all(&segment.path),
            false => fs::remove_file(&segment.path),
        };
        removed.map_err(|e| io_error(&segment.path, e))?;
    }
    Ok(old)
}

/// Removes the temporary files of killed writers. The caller holds the lock, so no running writer has any.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), Error> {
    let ours = |name: &str| meant_for(name).is_some_and(|name| name == FILE_NAME || is_segment(name));
    let part = |name: &str| meant_for(name).is_some_and(is_part);
    for found in list(folder)? {
        let name = found.file_name().to_string_lossy().into_owned();
        let is_folder = found.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && is_parts(&name) {
            list(&found.path())?
                .iter()
                .filter(|f| part(&f.file_name().to_string_lossy()))
                .try_for_each(remove)?;
        } else if !is_folder && ours(&name) {
            remove(&found)?;
        }
    }
    Ok(())
}

fn remove(file: &DirEntry) -> Result<(), Error> {
    match fs::remove_file(file.path()) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(io_error(&file.path(), e)),
        _ => Ok(()),
    }
}

fn list(folder: &Path) -> Result<Vec<DirEntry>, Error> {
    fs::read_dir(folder).and_then(Iterator::collect).map_err(|e| io_error(folder, e))
}

fn size(file: &DirEntry) -> u64 {
    file.metadata().map_or(0, |meta| meta.len())
}

/// `seg-<32 hex digits>`, as [`Manifest::of`] names the folder of parts.
fn is_parts(name: &str) -> bool {
    name.strip_prefix("seg-").is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_segment(name: &str) -> bool {
    name.strip_suffix(".bin").is_some_and(is_parts)
}

/// `<first>-<last>.bin`.
fn is_part(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let range = name.strip_suffix(".bin").and_then(|range| range.split_once('-'));
    range.is_some_and(|(first, last)| number(first) && number(last))
}
