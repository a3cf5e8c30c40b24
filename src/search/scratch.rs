//! The memory of a search.

use super::clusters::ProbeScratch;
use super::hnsw::Beam;
use crate::quant::Prepared;
use crate::topk::TopK;

/// Memory that queries of one segment reuse, so that none allocates its own.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) beam: Beam,
    pub(super) prepared: Prepared,
    pub(super) probe: ProbeScratch,
    pub(super) nearest: TopK,
    /// The graph's layers were found to be in order. A segment does not change, so once is enough.
    pub(super) graph_checked: bool,
}
