//! Which neighbours a node keeps: from near to far, each that is nearer to the node than to any kept one (the
//! heuristic of the HNSW paper, algorithm 4). So of rows that are the same as the node one is kept, the first.

/// Distances between rows.
pub(crate) trait Between: Sync {
    /// `out[i]` = distance from row `from` to row `to[i]`.
    fn between(&self, from: u32, to: &[u32], out: &mut [f32]);
}

/// Leaves at most `keep` of `candidates`, which come sorted by (distance to the node, position).
pub(crate) fn prune(rows: &impl Between, candidates: &mut Vec<(f32, u32)>, keep: usize) {
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
            rows.between(candidate, group, found);
            if found.iter().any(|&d| d <= distance) {
                return false;
            }
        }
        kept.push(candidate);
        true
    });
}
