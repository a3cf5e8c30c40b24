//! A second leaf for every row: SOAR (Sun, Simcha, Dopson, Guo, Kumar 2023). A row that its own leaf hides from a query
//! is found in another, if that other does not err in the same direction; so the second leaf is the one with the least
//! ‖x - c'‖² + λ·((x - c')·r)², where r is the direction from the row's own centroid to the row.
//!
//! On wordnet (3,718 leaves, real queries) 0.95 of the neighbours are in 27 lists of 1,790 rows (copies counted), without
//! second leaves in 114 lists of 3,710; the nearest other leaf, λ = 0, needs half as many rows again as λ = 1.5. A
//! third leaf saves no more bytes.

use super::tree::{LOOK, Tree};
use crate::exec;
use crate::kernels::kernels;
use crate::quant::kmeans::{self, Rows};

const LAMBDA: f32 = 1.5;
/// Of the leaves looked at, so many of the nearest.
const SHORT: usize = 32;

/// The second leaf of the row at each position. `rows` are in the order of the tree. With one leaf there is none.
pub(crate) fn second_leaves(tree: &Tree, rows: Rows<'_>) -> Vec<u32> {
    let dim = rows.dim;
    if tree.leaves.len() < 3 {
        return Vec::new();
    }
    let count = tree.order.len();
    let all: Vec<u32> = (0..count as u32).collect();
    let look = LOOK.min(tree.cells.len() - 1);
    let cells = kmeans::nearest(rows, &all, &tree.cell_centroids, look);
    let leaves = Rows { data: &tree.leaf_centroids, dim };
    let halves = kmeans::halves(leaves.data, dim);
    let chunks = exec::map_chunks(count, 256, |range| {
        let mut near = Vec::new();
        let mut second = Vec::with_capacity(range.len());
        for position in range {
            let own = tree.leaf_of(position as u32);
            near.clear();
            for &cell in &cells[position * look..][..look] {
                let [first, last] = [cell, cell + 1].map(|c| tree.cells[c as usize] as usize);
                let centroids = &leaves.data[first * dim..last * dim];
                let offer = |distance, at| near.push((distance, first as u32 + at));
                kmeans::scan(rows.row(position as u32), centroids, &halves[first..last], offer);
            }
            near.retain(|n| n.1 != own);
            second.push(choose(rows.row(position as u32), own, &mut near, leaves));
        }
        second
    });
    chunks.concat()
}

/// `near`: half the squared distance (less a constant) of each leaf looked at, and which it is.
fn choose(row: &[f32], own: u32, near: &mut Vec<(f32, u32)>, leaves: Rows<'_>) -> u32 {
    let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if near.len() > SHORT {
        near.select_nth_unstable_by(SHORT, order);
        near.truncate(SHORT);
    }
    let dot = kernels().dot_f32;
    let mut towards: Vec<f32> = row.iter().zip(leaves.row(own)).map(|(x, c)| x - c).collect();
    let length = dot(&towards, &towards).sqrt();
    // A row that is its own centroid leans nowhere.
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    towards.iter_mut().for_each(|r| *r *= scale);
    let along = dot(row, &towards);
    let loss = |&(half, leaf): &(f32, u32)| {
        let lean = along - dot(leaves.row(leaf), &towards);
        (half + half + LAMBDA * lean * lean, leaf)
    };
    near.iter().map(loss).min_by(order).map_or(own, |least| least.1)
}

/// For each leaf the positions of the rows spilled into it, ascending.
pub(crate) fn spilled(second: &[u32], leaves: usize) -> Vec<Vec<u32>> {
    let mut spilled = vec![Vec::new(); leaves];
    second.iter().zip(0..).for_each(|(&leaf, position)| spilled[leaf as usize].push(position));
    spilled
}
