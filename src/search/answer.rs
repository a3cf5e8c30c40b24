//! What a search gives back: hits, and what they cost.

use crate::id::Id;

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
