//! Assigns every row x to a second leaf: SOAR (Sun, Simcha, Dopson, Guo, Kumar 2023). A query that does not visit the
//! row's own leaf, with centroid c, can find the row in the second one, with centroid c', if the two residuals differ in
//! direction. So the second leaf is the one with the least ‖x - c'‖² + λ·((x - c')·r)², where r is the direction from c
//! to x.
//!
//! On wordnet (3,718 leaves, real queries) 27 lists with 1,790 entries hold 0.95 of the neighbours; without second
//! leaves 114 lists with 3,710 entries are needed. With λ = 0, which chooses the nearest other leaf, half as many
//! entries again are needed as with λ = 1.5. A third leaf saves no more bytes.

use super::assign::{self, Cells};
use super::tree::Tree;
use crate::build::row_distances::{RowDistances, Scratch};
use crate::exec;
use crate::hash::hash;
use crate::quant::Sq8;
use crate::sort;

const LAMBDA: f32 = 1.5;
/// At most so many times the average number of rows per leaf are spilled into one list; the other rows go to their next
/// best leaf. Otherwise many equal rows would all be in one list.
const CAPACITY: usize = 4;
/// Second leaves that are tried for a row.
const CHOICES: usize = 2;

/// The loss of a row with a leaf, and the leaf.
type Choice = (f32, u32);

/// The second leaf of the row at each position; a row without one has its own leaf there. `codes` are those of `codec`,
/// in the order of the source. With a single leaf the result is empty.
pub(crate) fn second_leaves(tree: &Tree, codec: &Sq8, codes: &RowDistances<'_>) -> Vec<u32> {
    if tree.leaf_starts.len() < 3 {
        return Vec::new();
    }
    let [leaves, means] = [&tree.leaf_centroids, &tree.cell_centroids]
        .map(|centroids| RowDistances::euclidean(codec, centroids));
    let leaves_by_cell = tree.leaves_by_cell();
    let cells = Cells { leaves_by_cell: &leaves_by_cell, means: &means, leaves: &leaves };
    let chunks = exec::map_chunks(tree.order.len(), assign::BATCH, |range| {
        let own: Vec<u32> = range.clone().map(|position| tree.leaf_of(position as u32)).collect();
        best_choices(codes, &tree.order[range.clone()], range.start as u32, &own, &cells)
    });
    place(tree, &chunks.concat())
}

/// Gives each row the best of its choices whose list is not full. If a list has not enough room, rows with the least
/// loss come first.
fn place(tree: &Tree, choices: &[[Choice; CHOICES]]) -> Vec<u32> {
    let leaves = tree.leaf_starts.len() - 1;
    // The file stores the number of rows spilled into a list in 16 bits.
    let room = (CAPACITY * choices.len().div_ceil(leaves)).min(usize::from(u16::MAX));
    let mut taken = vec![0; leaves];
    let mut second: Vec<u32> = (0..choices.len() as u32).map(|position| tree.leaf_of(position)).collect();
    let mut left: Vec<u32> = (0..choices.len() as u32).collect();
    #[expect(clippy::needless_range_loop, reason = "what is indexed is each row's choices")]
    for choice in 0..CHOICES {
        let wanted = |position: u32| choices[position as usize][choice];
        let mut claims = vec![0; leaves];
        left.iter().for_each(|&position| claims[wanted(position).1 as usize] += 1);
        let full = |leaf: usize| taken[leaf] + claims[leaf] > room;
        // The order matters only if some list has not enough room.
        if (0..leaves).any(full) {
            sort::by(&mut left, |&a, &b| {
                wanted(a).0.total_cmp(&wanted(b).0).then(hash(a.into()).cmp(&hash(b.into())))
            });
        }
        left.retain(|&position| {
            let leaf = wanted(position).1;
            if leaf == second[position as usize] || taken[leaf as usize] >= room {
                return true;
            }
            taken[leaf as usize] += 1;
            second[position as usize] = leaf;
            false
        });
    }
    second
}

/// The leaves with the least loss, for each of `of`, whose positions begin at `first`. `own` are the leaves of these
/// rows, equal ones in a run.
fn best_choices(
    codes: &RowDistances<'_>,
    of: &[u32],
    first: u32,
    own: &[u32],
    cells: &Cells<'_>,
) -> Vec<[Choice; CHOICES]> {
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let mut to_own = Vec::with_capacity(of.len());
    for (rows, own) in assign::runs(own).map(|run| (&of[run.clone()], own[run.start])) {
        codes.matrix(rows, cells.leaves, &[own], &mut scratch, &mut out);
        to_own.extend_from_slice(&out);
    }
    let mut best: Vec<[Choice; CHOICES]> = own.iter().map(|&own| [(f32::INFINITY, own); CHOICES]).collect();
    assign::to_near_leaves(codes, of, cells, |block| {
        let owners: Vec<u32> = block.places.iter().map(|&place| own[place as usize]).collect();
        let mut lines = block.lines();
        for run in assign::runs(&owners) {
            let owner = owners[run.start];
            cells.leaves.matrix(&[owner], cells.leaves, block.list, &mut scratch, &mut out);
            for (place, distances) in lines.by_ref().take(run.len()) {
                let best = &mut best[place];
                for ((&leaf, &distance), &apart) in block.list.iter().zip(distances).zip(&out) {
                    let loss = loss(distance, to_own[place], apart);
                    if loss <= best[CHOICES - 1].0 && leaf != owner {
                        insert(best, (loss, leaf), first + place as u32);
                    }
                }
            }
        }
    });
    best
}

/// Keeps the best choices in order. A hash of position and leaf orders leaves with the same loss.
fn insert(best: &mut [Choice; CHOICES], new: Choice, position: u32) {
    let tie = |leaf: u32| hash(u64::from(position) << 32 | u64::from(leaf));
    let before = |a: Choice, b: Choice| a.0 < b.0 || (a.0 == b.0 && tie(a.1) < tie(b.1));
    let at = best.iter().position(|&b| before(new, b)).unwrap_or(CHOICES);
    if at < CHOICES {
        best[at..].rotate_right(1);
        best[at] = new;
    }
}

/// The loss of SOAR, from three squared distances: from the row to the other leaf, from the row to its own, and between
/// the two leaves.
fn loss(distance: f32, to_own: f32, apart: f32) -> f32 {
    let along = (distance + to_own - apart) * 0.5;
    // A row that equals its centroid has no direction r.
    if to_own > 0.0 { distance + LAMBDA * along * along / to_own } else { distance }
}

/// For each leaf the positions of the rows spilled into it, ascending.
pub(crate) fn spilled(second: &[u32], tree: &Tree) -> Vec<Vec<u32>> {
    let mut spilled = vec![Vec::new(); tree.leaf_starts.len() - 1];
    for (&leaf, position) in second.iter().zip(0..) {
        if leaf != tree.leaf_of(position) {
            spilled[leaf as usize].push(position);
        }
    }
    spilled
}
