//! Where the bytes of a file are, and how they are read. This is the only room that maps a file or reads it by
//! position. `dir/` creates, writes and replaces files; `Index::verify` reads one as a whole.
//!
//! | file | duty |
//! |---|---|
//! | `buffer` | 64-byte-aligned bytes, allocated fallibly |
//! | `in_memory` | a whole file in memory |
//! | `paged` | an arena that holds a part of a file under a budget; `blocks`: whole sections; `slots`: units of one, in `chunks` |
//! | `held` | what an arena tells of what it holds |
//! | `checksum` | XXH3, seeded by file and offset |
//! | `sink` | where the bytes of a file go while it is written |
//! | `mmap`, `file` | native: the file mapped, or read by position |
//! | `pinned_mmap` | native: the file mapped, with copies of some sections in memory |
//! | `resident` | native: which pages of a mapping are in memory |
//! | `hugepages` | native: the file read into memory, in huge pages |
//! | `dir/` | where files are written: in the file system, or in memory |
//!
//! All rooms above read by [`Source::get`]. It returns the bytes of an extent if they are available now. If not, a
//! search names the extent in its `Need`, and is stepped again when it was delivered.

mod blocks;
mod buffer;
pub(crate) mod checksum;
mod chunks;
mod dir;
mod held;
mod in_memory;
mod paged;
mod sink;
mod slots;

#[cfg(feature = "native")]
mod file;
#[cfg(feature = "native")]
mod hugepages;
#[cfg(feature = "native")]
mod mmap;
#[cfg(feature = "native")]
mod pinned_mmap;
#[cfg(feature = "native")]
mod resident;

/// Hints about memory. An operating system may ignore them, so their errors are ignored too.
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

/// Reads by position: from any number of threads at once, since none moves a cursor.
#[cfg(all(feature = "native", unix))]
pub(crate) fn read_exact_at(file: &std::fs::File, into: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

/// Reads by position: from any number of threads at once, since each call names its place.
#[cfg(all(feature = "native", windows))]
pub(crate) fn read_exact_at(file: &std::fs::File, into: &mut [u8], offset: u64) -> std::io::Result<()> {
    let (mut rest, mut at) = (into, offset);
    while !rest.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, rest, at) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                rest = rest.split_at_mut(read).1;
                at += read as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// The error of an operation on a file.
pub(crate) fn io_error(path: &std::path::Path, source: std::io::Error) -> crate::Error {
    crate::Error::Io { path: path.display().to_string(), source }
}

/// Opens a regular file, and returns its length. The kind of file is checked before it is opened: to open a pipe would
/// wait for a writer.
#[cfg(feature = "native")]
fn open_regular(path: &std::path::Path) -> Result<(std::fs::File, u64), crate::Error> {
    let io = |source| io_error(path, source);
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(crate::Error::NotASegment { detail: format!("{} is no regular file", path.display()) });
    }
    Ok((std::fs::File::open(path).map_err(io)?, metadata.len()))
}

/// Whether a folder can be opened and synced. On Windows it cannot, and a name lasts without.
#[cfg(feature = "native")]
const FOLDERS_ARE_SYNCED: bool = cfg!(not(windows));

/// Whether a graph that does not fit can be walked node by node: not in a page, where each hop is a round trip.
pub(crate) const WALKS_FROM_DISK: bool = cfg!(feature = "native");

pub(crate) use buffer::Buffer;
pub(crate) use dir::DirReader;
#[cfg(feature = "native")]
pub use dir::FsDir;
pub(crate) use dir::is_missing;
pub use dir::{Access, Asked, Dir, DirEntry, DirFile, DirLock, MemoryDir, Publication, PublishedFile};
pub use held::Held;
pub(crate) use in_memory::InMemory;
pub(crate) use paged::{Paged, Region, Reserved};
pub use sink::Sink;
pub(crate) use slots::places_of_slots;

#[cfg(feature = "native")]
pub use file::{FileBytes, FileSink, PositionedFile};
#[cfg(feature = "native")]
pub(crate) use hugepages::HugePageBytes;
#[cfg(feature = "native")]
pub(crate) use mmap::Mapped;
#[cfg(feature = "native")]
pub(crate) use pinned_mmap::PinnedMmap;

