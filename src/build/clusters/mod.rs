//! Builds the clustered index, a two-level IVF. The clustering is also the order of the segment's rows.
//!
//! | file | duty |
//! |---|---|
//! | `kmeans` | Lloyd's k-means |
//! | `tree`  | leaves and cells: two levels of k-means, refined over all rows |
//! | `means` | the centroids of leaves |
//! | `assign` | distances from rows to the leaves of their nearest cells |
//! | `soar`  | a second leaf for every row |
//! | `knn`   | the nearest rows of each row (about), from the lists of its nearest leaves |
//! | `questions` | the queries of a calibration, made of rows |
//! | `calibrate` | how many cells, lists and candidates each recall needs, measured by searches |
//! | `sections` | encodes the sections of the file |

mod assign;
mod calibrate;
pub(crate) mod kmeans;
mod knn;
mod means;
mod questions;
mod sections;
mod soar;
mod tree;

pub(crate) use kmeans::EncodedRows;
pub(crate) use knn::ListKnn;
pub(crate) use sections::{Input, sections};
pub(crate) use soar::second_leaves;
pub(crate) use tree::{Shape, Tree, cluster};
