//! Order over vectors: who is near?
//!
//! | file | duty |
//! |---|---|
//! | `build`   | rows in, segment file out: check, order, encode, link, write |
//! | `codes_recall` | what a scan of the stored forms finds of the exact nearest rows; the build warns where it is little |
//! | `clusters/` | the clustering that orders the rows, and the index over it |
//! | `hnsw/`   | the graph: build it, walk it, keep it in a file |
//! | `flat`    | score every row: exact, and the oracle of every test |
//! | `search`  | a batch of queries as a resumable value: `Need(extents)` or `Done` |
//! | `rank`    | from candidates to hits: finer rows, stage by stage, then ids |
//! | `operation` | what may be asked of an index, as values that are stepped |
//! | `session` | operations under way over a source of which only parts are here; others move the bytes |
//! | `plan`    | which index answers and how wide it looks (a pure choice) |
//! | `layout`  | what of a segment is held, and how, under a memory budget (a pure choice) |
//! | `topk`, `pool` | the k nearest of many; those of a walk, in order all the time |
//! | `visited` | a set of positions |
//!
//! Read path: `session` or `collection` → `operation` → `search` → (`flat` | `hnsw` on codes, or `clusters` on lists) → rescore on finer rows →
//! ids.

mod build;
mod clusters;
mod codes_recall;
mod flat;
mod hnsw;
mod layout;
mod operation;
mod plan;
mod pool;
mod rank;
mod search;
mod session;
mod topk;
mod visited;

use crate::error::Error;
use crate::id::Id;
use crate::segment::{Fill, Segment};

pub use build::{BuildOptions, build, build_tuned};
pub(crate) use layout::layout;
pub(crate) use operation::Running;
pub use operation::{Operation, Outcome};
pub(crate) use search::{Scratch, Search, Step};
pub(crate) use session::unreadable;
pub use session::{Session, SessionStats, Stepped, Ticket};

/// Which index answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexChoice {
    /// Every row where there are few, or an eighth of them is wanted, and codes are small (or here); else the graph
    /// if it is here (or small), else the clusters if there are any, else the graph, else every row.
    #[default]
    Auto,
    /// Every row: exact on the codes, slow.
    Flat,
    /// The graph; an error where it is missing or does not fit.
    Hnsw,
    /// The nearest lists of the clustered index, and the rows of their best candidates: few bytes of a cold file.
    Clusters,
}

impl std::str::FromStr for IndexChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "auto" => Ok(IndexChoice::Auto),
            "flat" => Ok(IndexChoice::Flat),
            "hnsw" => Ok(IndexChoice::Hnsw),
            "clusters" => Ok(IndexChoice::Clusters),
            _ => Err(Error::argument("index", format!("{name:?} is none of auto, flat, hnsw, clusters"))),
        }
    }
}

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchOptions {
    /// Hits wanted; more than there are rows gives all rows. At least 1.
    pub k: usize,
    /// Candidates the graph keeps: more is slower and finds more. `None`: [`SearchOptions::DEFAULT_EF`], for binary
    /// codes [`SearchOptions::DEFAULT_EF_BINARY`]. Never below `k`.
    pub ef: Option<usize>,
    /// Which index answers.
    pub index: IndexChoice,
    /// How many candidates are ranked again by finer rows; `None`: enough for the codec. Where exact rows follow, the
    /// best 4·k of those (40 at least) are ranked by them.
    pub rescore: Option<usize>,
    /// Lists the clustered index scans; `None`: as many as `recall` asks for.
    pub probes: Option<usize>,
    /// The part of the true nearest rows that the clustered index should find, by the segment's calibration: 0.8 to
    /// 0.99 make a difference. `None`: [`SearchOptions::DEFAULT_RECALL`].
    pub recall: Option<f32>,
}

impl SearchOptions {
    /// Candidates kept by default.
    pub const DEFAULT_EF: usize = 100;
    /// Candidates kept by default when codes are one bit a component.
    pub const DEFAULT_EF_BINARY: usize = 400;
    /// The recall that the clustered index aims at by default.
    pub const DEFAULT_RECALL: f32 = 0.95;
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { k: 10, ef: None, index: IndexChoice::Auto, rescore: None, probes: None, recall: None }
    }
}

/// One row near the query.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The row's position in the segment.
    pub position: u32,
    /// The row's id.
    pub id: Id,
    /// Larger is nearer: the cosine, the inner product, or minus the squared distance.
    pub score: f32,
}

/// What a query cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryStats {
    /// `"hnsw"`, `"clusters"` or `"flat"`.
    pub index: &'static str,
    /// Distances computed on codes.
    pub distances: u64,
    /// Rows ranked again, in all stages.
    pub rescored: u64,
    /// Bytes read for it from a source that is not memory.
    pub bytes: u64,
    /// Reads.
    pub requests: u64,
    /// Rounds of reads that had to wait for one another.
    pub waves: u64,
}

/// The hits of one query, nearest first; equal scores in order of position.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// At most `k`.
    pub hits: Vec<Hit>,
    /// What it cost.
    pub stats: QueryStats,
}

/// The complete check of a segment's file, read once in order: checksums, ids, lists, and every link of the graph.
/// Returns the content id if it is asked for.
pub(crate) fn verify(
    segment: &Segment,
    read: &mut Fill<'_>,
    content_id: bool,
) -> Result<Option<String>, Error> {
    let verified = segment.verify(read, content_id)?;
    if let Some(upper) = &verified.upper {
        hnsw::GraphView::upper(upper.as_ref(), segment.count(), segment.header.m, false)?.verify()?;
    }
    Ok(verified.content_id)
}
