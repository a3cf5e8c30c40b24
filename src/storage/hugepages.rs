//! A file read into memory, in huge pages if the system has them. A walk over a graph touches a page a step; with small
//! pages most of these steps also wait for the page tables.

use std::io::Read;
use std::path::Path;

use super::{advice, io_error, open_regular};
use crate::error::Error;

/// The bytes of a whole file.
#[derive(Debug)]
pub(crate) struct HugePageBytes {
    map: memmap2::Mmap,
    /// A mapping cannot be empty, a file can.
    length: usize,
}

impl HugePageBytes {
    /// Reads the file. Fails, instead of aborting, if there is not enough memory.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let io = |source| io_error(path, source);
        let (mut file, length) = open_regular(path)?;
        let memory = |_| Error::OutOfMemory { bytes: length };
        let size = usize::try_from(length).map_err(|_| Error::OutOfMemory { bytes: length })?;
        let mut map = memmap2::MmapMut::map_anon(size.max(1)).map_err(memory)?;
        advice::huge_pages(&map);
        if let Some(bytes) = map.get_mut(..size) {
            file.read_exact(bytes).map_err(io)?;
        }
        Ok(HugePageBytes { map: map.make_read_only().map_err(io)?, length: size })
    }
}

impl AsRef<[u8]> for HugePageBytes {
    fn as_ref(&self) -> &[u8] {
        self.map.get(..self.length).unwrap_or_default()
    }
}
