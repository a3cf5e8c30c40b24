//! The complete check of a file that is here as a whole: what `open` leaves to later reads, all at once.

use super::clusters::List;
use super::format::SectionKind;
use super::ids::{IdOrder, IdView};
use super::reader::Segment;
use crate::error::Error;
use crate::storage::{Extent, Read, Source, Sum};

impl Segment {
    /// The checksums of all sections.
    pub(crate) fn check_sections(&self, source: &dyn Source) -> Result<(), Error> {
        for section in self.header.sections.iter().filter(|s| s.extent.length > 0) {
            let bytes = self.part(source, section.extent, section.kind.name())?;
            self.check(Read { extent: section.extent, sum: Sum::Blocks }, bytes)?;
        }
        Ok(())
    }

    /// The bytes of a part, which must be there.
    fn part<'a>(
        &self,
        source: &'a dyn Source,
        extent: Extent,
        name: &'static str,
    ) -> Result<&'a [u8], Error> {
        let missing = Error::Length { section: name, expected: extent.end(), got: self.header.file_length };
        if extent.length == 0 { Ok(&[][..]) } else { source.get(extent).ok_or(missing) }
    }

    /// Every checksum, every id, the order of ids. The graph's links are the index's to check.
    pub(crate) fn verify(&self, source: &dyn Source) -> Result<(), Error> {
        let read = |extent: Extent, name| self.part(source, extent, name);
        self.check_sections(source)?;
        self.verify_padding(source)?;
        for rows in &self.finer {
            let Some(kind) = rows.sums else { continue };
            let sums = read(self.required(kind)?, kind.name())?;
            for position in 0..self.count() as u32 {
                let row = read(rows.row(position), "rows")?;
                if Segment::stored_row_sum(sums, position) != Some(self.row_sum(position, row)) {
                    return Err(Error::Checksum { section: "rows", offset: rows.row(position).offset });
                }
            }
        }
        self.verify_nodes(source)?;
        let ids = read(self.required(SectionKind::Ids)?, "ids")?;
        let ids = IdView::new(ids, self.count(), self.header.text_ids)?;
        let order = IdOrder(read(self.required(SectionKind::IdOrder)?, "id order")?);
        order.verify(&ids, self.seed)?;
        self.verify_lists(source, ids)
    }

    /// The sums by which a graph is walked from a disk.
    fn verify_nodes(&self, source: &dyn Source) -> Result<(), Error> {
        let (Some(sums), Some(graph)) = (self.extent(SectionKind::NodeSums), self.graph_parts()) else {
            return Ok(());
        };
        let bad = |node: u32| Error::corrupt("node checksums", format!("node {node} has others"));
        for node in 0..self.count() as u32 {
            let links =
                Extent { offset: graph.base.offset + u64::from(node) * graph.stride, length: graph.stride };
            let [code_sum, links_sum] =
                source.get(sums).and_then(|s| Segment::stored_node_sums(s, node)).ok_or_else(|| bad(node))?;
            for (extent, sum) in [(self.codes.row(node), code_sum), (links, links_sum)] {
                let read = Read { extent, sum: Sum::Row { position: node, sum } };
                let bytes = source.get(extent).ok_or_else(|| bad(node))?;
                self.check(read, bytes).map_err(|_| bad(node))?;
            }
        }
        Ok(())
    }

    /// Every list: its sum, its rows in their place, and what it repeats of other sections.
    fn verify_lists(&self, source: &dyn Source, ids: IdView<'_>) -> Result<(), Error> {
        let Some(clusters) = &self.clusters else { return Ok(()) };
        let bad = |detail: String| Error::corrupt("lists", detail);
        let here =
            |read: Read| source.get(read.extent).ok_or_else(|| bad("a list leaves the file".to_owned()));
        let stride = clusters.list_codec.stride();
        let mut next = 0;
        for cell in 0..clusters.cells.len() {
            let block = clusters.cells.block(cell);
            self.check(block, here(block)?)?;
            let block = clusters.cells.leaves(cell, here(block)?, stride)?;
            for leaf in block.leaves(self.count()) {
                let leaf = leaf?;
                self.check(leaf.read, here(leaf.read)?)?;
                let text = self.header.text_ids;
                let list = List::new(here(leaf.read)?, &leaf, stride, text, self.count())?;
                if leaf.start != next {
                    return Err(bad(format!("a list starts at row {} where {next} is due", leaf.start)));
                }
                next = leaf.end;
                for at in 0..list.count() {
                    let position = list.position(at)?;
                    let row = here(Read { extent: self.finest().row(position), sum: Sum::Blocks })?;
                    let same = list.row_sum(at) == self.row_sum(position, row);
                    if !same || list.ids.id(at as u32)? != ids.id(position)? {
                        return Err(bad(format!("row {position} has another checksum or id in its list")));
                    }
                }
            }
        }
        match next as usize == self.count() {
            true => Ok(()),
            false => Err(bad(format!("the lists hold {next} of {} rows", self.count()))),
        }
    }

    /// What lies between sections is zero, so that every bit of a file is accounted for.
    fn verify_padding(&self, source: &dyn Source) -> Result<(), Error> {
        let mut at = super::format::header_bytes(self.header.sections.len()) as u64;
        let extents = self.header.sections.iter().map(|s| s.extent);
        for extent in extents.chain([Extent { offset: self.header.file_length, length: 0 }]) {
            let gap = Extent { offset: at, length: extent.offset.saturating_sub(at) };
            let zero = source.get(gap).is_some_and(|bytes| bytes.iter().all(|&b| b == 0));
            if gap.length > 0 && !zero {
                return Err(Error::corrupt(
                    "padding",
                    format!("bytes between sections at {at} are not zero"),
                ));
            }
            at = extent.end();
        }
        Ok(())
    }
}
