//! The clustered index's sections, both directions. FORMAT.md, "Clusters", is this file in prose.
//!
//! Each level holds the place and the sum of the next, so that bytes are known before they are asked for:
//! Cells (in the front) → a block of Leaves per cell → a block of Lists per leaf → rows.

use super::ids::{self, IdView};
use crate::error::Error;
use crate::id::Ids;
use crate::storage::{Extent, Read, Sum, checksum};

const HEAD: usize = 32;

/// What a search does unless told otherwise: found when the segment was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Nearest cells whose leaves are looked at.
    pub(crate) cells: u32,
    /// Nearest leaves whose lists are scanned.
    pub(crate) probes: u32,
}

/// Leaves in cells, rows in leaves, as the build found them.
pub(crate) struct Parts<'a> {
    /// Where each leaf starts; one more for the end.
    pub(crate) leaves: &'a [u32],
    /// The first leaf of each cell; one more for the end.
    pub(crate) cells: &'a [u32],
    /// Codes of the cells' centroids.
    pub(crate) cell_codes: &'a [u8],
    /// 1-bit codes of the leaves' centroids, and of the rows, in order.
    pub(crate) leaf_codes: &'a [u8],
    pub(crate) row_codes: &'a [u8],
    /// Bytes of one.
    pub(crate) stride: usize,
    /// The sums of the rows that hits are ranked by at last, one u32 each.
    pub(crate) row_sums: &'a [u8],
    pub(crate) ids: &'a Ids,
    /// `order[position]` = row.
    pub(crate) order: &'a [u32],
    pub(crate) defaults: Defaults,
}

/// The Cells, Leaves and Lists sections. Sums of blocks are seeded by their offset within their section.
pub(crate) fn encode(p: &Parts<'_>, seed: u64) -> [Vec<u8>; 3] {
    let lists: Vec<Vec<u8>> = p.leaves.windows(2).map(|leaf| list(p, leaf[0], leaf[1])).collect();
    let list_sums = sums(seed, LISTS, &lists);
    let leaf_blocks = leaf_blocks(p, &lists, &list_sums);
    let leaf_sums = sums(seed, LEAVES, &leaf_blocks);

    let longest = |blocks: &[Vec<u8>]| blocks.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let counts = [p.cells.len() as u32 - 1, p.leaves.len() as u32 - 1];
    let Defaults { cells, probes } = p.defaults;
    let head = [counts[0], counts[1], longest(&leaf_blocks), longest(&lists), cells, probes, 0, 0];
    let mut cells: Vec<u8> = head.iter().flat_map(|v| v.to_le_bytes()).collect();
    cells.extend(offsets(&leaf_blocks).flat_map(u64::to_le_bytes));
    cells.extend(leaf_sums.iter().flat_map(|s| s.to_le_bytes()));
    cells.extend(p.cells.iter().flat_map(|c| c.to_le_bytes()));
    cells.extend(p.cells.iter().flat_map(|&c| p.leaves[c as usize].to_le_bytes()));
    cells.extend_from_slice(p.cell_codes);
    [cells, leaf_blocks.concat(), lists.concat()]
}

/// What the sums of the two sections' blocks are seeded with beside their offset.
const LEAVES: u64 = 0x4C45_4156;
const LISTS: u64 = 0x4C49_5354;

fn offsets(blocks: &[Vec<u8>]) -> impl Iterator<Item = u64> {
    let ends = blocks.iter().scan(0, |end, block| {
        *end += block.len() as u64;
        Some(*end)
    });
    std::iter::once(0).chain(ends)
}

fn sums(seed: u64, tag: u64, blocks: &[Vec<u8>]) -> Vec<u64> {
    offsets(blocks).zip(blocks).map(|(offset, block)| checksum::sum_at(seed ^ tag, offset, block)).collect()
}

/// Codes, row sums and ids of rows `start..end`.
fn list(p: &Parts<'_>, start: u32, end: u32) -> Vec<u8> {
    let (start, end) = (start as usize, end as usize);
    let mut block = p.row_codes[start * p.stride..end * p.stride].to_vec();
    block.extend_from_slice(&p.row_sums[start * 4..end * 4]);
    block.extend(ids::encode(p.ids, &p.order[start..end]));
    block
}

