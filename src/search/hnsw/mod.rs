//! HNSW (Malkov and Yashunin, 2016), searched: a greedy walk over a layered graph finds near rows in about log n steps.
//!
//! | file | duty |
//! |---|---|
//! | `walk`  | the walk: greedy above, best-first with a pool in layer 0; the build walks by the same code |
//! | `disk`  | the same walk where links and codes are read node by node |
//! | `disk_graph` | what such a walk reads, and where it lies |

mod disk;
mod disk_graph;
mod walk;

pub(crate) use disk::Walk;
pub(crate) use disk_graph::{DiskGraph, MissingReads};
pub(crate) use walk::{Beam, Distances, descend, layer, search};
