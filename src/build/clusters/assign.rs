//! From rows to the leaves of their nearest cells: the distances that rounds of clustering and second leaves need, cell
//! by cell, so that a cell's leaves are compared with many rows at a time.

use super::kmeans;
use crate::build::row_distances::{RowDistances, Scratch};
use std::ops::Range;

/// Nearest cells whose leaves a row looks at.
const NPROBE: usize = 12;
/// Rows assigned together: with fewer, few rows at a time would share a cell.
pub(super) const BATCH: usize = 1024;
/// Of these so many are compared at a time: they and a cell's leaves stay in the fastest cache.
pub(super) const TILE: usize = 32;

/// Leaves in cells, by their centroids.
pub(super) struct Cells<'a> {
    pub(super) members: &'a [Vec<u32>],
    pub(super) means: &'a RowDistances<'a>,
    pub(super) leaves: &'a RowDistances<'a>,
}

/// Some rows and some leaves, and the distances of each row to all these leaves.
pub(super) struct Block<'a> {
    /// Places in `of`.
    pub(super) rows: &'a [u32],
    pub(super) leaves: &'a [u32],
    pub(super) distances: &'a [f32],
}

/// Compares each of `of` with the leaves of its nearest cells.
pub(super) fn to_near_leaves(
    codes: &RowDistances<'_>,
    of: &[u32],
    cells: &Cells<'_>,
    mut seen: impl FnMut(Block<'_>),
) {
    let all: Vec<u32> = (0..cells.members.len() as u32).collect();
    let nearest = kmeans::nearest_few(codes, of, cells.means, &all, NPROBE);
    let mut assigned = vec![Vec::new(); cells.members.len()];
    for (cells, place) in nearest.iter().zip(0u32..) {
        cells.iter().for_each(|&cell| assigned[cell as usize].push(place));
    }
    let (mut scratch, mut distances, mut rows) = (Scratch::default(), Vec::new(), Vec::new());
    for (leaves, assigned) in cells.members.iter().zip(&assigned) {
        for places in assigned.chunks(TILE) {
            rows.clear();
            rows.extend(places.iter().map(|&place| of[place as usize]));
            codes.matrix(&rows, cells.leaves, leaves, &mut scratch, &mut distances);
            seen(Block { rows: places, leaves, distances: &distances });
        }
    }
}

/// Where equal values follow one another.
pub(super) fn runs(values: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    values.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}
