//! What a manifest says, for programs.

use std::path::{Path, PathBuf};

use super::Manifest;
use crate::error::Error;
use crate::storage::FsDir;

/// The part files of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartsInfo {
    /// The folder of the part files.
    pub folder: PathBuf,
    /// The number of part files.
    pub count: u64,
    /// The bytes of the largest one.
    pub largest: u64,
    /// Whether the segment is also published as one file.
    pub beside_file: bool,
}

/// Facts about the part files that the manifest of `folder` names; `None` if it names none.
///
/// # Errors
/// `io`, `corrupt`, `version`.
pub fn parts(folder: impl AsRef<Path>) -> Result<Option<PartsInfo>, Error> {
    let Some(entry) = Manifest::read(&FsDir, folder.as_ref())?.segments.pop() else { return Ok(None) };
    let Some(parts) = entry.parts else { return Ok(None) };
    let ends = parts.cuts.iter().skip(1).map(|cut| cut.0).chain([entry.length]);
    let runs: Vec<(u64, u64)> =
        parts.cuts.iter().zip(ends).map(|(&(from, size), end)| (end - from, size)).collect();
    Ok(Some(PartsInfo {
        folder: folder.as_ref().join(&parts.folder),
        count: runs.iter().map(|(length, size)| length.div_ceil(*size)).sum(),
        largest: runs.iter().map(|(length, size)| *length.min(size)).max().unwrap_or(0),
        beside_file: entry.file.is_some(),
    }))
}
