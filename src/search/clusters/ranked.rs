//! Leaves as a search ranks them, and what is read of them.

use super::enough::Held;
use crate::segment::Clusters;
use crate::segment::clusters::Leaf;
use crate::storage::{Read, Source};

/// A request costs as much as so many bytes.
const REQUEST: u64 = 1 << 10;

/// A leaf, and the number of its cell.
#[derive(Clone, Copy)]
pub(in crate::search) struct RankedLeaf {
    pub(super) leaf: Leaf,
    pub(super) cell: u32,
    /// How many of its own rows may be hits.
    pub(super) rows: u32,
    /// It is one of the last that are scanned.
    pub(super) late: bool,
    /// Its priority among the leaves of all segments, where there are several.
    pub(super) common: f32,
}

impl RankedLeaf {
    /// Its rows, and those of them that may be hits.
    pub(super) fn held(&self) -> Held {
        Held { rows: u64::from(self.leaf.end - self.leaf.start), set: u64::from(self.rows) }
    }

    /// Of a list of which few rows may be hits, the labels are read alone, and then the rows.
    pub(super) fn read(&self, row_bytes: u64) -> (Read, bool) {
        let rows = u64::from(self.rows) * (row_bytes + REQUEST);
        let alone = self.rows < self.leaf.end - self.leaf.start && rows < self.leaf.code_bytes();
        (if alone { self.leaf.labels_read() } else { self.leaf.read }, alone)
    }
}

/// The missing blocks of leaves of all cells, if those beyond `missing` cost at most a quarter of a wave. That pays off
/// as soon as one later search saves the wave in which it would have read some of them.
pub(super) fn all_leaves(clusters: &Clusters, source: &dyn Source, missing: &[Read]) -> Option<Vec<Read>> {
    let cells = &clusters.cells;
    let total = |reads: &[Read]| reads.iter().map(|r| r.extent.length).sum::<u64>();
    if source.slots(cells.block(0).extent).count < cells.len() {
        return None;
    }
    let blocks = (0..cells.len()).map(|cell| cells.block(cell));
    let absent: Vec<Read> = blocks.filter(|r| source.get(r.extent).is_none()).collect();
    (total(&absent).saturating_sub(total(missing)) <= source.speculative_bytes() / 4).then_some(absent)
}
