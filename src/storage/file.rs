//! A file read by position, and one that is written from its first byte to its last.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::mmap::map_all;
use super::{Extent, Mapped, ReadAt, Sink, Source as _, io_error, open_regular, read_exact_at};
use crate::error::Error;

/// An open file. If others truncate it, a read is an error, never a signal.
#[derive(Debug)]
pub struct PositionedFile {
    file: File,
    path: PathBuf,
    length: u64,
    /// A mapping used only for `madvise`; never dereferenced, so it cannot fault.
    hints: Option<Mapped>,
}

impl PositionedFile {
    /// Reads an open file; errors name it by `path`.
    ///
    /// # Errors
    /// `io`.
    pub fn new(file: File, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let length = file.metadata().map_err(|source| io_error(&path, source))?.len();
        Ok(PositionedFile { file, path, length, hints: None })
    }

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

/// A sink over an open file, which may have no name yet: a temporary file takes the segment while it is built, and is
/// then published.
#[derive(Debug)]
pub struct FileSink {
    file: File,
    path: PathBuf,
}

impl FileSink {
    /// Writes to an open, empty file that can be read as well; errors name it by `path`.
    pub fn new(file: File, path: impl Into<PathBuf>) -> Self {
        FileSink { file, path: path.into() }
    }

    /// The bytes that were written, mapped. Nothing else may write or cut the file while they are used.
    ///
    /// # Errors
    /// `io`.
    pub fn into_bytes(self) -> Result<FileBytes, Error> {
        let map = map_all(&self.file).map_err(|source| io_error(&self.path, source))?;
        Ok(FileBytes { map, _file: self.file })
    }
}

impl Sink for FileSink {
    fn begin(&mut self, _length: u64) -> Result<(), Error> {
        self.file.rewind().map_err(|source| io_error(&self.path, source))
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).map_err(|source| io_error(&self.path, source))
    }
}

/// The bytes of a file that [`FileSink`] wrote.
#[derive(Debug)]
pub struct FileBytes {
    map: memmap2::Mmap,
    /// A file without a name is there while it is open.
    _file: File,
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}
