//! The manifest, `index.json`: the segments of an index, in the order in which they were written. It is small, hosts
//! must not cache it, and it is replaced as a whole.
//!
//! | file | duty |
//! |---|---|
//! | `entry` | one segment in a manifest, checked by itself and against its file |
//! | `dead`  | the dead rows of a segment: their entry, and their file in both directions |
//! | `facts` | what a manifest says, for programs |

mod dead;
mod entry;
mod facts;

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::parts::Parts;
use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::session::Members;
use crate::storage::{Access, Dir};
pub(crate) use dead::Dead;
pub(crate) use entry::{Entry, MAX_MODEL_NAME, is_model_name};
pub use facts::{FolderInfo, PartsInfo, PublishedSegment, folder_info};

pub(crate) const FILE_NAME: &str = "index.json";
const VERSION: u32 = 2;
/// The version with one segment and no generation. It is read, and never written.
const FIRST_VERSION: u32 = 1;
/// Longer manifests are refused. One of as many segments as there may be is shorter.
const MAX_BYTES: u64 = 4 << 20;
/// Segments of one index.
pub(crate) const MAX_SEGMENTS: usize = Members::MOST;
/// The largest number that JS holds exactly.
const MAX_GENERATION: u64 = (1 << 53) - 1;

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
    /// How often the folder has changed. A manifest of the first version has none, and counts as 0.
    #[serde(default)]
    pub(crate) generation: u64,
    pub(crate) segments: Vec<Entry>,
}

/// What is parsed first, since another version may have another shape.
#[derive(Deserialize)]
struct Head {
    pagevec: u32,
}

impl Manifest {
    /// The manifest of these segments that follows `before`. It has the same generation if nothing changes.
    pub(crate) fn after(before: Option<&Manifest>, segments: Vec<Entry>) -> Self {
        let same = before.is_some_and(|before| before.pagevec == VERSION && before.segments == segments);
        let generation = before.map_or(0, |before| before.generation);
        Manifest { pagevec: VERSION, generation: generation + u64::from(!same), segments }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut text = serde_json::to_vec(self).map_err(|e| bad(e.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// The text of `folder/index.json`, all of it.
    pub(crate) fn text(dir: &dyn Dir, folder: &Path) -> Result<Vec<u8>, Error> {
        let path = folder.join(FILE_NAME);
        // The file is opened only once, since another manifest may replace it between two openings.
        let file = wait(folder, PATIENCE, || dir.open(&path, Access::Read))?;
        let length = file.length()?;
        if length > MAX_BYTES {
            return Err(bad(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let mut text = vec![0; length as usize];
        file.read_at(&mut text, 0)?;
        Ok(text)
    }

    /// Parses and checks the text of a manifest.
    pub(crate) fn decode(text: &[u8]) -> Result<Self, Error> {
        let head: Head = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
        if !(FIRST_VERSION..=VERSION).contains(&head.pagevec) {
            return Err(Error::Version { found: u64::from(head.pagevec), supported: u64::from(VERSION) });
        }
        let manifest: Manifest = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
        manifest.check().map_err(bad)?;
        Ok(manifest)
    }

    /// Reads and checks `folder/index.json`.
    pub(crate) fn read(dir: &dyn Dir, folder: &Path) -> Result<Self, Error> {
        Manifest::decode(&Manifest::text(dir, folder)?)
    }

    fn check(&self) -> Result<(), String> {
        let Some(first) = self.segments.first() else { return Err("it names no segment".to_owned()) };
        if self.segments.len() > MAX_SEGMENTS {
            let count = self.segments.len();
            return Err(format!("it names {count} segments, and an index has at most {MAX_SEGMENTS}"));
        }
        if self.pagevec == FIRST_VERSION {
            if self.generation != 0 || self.segments.len() > 1 || first.dead.is_some() {
                return Err("version 1 has one segment, no generation and no dead rows".to_owned());
            }
        } else if !(1..=MAX_GENERATION).contains(&self.generation) {
            return Err(format!("its generation {} is not from 1 to {MAX_GENERATION}", self.generation));
        }
        let mut names = BTreeSet::new();
        for entry in &self.segments {
            entry.check()?;
            entry.is_like(first)?;
            if !names.insert(&*entry.content_id) || !entry.names().all(|name| names.insert(name)) {
                return Err(format!("{} is listed twice", entry.name()));
            }
        }
        Ok(())
    }

    /// Whether a file or folder of this name belongs to the index.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.segments.iter().any(|entry| entry.names().any(|own| own == name))
    }
}

/// Whether a name stays in its folder.
fn plain_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(plain) && name != "." && name != ".."
}

pub(super) fn bad(detail: String) -> Error {
    Error::corrupt("manifest", detail)
}
