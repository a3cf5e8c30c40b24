//! The clustered index: which few lists of codes hold the near rows?
//!
//! | file | duty |
//! |---|---|
//! | `tree`  | the clustering, which is also the order of the segment's rows |
//! | `look`  | distances from rows to the leaves of their nearest cells |
//! | `spill` | a second leaf for every row |
//! | `near`  | candidates for each row's links, from the lists of its nearest leaves |
//! | `score` | what a cell or a leaf promises a query |
//! | `calibrate` | how many cells and leaves reach a wanted recall |
//! | `encode` | the sections |
//! | `probe` | one query's way through them: cells → leaves → lists → candidates |

mod calibrate;
mod encode;
mod look;
mod near;
mod probe;
mod score;
mod spill;
mod tree;

pub(crate) use encode::{Input, sections};
pub(crate) use near::Near;
pub(crate) use probe::{Label, Probe, Width};
pub(crate) use spill::second_leaves;
pub(crate) use tree::{Shape, Tree, cluster};
