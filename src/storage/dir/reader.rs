//! A file of a [`Dir`](super::Dir) that is read piece by piece.

use super::DirFile;
use crate::error::Error;
use crate::storage::{Extent, ReadAt};

/// An open file, whose length does not change any more.
pub(crate) struct DirReader {
    file: Box<dyn DirFile>,
    length: u64,
}

impl DirReader {
    /// # Errors
    /// Those of the file, whose length is asked for once.
    pub(crate) fn new(file: Box<dyn DirFile>) -> Result<Self, Error> {
        let length = file.length()?;
        Ok(DirReader { file, length })
    }
}

impl ReadAt for DirReader {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        self.file.read_at(into, extent.offset)
    }
}
