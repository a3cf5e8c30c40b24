//! What an arena tells of what it holds.

use super::Extent;

/// Something that an arena holds, and where in this process's memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// What follows is of a region: that of a section, in the addresses of [`Session::segments`](crate::Session::segments), or of the
    /// same section of several segments. It holds at most so many bytes.
    Region {
        /// The first of them.
        section: Extent,
        /// Bytes.
        most: u64,
    },
    /// A piece of memory that is allocated for the region.
    Memory {
        /// Of its first byte.
        address: usize,
        /// In bytes.
        length: usize,
    },
    /// A unit of the region that is here.
    Unit {
        /// Where it is in the files.
        extent: Extent,
        /// Where it is in memory.
        address: usize,
        /// Whether it is in a slot and was read since that was last asked.
        touched: bool,
    },
}
