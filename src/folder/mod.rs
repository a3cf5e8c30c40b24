//! Index folders on a native file system: publish one, open one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`, which names the segment by the hash of its content |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish/` | write a segment and its manifest; list and remove earlier segments |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `clustered` | `ClusteredIndex`: vectors in memory, later in a mapped file |
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
