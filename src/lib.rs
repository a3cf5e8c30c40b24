//! pagevec: a vector index in immutable segment files that are mapped natively and streamed through `fetch` in wasm.
//!
//! * [`build`] turns rows of f32 into the bytes of one segment.
//! * [`Segment`] reads a segment's front; [`Session`] answers searches over a source of which only some bytes are
//!   here: [`Session::step`] names the extents it needs, the caller delivers them, and steps again.
//! * [`Index`] searches a segment that is here as a whole; with the feature `native` (default) it also opens a folder
//!   or a file by mmap or pread, and `publish` writes one.
//!
//! ```
//! use pagevec::{BuildOptions, Ctx, Metric};
//!
//! let rows = vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0];
//! let options = BuildOptions { metric: Metric::Cosine, ..Default::default() };
//! let file = pagevec::build(rows, 2, None, &options, &Ctx::default())?;
//! let index = pagevec::Index::from_bytes(&file)?;
//! let answer = index.search(&[0.9, 0.1], &pagevec::SearchOptions { k: 1, ..Default::default() })?;
//! assert_eq!(answer.hits[0].id, pagevec::Id::Number(0));
//! # Ok::<(), pagevec::Error>(())
//! ```

pub mod kernels;

mod build;
mod ctx;
mod error;
mod exec;
mod hash;
mod id;
mod index;
mod metric;
mod quant;
mod search;
mod segment;
mod session;
mod storage;
mod topk;
mod vectors;

#[cfg(feature = "native")]
mod folder;

pub use build::{BuildOptions, build, build_tuned};
pub use ctx::{Ctx, Progress, Warning};
pub use error::{Error, QueryFault};
pub use id::{Id, Ids};
pub use index::Index;
pub use metric::Metric;
pub use quant::CodecKind;
pub use search::{Answer, Hit, IndexChoice, Operation, Outcome, QueryStats, SearchOptions};
pub use segment::{CurveStep, HEAD, Info, SectionInfo, Segment, content_id, front_length};
pub use session::{Session, SessionStats, Stepped, Ticket};
pub use storage::{Extent, ReadAt, Source};

#[cfg(feature = "native")]
pub use exec::with_threads;
#[cfg(feature = "native")]
pub use folder::{
    ClusteredIndex, Form, Io, OldSegment, OpenOptions, PartsInfo, old_segments, parts, prune, publish,
    publish_as,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
