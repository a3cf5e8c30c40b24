//! HNSW (Malkov and Yashunin, 2016), built.
//!
//! | file | duty |
//! |---|---|
//! | `upper_layers` | the layers above 0: batches of rows linked on a frozen graph (ParlayANN), the same links for any number of threads |
//! | `layer0` | layer 0: links among rows that the clusters hold near each other |
//! | `copies` | rows that are the same: one of them is linked to other rows, the rest to it |
//! | `prune`  | which neighbours to keep: near, and in different directions |

mod copies;
mod layer0;
mod prune;
mod upper_layers;

pub(crate) use copies::Copies;
pub(crate) use upper_layers::{Parameters, build};
