//! Rows near each row, by the clusters: those in the lists of its nearest leaves. Whole lists are compared with all rows
//! that look at them, so memory is read in runs and a distance takes a fraction of what it takes in a walk.

use super::look::{self, Cells};
use super::tree::Tree;
use crate::quant::coded::{Coded, Scratch};
use crate::quant::least::Least;
use std::ops::Range;

/// Rows (and copies) in the lists looked at, for each row wanted.
const LISTED: usize = 8;

/// Rows by their leaves, in the measure of their codes.
pub(crate) struct Near<'a> {
    pub(crate) rows: &'a Coded<'a>,
    /// Leaves of each cell.
    members: Vec<Vec<u32>>,
    means: Coded<'static>,
    leaves: Coded<'static>,
    /// The positions in each leaf's list: its own rows and those spilled into it.
    lists: Vec<Vec<u32>>,
}

impl<'a> Near<'a> {
    /// `second` are the second leaves of the positions, or nothing.
    pub(crate) fn new(
        rows: &'a Coded<'a>,
        tree: &Tree,
        second: &[u32],
        encode: impl Fn(&[f32]) -> Coded<'static>,
    ) -> Self {
        let mut lists: Vec<Vec<u32>> = tree.leaves.windows(2).map(|w| (w[0]..w[1]).collect()).collect();
        second.iter().zip(0..).for_each(|(&leaf, position)| lists[leaf as usize].push(position));
        Near {
            rows,
            members: tree.members(),
            means: encode(&tree.cell_centroids),
            leaves: encode(&tree.leaf_centroids),
            lists,
        }
    }

    /// For each position in `range` the `count` nearest rows, nearest first, in the lists of its nearest leaves.
    pub(crate) fn of(&self, range: Range<u32>, count: usize) -> Vec<Vec<(f32, u32)>> {
        let of: Vec<u32> = range.collect();
        let mut near: Vec<Least> = of.iter().map(|&row| Least::new(count, row)).collect();
        let (mut scratch, mut distances, mut rows) = (Scratch::default(), Vec::new(), Vec::new());
        for (list, looking) in self.lists.iter().zip(&self.looking(&of, count)) {
            for places in looking.chunks(look::TILE) {
                rows.clear();
                rows.extend(places.iter().map(|&place| of[place as usize]));
                self.rows.matrix(&rows, self.rows, list, &mut scratch, &mut distances);
                for (&place, line) in places.iter().zip(distances.chunks_exact(list.len())) {
                    near[place as usize].offer(line, list);
                }
            }
        }
        let others = |(least, row): (Least, u32)| least.sorted().filter(|near| near.1 != row).collect();
        near.into_iter().zip(of).map(others).collect()
    }

    /// For each leaf the places in `of` that look at its list.
    fn looking(&self, of: &[u32], count: usize) -> Vec<Vec<u32>> {
        let listed: usize = self.lists.iter().map(Vec::len).sum();
        let lists = (count * LISTED).div_ceil(listed.div_ceil(self.lists.len()));
        let cells = Cells { members: &self.members, means: &self.means, leaves: &self.leaves };
        let mut leaves = vec![Least::new(lists, 0); of.len()];
        look::look(self.rows, of, &cells, |seen| {
            for (&row, line) in seen.rows.iter().zip(seen.distances.chunks_exact(seen.leaves.len())) {
                leaves[row as usize].offer(line, seen.leaves);
            }
        });
        let mut looking = vec![Vec::new(); self.lists.len()];
        for (leaves, place) in leaves.into_iter().zip(0u32..) {
            leaves.sorted().for_each(|(_, leaf)| looking[leaf as usize].push(place));
        }
        looking
    }
}
