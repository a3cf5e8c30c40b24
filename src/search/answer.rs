//! What a search gives back: hits, and what they cost.

use crate::id::Id;

/// One row near the query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct QueryStats {
    /// `"hnsw"`, `"clusters"` or `"flat"`.
    pub index: &'static str,
    /// Distances computed on codes.
    pub distances: u64,
    /// Rows ranked again, by the `refine` and the `exact` rows together.
    pub rescored: u64,
    /// Bytes read for the query from a source that is not memory.
    pub bytes: u64,
    /// Reads.
    pub requests: u64,
    /// Batches of parallel reads, each of which had to wait for the one before.
    pub waves: u64,
}

/// The hits of one query, nearest first; equal scores in order of position.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// At most `k`.
    pub hits: Vec<Hit>,
    /// What the query cost.
    pub stats: QueryStats,
}
