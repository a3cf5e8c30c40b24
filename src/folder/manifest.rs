//! The manifest, `index.json`. It is small, hosts must not cache it, and it is replaced as a whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::parts::Parts;
use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::segment::{Info, Segment, content_id};
use crate::storage::{Access, Dir, FsDir};

pub(crate) const FILE_NAME: &str = "index.json";
const VERSION: u32 = 1;
/// Longer manifests are refused.
const MAX_BYTES: u64 = 1 << 20;

/// The form in which a segment is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One file, which readers read by ranges.
    #[default]
    File,
    /// Small files, each read as a whole: for hosts that ignore `Range`.
    Parts,
    /// Both. Readers use the parts if the host ignores `Range`.
    Both,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pagevec: u32,
    pub(crate) segments: Vec<Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The segment as one file. There is a file, or there are parts, or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    pub(crate) length: u64,
    pub(crate) front: u64,
    pub(crate) content_id: String,
    pub(crate) file_id: String,
    count: u64,
    dim: u64,
    metric: String,
    /// Name, offset and length of each section. They must be those of the segment's own table.
    #[serde(default)]
    sections: Vec<(String, u64, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<Parts>,
}

impl Manifest {
    /// The manifest of one finished segment file.
    pub(crate) fn of(segment: &Segment, file: &[u8], form: Form) -> Self {
        let info = segment.info();
        let content_id = content_id(file);
        let name = format!("seg-{}", &content_id[..32]);
        let entry = Entry {
            file: (form != Form::Parts).then(|| format!("{name}.bin")),
            parts: (form != Form::File).then(|| Parts::of(segment, name)),
            sections: sections(&info),
            length: file.len() as u64,
            front: info.memory_to_open,
            content_id,
            file_id: info.file_id,
            count: info.count as u64,
            dim: info.dim as u64,
            metric: info.metric.name().to_owned(),
        };
        Manifest { pagevec: VERSION, segments: vec![entry] }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut text = serde_json::to_vec(self).map_err(|e| bad(e.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads and checks `folder/index.json`.
    pub(crate) fn read(dir: &dyn Dir, folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        // The file is opened only once, since another manifest may replace it between two openings.
        let file = wait(folder, PATIENCE, || dir.open(&path, Access::Read))?;
        let length = file.length()?;
        if length > MAX_BYTES {
            return Err(bad(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let mut text = vec![0; length as usize];
        file.read_at(&mut text, 0)?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        if manifest.pagevec != VERSION {
            return Err(Error::Version { found: u64::from(manifest.pagevec), supported: u64::from(VERSION) });
        }
        match manifest.segments.as_slice() {
            [entry] => entry.check().map_err(bad)?,
            several => {
                return Err(bad(format!(
                    "it names {} segments, and this version reads only one",
                    several.len()
                )));
            }
        }
        Ok(manifest)
    }

    /// The entry of the segment; this version has exactly one.
    pub(crate) fn entry(&self) -> Result<&Entry, Error> {
        self.segments.first().ok_or_else(|| bad("it names no segment".to_owned()))
    }
}

impl Entry {
    /// The path of the segment's file, or of the folder of its parts if there is no file.
    pub(crate) fn place(&self, folder: &Path) -> PathBuf {
        let parts = self.parts.as_ref().map(|parts| &parts.folder);
        self.file.as_ref().or(parts).map_or_else(|| folder.to_owned(), |name| folder.join(name))
    }

    /// Whether a file or folder of this name belongs to the segment.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.file.as_deref() == Some(name) || self.parts.as_ref().is_some_and(|parts| parts.folder == name)
    }

    /// Checks the names and cuts, by which files are opened. [`Entry::describes`] compares the rest with the segment.
    fn check(&self) -> Result<(), String> {
        let names = [self.file.as_ref(), self.parts.as_ref().map(|p| &p.folder)];
        if let Some(name) = names.into_iter().flatten().find(|name| !plain_name(name)) {
            return Err(format!("the name {name:?} is not a plain file name"));
        }
        match &self.parts {
            Some(parts) => parts.check(self.length),
            None if self.file.is_none() => Err("it names neither a file nor parts".to_owned()),
            None => Ok(()),
        }
    }

    /// Whether this entry describes the segment with these facts.
    pub(crate) fn describes(&self, info: &Info) -> bool {
        let same = self.file_id == info.file_id && self.length == info.file_length;
        same && (self.sections.is_empty() || self.sections == sections(info))
    }
}

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

fn sections(info: &Info) -> Vec<(String, u64, u64)> {
    info.sections.iter().map(|s| (s.name.to_owned(), s.offset, s.length)).collect()
}

/// Whether a name stays in its folder.
fn plain_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(plain) && name != "." && name != ".."
}

fn bad(detail: String) -> Error {
    Error::corrupt("manifest", detail)
}
