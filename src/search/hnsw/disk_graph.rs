//! A graph on disk: what a walk reads of it, and where that is in the file.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::search::view::View;
use crate::segment::{GraphParts, GraphView, Matrix, SectionKind, Segment};
use crate::storage::{Expected, Extent, Read, Source, in_order};

/// The layers above 0 and the checksums of nodes, in memory; the places of links and codes, which are read node by
/// node.
pub(crate) struct DiskGraph<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) upper: GraphView<'a>,
    parts: GraphParts,
    checksums: &'a [u8],
    pub(super) codes: &'a Matrix,
    /// Codes give the final distances, so both distances of a code are computed while it is available.
    pub(super) fine: bool,
}

impl<'a> DiskGraph<'a> {
    /// What must be in memory before a walk begins and is not: `sections`, the checksums of nodes, the layers above 0,
    /// and the codes if they fit.
    pub(crate) fn missing(view: &View<'_>, sections: &[SectionKind]) -> Vec<Read> {
        let (segment, source) = (view.segment, view.source);
        let mut absent = view.missing(&[SectionKind::NodeChecksums]);
        absent.extend(view.missing(sections));
        if source.fits(segment.codes.extent) {
            absent.extend(view.missing(&[SectionKind::Codes]));
        }
        let upper = segment.graph_parts().map(|parts| parts.upper).filter(|&e| source.get(e).is_none());
        absent.extend(upper.map(|extent| Read { extent, expected: Expected::Blocks }));
        absent
    }

    /// `None` if a part that must be in memory is not there yet. Fails if the file has no such graph: then
    /// [`Facts`](crate::search::plan::Facts) allow for no such walk.
    pub(crate) fn new(view: &View<'a>, fine: bool, checked: bool) -> Result<Option<Self>, Error> {
        let View { segment, source, .. } = *view;
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

/// The nodes whose codes or links a walk misses.
#[derive(Default)]
pub(crate) struct MissingReads {
    pub(super) codes: BTreeSet<u32>,
    pub(super) links: BTreeSet<u32>,
}

impl MissingReads {
    /// The reads, as many as there are slots for.
    pub(crate) fn reads(self, graph: &DiskGraph<'_>) -> Result<Vec<Read>, Error> {
        let slots = |section| graph.source.slots(section).count.max(1);
        let (codes, links) = (slots(graph.codes.extent), slots(graph.parts.base));
        let mut reads = Vec::new();
        for node in self.links.into_iter().take(links) {
            let expected = Expected::Row { position: node, checksum: graph.checksums(node)?[1] };
            reads.push(Read { extent: graph.links(node), expected });
        }
        for node in self.codes.into_iter().take(codes) {
            let expected = Expected::Row { position: node, checksum: graph.checksums(node)?[0] };
            reads.push(Read { extent: graph.code(node), expected });
        }
        in_order(&mut reads);
        Ok(reads)
    }
}
