//! Searches of an index of one or several segments, over sources of which only some bytes may be available. This room knows neither threads
//! nor files.
//!
//! | file | duty |
//! |---|---|
//! | `options`, `answer` | the arguments of a search, and its result |
//! | `operation`, `lookup` | search, lookup of an id or vector, load: values that are stepped |
//! | `select`  | from ids and filter of the options to the set of rows that may be hits |
//! | `view`    | what a search sees: a segment, the bytes that are available, the rows that may be hits |
//! | `plan`    | the choice of the index and of how many candidates it finds |
//! | `driver`  | the way of a batch of queries through all segments: candidates, then `rerank` |
//! | `lane`    | the search of one segment: candidates by `flat`, `hnsw/` or `clusters/` |
//! | `step`    | the result of a step, `Need(reads)` or `Done`, and the reads it asks for |
//! | `flat`    | scores every row: exact, and the oracle of the tests |
//! | `hnsw/`   | walks the graph, in memory or node by node |
//! | `clusters/` | probes the clustered index |
//! | `filter/` | filters and facets, by the indexes of payload fields |
//! | `rows`    | rows in the order in which they are stored, page by page |
//! | `fields`  | the stored fields of hits, or of ids |
//! | `rerank`  | from candidates to hits: finer rows, stage by stage, then ids |
//! | `pool`, `visited` | the nearest candidates of a walk, in order; a set of positions |
//! | `scratch` | the memory of a search, which the next one reuses |

mod answer;
pub(crate) mod clusters;
mod driver;
mod fields;
mod filter;
pub(crate) mod flat;
mod footprint;
pub(crate) mod hnsw;
mod lane;
mod lookup;
mod operation;
mod options;
pub(crate) mod plan;
mod pool;
mod rerank;
mod rows;
mod scratch;
mod select;
mod step;
mod view;
mod visited;

pub use answer::{Answer, Hit, QueryStats, RowPlace, SegmentStats};
pub(crate) use filter::{Facets, Key, Order, combine, stored};
pub use filter::{FieldValue, RowsQuery, ValueCounts};
pub(crate) use footprint::Most;
pub(crate) use operation::Running;
pub use operation::{Operation, Outcome};
pub(crate) use options::check_queries;
pub use options::{IndexChoice, SearchOptions};
pub(crate) use rerank::score;
pub use rows::{RowPage, StoredRow};
pub(crate) use scratch::Scratch;
pub(crate) use step::Step;
pub(crate) use view::View;
