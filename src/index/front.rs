//! Opens a segment by reading only the front of its file.

use crate::error::Error;
use crate::segment::{Fill, HEAD, Segment, front_length};
use crate::storage::Extent;

/// Opens the segment in a file. Only its front is read.
pub(crate) fn open_segment(read: &mut Fill<'_>, length: u64) -> Result<Segment, Error> {
    let mut first = |length: u64| -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        resize(&mut bytes, length)?;
        read(Extent { offset: 0, length }, &mut bytes)?;
        Ok(bytes)
    };
    let head = first(length.min(HEAD))?;
    Segment::open(&first(front_length(&head, length)?)?, length)
}

/// Makes `bytes` `length` long, or returns an error.
pub(super) fn resize(bytes: &mut Vec<u8>, length: u64) -> Result<(), Error> {
    let memory = |_| Error::OutOfMemory { bytes: length };
    let size = usize::try_from(length).map_err(|_| Error::OutOfMemory { bytes: length })?;
    bytes.try_reserve_exact(size.saturating_sub(bytes.len())).map_err(memory)?;
    bytes.resize(size, 0);
    Ok(())
}
