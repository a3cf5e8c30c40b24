//! Index folders on a native file system: publish one, open one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest/` | `index.json`, which names the segments by the hashes of their content; their dead rows |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish/` | publish or append a segment; list and remove earlier segments |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `collection` | opens a collection, which maintains itself |
//! | `process_lock/` | which process writes a collection |
//! | `clustered` | `ClusteredIndex`: vectors in memory, later in a mapped file |
//! | `wait`     | asks a `Dir` until it answers |
//!
//! Imports: `publish` → `open` → `manifest` → `parts` → `wait`. Files are written by `storage/dir/` alone.

mod clustered;
mod collection;
mod manifest;
mod open;
mod parts;
mod process_lock;
mod publish;
mod wait;

pub use clustered::ClusteredIndex;
pub use manifest::{FolderInfo, Form, PartsInfo, PublishedSegment, folder_info};
pub use publish::{
    Appended, OldSegment, PublishOptions, append, append_in, is_published_name, next_number, old_segments,
    prune, prune_in, publication, publish, publish_in,
};
