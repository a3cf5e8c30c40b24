//! Opening by path.

use std::path::Path;

use super::manifest::Manifest;
use crate::collection::Index;
use crate::error::Error;
use crate::storage::{Mapped, PositionedFile};

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// Mapped: fastest. The file must not be truncated or rewritten while it is open (a published segment never is):
    /// the operating system answers that with SIGBUS.
    #[default]
    Mmap,
    /// Read by position into at most `memory_budget` bytes: for files that others may truncate, and for indexes that
    /// are larger than memory.
    Pread,
}

/// How to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// See [`Io`].
    pub io: Io,
    /// Bytes held at most under [`Io::Pread`].
    pub memory_budget: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { io: Io::Mmap, memory_budget: 1 << 30 }
    }
}

impl Index {
    /// Opens a folder with an `index.json`, or a segment file.
    ///
    /// # Errors
    /// `io`, and those of [`Segment::open`](crate::Segment::open); `corrupt` if the manifest describes another file.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, Error> {
        let entry = match path.is_dir() {
            true => Manifest::read(path)?.segments.pop(),
            false => None,
        };
        let file = entry.as_ref().map_or_else(|| path.to_owned(), |e| e.path(path));
        let mut index = match options.io {
            Io::Mmap => Index::over(Mapped::open(&file)?)?,
            Io::Pread => Index::reading(Box::new(PositionedFile::open(&file)?), options.memory_budget)?,
        };
        match &entry {
            Some(e) if e.file_id != index.info().file_id || e.length != index.info().file_length => {
                Err(Error::corrupt("manifest", format!("it describes another file than {}", file.display())))
            }
            _ => {
                (index.path, index.content_id) = (Some(file), entry.map(|e| e.content_id));
                Ok(index)
            }
        }
    }
}
