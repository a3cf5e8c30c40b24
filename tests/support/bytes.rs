//! A file whose bytes are in memory, as a reader that copies what it is asked for.

use pagevec::{Error, Extent, ReadAt};

pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl ReadAt for Bytes {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
        Ok(())
    }
}
