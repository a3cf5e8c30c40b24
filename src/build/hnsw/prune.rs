//! Which neighbours a node keeps: from near to far, each that is nearer to the node than to any kept one (the
//! heuristic of the HNSW paper, algorithm 4). Rows that are the same are not among its neighbours (`copies`); of rows that
//! are equally far from one another and from the node all are kept.

use crate::build::row_distances::RowDistances;
use std::cmp::Ordering;

/// The best of `links` for `node`, nearest first, at most `keep`.
pub(crate) fn best(
    rows: &RowDistances<'_>,
    node: u32,
    links: Vec<u32>,
    keep: usize,
) -> impl Iterator<Item = u32> {
    let mut candidates = rows.with_distances(node, links);
    candidates.sort_unstable_by(nearer);
    prune(rows, &mut candidates, keep);
    candidates.into_iter().map(|candidate| candidate.1)
}

/// The order of candidates: by distance, then by position.
pub(super) fn nearer(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Leaves at most `keep` of `candidates`, which come sorted by (distance to the node, position): from near to far, each
/// that is nearer to the node than to any kept one. Where those take less than half of the room, the nearest others fill
/// it up to there: a row behind a clump would be found by one row of it alone, and under dot a row by the longest.
pub(crate) fn prune(rows: &RowDistances<'_>, candidates: &mut Vec<(f32, u32)>, keep: usize) {
    // A few kept ones at a time: most candidates that fall do so by one of the first.
    const GROUP: usize = 8;
    let mut kept: Vec<u32> = Vec::with_capacity(keep);
    let mut distances = [0.0f32; GROUP];
    for &(distance, candidate) in &*candidates {
        if kept.len() == keep {
            break;
        }
        let hidden = kept.chunks(GROUP).any(|group| {
            let found = &mut distances[..group.len()];
            rows.distances(candidate, group, found);
            found.iter().any(|&d| d < distance)
        });
        if !hidden {
            kept.push(candidate);
        }
    }
    let mut missing = (keep / 2).saturating_sub(kept.len());
    let mut kept = kept.into_iter().peekable();
    candidates.retain(|&(_, candidate)| {
        if kept.next_if_eq(&candidate).is_some() {
            return true;
        }
        let stays = missing > 0;
        missing -= usize::from(stays);
        stays
    });
}
