//! The walk over a graph. Building and searching differ only in what a distance is.

use crate::error::Error;
use crate::search::pool::Pool;
use crate::search::visited::Visited;
use crate::segment::GraphView;
use std::ops::Range;

/// Distances from one point to rows.
pub(crate) trait Distances {
    /// `out[i]` = distance to row `ids[i]`, each below the graph's count.
    fn distances(&mut self, ids: &[u32], out: &mut [f32]);

    /// Asks memory for rows whose distances will be asked for soon.
    fn prefetch(&self, ids: &[u32]);
}

/// The scratch of a walk, reused from query to query.
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

/// From the entry down to layer 0, whose `ef` nearest are left in `beam.pool`.
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

/// The node that a greedy walk from the entry ends at in the layer above `layer`.
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

/// Best-first over one layer from `starts`: the `ef` nearest are left in `beam.pool`. Every node is scored once, so
/// the walk ends after at most `count` steps, whatever the links say.
///
/// The walk is one node ahead of what it knows: a node is chosen and the rows it links to are asked for before those of
/// the node before it are scored, so that memory works while the CPU does.
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
    /// Scores these of the visited. Those that are kept may be next, so their links are asked for.
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
