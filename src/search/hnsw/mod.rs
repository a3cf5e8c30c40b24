//! How the graph is searched: HNSW (Malkov and Yashunin, 2016), a greedy walk over a layered graph that finds near rows
//! in about log n steps.
//!
//! | file | duty |
//! |---|---|
//! | `walk`  | the walk over nodes: greedy above layer 0, best-first with a pool in it; a build walks by the same code |
//! | `nodes` | what it walks over: links and distances |
//! | `memory_graph` | nodes in memory: codes and graph, whole |
//! | `disk`  | nodes whose links and codes are read one by one |
//! | `disk_graph` | what such a walk reads, and where that is in the file |

mod disk;
mod disk_graph;
mod memory_graph;
mod nodes;
mod walk;

pub(crate) use disk::Walk;
pub(crate) use disk_graph::{DiskGraph, MissingReads};
pub(crate) use memory_graph::MemoryGraph;
pub(crate) use nodes::{Distances, Local};
pub(crate) use walk::Beam;
