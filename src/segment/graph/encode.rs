//! A graph that owns its links, and its bytes.

use super::HEAD;
use super::links;
use super::view::{Base, GraphView};

/// Bytes of a graph of `count` nodes, of which so many are above layer 0, with so many links there in all.
pub(in crate::segment) fn section_bytes(count: usize, m: usize, [upper, blocks]: [u64; 2]) -> u64 {
    let head = ((HEAD as u64 + 2 * upper + 1 + blocks) * 4).next_multiple_of(64);
    head + count as u64 * links::stride(count, m) as u64
}

/// A graph that owns its links: `2m` a node in layer 0.
pub(crate) struct Graph {
    pub(crate) m: usize,
    pub(crate) entry: u32,
    pub(crate) upper: Vec<u32>,
    pub(crate) first: Vec<u32>,
    pub(crate) blocks: Vec<u32>,
    pub(crate) base: Vec<u32>,
}

impl Graph {
    /// A graph without links over nodes whose layers are given.
    pub(crate) fn unlinked(m: usize, entry: u32, levels: &[u8]) -> Self {
        let upper: Vec<u32> = (0..levels.len() as u32).filter(|&p| levels[p as usize] > 0).collect();
        let mut first = vec![0u32];
        let mut blocks = Vec::new();
        for &p in &upper {
            blocks.extend(std::iter::repeat_n(p, usize::from(levels[p as usize]) * m));
            first.push((blocks.len() / m) as u32);
        }
        let base = (0..levels.len() as u32).flat_map(|p| std::iter::repeat_n(p, 2 * m)).collect();
        Graph { m, entry, upper, first, blocks, base }
    }

    pub(crate) fn view(&self) -> GraphView<'_> {
        let mut view = GraphView {
            m: self.m,
            count: self.base.len() / (2 * self.m),
            entry: self.entry,
            top: 0,
            upper: &self.upper,
            first: &self.first,
            blocks: &self.blocks,
            base: Base::Open(&self.base),
        };
        view.top = view.levels(self.entry);
        view
    }

    /// The links of `node` in `layer`, which it must have.
    pub(crate) fn links_mut(&mut self, layer: usize, node: u32) -> &mut [u32] {
        if layer == 0 {
            return &mut self.base[node as usize * 2 * self.m..][..2 * self.m];
        }
        match self.upper.binary_search(&node) {
            Ok(at) => &mut self.blocks[(self.first[at] as usize + layer - 1) * self.m..][..self.m],
            Err(_) => &mut [],
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = [0u32; HEAD];
        head[..4].copy_from_slice(&[
            self.m as u32,
            self.entry,
            self.upper.len() as u32,
            self.blocks.len() as u32,
        ]);
        let count = self.base.len() / (2 * self.m);
        let mut out = Vec::with_capacity(section_bytes(
            count,
            self.m,
            [self.upper.len(), self.blocks.len()].map(|n| n as u64),
        ) as usize);
        for part in [&head[..], &self.upper, &self.first, &self.blocks] {
            out.extend(part.iter().flat_map(|v| v.to_le_bytes()));
        }
        out.resize(out.len().next_multiple_of(64), 0);
        links::pack(&self.base, self.m, &mut out);
        out
    }
}
