//! Chooses the links of a node (algorithm 4 of the HNSW paper): from near to far, a candidate is kept if it is nearer
//! to the node than to every kept one. Rows that are equally far from each other and from the node are all kept. Copies
//! are never candidates (`copies`).

use crate::build::row_distances::RowDistances;
use crate::sort;
use std::cmp::Ordering;

/// At most `keep` of `links`, the best for `node`, nearest first.
pub(crate) fn best(
    rows: &RowDistances<'_>,
    node: u32,
    links: Vec<u32>,
    keep: usize,
) -> impl Iterator<Item = u32> {
    let mut candidates = rows.with_distances(node, links);
    sort::by(&mut candidates, nearer);
    prune(rows, &mut candidates, keep);
    candidates.into_iter().map(|candidate| candidate.1)
}

/// The order of candidates: by distance, then by position.
pub(super) fn nearer(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Keeps at most `keep` of `candidates`, which must be sorted by [`nearer`]. If the heuristic keeps fewer than half of
/// that, the nearest of the others are kept too, up to half: else a row behind a dense group would be linked by only
/// one row of it, and under dot by only the longest.
pub(crate) fn prune(rows: &RowDistances<'_>, candidates: &mut Vec<(f32, u32)>, keep: usize) {
    // Distances are computed for a few kept ones at a time: most candidates fail by one of the first.
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
