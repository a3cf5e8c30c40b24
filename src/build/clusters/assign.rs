//! Compares rows with the leaves of their nearest cells, or with other lists. Rows are first assigned to lists, so that
//! a list is compared with many rows at a time.

use super::kmeans;
use crate::build::row_distances::{RowDistances, Scratch};
use std::ops::Range;

/// A row is compared with the leaves of so many nearest cells.
const NPROBE: usize = 12;
/// Rows that are assigned together: of fewer rows, too few would share a cell.
pub(super) const BATCH: usize = 1024;
/// Rows that are compared at a time: they and a list fit into the fastest cache.
const TILE: usize = 32;

/// The cells and leaves that rows are compared with.
pub(super) struct Cells<'a> {
    /// The leaves of each cell.
    pub(super) leaves_by_cell: &'a [Vec<u32>],
    /// The centroids of the cells, then of the leaves.
    pub(super) means: &'a RowDistances<'a>,
    pub(super) leaves: &'a RowDistances<'a>,
}

/// The distances from some rows to all members of one list.
pub(super) struct Block<'a> {
    /// The rows, by their places in `of`.
    pub(super) places: &'a [u32],
    pub(super) list: &'a [u32],
    distances: &'a [f32],
}

impl Block<'_> {
    /// Each row's place in `of` with its distances to the list's members.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.places.iter().map(|&place| place as usize).zip(self.distances.chunks_exact(self.list.len()))
    }
}

/// Compares each of `of` with the leaves of its nearest cells.
pub(super) fn to_near_leaves(
    codes: &RowDistances<'_>,
    of: &[u32],
    cells: &Cells<'_>,
    use_block: impl FnMut(Block<'_>),
) {
    let all: Vec<u32> = (0..cells.leaves_by_cell.len() as u32).collect();
    let nearest = kmeans::nearest_few(codes, of, cells.means, &all, NPROBE);
    let mut assigned = vec![Vec::new(); cells.leaves_by_cell.len()];
    for (cells, place) in nearest.iter().zip(0u32..) {
        cells.iter().for_each(|&cell| assigned[cell as usize].push(place));
    }
    compare(codes, of, &assigned, cells.leaves, cells.leaves_by_cell, use_block);
}

/// Compares the rows `of[place]`, for each place in `assigned[i]`, with the rows `lists[i]` of `others`.
pub(super) fn compare(
    rows: &RowDistances<'_>,
    of: &[u32],
    assigned: &[Vec<u32>],
    others: &RowDistances<'_>,
    lists: &[Vec<u32>],
    mut use_block: impl FnMut(Block<'_>),
) {
    let (mut scratch, mut distances, mut tile) = (Scratch::default(), Vec::new(), Vec::new());
    for (list, assigned) in lists.iter().zip(assigned) {
        for places in assigned.chunks(TILE) {
            tile.clear();
            tile.extend(places.iter().map(|&place| of[place as usize]));
            rows.matrix(&tile, others, list, &mut scratch, &mut distances);
            use_block(Block { places, list, distances: &distances });
        }
    }
}

/// The ranges of equal values that follow one another.
pub(super) fn runs(values: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    values.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}
