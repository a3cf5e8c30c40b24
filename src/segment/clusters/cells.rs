//! The Cells section, checked and owned.

use super::lists::LeafBlock;
use super::{Curve, LEAVES, LISTS, Reader, WIDTHS, Width, bad};
use crate::error::Error;
use crate::quant::Rabitq;
use crate::storage::{Extent, Read, Sum};

/// What the front holds of the clustered index.
pub(crate) struct Cells {
    pub(crate) curve: Curve,
    /// The longest block of Leaves, and of Lists.
    pub(crate) longest: [u64; 2],
    /// Bits a component of the codes of leaves and lists.
    pub(crate) bits: usize,
    /// Codes of the cells' centroids, a matrix.
    pub(crate) codes: Vec<u8>,
    /// Root mean square distance of a cell's rows to its centroid.
    pub(crate) spreads: Vec<f32>,
    leaves: Extent,
    lists: Extent,
    offsets: Vec<u64>,
    sums: Vec<u64>,
    first: Vec<u32>,
    positions: Vec<u32>,
}

impl Cells {
    /// `cell_stride` is that of the codes of the cells' centroids.
    pub(crate) fn decode(
        bytes: &[u8],
        [leaves, lists]: [Extent; 2],
        cell_stride: usize,
    ) -> Result<Self, Error> {
        let mut reader = Reader { section: "cells", bytes };
        let head = reader.u32s(5)?;
        let (cells, count) = (head[0] as usize, head[1]);
        let longest = [u64::from(head[2]), u64::from(head[3])];
        let bits = head[4] as usize;
        let widths = reader.u32s(WIDTHS * 3)?;
        let mut curve = Curve::default();
        for (width, numbers) in curve.iter_mut().zip(widths.as_chunks::<3>().0) {
            *width = Width { recall: numbers[0], cells: numbers[1].max(1), probes: numbers[2].max(1) };
        }
        // Nothing here is allocated before it is found to be in the section.
        let more = cells.saturating_add(1);
        let (offsets, sums) = (reader.u64s(more)?, reader.u64s(cells)?);
        let (first, positions) = (reader.u32s(more)?, reader.u32s(more)?);
        let spreads: Vec<f32> = reader.u32s(cells)?.into_iter().map(f32::from_bits).collect();
        let codes = reader.take(cells.saturating_mul(cell_stride))?.to_vec();
        let rising = offsets.windows(2).all(|w| w[0] < w[1] && w[1] - w[0] <= longest[0])
            && first.windows(2).all(|w| w[0] <= w[1])
            && positions.windows(2).all(|w| w[0] <= w[1]);
        let whole = offsets.first() == Some(&0) && offsets.last() == Some(&leaves.length);
        if !reader.bytes.is_empty() {
            return Err(bad("cells", "its length does not fit the number of cells"));
        }
        if !rising
            || !whole
            || first.last() != Some(&count)
            || longest[0] > leaves.length
            || longest[1] > lists.length
            || !(1..=Rabitq::MAX_BITS).contains(&bits)
            || spreads.iter().any(|s| !s.is_finite())
        {
            return Err(bad("cells", "cells are out of order or leave the segment"));
        }
        let cells =
            Cells { curve, longest, bits, codes, spreads, leaves, lists, offsets, sums, first, positions };
        Ok(cells)
    }

    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    pub(crate) fn leaf_count(&self) -> usize {
        self.first.last().copied().unwrap_or(0) as usize
    }

    /// Where the block of a cell's leaves lies. `cell` is below `len`.
    pub(crate) fn block(&self, cell: usize) -> Read {
        let (start, end) = (self.offsets[cell], self.offsets[cell + 1]);
        let extent = Extent { offset: self.leaves.offset + start, length: end - start };
        Read { extent, sum: Sum::Unit(self.sums[cell]) }
    }

    /// The cell that the row at `position` is in.
    pub(crate) fn cell_of(&self, position: u32) -> Option<usize> {
        let at = self.positions.partition_point(|&p| p <= position).checked_sub(1)?;
        (at < self.len()).then_some(at)
    }

    /// How many rows a cell has. `cell` is below `len`.
    pub(crate) fn rows(&self, cell: usize) -> u32 {
        self.positions[cell + 1] - self.positions[cell]
    }

    /// A block of leaves in place; `stride` is that of their codes.
    pub(crate) fn leaves<'a>(
        &self,
        cell: usize,
        bytes: &'a [u8],
        stride: usize,
    ) -> Result<LeafBlock<'a>, Error> {
        let count = (self.first[cell + 1] - self.first[cell]) as usize;
        let rows = [self.positions[cell], self.positions[cell + 1]];
        LeafBlock::new(bytes, count, stride, self.lists, self.longest[1], rows)
    }

    /// The seed of the sum of the block at `extent`, and its offset within its section.
    pub(crate) fn seed(&self, file_seed: u64, extent: Extent) -> Option<(u64, u64)> {
        let within = |section: Extent, tag: u64| {
            section.contains(extent).then(|| (file_seed ^ tag, extent.offset - section.offset))
        };
        within(self.leaves, LEAVES).or_else(|| within(self.lists, LISTS))
    }
}
