//! Searching one segment over a source of which only some bytes are here. Nothing in this room knows threads or files.
//!
//! | file | duty |
//! |---|---|
//! | `options`, `answer` | what a caller asks, and what it gets |
//! | `operation` | what may be asked of an index, as values that are stepped |
//! | `plan`    | which index answers and how wide it looks (a pure choice) |
//! | `driver`  | a batch of queries as a resumable value: `Need(reads)` or `Done` |
//! | `flat`    | score every row: exact, and the oracle of every test |
//! | `hnsw/`   | walk the graph, in memory or node by node |
//! | `clusters/` | probe the clustered index |
//! | `rerank`  | from candidates to hits: finer rows, stage by stage, then ids |
//! | `pool`, `visited` | the nearest candidates of a walk, in order; a set of positions |
//!
//! The way of a query: `operation` → `driver` → (`flat` | `hnsw` on codes, or `clusters` on lists) → `rerank` → hits.

mod answer;
pub(crate) mod clusters;
mod driver;
pub(crate) mod flat;
pub(crate) mod hnsw;
mod operation;
mod options;
pub(crate) mod plan;
mod pool;
mod rerank;
mod visited;

pub use answer::{Answer, Hit, QueryStats};
pub(crate) use driver::{Scratch, Search, Step, check_queries};
pub(crate) use operation::Running;
pub use operation::{Operation, Outcome};
pub use options::{IndexChoice, SearchOptions};
