//! The options with which an index is opened.

use crate::search::IndexChoice;

/// How the file of an index is read, where the index is opened by path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Io {
    /// The file is mapped: it opens at once. It must not be truncated or rewritten while it is open (a published
    /// segment never is), since the operating system answers a read beyond its end with SIGBUS.
    #[default]
    Mmap,
    /// The file, or its parts if there is no file, is read into memory and compared with its checksums when it is opened, in huge pages where Linux has
    /// them (`transparent_hugepage` is `madvise` or `always`). Searches by the graph are fastest so. It takes the
    /// file's bytes of memory, for each process its own.
    Memory,
    /// The file is read by position into at most `memory_budget` bytes: for files that others may truncate, and for
    /// indexes that are larger than memory.
    Pread,
    /// As [`Io::Pread`], from the part files of a folder that was published in parts; segments without parts are read
    /// from their file. Parts cannot be mapped, so a folder in which a segment has nothing else is read this way instead
    /// of by [`Io::Mmap`].
    Parts,
}

/// How to open an index.
///
/// ```
/// use pagevec::{IndexChoice, Io, OpenOptions};
/// let options = OpenOptions::new().io(Io::Pread).memory_budget(64 << 20).index(IndexChoice::Hnsw);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// See [`Io`]. A reader that is given instead of a path is read as [`Io::Pread`] reads a file.
    pub io: Io,
    /// Bytes of the file that are held at most under [`Io::Pread`] and [`Io::Parts`]. The searches under way hold the
    /// bytes of one wave of reads each in addition: all together at most a quarter of the budget or 1 MiB, whichever is
    /// more; a single larger wave is read alone.
    pub memory_budget: u64,
    /// The index for whose searches the memory is divided. With [`IndexChoice::Hnsw`] codes and graph come before all
    /// else, and a graph that does not fit can be searched node by node; other searches still work.
    pub index: IndexChoice,
    /// Whether an index is opened without those of its segments that are damaged or are not there. They are told by
    /// [`Index::missing`](crate::Index::missing). It is an error if none is left.
    pub degraded: bool,
}

setters!(OpenOptions { io: Io, memory_budget: u64, index: IndexChoice, degraded: bool });

impl OpenOptions {
    /// A mapped file, or a budget of 1 GiB where the file is not mapped.
    pub fn new() -> Self {
        OpenOptions { io: Io::Mmap, memory_budget: 1 << 30, index: IndexChoice::Auto, degraded: false }
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions::new()
    }
}
