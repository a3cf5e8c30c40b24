//! The walk over a graph. Building and searching differ only in what a distance is.

use super::graph::GraphView;
use crate::error::Error;
use crate::index::pool::Pool;
use crate::index::visited::Visited;

/// Distances from one point to rows.
pub(crate) trait Distances {
    /// `out[i]` = distance to row `ids[i]`, each below the graph's count.
    fn distances(&mut self, ids: &[u32], out: &mut [f32]);
}

/// The scratch of a walk, reused from query to query.
#[derive(Default)]
pub(crate) struct Beam {
    pub(crate) pool: Pool,
    visited: Visited,
    fresh: Vec<u32>,
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
            beam.fresh.clear();
            collect(g, l, before, |_| true, &mut beam.fresh)?;
            beam.score(to);
            for (&node, &distance) in beam.fresh.iter().zip(&beam.distances) {
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
    beam.fresh.clear();
    for &start in starts {
        if beam.visited.insert(start) {
            beam.fresh.push(start);
        }
    }
    beam.offer(to);
    while let Some(node) = beam.pool.take() {
        beam.fresh.clear();
        collect(g, layer, node, |l| beam.visited.insert(l), &mut beam.fresh)?;
        beam.offer(to);
    }
    Ok(())
}

impl Beam {
    fn score(&mut self, to: &mut impl Distances) {
        self.distances.resize(self.fresh.len(), 0.0);
        to.distances(&self.fresh, &mut self.distances);
        self.computed += self.fresh.len() as u64;
    }

    fn offer(&mut self, to: &mut impl Distances) {
        self.score(to);
        for (&node, &distance) in self.fresh.iter().zip(&self.distances) {
            self.pool.offer(distance, node);
        }
    }
}

/// The neighbours of `node` that `wanted` accepts. A link that leaves the graph is an error, not a read.
#[inline]
fn collect(
    g: &GraphView<'_>,
    layer: usize,
    node: u32,
    mut wanted: impl FnMut(u32) -> bool,
    into: &mut Vec<u32>,
) -> Result<(), Error> {
    for &link in g.links(layer, node) {
        if link as usize >= g.count {
            return Err(Error::corrupt("graph", format!("node {node} links to {link}, beyond the last row")));
        }
        if link != node && wanted(link) {
            into.push(link);
        }
    }
    Ok(())
}
