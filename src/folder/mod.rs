//! Folders of segments, natively: open one, publish one.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | `index.json`: which segment files there are, by the hash of their content |
//! | `publish`  | write a segment and its manifest so that a reader never sees half of either |
//! | `open`     | open a folder or a file by mmap or pread |

mod manifest;
mod open;
mod publish;

pub use open::{Io, OpenOptions};
pub use publish::publish;
