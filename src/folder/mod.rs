//! Index folders on a native file system: publish one, open one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`, which names the segment by the hash of its content |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish/` | write a segment and its manifest; list and remove earlier segments |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `clustered` | `ClusteredIndex`: vectors in memory, later in a mapped file |
//! | `wait`     | asks a `Dir` until it answers |
//!
//! Imports: `publish` and `open` → `manifest` → `parts` → `wait`. Files are written by `storage/dir/` alone.

mod clustered;
mod manifest;
mod open;
mod parts;
mod publish;
mod wait;

pub use clustered::ClusteredIndex;
pub use manifest::{Form, PartsInfo, parts};
pub use publish::{
    OldSegment, PublishOptions, is_published_name, old_segments, prune, prune_in, publication, publish,
    publish_in,
};