fn leaf_blocks(p: &Parts<'_>, lists: &[Vec<u8>], list_sums: &[u64]) -> Vec<Vec<u8>> {
    let offsets: Vec<u64> = offsets(lists).collect();
    let block = |cell: &[u32]| {
        let (first, last) = (cell[0] as usize, cell[1] as usize);
        let mut block: Vec<u8> = offsets[first..=last].iter().flat_map(|o| o.to_le_bytes()).collect();
        block.extend(list_sums[first..last].iter().flat_map(|s| s.to_le_bytes()));
        block.extend(p.leaves[first..=last].iter().flat_map(|p| p.to_le_bytes()));
        block.extend_from_slice(&p.leaf_codes[first * p.stride..last * p.stride]);
        block
    };
    p.cells.windows(2).map(block).collect()
}

/// The Cells section, checked and owned.
pub(crate) struct Cells {
    pub(crate) defaults: Defaults,
    /// The longest block of Leaves, and of Lists.
    pub(crate) longest: [u64; 2],
    /// Bytes of one 1-bit code.
    pub(crate) stride: usize,
    /// Codes of the cells' centroids, a matrix.
    pub(crate) codes: Vec<u8>,
    leaves: Extent,
    lists: Extent,
    offsets: Vec<u64>,
    sums: Vec<u64>,
    first: Vec<u32>,
    positions: Vec<u32>,
}

/// One leaf as its cell's block tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) read: Read,
    /// Its rows: start..end.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Cells {
    /// `stride` is that of the lists' codes, `cell_stride` that of the cells' centroids.
    pub(crate) fn decode(
        bytes: &[u8],
        [leaves, lists]: [Extent; 2],
        stride: usize,
        cell_stride: usize,
    ) -> Result<Self, Error> {
        let word = |i: usize| u32_at(bytes, i * 4);
        let (cells, count) = (word(0)? as usize, word(1)? as usize);
        if cells > bytes.len() {
            return Err(bad("cells", "more cells than bytes"));
        }
        let codes_at = HEAD + (cells + 1) * 8 + cells * 8 + (cells + 1) * 8;
        if bytes.len() != codes_at.saturating_add(cells.saturating_mul(cell_stride)) {
            return Err(bad("cells", "its length does not fit the number of cells"));
        }
        let u64s =
            |at: usize, n: usize| (0..n).map(|i| u64_at(bytes, at + i * 8)).collect::<Result<Vec<u64>, _>>();
        let offsets = u64s(HEAD, cells + 1)?;
        let sums = u64s(HEAD + (cells + 1) * 8, cells)?;
        let first_at = HEAD + (cells + 1) * 8 + cells * 8;
        let u32s =
            |at: usize, n: usize| (0..n).map(|i| u32_at(bytes, at + i * 4)).collect::<Result<Vec<u32>, _>>();
        let first = u32s(first_at, cells + 1)?;
        let positions = u32s(first_at + (cells + 1) * 4, cells + 1)?;
        let longest = [u64::from(word(2)?), u64::from(word(3)?)];
        let rising = offsets.windows(2).all(|w| w[0] < w[1] && w[1] - w[0] <= longest[0])
            && first.windows(2).all(|w| w[0] <= w[1])
            && positions.windows(2).all(|w| w[0] <= w[1]);
        let whole = offsets.first() == Some(&0) && offsets.last() == Some(&leaves.length);
        if !rising
            || !whole
            || first.last() != Some(&(count as u32))
            || longest[0] > leaves.length
            || longest[1] > lists.length
        {
            return Err(bad("cells", "cells are out of order or leave the segment"));
        }
        let defaults = Defaults { cells: word(4)?.max(1), probes: word(5)?.max(1) };
        let codes = bytes.get(codes_at..).unwrap_or_default().to_vec();
        Ok(Cells { defaults, longest, stride, codes, leaves, lists, offsets, sums, first, positions })
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

    /// A block of leaves in place.
    pub(crate) fn leaves<'a>(&self, cell: usize, bytes: &'a [u8]) -> Result<LeafBlock<'a>, Error> {
        let count = (self.first[cell + 1] - self.first[cell]) as usize;
        // Saturating: counts come from the file, and usize has 32 bits in wasm.
        let codes_at = count.saturating_mul(20).saturating_add(12);
        match bytes.len() == codes_at.saturating_add(count.saturating_mul(self.stride)) {
            true => Ok(LeafBlock {
                bytes,
                count,
                lists: self.lists,
                longest: self.longest[1],
                rows: [self.positions[cell], self.positions[cell + 1]],
                codes: &bytes[codes_at..],
            }),
            false => Err(bad("leaves", "a block's length does not fit its number of leaves")),
        }
    }

    /// The seed of the sum of the block at `extent`, and its offset within its section.
    pub(crate) fn seed(&self, file_seed: u64, extent: Extent) -> Option<(u64, u64)> {
        let within = |section: Extent, tag: u64| {
            section.contains(extent).then(|| (file_seed ^ tag, extent.offset - section.offset))
        };
        within(self.leaves, LEAVES).or_else(|| within(self.lists, LISTS))
    }
}

