//! The clusters' sections, read a second time by FORMAT.md: where cells, blocks of leaves and lists have their fields,
//! and how to make the sums of halves of lists, of blocks and of rows in lists right again.

use super::format::{self, Finest, put, sum_at, u32_at, u64_at};
use std::ops::Range;

const LEAF_TAG: u64 = 0x4C45_4156;
const LIST_TAG: u64 = 0x4C49_5354;
/// Where the shares, the curves and the offsets of the blocks start in the cells.
pub(crate) const SHARES: usize = 24;
pub(crate) const CURVES: usize = 48;
pub(crate) const OFFSETS: usize = CURVES + WIDTHS * WIDTH;
/// Four curves of eight widths, and the bytes of a width.
pub(crate) const WIDTHS: usize = 32;
pub(crate) const WIDTH: usize = 28;

/// A cell's block of leaves. Ranges and places are of the file.
pub(crate) struct Block {
    /// Where its sum stands, in the cells.
    sum: usize,
    pub(crate) bytes: Range<usize>,
    pub(crate) leaves: Vec<Leaf>,
}

/// A leaf, as its block tells of it.
pub(crate) struct Leaf {
    /// Where the two sums of its list stand.
    sums: usize,
    pub(crate) list: Range<usize>,
    /// Bytes of the first half of the list.
    labels: usize,
    /// Rows of other leaves in the list.
    pub(crate) spilled: usize,
    /// Its own rows.
    pub(crate) rows: Range<u32>,
}

/// The parts of a list.
pub(crate) struct List {
    pub(crate) row_sums: Range<usize>,
    /// Of the spilled rows: packed numbers.
    pub(crate) positions: Range<usize>,
    pub(crate) ids: Range<usize>,
    /// The codes of the leaf's centroid.
    pub(crate) centre: Range<usize>,
    pub(crate) codes: Range<usize>,
}

/// Parts of the cells.
pub(crate) struct Cells {
    pub(crate) at: usize,
    pub(crate) count: usize,
    pub(crate) sums: usize,
    pub(crate) first: usize,
    pub(crate) positions: usize,
    pub(crate) spreads: usize,
    pub(crate) codes: usize,
    /// Bytes of a code of leaves and lists, of a centroid's code, and of those of a leaf's centroid.
    pub(crate) stride: usize,
    pub(crate) centroid: usize,
    pub(crate) centre: usize,
}

/// `None` where the parts are not inside the file.
pub(crate) fn cells(file: &[u8]) -> Option<Cells> {
    let section = format::find(file, format::CELLS)?;
    let inside = section.offset.checked_add(section.length).is_some_and(|end| end <= file.len());
    if !inside || section.length < OFFSETS {
        return None;
    }
    let at = section.offset;
    let count = u32_at(file, at) as usize;
    let fixed = OFFSETS.checked_add(count.checked_mul(28)?.checked_add(16)?)?;
    if fixed > section.length {
        return None;
    }
    let sums = at + OFFSETS + (count + 1) * 8;
    let first = sums + count * 8;
    let positions = first + (count + 1) * 4;
    let spreads = positions + (count + 1) * 4;
    let bits = (u32_at(file, at + 16) as usize).min(4);
    let dim = u32_at(file, 60) as usize;
    let (stride, centroid) = (bits * dim.div_ceil(8) + 4, dim.checked_add(4)?);
    let centre = centroid.checked_mul((u32_at(file, at + 20) as usize).min(2))?;
    let codes = spreads + count * 4;
    Some(Cells { at, count, sums, first, positions, spreads, codes, stride, centroid, centre })
}

/// Whether byte `at` is of a width that is neither the first nor the last of its curve: one field like another.
pub(crate) fn within_a_curve(file: &[u8], at: usize) -> bool {
    let start = format::find(file, format::CELLS).map(|cells| cells.offset + CURVES);
    let width = start.and_then(|start| at.checked_sub(start)).map(|byte| byte / WIDTH);
    width.is_some_and(|width| width < WIDTHS && !matches!(width % 8, 0 | 7))
}

