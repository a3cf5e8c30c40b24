//! pagevec: a vector index in immutable segment files that are mapped natively and streamed through `fetch` in wasm.
//!
//! * [`build()`] turns rows of f32 into the bytes of one segment. [`build_into`] reads rows in blocks from a
//!   [`RowSource`] and hands the file to a [`Sink`] piece by piece, so that neither need be in memory.
//! * [`append_into`] builds a segment whose rows are encoded as those of an index are; [`merge_into`] makes one segment
//!   of several, and copies their codes.
//! * [`Index`] searches a segment in memory, or one that it reads piece by piece ([`Index::from_reader`]). With the
//!   feature `native` (default) it also opens a folder or a file by mmap or pread, and `publish` writes a folder.
//! * [`Session`] answers searches over a [`Segment`] whose bytes the caller fetches: [`Session::step`] names the extents
//!   it needs, the caller delivers them, and steps again.
//! * [`PositionSet`] is a set of rows of a segment, and its bytes; natively also as a Roaring bitmap.
//!
//! Without default features there are no threads and no files, a build makes no clusters and trains no pq unless the feature
//! `clusters` is on, and a search takes no filter unless `filters` is: in WebAssembly each part counts.
//!
//! ```
//! use pagevec::{BuildOptions, Ctx, Id, Index, Metric, SearchOptions};
//!
//! let rows = vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0];
//! let file = pagevec::build(rows, 2, None, &BuildOptions::new(Metric::Cosine), &Ctx::default())?;
//! let index = Index::from_bytes(&file)?;
//! let answer = index.search(&[0.9, 0.1], &SearchOptions::new(1))?;
//! assert_eq!(answer.hits[0].id, Id::Number(0));
//! # Ok::<(), pagevec::Error>(())
//! ```

#[macro_use]
mod setters;

// The simulated disk of the tests names the crate by its name.
#[cfg(test)]
extern crate self as pagevec;

pub mod kernels;
pub mod plan;

mod budget;
mod build;
mod collection;
mod ctx;
mod error;
mod exec;
mod features;
mod hash;
mod id;
mod index;
mod memory;
mod metric;
mod pressure;

mod payload;
mod quant;
mod row_set;
mod rows;
mod search;
mod segment;
mod session;
mod sort;
mod storage;
mod topk;
mod trace;
mod vectors;

#[cfg(feature = "native")]
mod folder;
#[cfg(feature = "native")]
mod roaring;

pub use budget::{Ledger, Memory, Part, PartMemory};
pub use build::{BuildOptions, FieldSource, Fields, build, build_into};
pub use collection::{
    Collection, CollectionInfo, CollectionOptions, CollectionStats, Durability, FlushAt, IndexRows, MergeJob,
    NewRow, Repaired, Request, RowCounts, SegmentCounts, Snapshot, Updated, WalInfo, Written, run_merge,
    wal_info,
};
pub use ctx::{Ctx, Progress, Warning};
pub use error::{Error, QueryFault};
pub use id::{Id, Ids};
pub use index::{Index, Io, MissingSegment, OpenOptions, SegmentFacts, append_into, merge_into};
pub use metric::Metric;
pub use payload::{FieldType, Filter, Operand, Schema};
pub use pressure::{
    Action, Alert, Budget, Contents, HeldBytes, Leak, Level, Machine, MemoryEvent, MemoryManager,
    MemoryMetrics, MemoryTracker, Tracked,
};
pub use quant::CodecKind;
pub use rows::{BuildInput, Numbers, RowSource, StoredRows};
pub use search::{
    Answer, FieldValue, Hit, IndexChoice, Operation, Outcome, QueryStats, RowPage, RowPlace, RowsQuery,
    SearchOptions, SegmentStats, StoredRow, ValueCounts,
};
pub use segment::{
    CurveStep, FieldInfo, HEAD, Info, PositionSet, SectionInfo, Segment, content_id, front_length,
};
pub use session::{Session, SessionOptions, SessionStats, Stepped, Ticket};
pub use storage::{
    Access, Asked, Dir, DirEntry, DirFile, DirLock, Extent, Held, MemoryDir, Publication, PublishedFile,
    ReadAt, Sink, SlotRoom, Source,
};

#[cfg(feature = "native")]
pub use exec::with_threads;
#[cfg(feature = "native")]
pub use folder::{
    Appended, ClusteredIndex, FolderInfo, Form, OldSegment, PartsInfo, PublishOptions, PublishedSegment,
    append, append_in, folder_info, is_published_name, next_number, old_segments, prune, prune_in,
    publication, publish, publish_in,
};
#[cfg(feature = "native")]
pub use storage::{FileBytes, FileSink, FsDir, PositionedFile};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/collections.md")]
struct Collections;

#[cfg(doctest)]
#[doc = include_str!("../docs/filters.md")]
struct Filters;
