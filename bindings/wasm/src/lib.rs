//! pagevec for JS: each export translates its arguments and calls the core once. `pkg/src` is the API people use.

#[cfg(feature = "build")]
mod build;
#[cfg(feature = "collection")]
mod collection;
mod convert;
#[cfg(any(feature = "filter", feature = "collection"))]
mod facets;
#[cfg(feature = "build")]
mod files;
#[cfg(feature = "filter")]
mod filter;
#[cfg(feature = "filter")]
mod memory;
#[cfg(any(feature = "build", feature = "collection"))]
mod pieces;
#[cfg(feature = "search")]
mod reader;
#[cfg(feature = "search")]
mod request;
#[cfg(feature = "search")]
mod results;
#[cfg(feature = "search")]
mod rows;

#[cfg(feature = "build")]
pub use build::{BuildOptionsJs, PlanOptionsJs, build, build_into, index_segment, plan};
#[cfg(feature = "collection")]
pub use collection::{CollectionJs, SegmentRowsJs, merge};
#[cfg(feature = "build")]
pub use files::{ContentId, append_stored, build_stored, dead_rows, largest_id, verify_segment};
#[cfg(feature = "search")]
pub use reader::{Reader, front_length};