/// The blocks whose parts are inside the file.
pub(crate) fn blocks(file: &[u8]) -> Vec<Block> {
    let (Some(cells), Some(leaves), Some(lists)) =
        (cells(file), format::find(file, format::LEAVES), format::find(file, format::LISTS))
    else {
        return Vec::new();
    };
    let offset = |cell: usize| u64_at(file, cells.at + OFFSETS + cell * 8) as usize;
    let block = |cell: usize| {
        let within = |at: usize| leaves.offset.checked_add(at).filter(|&end| end <= file.len());
        let bytes = within(offset(cell))?..within(offset(cell + 1))?;
        let count =
            u32_at(file, cells.first + (cell + 1) * 4).checked_sub(u32_at(file, cells.first + cell * 4))?;
        let count = count as usize;
        if bytes.start + 8 + count.checked_mul(20)? + 4 > bytes.end {
            return None;
        }
        let sums = bytes.start + 8;
        let labels = sums + count * 8;
        let spilled = labels + count * 4;
        let positions = spilled + count * 2;
        let mut next = lists.offset.checked_add(u64_at(file, bytes.start) as usize)?;
        let mut found = Vec::new();
        for leaf in 0..count {
            let row = |i: usize| u32_at(file, positions + i * 4);
            let rows = row(leaf)..row(leaf + 1);
            let at = spilled + leaf * 2;
            let spilled = usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
            let labels = u32_at(file, labels + leaf * 4) as usize;
            let codes = rows.len().checked_add(spilled)?.checked_mul(cells.stride)?;
            let length = labels.checked_add(cells.centre)?.checked_add(codes)?;
            let end = next.checked_add(length).filter(|&end| end <= file.len())?;
            found.push(Leaf { sums: sums + leaf * 8, list: next..end, labels, spilled, rows });
            next = end;
        }
        Some(Block { sum: cells.sums + cell * 8, bytes, leaves: found })
    };
    (0..cells.count).filter_map(block).collect()
}

/// The parts of a leaf's list, where they fit it.
pub(crate) fn list(file: &[u8], leaf: &Leaf, cells: &Cells) -> Option<List> {
    let labels = leaf.list.start.checked_add(leaf.labels)?;
    let count = leaf.rows.len().checked_add(leaf.spilled)?;
    let row_sums = leaf.list.start..leaf.list.start.checked_add(count.checked_mul(4)?)?;
    if row_sums.end.checked_add(9)? > labels {
        return None;
    }
    let width = file[row_sums.end + 8] as usize;
    let positions = row_sums.end..row_sums.end + 9 + (leaf.spilled * width).div_ceil(8);
    let centre = labels..labels + cells.centre;
    let codes = centre.end..leaf.list.end;
    (positions.end <= labels).then_some(List {
        row_sums,
        ids: positions.end..labels,
        positions,
        centre,
        codes,
    })
}

/// Number `i` of packed numbers that start at `at`.
fn packed(file: &[u8], at: usize, i: usize) -> u64 {
    let width = file[at + 8] as usize;
    u64_at(file, at).wrapping_add(format::bits(file, (at + 9) * 8 + i * width, width))
}

/// The rows of a list, those of the leaf first.
pub(crate) fn positions(file: &[u8], leaf: &Leaf, list: &List) -> Vec<u32> {
    let spilled = (0..leaf.spilled).map(|i| packed(file, list.positions.start, i) as u32);
    leaf.rows.clone().chain(spilled).collect()
}

/// Recomputes the sums of rows in lists, then those of lists, then those of blocks of leaves.
pub(crate) fn seal(file: &mut [u8], seed: u64) {
    let (Some(cells), Some(leaves), Some(lists)) =
        (cells(file), format::find(file, format::LEAVES), format::find(file, format::LISTS))
    else {
        return;
    };
    let finest = format::finest(file);
    for block in blocks(file) {
        for leaf in &block.leaves {
            if let (Some(list), Some(finest)) = (list(file, leaf, &cells), &finest) {
                seal_rows(file, leaf, &list, finest, seed);
            }
            let middle = leaf.list.start + leaf.labels;
            for (i, half) in [leaf.list.start..middle, middle..leaf.list.end].into_iter().enumerate() {
                let at = (half.start - lists.offset) as u64;
                let sum = sum_at(seed ^ LIST_TAG, at, &file[half]) as u32;
                put(file, leaf.sums + i * 4, &sum.to_le_bytes());
            }
        }
        let sum = sum_at(seed ^ LEAF_TAG, (block.bytes.start - leaves.offset) as u64, &file[block.bytes]);
        put(file, block.sum, &sum.to_le_bytes());
    }
}

fn seal_rows(file: &mut [u8], leaf: &Leaf, list: &List, finest: &Finest, seed: u64) {
    let own = leaf.rows.len();
    for i in 0..own + leaf.spilled {
        let position = match i.checked_sub(own) {
            None => u64::from(leaf.rows.start) + i as u64,
            Some(spilled) => packed(file, list.positions.start, spilled),
        };
        let Some(row) = finest.row(position).filter(|row| row.end <= file.len()) else { continue };
        let sum = sum_at(seed, !position, &file[row]) as u32;
        put(file, list.row_sums.start + i * 4, &sum.to_le_bytes());
    }
}
