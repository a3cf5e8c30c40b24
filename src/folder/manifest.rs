//! `index.json`: small, never cached, replaced as a whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::segment::{Segment, content_id};

pub(crate) const FILE_NAME: &str = "index.json";
const VERSION: u32 = 1;
/// A manifest longer than this is not read.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pagevec: u32,
    pub(crate) segments: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) file: String,
    pub(crate) length: u64,
    pub(crate) front: u64,
    pub(crate) content_id: String,
    pub(crate) file_id: String,
    count: u64,
    dim: u64,
    metric: String,
}

impl Manifest {
    /// The manifest of one finished segment file.
    pub(crate) fn of(segment: &Segment, file: &[u8]) -> Self {
        let info = segment.info();
        let content_id = content_id(file);
        let entry = Entry {
            file: format!("seg-{}.bin", &content_id[..32]),
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
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| bad(e.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads and checks `folder/index.json`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        let io = |source| Error::Io { path: path.display().to_string(), source };
        let length = std::fs::metadata(&path).map_err(io)?.len();
        if length > MAX_BYTES {
            return Err(bad(format!("{length} bytes are more than a manifest has")));
        }
        let text = std::fs::read(&path).map_err(io)?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        if manifest.pagevec != VERSION {
            return Err(Error::Version { found: u64::from(manifest.pagevec), supported: u64::from(VERSION) });
        }
        match manifest.segments.as_slice() {
            [entry] if plain_name(&entry.file) => Ok(manifest),
            [entry] => Err(bad(format!("{:?} is no plain file name", entry.file))),
            several => Err(bad(format!("it names {} segments, this build reads one", several.len()))),
        }
    }
}

impl Entry {
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }
}

/// Whether a name stays in its folder.
fn plain_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(plain) && name != "." && name != ".."
}

fn bad(detail: String) -> Error {
    Error::corrupt("manifest", detail)
}
