//! A file read by position.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Extent, Mapped, ReadAt, Source as _, io_error, open_regular, read_exact_at};
use crate::error::Error;

/// An open file. If others truncate it, a read is an error, never a signal.
#[derive(Debug)]
pub(crate) struct PositionedFile {
    file: File,
    path: PathBuf,
    length: u64,
    /// A mapping used only for `madvise`; never dereferenced, so it cannot fault.
    hints: Option<Mapped>,
}

impl PositionedFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let (file, length) = open_regular(path)?;
        let hints = if length > 0 { Mapped::open(path).ok() } else { None };
        Ok(PositionedFile { file, path: path.to_owned(), length, hints })
    }
}

impl ReadAt for PositionedFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        read_exact_at(&self.file, into, extent.offset).map_err(|source| io_error(&self.path, source))
    }

    fn prefetch(&self, extents: &[Extent]) {
        // For a single read a hint comes too late.
        if let Some(hints) = self.hints.as_ref().filter(|_| extents.len() > 1) {
            hints.prefetch(&mut extents.iter().copied());
        }
    }
}
