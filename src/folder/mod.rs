//! Folders of segments, natively: open one, publish one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`: which segment files there are, by the hash of their content |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish/` | write a segment and its manifest so that a reader never sees half of either |
//! | `publish/steps` | what writing does, as a list: create, write, rename, sync |
//! | `publish/lock` | one writer at a time |
//! | `publish/old` | segments of earlier versions, and what killed writers left |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `clustered` | vectors in memory, then in a mapped file, behind one small set of calls |

mod clustered;
mod manifest;
mod open;
mod parts;
mod publish;

pub use clustered::ClusteredIndex;
pub use open::{Io, OpenOptions};
pub use parts::{PartsInfo, parts};
pub use publish::{Form, OldSegment, old_segments, prune, publish, publish_as};
