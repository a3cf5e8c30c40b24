//! Builds the HNSW graph (Malkov and Yashunin, 2016).
//!
//! | file | duty |
//! |---|---|
//! | `upper_layers` | the layers above 0: batches of rows linked on a frozen graph (ParlayANN), the same links for any number of threads |
//! | `layer0` | layer 0: links to near rows, which the clusters find |
//! | `copies` | equal rows: one of them is linked like any row, its copies hang below it as a tree |
//! | `prune`  | chooses among candidates the links that are near and in different directions |

mod copies;
mod layer0;
mod prune;
mod upper_layers;

pub(crate) use copies::Copies;
pub(crate) use upper_layers::{Parameters, build};
