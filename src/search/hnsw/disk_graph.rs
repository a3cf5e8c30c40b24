//! What a walk from disk reads, and where it lies.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::segment::GraphView;
use crate::segment::{GraphParts, Matrix, SectionKind, Segment};
use crate::storage::{Expected, Extent, Read, Source, in_order};

/// Where a walk finds what it reads.
pub(crate) struct DiskGraph<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) upper: GraphView<'a>,
    parts: GraphParts,
    checksums: &'a [u8],
    pub(super) codes: &'a Matrix,
    /// Codes rank the hits at last, so both distances of a code are taken while it is here.
    pub(super) fine: bool,
}

impl<'a> DiskGraph<'a> {
    /// Fails where `Facts` said that there is no such walk; `None` if the parts in memory are not all here.
    pub(crate) fn new(
        segment: &'a Segment,
        source: &'a dyn Source,
        fine: bool,
        checked: bool,
    ) -> Result<Option<Self>, Error> {
        let parts = segment.graph_parts().ok_or_else(|| Error::corrupt("graph", "it is too short"))?;
        let head = Extent { length: parts.upper_length, ..parts.upper };
        let checksums = segment.required(SectionKind::NodeChecksums)?;
        let (Some(bytes), Some(checksums)) = (source.get(head), source.get(checksums)) else {
            return Ok(None);
        };
        let upper = GraphView::upper(bytes, segment.count(), segment.header.m, checked)?;
        Ok(Some(DiskGraph { source, upper, parts, checksums, codes: &segment.codes, fine }))
    }

    fn checksums(&self, node: u32) -> Result<[u32; 2], Error> {
        Segment::stored_node_checksums(self.checksums, node)
            .ok_or_else(|| Error::corrupt("node checksums", "they end too early"))
    }

    pub(super) fn code(&self, node: u32) -> Extent {
        self.codes.row(node)
    }

    pub(super) fn links(&self, node: u32) -> Extent {
        let offset = self.parts.base.offset + u64::from(node) * self.parts.stride;
        Extent { offset, length: self.parts.stride }
    }
}

/// What walks miss: codes and links, each by node.
#[derive(Default)]
pub(crate) struct MissingReads {
    pub(super) codes: BTreeSet<u32>,
    pub(super) links: BTreeSet<u32>,
}

impl MissingReads {
    /// As reads, as many as there is room for.
    pub(crate) fn reads(self, places: &DiskGraph<'_>) -> Result<Vec<Read>, Error> {
        let slots = |section| places.source.slots(section).count.max(1);
        let (codes, links) = (slots(places.codes.extent), slots(places.parts.base));
        let mut reads = Vec::new();
        for node in self.links.into_iter().take(links) {
            let expected = Expected::Row { position: node, checksum: places.checksums(node)?[1] };
            reads.push(Read { extent: places.links(node), expected });
        }
        for node in self.codes.into_iter().take(codes) {
            let expected = Expected::Row { position: node, checksum: places.checksums(node)?[0] };
            reads.push(Read { extent: places.code(node), expected });
        }
        in_order(&mut reads);
        Ok(reads)
    }
}
