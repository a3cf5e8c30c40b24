//! The sections of the clustered index, from the tree that a build made.

use super::{Curves, LEAVES, LISTS, NEIGHBOURS, Shares};
use crate::id::Ids;
use crate::segment::writer::Pieces;
use crate::segment::{ids, packed};
use crate::storage::checksum;

/// The tree of a build: rows in leaves, leaves in cells.
pub(crate) struct Parts<'a> {
    /// Where each leaf starts; one more for the end.
    pub(crate) leaves: &'a [u32],
    /// The first leaf of each cell; one more for the end.
    pub(crate) cells: &'a [u32],
    /// For each leaf the positions of rows of other leaves that its list holds as well, ascending.
    pub(crate) spilled: &'a [Vec<u32>],
    /// Codes of the cells' centroids.
    pub(crate) cell_codes: &'a [u8],
    pub(crate) cell_spreads: &'a [f32],
    /// Codes of the leaves' centroids.
    pub(crate) leaf_codes: &'a [u8],
    pub(crate) leaf_spreads: &'a [f32],
    /// Bits a component of these codes, and bytes of one code.
    pub(crate) bits: usize,
    pub(crate) stride: usize,
    /// Codes of a leaf's centroid in its list.
    pub(crate) centres: usize,
    /// The checksums of the finest rows, one u32 each.
    pub(crate) row_checksums: &'a [u8],
    pub(crate) ids: &'a Ids,
    /// `order[position]` = row.
    pub(crate) order: &'a [u32],
    pub(crate) shares: Shares,
    pub(crate) curves: &'a Curves,
}

/// The Cells, Leaves and Lists sections. The checksum of a block is seeded by its offset within its section.
///
/// `codes` are, for each leaf, the codes of its centroid, then those of its rows and of those spilled into it. They are
/// most of the bytes, so they become pieces of their section as they are.
pub(crate) fn encode(p: &Parts<'_>, codes: Vec<Vec<u8>>, seed: u64) -> [Pieces; 3] {
    let mut lists = Vec::with_capacity(2 * codes.len());
    let mut each: Vec<List> = Vec::with_capacity(codes.len());
    for (leaf, codes) in codes.into_iter().enumerate() {
        let labels = labels(p, leaf);
        let start = each.last().map_or(0, |list| list.start + u64::from(list.length));
        each.push(List::new(start, &labels, &codes, seed ^ LISTS));
        lists.extend([labels, codes]);
    }
    let leaf_blocks = leaf_blocks(p, &each);

    let longest = |blocks: &[Vec<u8>]| blocks.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let longest_list = each.iter().map(|list| list.length).max().unwrap_or(0);
    let counts = [p.cells.len() as u32 - 1, p.leaves.len() as u32 - 1];
    let mut cells = Vec::new();
    put_u32s(&mut cells, [counts[0], counts[1], longest(&leaf_blocks), longest_list, p.bits as u32]);
    put_u32s(&mut cells, [p.centres as u32, p.shares.of_cells.to_bits(), p.shares.of_leaves.to_bits()]);
    put_u32s(&mut cells, NEIGHBOURS);
    for w in p.curves.iter().flatten() {
        put_u32s(&mut cells, [w.wanted, w.reached, w.cells, w.probes, w.keep]);
        put_u32s(&mut cells, [w.doubt, w.bound].map(f32::to_bits));
    }
    cells.extend(offsets(&leaf_blocks).flat_map(u64::to_le_bytes));
    let checksums = offsets(&leaf_blocks).zip(&leaf_blocks);
    cells.extend(checksums.flat_map(|(at, block)| checksum::sum_at(seed ^ LEAVES, at, block).to_le_bytes()));
    put_u32s(&mut cells, p.cells.iter().copied());
    put_u32s(&mut cells, p.cells.iter().map(|&c| p.leaves[c as usize]));
    put_u32s(&mut cells, p.cell_spreads.iter().map(|s| s.to_bits()));
    cells.extend_from_slice(p.cell_codes);
    [vec![cells], vec![leaf_blocks.concat()], lists]
}

/// What a block of leaves tells of a list.
struct List {
    start: u64,
    length: u32,
    labels: u32,
    checksums: [u32; 2],
}

impl List {
    /// A list that begins at byte `start` of its section. `seed` is that of the checksums of lists.
    fn new(start: u64, labels: &[u8], codes: &[u8], seed: u64) -> Self {
        let halves = [(start, labels), (start + labels.len() as u64, codes)];
        let checksums = halves.map(|(at, half)| checksum::sum_at(seed, at, half) as u32);
        let length = (labels.len() + codes.len()) as u32;
        List { start, length, labels: labels.len() as u32, checksums }
    }
}

fn put_u32s(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>) {
    out.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
}

fn offsets(blocks: &[Vec<u8>]) -> impl Iterator<Item = u64> {
    let ends = blocks.iter().scan(0, |end, block| {
        *end += block.len() as u64;
        Some(*end)
    });
    std::iter::once(0).chain(ends)
}

/// The labels of a leaf's list: the checksums of its own rows and of those spilled into it, the positions of the
/// latter, then the ids of all.
fn labels(p: &Parts<'_>, leaf: usize) -> Vec<u8> {
    let spilled = &p.spilled[leaf];
    let positions: Vec<u32> = (p.leaves[leaf]..p.leaves[leaf + 1]).chain(spilled.iter().copied()).collect();
    let mut labels = Vec::new();
    positions.iter().for_each(|&at| labels.extend_from_slice(&p.row_checksums[at as usize * 4..][..4]));
    packed::encode(spilled.iter().map(|&at| u64::from(at)), &mut labels);
    let rows: Vec<u32> = positions.iter().map(|&at| p.order[at as usize]).collect();
    labels.extend(ids::encode(p.ids, &rows));
    labels
}

fn leaf_blocks(p: &Parts<'_>, lists: &[List]) -> Vec<Vec<u8>> {
    let block = |cell: &[u32]| {
        let (first, last) = (cell[0] as usize, cell[1] as usize);
        let of_cell = &lists[first..last];
        let mut block = lists.get(first).map_or(0, |list| list.start).to_le_bytes().to_vec();
        put_u32s(&mut block, of_cell.iter().flat_map(|list| list.checksums));
        put_u32s(&mut block, of_cell.iter().map(|list| list.labels));
        block.extend(p.spilled[first..last].iter().flat_map(|s| (s.len() as u16).to_le_bytes()));
        put_u32s(&mut block, p.leaves[first..=last].iter().copied());
        let spreads = p.leaf_spreads[first..last].iter();
        block.extend(spreads.flat_map(|&s| half::bf16::from_f32(s).to_le_bytes()));
        block.extend_from_slice(&p.leaf_codes[first * p.stride..last * p.stride]);
        block
    };
    p.cells.windows(2).map(block).collect()
}
