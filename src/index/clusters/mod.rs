//! The clustered index: which few lists of codes hold the near rows?
//!
//! | file | duty |
//! |---|---|
//! | `tree`  | the clustering, which is also the order of the segment's rows |
//! | `probe` | one query's way through it: cells → leaves → lists → candidates |
//! | `calibrate` | how many cells and leaves a search looks at unless told |

mod calibrate;
mod probe;
mod tree;

pub(crate) use calibrate::calibrate;
pub(crate) use probe::{Label, Probe, Width};
pub(crate) use tree::{Shape, Tree, cluster};
