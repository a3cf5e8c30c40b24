//! Files in a folder that its manifest does not name: segments and dead rows of earlier versions, and temporary files
//! of killed writers.

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::folder::manifest::{FILE_NAME, Manifest};
use crate::folder::wait::{PATIENCE, wait};
use crate::storage::{Dir, DirEntry, FsDir, io_error};

/// A segment, or the dead rows of one, that was published into a folder and that the folder's manifest no longer names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OldSegment {
    /// The file, or the folder of its parts.
    pub path: PathBuf,
    /// The bytes that removing it frees.
    pub bytes: u64,
}

/// The segments and dead rows of earlier versions that lie in `folder`, by name.
///
/// # Errors
/// `io`, `corrupt`, `version`.
pub fn old_segments(folder: impl AsRef<Path>) -> Result<Vec<OldSegment>, Error> {
    old_segments_in(&FsDir, folder.as_ref())
}

fn old_segments_in(dir: &dyn Dir, folder: &Path) -> Result<Vec<OldSegment>, Error> {
    let manifest = Manifest::read(dir, folder)?;
    let mut old = Vec::new();
    for found in list(dir, folder)? {
        let is_ours = if found.is_folder { is_parts } else { is_data };
        if is_ours(&found.name) && !manifest.names(&found.name) {
            let path = folder.join(&found.name);
            let bytes = match found.is_folder {
                true => list(dir, &path)?.iter().map(|part| part.length).sum(),
                false => found.length,
            };
            old.push(OldSegment { path, bytes });
        }
    }
    old.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(old)
}

/// Removes the segments and dead rows of earlier versions from `folder`, and returns them. A reader that has one open by mmap or
/// pread can go on reading (on Windows the file cannot be removed, which is an error). A reader of parts, or over HTTP,
/// fails: where a host serves the folder, keep earlier versions for as long as a visit may last.
///
/// # Errors
/// `locked` if others write for more than five minutes; `io`, also on a file system without locks, where another writer
/// may be about to name a segment; `corrupt`, `version`.
pub fn prune(folder: impl AsRef<Path>) -> Result<Vec<OldSegment>, Error> {
    prune_in(&FsDir, folder)
}

/// [`prune`] in a folder of any [`Dir`].
///
/// # Errors
/// As [`prune`].
pub fn prune_in(dir: &dyn Dir, folder: impl AsRef<Path>) -> Result<Vec<OldSegment>, Error> {
    let folder = folder.as_ref();
    // A folder without a manifest is not an index, so no lock file is created in it.
    Manifest::read(dir, folder)?;
    let lock = wait(folder, PATIENCE, || dir.lock(folder))?;
    if !lock.is_held() {
        let detail = "this file system has no locks, so a segment may be one that is being published: remove old \
                      segments by hand";
        return Err(io_error(folder, IoError::new(ErrorKind::Unsupported, detail)));
    }
    let old = old_segments_in(dir, folder)?;
    for segment in &old {
        remove_all(dir, &segment.path)?;
    }
    Ok(old)
}

/// Removes a file, or a folder with all that is in it.
fn remove_all(dir: &dyn Dir, path: &Path) -> Result<(), Error> {
    if is_parts(&path.file_name().unwrap_or_default().to_string_lossy()) {
        for found in list(dir, path)? {
            remove_all(dir, &path.join(found.name))?;
        }
    }
    wait(path, PATIENCE, || dir.remove(path))
}

fn list(dir: &dyn Dir, folder: &Path) -> Result<Vec<DirEntry>, Error> {
    wait(folder, PATIENCE, || dir.list(folder))
}

/// Whether a file or folder of this name in an index folder is one that a publication writes: the manifest, a segment,
/// dead rows, a folder of parts, or `folder/name` of a part.
pub fn is_published_name(name: &str) -> bool {
    match name.split_once('/') {
        Some((folder, part)) => is_parts(folder) && is_part(part),
        None => name == FILE_NAME || is_data(name) || is_parts(name),
    }
}

/// `seg-<32 hex digits>`, as an entry of a manifest names the folder of parts.
fn is_parts(name: &str) -> bool {
    name.strip_prefix("seg-").is_some_and(is_id)
}

/// The same with `.bin`, a segment; or `dead-<32 hex digits>.bin`, dead rows.
fn is_data(name: &str) -> bool {
    let id = |name: &str| name.strip_prefix("seg-").or(name.strip_prefix("dead-")).is_some_and(is_id);
    name.strip_suffix(".bin").is_some_and(id)
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `<first>-<last>.bin`.
fn is_part(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let range = name.strip_suffix(".bin").and_then(|range| range.split_once('-'));
    range.is_some_and(|(first, last)| number(first) && number(last))
}
