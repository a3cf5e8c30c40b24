//! Approximate nearest rows of each row: the nearest in the lists of its nearest leaves. A list is compared with all
//! rows that are assigned to it at once, so memory is read in runs, and a distance takes a fraction of the time that it
//! takes in a graph search.

use super::assign::{self, Cells};
use super::soar::spilled;
use super::tree::Tree;
use crate::build::nearest::{Nearest, Ties};
use crate::build::row_distances::RowDistances;

/// Rows that are compared per row that is wanted, about.
const LISTED: usize = 8;

/// Rows and the lists in which their nearest rows are searched.
pub(crate) struct ListKnn<'a> {
    pub(crate) rows: &'a RowDistances<'a>,
    /// The leaves whose lists are not empty, by cell.
    leaves_by_cell: Vec<Vec<u32>>,
    means: RowDistances<'static>,
    leaves: RowDistances<'static>,
    /// The candidates in each leaf's list: its own rows and those spilled into it.
    lists: Vec<Vec<u32>>,
}

impl<'a> ListKnn<'a> {
    /// Only rows for which `wanted` is true are candidates. `second` has the second leaf of each position, or is empty.
    pub(crate) fn new(
        rows: &'a RowDistances<'a>,
        tree: &Tree,
        second: &[u32],
        wanted: impl Fn(u32) -> bool,
        encode: impl Fn(&[f32]) -> RowDistances<'static>,
    ) -> Self {
        let own = tree.leaf_starts.windows(2).map(|w| (w[0]..w[1]).filter(|&row| wanted(row)).collect());
        let mut lists: Vec<Vec<u32>> = own.collect();
        for (leaf, spilled) in spilled(second, tree).into_iter().enumerate() {
            lists[leaf].extend(spilled.into_iter().filter(|&row| wanted(row)));
        }
        // Cells and leaves without candidates are left out, since they would take the place of others: the copies of a
        // row may fill many.
        let dim = tree.cell_centroids.len() / (tree.cell_starts.len() - 1).max(1);
        let (mut leaves_by_cell, mut means) = (Vec::new(), Vec::new());
        for (mut leaves, mean) in
            tree.leaves_by_cell().into_iter().zip(tree.cell_centroids.chunks_exact(dim.max(1)))
        {
            leaves.retain(|&leaf| !lists[leaf as usize].is_empty());
            if !leaves.is_empty() {
                leaves_by_cell.push(leaves);
                means.extend_from_slice(mean);
            }
        }
        ListKnn { rows, leaves_by_cell, means: encode(&means), leaves: encode(&tree.leaf_centroids), lists }
    }

    /// The `count` nearest others, nearest first, for each row of `of`.
    pub(crate) fn of(&self, of: &[u32], count: usize) -> Vec<Vec<(f32, u32)>> {
        let mut near: Vec<Nearest> = of.iter().map(|&row| Nearest::new(count, Ties::of(row))).collect();
        assign::compare(self.rows, of, &self.assigned(of, count), self.rows, &self.lists, |block| {
            block.lines().for_each(|(place, distances)| near[place].offer(distances, block.list));
        });
        let others =
            |(nearest, &row): (Nearest, &u32)| nearest.sorted().filter(|near| near.1 != row).collect();
        near.into_iter().zip(of).map(others).collect()
    }

    /// The places in `of` of the rows that are compared with each leaf's list.
    fn assigned(&self, of: &[u32], count: usize) -> Vec<Vec<u32>> {
        let listed: usize = self.lists.iter().map(Vec::len).sum();
        if listed <= count * LISTED {
            // There are few rows: each is compared with all others, also where most are equally far and no cell is
            // near.
            let all =
                |list: &Vec<u32>| if list.is_empty() { Vec::new() } else { (0..of.len() as u32).collect() };
            return self.lists.iter().map(all).collect();
        }
        let filled = self.leaves_by_cell.iter().map(Vec::len).sum::<usize>().max(1);
        let lists = (count * LISTED).div_ceil(listed.div_ceil(filled).max(1));
        let cells = Cells { leaves_by_cell: &self.leaves_by_cell, means: &self.means, leaves: &self.leaves };
        let mut leaves = vec![Nearest::new(lists, Ties::LOWER); of.len()];
        assign::to_near_leaves(self.rows, of, &cells, |block| {
            block.lines().for_each(|(place, distances)| leaves[place].offer(distances, block.list));
        });
        let mut assigned = vec![Vec::new(); self.lists.len()];
        for (leaves, place) in leaves.into_iter().zip(0u32..) {
            leaves.sorted().for_each(|(_, leaf)| assigned[leaf as usize].push(place));
        }
        assigned
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EncodedRows, Shape, cluster, second_leaves};
    use super::{ListKnn, RowDistances};
    use crate::ctx::Ctx;
    use crate::metric::Metric;
    use crate::quant::train_sq8;
    use crate::rows::Reader;

    /// The number of distances that are computed.
    fn compared(near: &ListKnn<'_>, wanted: &[u32]) -> usize {
        near.assigned(wanted, 100)
            .iter()
            .zip(&near.lists)
            .map(|(assigned, list)| assigned.len() * list.len())
            .sum()
    }

    /// Copies add no distances.
    #[test]
    fn copies_are_compared_with_nothing() {
        let rows: Vec<f32> = (0..3000u16).flat_map(|i| [f32::from(i % 61), f32::from(i % 53)]).collect();
        let mut cost = Vec::new();
        for equal in [0, 2000, 10_000] {
            let rows: Vec<f32> = [[20.0, 20.0].repeat(equal), rows.clone()].concat();
            let shape = Shape { branching: 8, max_leaf: 16, max_iterations: 2, seed: 1 };
            let euclidean = train_sq8(Metric::Cosine, 2, &rows);
            let codes = RowDistances::euclidean(&euclidean, &rows);
            let points = EncodedRows { rows: Reader::memory(&rows, 2), codes: &codes, codec: &euclidean };
            let tree = cluster(points, shape, &Ctx::default()).unwrap();
            let second = second_leaves(&tree, &euclidean, &codes);
            let ordered: Vec<f32> =
                tree.order.iter().flat_map(|&row| rows[row as usize * 2..][..2].to_vec()).collect();
            let codec = train_sq8(Metric::L2, 2, &ordered);
            let codes = RowDistances::encode(&codec, Metric::L2, &ordered);
            let own = |position: u32| tree.order[position as usize] >= equal as u32;
            let near = ListKnn::new(&codes, &tree, &second, own, |rows| codes.encode_alike(&codec, rows));
            let wanted: Vec<u32> = (0..codes.count() as u32).filter(|&position| own(position)).collect();
            assert!(near.of(&wanted, 20).iter().flatten().all(|near| own(near.1)));
            cost.push(compared(&near, &wanted));
        }
        assert!(cost.iter().all(|&cost| cost < 2 * 3000 * 100 * super::LISTED), "{cost:?}");
    }
}
