//! The result of a search: hits, and their cost.

use crate::id::Id;

/// One row near the query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The number of the row's segment in the index.
    pub segment: u32,
    /// The row's position in the segment.
    pub position: u32,
    /// The row's id.
    pub id: Id,
    /// The cosine, the inner product, or minus the squared distance: the larger, the nearer.
    pub score: f32,
    /// The stored fields of the row, a JSON object, where [`SearchOptions::fields`](crate::SearchOptions) wants them: `{}`
    /// for a row that has none.
    pub fields: Option<Box<str>>,
}

impl Hit {
    /// Where the row is.
    pub(super) fn place(&self) -> RowPlace {
        RowPlace { segment: self.segment, position: self.position }
    }
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPlace {
    /// The number of its segment in the index.
    pub segment: u32,
    /// Its position in the segment.
    pub position: u32,
}

/// The cost of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryStats {
    /// `"hnsw"`, `"clusters"`, `"flat"`, or `"listed"` where all rows of a set were ranked by the finest rows at once;
    /// `"mixed"` where segments were searched in different ways.
    pub index: &'static str,
    /// Distances computed on codes.
    pub distances: u64,
    /// Candidates ranked again, by the `refine` and the `exact` rows together.
    pub rescored: u64,
    /// Bytes read from the file, if it is not in memory or mapped.
    pub bytes: u64,
    /// Reads.
    pub requests: u64,
    /// Batches of parallel reads, each of which had to wait for the one before.
    pub waves: u64,
}

/// The part of a query's cost that one segment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentStats {
    /// As [`QueryStats::index`].
    pub index: &'static str,
    /// As [`QueryStats::distances`].
    pub distances: u64,
    /// As [`QueryStats::rescored`].
    pub rescored: u64,
}

/// The hits of one query, nearest first; equal scores in order of segment, then of position.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// At most `k`.
    pub hits: Vec<Hit>,
    /// The cost of the query.
    pub stats: QueryStats,
    /// The cost by segment, where there are several; else empty.
    pub segments: Vec<SegmentStats>,
}

impl Answer {
    /// Adds the cost of rows that are in no segment.
    pub(crate) fn add(&mut self, cost: SegmentStats) {
        self.stats.index = match self.stats.index {
            "" => cost.index,
            index if index == cost.index => index,
            _ => "mixed",
        };
        self.stats.distances += cost.distances;
        self.stats.rescored += cost.rescored;
        self.segments.push(cost);
    }
}
