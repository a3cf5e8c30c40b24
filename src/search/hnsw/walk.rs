//! The walk over a graph. A build and a search walk alike; only their distances differ.

use crate::error::Error;
use crate::search::pool::Pool;
use crate::search::visited::Visited;
use crate::segment::GraphView;
use std::ops::Range;

/// Distances from one point to rows.
pub(crate) trait Distances {
    /// `out[i]` = distance to row `ids[i]`, each below the graph's count.
    fn distances(&mut self, ids: &[u32], out: &mut [f32]);

    /// Prefetches rows whose distances are computed soon.
    fn prefetch(&self, ids: &[u32]);
}

/// The memory of a walk, reused from query to query.
#[derive(Default)]
pub(crate) struct Beam {
    pub(crate) pool: Pool,
    visited: Visited,
    links: Vec<u32>,
    nodes: Vec<u32>,
    distances: Vec<f32>,
    /// Distances computed since the caller last set it to 0.
    pub(crate) computed: u64,
}

/// Walks from the entry down to layer 0, and leaves the `ef` nearest nodes in `beam.pool`.
pub(crate) fn search(
    g: &GraphView<'_>,
    to: &mut impl Distances,
    ef: usize,
    beam: &mut Beam,
) -> Result<(), Error> {
    beam.pool.reset(ef);
    if g.count == 0 {
        return Ok(());
    }
    let start = descend(g, to, 0, beam)?;
    layer(g, to, 0, &[start], ef, beam)
}

/// The node at which a greedy walk from the entry ends, in the layer above `layer`.
pub(crate) fn descend(
    g: &GraphView<'_>,
    to: &mut impl Distances,
    layer: usize,
    beam: &mut Beam,
) -> Result<u32, Error> {
    let mut here = g.entry;
    let mut best = [0.0];
    to.distances(&[here], &mut best);
    beam.computed += 1;
    for l in (layer + 1..=g.top).rev() {
        loop {
            let before = here;
            beam.nodes.clear();
            let links = g.links(l, before, &mut beam.links)?;
            beam.nodes.extend(links.iter().filter(|&&link| link != before));
            to.prefetch(&beam.nodes);
            beam.distances.resize(beam.nodes.len(), 0.0);
            to.distances(&beam.nodes, &mut beam.distances);
            beam.computed += beam.nodes.len() as u64;
            for (&node, &distance) in beam.nodes.iter().zip(&beam.distances) {
                if distance < best[0] || (distance == best[0] && node < here) {
                    (best[0], here) = (distance, node);
                }
            }
            if here == before {
                break;
            }
        }
    }
    Ok(here)
}

/// Walks best-first over one layer from `starts`, and leaves the `ef` nearest nodes in `beam.pool`. Every node is
/// scored once, so the walk ends after at most `count` steps, whatever the links say.
///
/// The next node is chosen, and the rows it links to are prefetched, before the links of the node before it are scored:
/// so memory is read while the CPU computes.
pub(crate) fn layer(
    g: &GraphView<'_>,
    to: &mut impl Distances,
    layer: usize,
    starts: &[u32],
    ef: usize,
    beam: &mut Beam,
) -> Result<(), Error> {
    beam.pool.reset(ef);
    beam.visited.reset(g.count);
    let fresh = beam.visited.extend(starts);
    beam.offer(g, layer, to, fresh);
    let mut waiting = 0..0;
    loop {
        let fresh = match beam.pool.take() {
            Some(node) => beam.visited.extend(g.links(layer, node, &mut beam.links)?),
            None if waiting.is_empty() => return Ok(()),
            None => 0..0,
        };
        to.prefetch(beam.visited.added(fresh.clone()));
        beam.offer(g, layer, to, waiting);
        waiting = fresh;
    }
}

impl Beam {
    /// Scores these of the visited nodes. Those that are kept may be expanded next, so their links are prefetched.
    fn offer(&mut self, g: &GraphView<'_>, layer: usize, to: &mut impl Distances, range: Range<usize>) {
        let nodes = self.visited.added(range);
        self.distances.resize(nodes.len(), 0.0);
        to.distances(nodes, &mut self.distances);
        self.computed += nodes.len() as u64;
        for (&node, &distance) in nodes.iter().zip(&self.distances) {
            if self.pool.keep(distance, node) {
                g.prefetch(layer, node);
            }
        }
    }
}