/// One cell's leaves.
pub(crate) struct LeafBlock<'a> {
    bytes: &'a [u8],
    pub(crate) count: usize,
    lists: Extent,
    longest: u64,
    /// Those of the cell. Its leaves stay within, so no row is scanned twice whatever a file says.
    rows: [u32; 2],
    /// Codes of the leaves' centroids, a matrix.
    pub(crate) codes: &'a [u8],
}

impl LeafBlock<'_> {
    /// Leaf `at` of the block, which is below `count`.
    pub(crate) fn leaf(&self, at: usize, rows: usize) -> Result<Leaf, Error> {
        let (from, to) = (u64_at(self.bytes, at * 8)?, u64_at(self.bytes, at * 8 + 8)?);
        let sum = u64_at(self.bytes, (self.count + 1 + at) * 8)?;
        let starts = (2 * self.count + 1) * 8;
        let (start, end) = (u32_at(self.bytes, starts + at * 4)?, u32_at(self.bytes, starts + at * 4 + 4)?);
        let inside = from < to && to <= self.lists.length && to - from <= self.longest;
        let ordered = self.rows[0] <= start && start <= end && end <= self.rows[1];
        if !inside || !ordered || end as usize > rows {
            return Err(bad("leaves", "a leaf's list or rows leave the segment"));
        }
        let extent = Extent { offset: self.lists.offset + from, length: to - from };
        Ok(Leaf { read: Read { extent, sum: Sum::Unit(sum) }, start, end })
    }
}

/// One leaf's list in place.
pub(crate) struct List<'a> {
    /// 1-bit codes, a matrix.
    pub(crate) codes: &'a [u8],
    row_sums: &'a [u8],
    pub(crate) ids: IdView<'a>,
}

impl<'a> List<'a> {
    pub(crate) fn new(bytes: &'a [u8], leaf: &Leaf, stride: usize, text: bool) -> Result<Self, Error> {
        let count = (leaf.end - leaf.start) as usize;
        let split = bytes.split_at_checked(count.saturating_mul(stride)).and_then(|(codes, rest)| {
            let (sums, ids) = rest.split_at_checked(count.saturating_mul(4))?;
            Some((codes, sums, ids))
        });
        let (codes, row_sums, ids) = split.ok_or_else(|| bad("lists", "a list ends too early"))?;
        Ok(List { codes, row_sums, ids: IdView::new(ids, count, text)? })
    }

    /// The sum of the finest row of this list's row `at`.
    pub(crate) fn row_sum(&self, at: usize) -> Result<u32, Error> {
        u32_at(self.row_sums, at * 4)
    }
}

fn bad(section: &'static str, detail: &str) -> Error {
    Error::corrupt(section, detail)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let found = bytes.get(at..).and_then(|b| b.first_chunk());
    found.map(|b| u32::from_le_bytes(*b)).ok_or_else(|| bad("clusters", "a section ends too early"))
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Error> {
    let found = bytes.get(at..).and_then(|b| b.first_chunk());
    found.map(|b| u64::from_le_bytes(*b)).ok_or_else(|| bad("clusters", "a section ends too early"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty extent can never be found to be here: a search would ask for it for ever.
    #[test]
    fn an_empty_list_is_refused() {
        let block = |to: u64| -> Vec<u8> {
            let words = [0, to, 0].into_iter().flat_map(u64::to_le_bytes);
            words.chain([0u32, 1].into_iter().flat_map(u32::to_le_bytes)).chain([0; 9]).collect()
        };
        let leaf = |bytes: &[u8]| {
            let lists = Extent { offset: 64, length: 100 };
            LeafBlock { bytes, count: 1, lists, longest: 100, rows: [0, 1], codes: &bytes[32..] }.leaf(0, 1)
        };
        assert_eq!(leaf(&block(100)).unwrap().read.extent, Extent { offset: 64, length: 100 });
        assert_eq!(leaf(&block(0)).unwrap_err().code(), "corrupt");
        assert_eq!(leaf(&block(101)).unwrap_err().code(), "corrupt");
    }
}
