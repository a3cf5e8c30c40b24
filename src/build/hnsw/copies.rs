//! Equal rows. If they were linked like other rows, they would link only to each other. So only the first row of a
//! group of equal rows is linked like any row. The others, its copies, form a tree below it, and each copy has links to
//! rows near the group, so that a search whose pool is full of copies still reaches other rows.

use crate::build::clusters::ListKnn;
use crate::build::row_distances::RowDistances;
use crate::exec;
use crate::hash::hash;
use crate::segment::Graph;
use crate::sort;
use xxhash_rust::xxh3::xxh3_64;

/// Children of a copy in the tree.
const CHILDREN: usize = 4;
/// A group of `LARGE` rows or more links to `WIDER` times as many rows as other groups: a few such groups fill the pool
/// of a search, and where all rows are equally far from each other (one-hot rows), their links must lead to all.
const LARGE: usize = 8;
const WIDER: usize = 8;
/// Groups per task.
const TASK: usize = 256;

/// The groups of equal rows.
pub(crate) struct Copies {
    /// For each position the first of its group.
    first: Vec<u32>,
    /// The positions in each group of two or more, ascending.
    groups: Vec<Vec<u32>>,
}

impl Copies {
    pub(crate) fn find(rows: &RowDistances<'_>) -> Self {
        let count = rows.count();
        let hashes = exec::map_chunks(count, 1024, |range| {
            range.map(|row| (xxh3_64(rows.bytes(row as u32)), row as u32)).collect::<Vec<_>>()
        });
        let mut hashes = hashes.concat();
        sort::by(&mut hashes, Ord::cmp);
        let mut first: Vec<u32> = (0..count as u32).collect();
        let mut groups = Vec::new();
        for run in hashes.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            // Rows with the hash of the first but other bytes are left out: they count as rows without copies.
            let same = |row: &u32| rows.bytes(*row) == rows.bytes(run[0].1);
            let group: Vec<u32> = run.iter().map(|h| h.1).filter(same).collect();
            group.iter().for_each(|&row| first[row as usize] = group[0]);
            groups.push(group);
        }
        groups.retain(|group| group.len() > 1);
        sort::by_key(&mut groups, |group| group[0]);
        Copies { first, groups }
    }

    /// Whether the row is the first of its group; a row without copies is.
    pub(crate) fn is_first(&self, row: u32) -> bool {
        self.first[row as usize] == row
    }

    /// Whether most rows are copies.
    pub(crate) fn are_most_rows(&self) -> bool {
        self.groups.iter().map(|group| group.len() - 1).sum::<usize>() * 2 > self.first.len()
    }

    /// Whether the row is the first of a group of two or more.
    pub(super) fn has_others(&self, row: u32) -> bool {
        self.groups.binary_search_by_key(&row, |group| group[0]).is_ok()
    }

    /// Links the copies. The first row of each group must have a free slot for one link.
    pub(super) fn link(&self, near: &ListKnn<'_>, graph: &mut Graph, count: usize) {
        let large = |group: &&Vec<u32>| group.len() >= LARGE;
        let (large, small): (Vec<_>, Vec<_>) = self.groups.iter().partition(large);
        for (groups, count) in [(small, count), (large, WIDER * count)] {
            let around = exec::map_chunks(groups.len(), TASK, |range| {
                let of: Vec<u32> = groups[range].iter().map(|group| group[0]).collect();
                near.of(&of, count)
            });
            for (group, around) in groups.iter().zip(around.into_iter().flatten()) {
                link_group(graph, group, &around);
            }
        }
    }
}

/// Links a group as a tree, and its copies to the rows `around` it: a third of their slots go to these from near to
/// far, the rest to them in an order given by a hash.
fn link_group(graph: &mut Graph, group: &[u32], around: &[(f32, u32)]) {
    let (first, copies) = (group[0], &group[1..]);
    let links = graph.links_mut(0, first);
    if let Some(slot) = links.iter().position(|&link| link == first) {
        links[slot] = copies[0];
    }
    let near: Vec<u32> = around.iter().map(|near| near.1).collect();
    let mut mixed = near.clone();
    sort::by_key(&mut mixed, |&row| hash(u64::from(first) << 32 | u64::from(row)));
    let (mut near_by, mut mixed) = (near.iter().cycle(), mixed.iter().cycle());
    for (at, &copy) in copies.iter().enumerate() {
        let parent = if at == 0 { first } else { copies[(at - 1) / CHILDREN] };
        let mut links = vec![parent];
        links.extend(copies.iter().skip(CHILDREN * at + 1).take(CHILDREN));
        let room = (2 * graph.m).saturating_sub(links.len());
        let across = near_by.by_ref().take(room / 3).chain(mixed.by_ref().take(room - room / 3));
        for &row in across.take(near.len()) {
            if !links.contains(&row) {
                links.push(row);
            }
        }
        graph.links_mut(0, copy).iter_mut().zip(links).for_each(|(slot, link)| *slot = link);
    }
}

#[cfg(test)]
mod tests {
    use super::{Copies, Graph, link_group};
    use crate::build::row_distances::RowDistances;
    use crate::metric::Metric;

    #[test]
    fn groups_are_of_equal_rows() {
        let rows: Vec<f32> = (0..3000u16).map(|row| f32::from(row % 7 % 5)).collect();
        let copies = Copies::find(&RowDistances::floats(Metric::L2, 1, rows.as_slice()));
        assert_eq!(copies.groups.len(), 5);
        assert_eq!(copies.groups.iter().map(Vec::len).sum::<usize>(), 3000);
        for row in 0..3000u32 {
            assert_eq!(copies.is_first(row), row < 5, "{row}");
            let group = &copies.groups[(row % 7 % 5) as usize];
            assert!(group.binary_search(&row).is_ok() && group[0] == copies.first[row as usize]);
        }
    }

    #[test]
    fn a_group_is_a_tree_and_leads_to_all_that_is_around() {
        let group: Vec<u32> = (10..90).collect();
        let around: Vec<(f32, u32)> = (100..500).map(|row| (row as f32, row)).collect();
        let mut graph = Graph::unlinked(16, 0, &[0; 500]);
        link_group(&mut graph, &group, &around);
        let (mut reached, mut steps) = (vec![10u32], 0);
        while let Some(&node) = reached.get(steps) {
            steps += 1;
            let links: Vec<u32> = graph.links_mut(0, node).iter().copied().filter(|&l| l != node).collect();
            assert!(links.windows(2).all(|pair| pair[0] != pair[1]));
            for link in links {
                if !reached.contains(&link) {
                    reached.push(link);
                }
            }
        }
        assert!(group.iter().chain(around.iter().map(|a| &a.1)).all(|row| reached.contains(row)));
    }
}
