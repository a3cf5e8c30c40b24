//! A file mapped into memory.

use std::path::Path;

use super::file::open_regular;
use crate::error::Error;

/// A read-only mapping. Truncating the file under it is a SIGBUS: for files that others may truncate, use pread.
#[derive(Debug)]
pub(crate) struct Mapped(memmap2::Mmap);

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.display().to_string(), source };
        let (file, _) = open_regular(path)?;
        // SAFETY: segments are immutable and published under a name made of their content; whoever maps one promises
        // not to truncate or rewrite it meanwhile, as `Io::Mmap` says. Reads are bounds-checked slices of the mapping.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        Ok(Mapped(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
