//! How the graph is searched: HNSW (Malkov and Yashunin, 2016), a greedy walk over a layered graph that finds near rows
//! in about log n steps.
//!
//! | file | duty |
//! |---|---|
//! | `walk`  | the walk: greedy above layer 0, best-first with a pool in it; a build walks by the same code |
//! | `memory_graph` | codes and graph in memory, and the distances of a walk over them |
//! | `disk`  | the same walk where links and codes are read node by node |
//! | `disk_graph` | what such a walk reads, and where that is in the file |

mod disk;
mod disk_graph;
mod memory_graph;
mod walk;

pub(crate) use disk::Walk;
pub(crate) use disk_graph::{DiskGraph, MissingReads};
pub(crate) use memory_graph::MemoryGraph;
pub(crate) use walk::{Beam, Distances, descend, layer, search};
