//! The bytes of the graph, both directions. A head of 16 u32; the sorted positions of the nodes above layer 0; where
//! the blocks of each start; the blocks (`m` links for each layer from 1 up); padding to 64 bytes; then the records of
//! layer 0: `2m` packed links for every node. A node's unused links point to itself.
//!
//! | file | duty |
//! |---|---|
//! | `encode` | a graph while it is built, and its bytes |
//! | `view`   | the links of a node, read where they are |
//! | `links`  | the records of layer 0, bit-packed |

mod encode;
pub(super) mod links;
mod view;

pub(crate) use encode::Graph;
pub(super) use encode::section_bytes;
pub(crate) use view::GraphView;

use super::format::SectionKind;
use super::reader::Segment;
use crate::storage::Extent;

const SECTION: &str = "graph";
const HEAD: usize = 16;

/// Where the parts of the graph are that a walk from disk reads.
#[derive(Clone, Copy)]
pub(crate) struct GraphParts {
    /// The layers above 0, as whole checksum blocks of `block_size` bytes. Only the first `upper_length` bytes are of
    /// these layers.
    pub(crate) upper: Extent,
    pub(crate) upper_length: u64,
    pub(crate) block_size: u64,
    /// The links of layer 0, `stride` bytes a node.
    pub(crate) base: Extent,
    pub(crate) stride: u64,
}

impl Segment {
    /// Where the graph's parts are; `None` if there is no graph, or its section is too short for its links.
    pub(crate) fn graph_parts(&self) -> Option<GraphParts> {
        let section = self.header.section(SectionKind::Graph)?;
        let stride = links::stride(self.header.count, self.header.m) as u64;
        let base = stride.checked_mul(self.header.count as u64)?;
        let upper = section.extent.length.checked_sub(base)?;
        let blocks =
            upper.div_ceil(section.block_size).checked_mul(section.block_size)?.min(section.extent.length);
        let offset = section.extent.offset;
        Some(GraphParts {
            upper: Extent { offset, length: blocks },
            upper_length: upper,
            base: Extent { offset: offset + upper, length: base },
            stride,
            block_size: section.block_size,
        })
    }
}