/// A range of bytes of one file.
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

/// An extent to read, and what its bytes are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) extent: Extent,
    pub(crate) expected: Expected,
}

/// Sorts reads by extent; those of one extent are in any order.
#[inline(never)]
pub(crate) fn in_order(reads: &mut [Read]) {
    crate::sort::by_key(reads, |read| read.extent);
}

/// Sorts reads by extent, and leaves each extent once.
#[inline(never)]
pub(crate) fn each_once(reads: &mut Vec<Read>) {
    in_order(reads);
    reads.dedup_by_key(|read| read.extent);
}

/// What bytes are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The checksums of the section's blocks, which the segment has.
    Blocks,
    /// The checksum of the row at this position.
    Row {
        /// In the segment.
        position: u32,
        /// See [`checksum::row_checksum`].
        checksum: u32,
    },
    /// One checksum for the whole extent, which is `at` bytes into its section.
    Unit {
        /// Of the file and the section.
        seed: u64,
        /// See [`checksum::sum_at`].
        at: u64,
        /// All 64 bits.
        checksum: u64,
    },
    /// As [`Expected::Unit`], but the low 32 bits of the checksum.
    Short { seed: u64, at: u64, checksum: u32 },
    /// Two checksums, for the first bytes of the extent and for the rest: the low 32 bits of each.
    Halves {
        /// Of the file and the section.
        seed: u64,
        /// Where the first byte is in its section.
        at: u64,
        /// How many bytes are the first.
        first: u32,
        /// One each.
        checksums: [u32; 2],
    },
}

/// How many units of a section fit at once, and how long one may be. A unit is what is read and kept together: a row, a
/// list, a chunk of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRoom {
    /// Units.
    pub count: usize,
    /// Bytes of the longest.
    pub bytes: u64,
}

/// The bytes of one file, of which only some may be available now.
pub trait Source {
    /// The bytes of `extent`, if all are available. The slice starts at a 64-byte boundary of memory whenever the
    /// extent is a whole section.
    fn get(&self, extent: Extent) -> Option<&[u8]>;

    /// Whether the whole of `section` fits in memory at once.
    fn fits(&self, section: Extent) -> bool;

    /// How much of `section` fits where it is read unit by unit.
    fn slots(&self, section: Extent) -> SlotRoom;

    /// Bytes that a search may read in excess to save a later wave; `u64::MAX` where reading costs nothing.
    fn speculative_bytes(&self) -> u64 {
        0
    }

    /// How many bytes of the file the machine's memory can hold at once. A larger file is read from the disk again and
    /// again.
    fn memory(&self) -> u64 {
        u64::MAX
    }

    /// Bytes of this process's memory that it has allocated for the file, if the file is here as a whole.
    fn allocated(&self) -> u64 {
        0
    }

    /// How many bytes of `extent` are in memory; of a mapped file those whose pages this process has.
    fn resident(&self, extent: Extent) -> u64 {
        self.get(extent).map_or(0, |bytes| bytes.len() as u64)
    }

    /// Gives back the memory of what can be had from the file again. A hint.
    fn evict(&self) {}

    /// Announces the extents that are read next, so that a disk can read all of them at once. A hint.
    fn prefetch(&self, _extents: &mut dyn Iterator<Item = Extent>) {}

    /// As [`Source::prefetch`], for records of equal length, of which `first` is the first. Returns whether some of
    /// them had not been announced before. If none had, the records of a walk's next steps are probably available as
    /// well.
    fn prefetch_records(&self, _first: Extent, _at: &[u32]) -> bool {
        false
    }
}

/// A file that is read piece by piece, by any number of searches at once.
///
/// A search reads while it holds no lock. A read must end by itself: one that waits for another search, or for a task
/// of the rayon pool that the search runs in, may wait for ever.
pub trait ReadAt: Send + Sync {
    /// In bytes.
    fn length(&self) -> u64;

    /// Fills `into`, which is as long as `extent`.
    ///
    /// # Errors
    /// `io`, when it cannot fill all of it.
    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), crate::Error>;

    /// Announces the extents that a wave reads, so that all can be read at once. A hint.
    fn prefetch(&self, _extents: &[Extent]) {}
}
