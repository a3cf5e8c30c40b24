//! Which neighbours a node keeps: from near to far, each that is nearer to the node than to any kept one (the
//! heuristic of the HNSW paper, algorithm 4). So of rows that are the same as the node one is kept, the first.

use crate::quant::coded::Coded;

/// The best of `links` for `node`, nearest first, at most `keep`.
pub(crate) fn best(rows: &Coded<'_>, node: u32, links: &[u32], keep: usize) -> impl Iterator<Item = u32> {
    let mut distances = vec![0.0; links.len()];
    rows.distances(node, links, &mut distances);
    let mut candidates: Vec<(f32, u32)> = distances.into_iter().zip(links.iter().copied()).collect();
    candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    prune(rows, &mut candidates, keep);
    candidates.into_iter().map(|candidate| candidate.1)
}

/// Leaves at most `keep` of `candidates`, which come sorted by (distance to the node, position).
pub(crate) fn prune(rows: &Coded<'_>, candidates: &mut Vec<(f32, u32)>, keep: usize) {
    // A few kept ones at a time: most candidates that fall do so by one of the first.
    const GROUP: usize = 8;
    let mut kept: Vec<u32> = Vec::with_capacity(keep);
    let mut distances = [0.0f32; GROUP];
    candidates.retain(|&(distance, candidate)| {
        if kept.len() == keep {
            return false;
        }
        for group in kept.chunks(GROUP) {
            let found = &mut distances[..group.len()];
            rows.distances(candidate, group, found);
            if found.iter().any(|&d| d <= distance) {
                return false;
            }
        }
        kept.push(candidate);
        true
    });
}
