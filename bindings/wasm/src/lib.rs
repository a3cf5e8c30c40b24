//! pagevec for JS: each export translates its arguments and calls the core once. `pkg/src` is the API people use.

#[cfg(feature = "build")]
mod build;
mod convert;
#[cfg(feature = "build")]
mod files;
#[cfg(feature = "search")]
mod reader;
#[cfg(feature = "search")]
mod request;
#[cfg(feature = "search")]
mod results;

#[cfg(feature = "build")]
pub use build::{BuildOptionsJs, build, build_into};
#[cfg(feature = "build")]
pub use files::{ContentId, append_stored, build_stored, dead_rows, largest_id, verify_segment};
#[cfg(feature = "search")]
pub use reader::{Reader, front_length};
