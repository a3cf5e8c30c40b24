//! What a manifest says, for programs.

use std::path::{Path, PathBuf};

use super::{Entry, Form, Manifest, Parts};
use crate::error::Error;
use crate::storage::FsDir;

/// What the manifest of a folder says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderInfo {
    /// How often the folder has changed.
    pub generation: u64,
    /// The model that made the vectors, if the publisher named it.
    pub model: Option<String>,
    /// The segments, in the order in which they were written; at least one.
    pub segments: Vec<PublishedSegment>,
}

/// A segment in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedSegment {
    /// Its file, or the folder of its parts if there is no file.
    pub path: PathBuf,
    /// BLAKE3 of the file, in hex.
    pub content_id: String,
    /// Bytes of the file, or of all parts.
    pub bytes: u64,
    /// Rows, also the dead ones.
    pub count: u64,
    /// Rows whose ids later segments have.
    pub dead: u64,
    /// The form in which it is published.
    pub form: Form,
    /// Its part files, if there are any.
    pub parts: Option<PartsInfo>,
}

/// The part files of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartsInfo {
    /// The folder of the part files.
    pub folder: PathBuf,
    /// The number of part files.
    pub count: u64,
    /// The bytes of the largest one.
    pub largest: u64,
}

/// What the manifest of `folder` says. No other file is opened.
///
/// # Errors
/// `io`, `corrupt`, `version`.
pub fn folder_info(folder: impl AsRef<Path>) -> Result<FolderInfo, Error> {
    let folder = folder.as_ref();
    let Manifest { generation, segments, .. } = Manifest::read(&FsDir, folder)?;
    let segment = |entry: &Entry| PublishedSegment {
        path: entry.place(folder),
        content_id: entry.content_id.clone(),
        bytes: entry.length,
        count: entry.count,
        dead: entry.dead.as_ref().map_or(0, |dead| dead.count),
        form: match (&entry.file, &entry.parts) {
            (_, None) => Form::File,
            (None, Some(_)) => Form::Parts,
            (Some(_), Some(_)) => Form::Both,
        },
        parts: entry.parts.as_ref().map(|parts| parts_info(folder, entry.length, parts)),
    };
    let model = segments.iter().find_map(|entry| entry.model.clone());
    Ok(FolderInfo { generation, model, segments: segments.iter().map(segment).collect() })
}

fn parts_info(folder: &Path, length: u64, parts: &Parts) -> PartsInfo {
    let ends = parts.cuts.iter().skip(1).map(|cut| cut.0).chain([length]);
    let runs: Vec<(u64, u64)> =
        parts.cuts.iter().zip(ends).map(|(&(from, size), end)| (end - from, size)).collect();
    PartsInfo {
        folder: folder.join(&parts.folder),
        count: runs.iter().map(|(length, size)| length.div_ceil(*size)).sum(),
        largest: runs.iter().map(|(length, size)| *length.min(size)).max().unwrap_or(0),
    }
}
