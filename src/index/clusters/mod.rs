//! The clustered index: which few lists of codes hold the near rows?
//!
//! | file | duty |
//! |---|---|
//! | `tree`  | the clustering, which is also the order of the segment's rows |
//! | `look`  | distances from rows to the leaves of their nearest cells |
//! | `spill` | a second leaf for every row |
//! | `near`  | candidates for each row's links, from the lists of its nearest leaves |
//! | `score` | what a cell or a leaf promises a query |
//! | `calibrate` | how wide to look for a wanted recall, measured by whole searches |
//! | `questions` | queries to measure with, made of the rows |
//! | `encode` | the sections |
//! | `width` | how wide one search looks, from what was measured |
//! | `probe` | one query's way through them: cells → leaves → lists → candidates |

mod calibrate;
mod encode;
mod look;
mod near;
mod probe;
mod questions;
mod score;
mod spill;
mod tree;
mod width;

pub(crate) use encode::{Input, sections};
pub(crate) use near::Near;
pub(crate) use probe::{Label, Probe, ProbeScratch};
pub(crate) use spill::second_leaves;
pub(crate) use tree::{Shape, Tree, cluster};
pub(crate) use width::{Wanted, Width, width};
