//! The complete check of a file, in one pass: all that `open` leaves to later reads.
//!
//! Beside a window of about 1 MiB it holds ids and their order, the leaves, the graph's layers above 0, the field
//! directory, what `payload` says that it holds, and 12 to 20 bytes a row of checksums, with which later sections are compared.

use super::clusters::List;
use super::fields::verify as verify_fields;
use super::format::{LINKS, STAGES, SectionKind};
use super::graph::GraphView;
use super::graph::links::Links;
use super::ids::{IdOrder, IdView};
use super::payload::Check;
use super::reader::{Matrix, Segment};
use super::stream::{Fill, Stream};
use crate::error::Error;
use crate::storage::{Buffer, Extent};

/// Data that later sections are compared with.
#[derive(Default)]
struct Kept {
    ids: Option<Buffer>,
    leaves: Option<Buffer>,
    upper: Option<Buffer>,
    field_directory: Option<Buffer>,
    payload: Check,
    /// Sums of the rows of each stage, of the links of each node, and of the finest rows as the lists have them.
    rows: [Vec<u32>; STAGES.len()],
    links: Vec<u32>,
    listed: Vec<Option<u32>>,
}

impl Segment {
    /// Checks every checksum, every id, the order of ids, every list and every link of the graph. Returns the content
    /// id, BLAKE3 of the file in hex, if it is wanted.
    pub(crate) fn verify(&self, read: &mut Fill<'_>, content_id: bool) -> Result<Option<String>, Error> {
        let mut kept = Kept::default();
        let mut stream = Stream::new(self, read, content_id);
        for section in self.header.sections.iter().filter(|s| s.extent.length > 0) {
            stream.pass(section.extent.offset)?;
            self.verify_section(section.kind, section.extent, &mut stream, &mut kept)?;
        }
        let content_id = stream.finish()?;
        if let Some(upper) = &kept.upper {
            GraphView::upper(upper.as_ref(), self.count(), self.header.m, false)?.verify()?;
        }
        let finest = kept.rows.get(self.finer.len()).map_or(&[][..], Vec::as_slice);
        let wrong = finest.iter().zip(&kept.listed).position(|(&checksum, &listed)| listed != Some(checksum));
        match wrong.filter(|_| self.clusters.is_some()) {
            Some(position) => Err(in_list(position as u32)),
            None => Ok(content_id),
        }
    }

