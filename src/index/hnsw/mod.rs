//! HNSW (Malkov and Yashunin, 2016): a layered graph whose greedy walk finds near rows in about log n steps.
//!
//! | file | duty |
//! |---|---|
//! | `graph` | the links, in memory and in the file, one form |
//! | `beam`  | the walk: greedy above, best-first with a pool below; the same code builds and searches |
//! | `disk`  | the same walk where links and codes are read node by node |
//! | `places` | what such a walk reads, and where it lies |
//! | `build` | the layers above 0: batches of rows linked on a frozen graph (ParlayANN), the same links for any number of threads |
//! | `base`  | layer 0: links among rows that the clusters hold near each other |
//! | `copies` | rows that are the same: one of them is linked to other rows, the rest to it |
//! | `prune` | which neighbours to keep: near, and in different directions |

mod base;
mod beam;
mod build;
mod copies;
mod disk;
mod graph;
mod places;
mod prune;

pub(crate) use beam::{Beam, Distances, search};
pub(crate) use build::{Parameters, build};
pub(crate) use copies::Copies;
pub(crate) use disk::Walk;
pub(crate) use graph::GraphView;
pub(crate) use places::{Needs, Places};
