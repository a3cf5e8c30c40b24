//! The memory of a search.

use super::clusters::ProbeScratch;
use super::filter::Matches;
use super::hnsw::Beam;
use crate::quant::Prepared;
use crate::segment::fields::Lines;
use crate::topk::TopK;

type FileId = [u8; 16];

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
    /// For each segment the file whose graph's layers were found to be in order. A file does not change, so once is enough;
    /// but another file may take a segment's place.
    pub(super) graphs_checked: Vec<Option<FileId>>,
    /// The block of stored fields that was read last.
    pub(super) lines: Lines,
    /// The rows that the last filter matches: facets, counts and searches often follow each other under one.
    pub(super) matches: Option<Matches>,
}

impl Scratch {
    /// Drops what only saves work.
    pub(crate) fn forget(&mut self) {
        self.matches = None;
    }

    pub(super) fn graph_checked(&self, segment: usize, file: &FileId) -> bool {
        self.graphs_checked.get(segment).is_some_and(|checked| checked.as_ref() == Some(file))
    }

    pub(super) fn set_graph_checked(&mut self, segment: usize, file: &FileId) {
        if self.graphs_checked.len() <= segment {
            self.graphs_checked.resize(segment + 1, None);
        }
        self.graphs_checked[segment] = Some(*file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_in_a_segments_place_is_checked_anew() {
        let (mut scratch, a, b) = (Scratch::default(), [1; 16], [2; 16]);
        scratch.set_graph_checked(1, &a);
        assert!(scratch.graph_checked(1, &a));
        assert!(!scratch.graph_checked(0, &a) && !scratch.graph_checked(1, &b));
        scratch.set_graph_checked(1, &b);
        assert!(scratch.graph_checked(1, &b) && !scratch.graph_checked(1, &a));
    }
}
