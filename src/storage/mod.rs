//! Bytes and where they are. Door 3: the only place that knows files and mappings.
//!
//! | file | duty |
//! |---|---|
//! | `buffer` | 64-byte-aligned bytes, allocated fallibly |
//! | `paged`, `slots` | a budgeted arena over a file that is elsewhere: whole sections, and slots of units |
//! | `checksum` | XXH3 seeded by file and place |
//! | `mmap`, `file` | native: the file mapped, or read by position |
//! | `held` | native: the file mapped, and some of its sections in memory |
//! | `resident` | native: the file read into memory, in huge pages |
//!
//! Everything above reads through [`Source::get`]: the bytes of an extent if they are here, else nothing; a search
//! then names the extent in its `Need` and is stepped again once somebody has delivered it.

mod buffer;
pub(crate) mod checksum;
mod paged;
mod slots;

#[cfg(feature = "native")]
mod file;
#[cfg(feature = "native")]
mod held;
#[cfg(feature = "native")]
mod mmap;
#[cfg(feature = "native")]
mod resident;

/// Hints about memory, which an operating system may ignore: so may we ignore that it did.
#[cfg(all(feature = "native", unix))]
mod advice {
    pub(super) fn random(map: &memmap2::Mmap) {
        let _ = map.advise(memmap2::Advice::Random);
    }

    pub(super) fn will_need(map: &memmap2::Mmap, offset: usize, length: usize) {
        let _ = map.advise_range(memmap2::Advice::WillNeed, offset, length);
    }

    pub(super) fn huge_pages(map: &memmap2::MmapMut) {
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        #[cfg(not(target_os = "linux"))]
        let _ = map;
    }
}

#[cfg(all(feature = "native", not(unix)))]
mod advice {
    pub(super) fn random(_map: &memmap2::Mmap) {}

    pub(super) fn will_need(_map: &memmap2::Mmap, _offset: usize, _length: usize) {}

    pub(super) fn huge_pages(_map: &memmap2::MmapMut) {}
}

pub(crate) use buffer::Buffer;
pub(crate) use paged::{Paged, Region, Reserved};

#[cfg(feature = "native")]
pub(crate) use file::PositionedFile;
#[cfg(feature = "native")]
pub(crate) use held::Held;
#[cfg(feature = "native")]
pub(crate) use mmap::Mapped;
#[cfg(feature = "native")]
pub(crate) use resident::Resident;

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

/// An extent to be read, and what its bytes must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) extent: Extent,
    pub(crate) sum: Sum,
}

/// What tells whether bytes are those that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// The sums of the section's blocks.
    Blocks,
    /// The sum of the row at this position.
    Row {
        /// In the segment.
        position: u32,
        /// See [`checksum::row_sum`].
        sum: u32,
    },
    /// One sum for the whole extent.
    Unit(u64),
}

/// Bytes of one file, all or some of them here.
pub trait Source {
    /// The bytes of `extent` if all are here. The slice starts at a 64-byte boundary of memory whenever the extent is
    /// a whole section.
    fn get(&self, extent: Extent) -> Option<&[u8]>;

    /// Whether all of `section` can be here at once.
    fn holds(&self, section: Extent) -> bool;

    /// How many units (rows, lists, chunks) of `section` can be here at once, and how long one may be.
    fn room(&self, section: Extent) -> (usize, u64);

    /// Bytes that may as well be read along if that saves a wave later; [`u64::MAX`] where reads cost nothing.
    fn spare(&self) -> u64 {
        0
    }

    /// Says what will be read next, so that what lies on a disk can be on its way all at once. A hint.
    fn prefetch(&self, _extents: &mut dyn Iterator<Item = Extent>) {}
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

    /// Told what a wave will read, so that all of it can be on its way at once. A hint.
    fn prefetch(&mut self, _extents: &[Extent]) {}
}

/// A file that is here as a whole.
#[derive(Debug)]
pub(crate) struct Whole<B>(pub(crate) B);

impl<B: AsRef<[u8]>> Source for Whole<B> {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        slice(self.0.as_ref(), extent)
    }

    fn holds(&self, _section: Extent) -> bool {
        true
    }

    fn room(&self, section: Extent) -> (usize, u64) {
        (usize::MAX, section.length)
    }
}

/// The bytes of `extent` in a file that is all of `bytes`.
fn slice(bytes: &[u8], extent: Extent) -> Option<&[u8]> {
    let start = usize::try_from(extent.offset).ok()?;
    let length = usize::try_from(extent.length).ok()?;
    bytes.get(start..start.checked_add(length)?)
}
