//! A file read once, from its first byte to its last, in bounded memory, for a complete check.

use super::format::header_bytes;
use super::reader::Segment;
use crate::error::Error;
use crate::storage::{Buffer, Expected, Extent, Read};

/// Bytes read at once; more if a checksum block or a wanted extent is longer.
const CHUNK: u64 = 1 << 20;

/// Fills a slice, as long as the extent, from the file.
pub(crate) type Fill<'a> = dyn FnMut(Extent, &mut [u8]) -> Result<(), Error> + 'a;

/// A window that moves over the file. All bytes that enter it are compared with the checksums of their section; between
/// sections they must be zero. All are hashed into the content id.
pub(super) struct Stream<'a> {
    segment: &'a Segment,
    read: &'a mut Fill<'a>,
    window: Vec<u8>,
    /// The offset of the window's first byte.
    start: u64,
    /// The hash for the content id, if it is wanted.
    hasher: Option<blake3::Hasher>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(segment: &'a Segment, read: &'a mut Fill<'a>, content_id: bool) -> Self {
        let hasher = content_id.then(blake3::Hasher::new);
        Stream { segment, read, window: Vec::new(), start: 0, hasher }
    }

    /// The bytes of `extent`. No later call may ask for bytes before it.
    pub(super) fn get(&mut self, extent: Extent) -> Result<&[u8], Error> {
        while self.end() < extent.end() {
            let gone = (extent.offset.saturating_sub(self.start) as usize).min(self.window.len());
            self.window.drain(..gone);
            self.start += gone as u64;
            self.advance()?;
        }
        let from = extent.offset.checked_sub(self.start).map_or(usize::MAX, |from| from as usize);
        let to = from.saturating_add(extent.length as usize);
        self.window.get(from..to).ok_or(Error::Length {
            section: "file",
            expected: extent.end(),
            got: self.end(),
        })
    }

    /// A copy of `extent`, with which later sections are compared.
    pub(super) fn keep(&mut self, extent: Extent) -> Result<Buffer, Error> {
        let mut kept = Buffer::zeroed(extent.length)?;
        let mut at = extent.offset;
        for piece in kept.as_mut().chunks_mut(CHUNK as usize) {
            let length = piece.len() as u64;
            piece.copy_from_slice(self.get(Extent { offset: at, length })?);
            at += length;
        }
        Ok(kept)
    }

    /// Reads up to `end`.
    pub(super) fn pass(&mut self, end: u64) -> Result<(), Error> {
        while self.end() < end {
            self.start = self.end();
            self.window.clear();
            self.advance()?;
        }
        Ok(())
    }

    /// Reads the rest; the content id, in hex, if it was wanted.
    pub(super) fn finish(mut self) -> Result<Option<String>, Error> {
        self.pass(self.segment.header.file_length)?;
        Ok(self.hasher.map(|hasher| hasher.finalize().to_hex().to_string()))
    }

    fn end(&self) -> u64 {
        self.start + self.window.len() as u64
    }

    /// Reads the next blocks of a section, or the bytes before the next section.
    fn advance(&mut self) -> Result<(), Error> {
        let (header, at) = (&self.segment.header, self.end());
        let next = header.sections.iter().find(|s| s.extent.end() > at);
        let inside = next.filter(|s| s.extent.offset <= at);
        let end = match (inside, next) {
            (Some(section), _) => {
                let blocks = (CHUNK / section.block_size).max(1).saturating_mul(section.block_size);
                section.extent.end().min(at.saturating_add(blocks))
            }
            (None, next) => next.map_or(header.file_length, |s| s.extent.offset).min(at + CHUNK),
        };
        let extent = Extent { offset: at, length: end - at };
        if extent.length == 0 {
            return Err(Error::Length { section: "file", expected: at + 1, got: header.file_length });
        }
        let held = self.window.len();
        let memory = |_| Error::OutOfMemory { bytes: extent.length };
        self.window.try_reserve(extent.length as usize).map_err(memory)?;
        self.window.resize(held + extent.length as usize, 0);
        let new = self.window.get_mut(held..).unwrap_or_default();
        (self.read)(extent, new)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(new);
        }
        match inside {
            Some(_) => self.segment.check(Read { extent, expected: Expected::Blocks }, new),
            None => zero(new, at, header_bytes(header.sections.len()) as u64),
        }
    }
}

/// Bytes between sections must be zero, so that every bit of a file is checked.
fn zero(bytes: &[u8], at: u64, header: u64) -> Result<(), Error> {
    let padding = bytes.get(header.saturating_sub(at) as usize..).unwrap_or_default();
    match padding.iter().all(|&byte| byte == 0) {
        true => Ok(()),
        false => Err(Error::corrupt("padding", format!("bytes between sections at {at} are not zero"))),
    }
}