    /// Checks one section. Sections are in the order of their kinds, so those that it is compared with come before it.
    fn verify_section(
        &self,
        kind: SectionKind,
        extent: Extent,
        stream: &mut Stream<'_>,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        if let Some(stage) = STAGES.iter().position(|form| form.matrix == kind) {
            let rows = self.stage(stage)?;
            kept.rows[stage] = self.sums_of(stream, rows)?;
        }
        if let Some(stage) = STAGES.iter().position(|form| form.checksums == Some(kind)) {
            let rows = self.stage(stage)?;
            if let Some(at) = differs(stream, extent, kept.rows[stage].iter().map(|&checksum| [checksum]))? {
                let section = STAGES[stage].matrix.name();
                return Err(Error::Checksum { section, offset: rows.row(at).offset });
            }
        }
        if let Some(head) = &self.payload {
            match kind {
                SectionKind::Payload => kept.payload = Check::new(self, head)?,
                SectionKind::Terms => kept.payload.terms(self, head, stream)?,
                SectionKind::Sets => kept.payload.sets(self, head, stream)?,
                SectionKind::Sorted => kept.payload.sorted(self, head, stream)?,
                _ => {}
            }
        }
        match kind {
            SectionKind::Graph => self.verify_links(stream, kept),
            SectionKind::Ids => {
                kept.ids = Some(stream.keep(extent)?);
                Ok(())
            }
            SectionKind::IdOrder => self.verify_order(&stream.keep(extent)?, kept),
            SectionKind::Leaves => {
                kept.leaves = Some(stream.keep(extent)?);
                Ok(())
            }
            SectionKind::Lists => self.verify_lists(stream, kept),
            SectionKind::FieldDirectory => {
                kept.field_directory = Some(stream.keep(extent)?);
                Ok(())
            }
            SectionKind::Fields => match (self.fields(), kept.field_directory.take()) {
                (Some(places), Some(directory)) => verify_fields(self, places, directory.as_ref(), stream),
                _ => Err(Error::corrupt("field directory", "it is empty")),
            },
            SectionKind::NodeChecksums => {
                let checksums = kept.rows[0].iter().zip(&kept.links).map(|(&code, &links)| [code, links]);
                match differs(stream, extent, checksums)? {
                    Some(node) => Err(Error::corrupt("node checksums", format!("node {node} has others"))),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// The vectors of a stage, which `open` found to be in the file.
    fn stage(&self, stage: usize) -> Result<&Matrix, Error> {
        let rows = match stage.checked_sub(1) {
            None => Some(&self.codes),
            Some(finer) => self.finer.get(finer),
        };
        rows.ok_or_else(|| Error::corrupt("header", "it does not name this stage"))
    }

    /// The checksums of rows.
    fn sums_of(&self, stream: &mut Stream<'_>, rows: &Matrix) -> Result<Vec<u32>, Error> {
        let mut checksums = Vec::new();
        for position in 0..self.count() as u32 {
            checksums.push(self.unit_checksum(position, stream.get(rows.row(position))?, 0));
        }
        Ok(checksums)
    }

    /// Checks that every link of layer 0 leads to a row. Keeps the layers above it.
    fn verify_links(&self, stream: &mut Stream<'_>, kept: &mut Kept) -> Result<(), Error> {
        let parts =
            self.graph_parts().ok_or_else(|| Error::corrupt("graph", "it is shorter than its links"))?;
        kept.upper = Some(stream.keep(Extent { length: parts.upper_length, ..parts.upper })?);
        let mut links = Vec::new();
        for node in 0..self.count() as u32 {
            let offset = parts.base.offset + u64::from(node) * parts.stride;
            let record = stream.get(Extent { offset, length: parts.stride })?;
            let found = Links::new(record, self.count(), self.header.m).of(0, &mut links);
            if found.iter().any(|&link| link as usize >= self.count()) {
                return Err(Error::corrupt("graph", format!("node {node} links beyond the last row")));
            }
            kept.links.push(self.unit_checksum(node, record, LINKS));
        }
        Ok(())
    }

    /// Checks every id, and that a lookup by its hash finds it.
    fn verify_order(&self, order: &Buffer, kept: &Kept) -> Result<(), Error> {
        IdOrder(order.as_ref()).verify(&self.kept_ids(kept)?, self.seed)
    }

    fn kept_ids<'k>(&self, kept: &'k Kept) -> Result<IdView<'k>, Error> {
        let bytes = kept.ids.as_ref().map_or(&[][..], |ids| ids.as_ref());
        IdView::new(bytes, self.count(), self.header.text_ids)
    }

    /// Checks every list: its checksum, the places of its rows, and what it repeats of other sections.
    fn verify_lists(&self, stream: &mut Stream<'_>, kept: &mut Kept) -> Result<(), Error> {
        let (Some(clusters), Some(leaves)) = (&self.clusters, kept.leaves.take()) else { return Ok(()) };
        let mut listed = vec![None; self.count()];
        let ids = self.kept_ids(kept)?;
        let base = self.required(SectionKind::Leaves)?.offset;
        let stride = clusters.list_codec.stride();
        let mut next = 0;
        for cell in 0..clusters.cells.len() {
            let block = clusters.cells.block(cell);
            let start = (block.extent.offset - base) as usize;
            let bytes = leaves.as_ref().get(start..start + block.extent.length as usize).unwrap_or_default();
            self.check(block, bytes)?;
            for leaf in clusters.cells.leaves(cell, bytes, stride)?.leaves(self.count()) {
                let leaf = leaf?;
                if leaf.start != next {
                    let detail = format!("a list starts at row {} where {next} is due", leaf.start);
                    return Err(Error::corrupt("lists", detail));
                }
                next = leaf.end;
                let bytes = stream.get(leaf.read.extent)?;
                self.check(leaf.read, bytes)?;
                let list = List::new(bytes, &leaf, &clusters.list_codec, self.header.text_ids, self.count())?;
                let labels = &list.labels;
                for at in 0..labels.count() {
                    let position = labels.position(at)?;
                    let checksum = labels.row_checksum(at);
                    let slot = listed.get_mut(position as usize).ok_or_else(|| in_list(position))?;
                    if *slot.get_or_insert(checksum) != checksum
                        || labels.ids.id(at as u32)? != ids.id(position)?
                    {
                        return Err(in_list(position));
                    }
                }
            }
        }
        kept.listed = listed;
        match next as usize == self.count() {
            true => Ok(()),
            false => Err(Error::corrupt("lists", format!("the lists hold {next} of {} rows", self.count()))),
        }
    }
}

fn in_list(position: u32) -> Error {
    Error::corrupt("lists", format!("row {position} has another checksum or id in its list"))
}

/// The first position for which a section of checksums differs from these.
fn differs<const N: usize>(
    stream: &mut Stream<'_>,
    extent: Extent,
    checksums: impl Iterator<Item = [u32; N]>,
) -> Result<Option<u32>, Error> {
    let mut offset = extent.offset;
    for (checksums, position) in checksums.zip(0..) {
        let stored = stream.get(Extent { offset, length: 4 * N as u64 })?;
        if stored.iter().ne(checksums.map(u32::to_le_bytes).as_flattened()) {
            return Ok(Some(position));
        }
        offset += 4 * N as u64;
    }
    Ok(None)
}
