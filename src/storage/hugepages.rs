//! A file read into memory, in huge pages if the system has them. A walk over a graph touches a page a step; with small
//! pages most of these steps also wait for the page tables.

use super::{Extent, ReadAt, advice};
use crate::error::Error;

/// The bytes of a whole file.
#[derive(Debug)]
pub(crate) struct HugePageBytes {
    map: memmap2::Mmap,
    /// A mapping cannot be empty, a file can.
    length: usize,
}

impl HugePageBytes {
    /// Reads the file. Fails, instead of aborting, if there is not enough memory. Pages take memory when they are
    /// written, so that parts which are not there cost nothing, whatever length a manifest gives them.
    pub(crate) fn read(file: &dyn ReadAt) -> Result<Self, Error> {
        let whole = Extent { offset: 0, length: file.length() };
        let memory = |_| Error::OutOfMemory { bytes: whole.length };
        let size = usize::try_from(whole.length).map_err(|_| Error::OutOfMemory { bytes: whole.length })?;
        let mut map = memmap2::MmapMut::map_anon(size.max(1)).map_err(memory)?;
        advice::huge_pages(&map);
        if let Some(bytes) = map.get_mut(..size) {
            file.read(whole, bytes)?;
        }
        Ok(HugePageBytes { map: map.make_read_only().map_err(memory)?, length: size })
    }
}

impl AsRef<[u8]> for HugePageBytes {
    fn as_ref(&self) -> &[u8] {
        self.map.get(..self.length).unwrap_or_default()
    }
}
