//! Bytes and where they are. Door 3: the only place that knows files and mappings.
//!
//! | file | duty |
//! |---|---|
//! | `buffer` | 64-byte-aligned bytes, allocated fallibly |
//! | `paged`  | a budgeted arena over a file that is elsewhere: whole sections, and slots of equal units |
//! | `checksum` | XXH3 seeded by file and place |
//! | `mmap`, `file` | native: the file mapped, or read by position |
//!
//! Everything above reads through [`Source::get`]: the bytes of an extent if they are here, else nothing; a search
//! then names the extent in its `Need` and is stepped again once somebody has delivered it.

mod buffer;
pub(crate) mod checksum;
mod paged;

#[cfg(feature = "native")]
mod file;
#[cfg(feature = "native")]
mod mmap;

pub(crate) use buffer::Buffer;
pub(crate) use paged::{Paged, Region, Reserved};

#[cfg(feature = "native")]
pub(crate) use file::PositionedFile;
#[cfg(feature = "native")]
pub(crate) use mmap::Mapped;

/// A run of bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extent {
    /// From the start of the file.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
}

impl Extent {
    /// One past the last byte. Never wraps: an extent lies inside a file whose length fits u64 with room to spare.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }

    pub(crate) fn contains(self, other: Extent) -> bool {
        self.offset <= other.offset && other.end() <= self.end()
    }
}

/// Bytes of one file, all or some of them here.
pub trait Source {
    /// The bytes of `extent` if all are here. The slice starts at a 64-byte boundary of memory whenever the extent is
    /// a whole section.
    fn get(&self, extent: Extent) -> Option<&[u8]>;

    /// How many bytes of the section `extent` can be here at once, in whole units of what is read of it.
    fn room(&self, section: Extent) -> u64;
}

/// A file that is read piece by piece.
pub trait ReadAt: Send {
    /// In bytes.
    fn length(&self) -> u64;

    /// Fills `into`, which is as long as `extent`.
    ///
    /// # Errors
    /// `io`, when it cannot fill all of it.
    fn read(&mut self, extent: Extent, into: &mut [u8]) -> Result<(), crate::Error>;
}

/// A file that is here as a whole.
#[derive(Debug)]
pub(crate) struct Whole<B>(pub(crate) B);

impl<B: AsRef<[u8]>> Source for Whole<B> {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        let start = usize::try_from(extent.offset).ok()?;
        let length = usize::try_from(extent.length).ok()?;
        self.0.as_ref().get(start..start.checked_add(length)?)
    }

    fn room(&self, section: Extent) -> u64 {
        section.length
    }
}
