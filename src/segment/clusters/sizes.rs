//! How many bytes the sections take, from counts alone.

use super::{Curves, NEIGHBOURS};
use crate::quant::{Rabitq, centroid};
use crate::segment::packed;

/// What the clustered index of a segment counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) dim: usize,
    pub(crate) rows: u64,
    /// Rows that a second list holds as well.
    pub(crate) spilled: u64,
    pub(crate) cells: u64,
    pub(crate) leaves: u64,
    /// Rows of the longest list: the leaf's own, and those spilled into it.
    pub(crate) most_rows: [u64; 2],
    /// Leaves of the fullest cell.
    pub(crate) most_leaves: u64,
    /// Bits a component of the codes, and codes of a leaf's centroid.
    pub(crate) bits: usize,
    pub(crate) centres: usize,
    /// Mean bytes of an id that is a text; `None`: ids are the numbers of rows.
    pub(crate) text_ids: Option<u64>,
}

impl Counts {
    /// Bytes of the Cells, Leaves and Lists sections.
    pub(crate) fn section_bytes(&self) -> [u64; 3] {
        let head = 8 * 4 + size_of_val(&NEIGHBOURS) + size_of::<Curves>();
        // Of each cell a place, a checksum, a first leaf, a first row, a spread and a centroid; the first three end once more.
        let of_cell = 8 + 8 + 4 + 4 + 4 + self.centroid();
        let cells = head as u64 + 8 + 4 + 4 + self.cells * of_cell;
        let leaves = self.leaf_blocks(self.cells, self.leaves);
        // Ids and positions of a list end in a whole byte each: half a byte more, on average.
        let lists =
            self.leaves * (self.empty_list() + 1) + self.entry_bits([self.rows, self.spilled]).div_ceil(8);
        [cells, leaves, lists]
    }

    /// Bytes of the longest block of leaves, and of the longest list.
    pub(crate) fn longest(&self) -> [u64; 2] {
        let list = self.empty_list() + self.entry_bits(self.most_rows).div_ceil(8);
        [self.leaf_blocks(1, self.most_leaves), list]
    }

    /// Of each block where its lists start, and one first row more. Of each leaf two checksums of its list, the length of its
    /// labels, how many rows are spilled, a first row, a spread, and a code.
    fn leaf_blocks(&self, blocks: u64, leaves: u64) -> u64 {
        blocks * (8 + 4) + leaves * (8 + 4 + 2 + 4 + 2 + self.code())
    }

    fn empty_list(&self) -> u64 {
        let positions = packed::bytes(0, 0);
        let ids = if self.text_ids.is_some() { 4 } else { packed::bytes(0, 0) };
        self.centres as u64 * self.centroid() + positions + ids
    }

    /// Bits of so many rows of a list that are its own, and so many that are spilled into it. Its rows are from all over the
    /// input.
    fn entry_bits(&self, [own, spilled]: [u64; 2]) -> u64 {
        let position = u64::from(u64::BITS - self.rows.saturating_sub(1).leading_zeros());
        let id = self.text_ids.map_or(position, |bytes| (4 + bytes) * 8);
        (own + spilled) * (8 * (self.code() + 4) + id) + spilled * position
    }

    fn code(&self) -> u64 {
        Rabitq::code_bytes(self.dim, self.bits) as u64
    }

    fn centroid(&self) -> u64 {
        centroid::stride(self.dim) as u64
    }
}
