//! Folders of segments, natively: open one, publish one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`: which segment files there are, by the hash of their content |
//! | `parts`    | a segment as many small files, for hosts that ignore `Range` |
//! | `publish`  | write a segment and its manifest so that a reader never sees half of either |
//! | `steps`    | what writing does, as a list: create, write, rename, sync |
//! | `lock`     | one writer at a time |
//! | `old`      | segments of earlier versions, and what killed writers left |
//! | `open`     | open a folder or a file by mmap or pread |
//! | `clustered` | vectors in memory, then in a mapped file, behind one small set of calls |

mod clustered;
mod lock;
mod manifest;
mod old;
mod open;
mod parts;
mod publish;
mod steps;

pub use clustered::ClusteredIndex;
pub use old::{OldSegment, old_segments, prune};
pub use open::{Io, OpenOptions};
pub use parts::{PartsInfo, parts};
pub use publish::{Form, publish, publish_as};
