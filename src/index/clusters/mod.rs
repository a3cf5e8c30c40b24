//! The clustered index: which few lists of codes hold the near rows?
//!
//! | file | duty |
//! |---|---|
//! | `tree` | the clustering, which is also the order of the segment's rows |

mod tree;

pub(crate) use tree::{Shape, Tree, cluster};
