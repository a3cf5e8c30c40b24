//! The sections of the clustered index, from the tree that a build made.

use super::{Curves, LEAVES, LISTS, NEIGHBOURS, Shares};
use crate::id::Ids;
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
    /// For each leaf the codes of its centroid, then those of its rows and of those spilled into it.
    pub(crate) list_codes: &'a [Vec<u8>],
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
pub(crate) fn encode(p: &Parts<'_>, seed: u64) -> [Vec<u8>; 3] {
    let lists: Vec<[Vec<u8>; 2]> =
        p.list_codes.iter().enumerate().map(|(leaf, codes)| [labels(p, leaf), codes.clone()]).collect();
    let leaf_blocks = leaf_blocks(p, &lists, seed ^ LISTS);
    let lists: Vec<Vec<u8>> = lists.into_iter().map(|halves| halves.concat()).collect();

    let longest = |blocks: &[Vec<u8>]| blocks.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let counts = [p.cells.len() as u32 - 1, p.leaves.len() as u32 - 1];
    let mut cells = Vec::new();
    put_u32s(&mut cells, [counts[0], counts[1], longest(&leaf_blocks), longest(&lists), p.bits as u32]);
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
    [cells, leaf_blocks.concat(), lists.concat()]
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

/// `seed` is that of the checksums of lists.
fn leaf_blocks(p: &Parts<'_>, lists: &[[Vec<u8>; 2]], seed: u64) -> Vec<Vec<u8>> {
    let starts = lists.iter().scan(0, |end, [labels, codes]| {
        let start = *end;
        *end += (labels.len() + codes.len()) as u64;
        Some(start)
    });
    let starts: Vec<u64> = starts.collect();
    let checksums = |leaf: usize| {
        let ([labels, codes], at) = (&lists[leaf], starts[leaf]);
        let [first, second] = [(at, labels), (at + labels.len() as u64, codes)]
            .map(|(at, half)| checksum::sum_at(seed, at, half));
        [first as u32, second as u32]
    };
    let block = |cell: &[u32]| {
        let (first, last) = (cell[0] as usize, cell[1] as usize);
        let mut block = starts.get(first).copied().unwrap_or(0).to_le_bytes().to_vec();
        put_u32s(&mut block, (first..last).flat_map(checksums));
        put_u32s(&mut block, lists[first..last].iter().map(|[labels, _]| labels.len() as u32));
        block.extend(p.spilled[first..last].iter().flat_map(|s| (s.len() as u16).to_le_bytes()));
        put_u32s(&mut block, p.leaves[first..=last].iter().copied());
        let spreads = p.leaf_spreads[first..last].iter();
        block.extend(spreads.flat_map(|&s| half::bf16::from_f32(s).to_le_bytes()));
        block.extend_from_slice(&p.leaf_codes[first * p.stride..last * p.stride]);
        block
    };
    p.cells.windows(2).map(block).collect()
}
