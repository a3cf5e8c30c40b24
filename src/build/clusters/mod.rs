//! The clustered index, built; its clustering is also the order of the segment's rows.
//!
//! | file | duty |
//! |---|---|
//! | `kmeans` | Lloyd's k-means |
//! | `tree`  | leaves and cells: two levels of k-means, refined by rounds over all rows |
//! | `assign` | distances from rows to the leaves of their nearest cells |
//! | `soar`  | a second leaf for every row |
//! | `knn`   | candidates for each row's links, from the lists of its nearest leaves |
//! | `questions` | queries to calibrate with, made of the rows |
//! | `calibrate` | how wide to look for a wanted recall, measured by whole searches |
//! | `sections` | the sections of the file |

mod assign;
mod calibrate;
pub(crate) mod kmeans;
mod knn;
mod questions;
mod sections;
mod soar;
mod tree;

pub(crate) use knn::ListKnn;
pub(crate) use sections::{Input, sections};
pub(crate) use soar::second_leaves;
pub(crate) use tree::{Shape, Tree, cluster};
