//! The memory of a search.

use super::clusters::ProbeScratch;
use super::hnsw::Beam;
use crate::quant::Prepared;
use crate::segment::fields::Lines;
use crate::topk::TopK;

/// Memory that queries of one index reuse, so that none allocates its own.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) beam: Beam,
    pub(super) prepared: Prepared,
    pub(super) probe: ProbeScratch,
    pub(super) nearest: TopK,
    pub(super) keys: Vec<u64>,
    /// The hits of a query in all segments: distance, segment and position.
    pub(super) ranked: Vec<(f32, u32, u32)>,
    /// Of each segment, whether the graph's layers were found to be in order. A segment does not change, so once is
    /// enough.
    pub(super) graphs_checked: Vec<bool>,
    /// The block of stored fields that was read last.
    pub(super) lines: Lines,
}

impl Scratch {
    pub(super) fn graph_checked(&self, segment: usize) -> bool {
        self.graphs_checked.get(segment).is_some_and(|&checked| checked)
    }

    pub(super) fn set_graph_checked(&mut self, segment: usize) {
        if self.graphs_checked.len() <= segment {
            self.graphs_checked.resize(segment + 1, false);
        }
        self.graphs_checked[segment] = true;
    }
}
