//! Folders of segments, natively: open one, publish one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`: which segment files there are, by the hash of their content |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish/` | write a segment and its manifest; list and remove earlier segments |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `clustered` | vectors in memory, then in a mapped file, behind one small set of calls |
//!
//! Imports: `publish` and `open` → `manifest` → `parts`; `clustered` → `publish::steps`.

mod clustered;
mod manifest;
mod open;
mod parts;
mod publish;

pub use clustered::ClusteredIndex;
pub use manifest::{Form, PartsInfo, parts};
pub use publish::{OldSegment, PublishOptions, old_segments, prune, publish};
