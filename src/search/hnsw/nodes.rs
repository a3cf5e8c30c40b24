//! What a walk sees of a graph: links and distances, in memory or as far as they are available.

use crate::error::Error;
use crate::segment::GraphView;

/// The nodes of a graph, and their distances from one point.
pub(crate) trait Nodes {
    /// How many there are, the node at which a walk enters, and the layers above 0.
    fn shape(&self) -> Shape;

    /// The links of `node` in `layer`; `None` if they are not available now.
    fn links<'b>(
        &'b mut self,
        layer: usize,
        node: u32,
        unpacked: &'b mut Vec<u32>,
    ) -> Result<Option<&'b [u32]>, Error>;

    /// Whether the distances of all `ids` can be computed now.
    fn ready(&mut self, ids: &[u32]) -> bool;

    /// `out[i]` = distance to row `ids[i]`, each below the graph's count.
    fn distances(&mut self, ids: &[u32], out: &mut [f32]);

    /// Prefetches rows whose distances are computed soon.
    fn prefetch(&self, ids: &[u32]);

    /// Prefetches links that may be followed soon.
    fn prefetch_links(&self, layer: usize, node: u32);
}

/// See [`Nodes::shape`].
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) count: usize,
    pub(crate) entry: u32,
    pub(crate) top: usize,
}

/// Distances from one point to rows that are in memory.
pub(crate) trait Distances {
    /// As [`Nodes::distances`].
    fn distances(&mut self, ids: &[u32], out: &mut [f32]);

    /// As [`Nodes::prefetch`].
    fn prefetch(&self, ids: &[u32]);
}

/// A graph and rows that are in memory.
pub(crate) struct Local<'a, D> {
    pub(crate) graph: GraphView<'a>,
    pub(crate) to: D,
}

impl<D: Distances> Nodes for Local<'_, D> {
    #[inline]
    fn shape(&self) -> Shape {
        Shape { count: self.graph.count, entry: self.graph.entry, top: self.graph.top }
    }

    #[inline]
    fn links<'b>(
        &'b mut self,
        layer: usize,
        node: u32,
        unpacked: &'b mut Vec<u32>,
    ) -> Result<Option<&'b [u32]>, Error> {
        self.graph.links(layer, node, unpacked).map(Some)
    }

    #[inline]
    fn ready(&mut self, _ids: &[u32]) -> bool {
        true
    }

    #[inline]
    fn distances(&mut self, ids: &[u32], out: &mut [f32]) {
        self.to.distances(ids, out);
    }

    #[inline]
    fn prefetch(&self, ids: &[u32]) {
        self.to.prefetch(ids);
    }

    #[inline]
    fn prefetch_links(&self, layer: usize, node: u32) {
        self.graph.prefetch(layer, node);
    }
}
