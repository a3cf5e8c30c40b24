//! An opened segment: what the front holds, where the rest of the file is, and whether bytes are those that were
//! written.

use super::clusters::Cells;
use super::format::{self, Header, LINKS, Section, SectionKind};
use super::ids::{Found, IdView, Lookup, WholeIds};
use super::payload::PayloadHead;
use super::sets::PositionSet;
use crate::error::Error;
use crate::id::Id;
use crate::memory::bytes;
use crate::quant::{Codec, Rabitq};
use crate::storage::{Expected, Extent, Read, Source, checksum};

/// So many bytes of the start of a file hold its header, and in most segments the whole front.
pub const HEAD: u64 = 64 << 10;

/// The length of the front, which [`Segment::open`] needs, from the first [`HEAD`] bytes (or the whole file, if it is
/// shorter).
pub fn front_length(head: &[u8], file_length: u64) -> Result<u64, Error> {
    format::front_length(head, file_length)
}

/// A matrix of codes in the file: `count` rows of `stride` bytes.
pub(crate) struct Matrix {
    pub(crate) extent: Extent,
    pub(crate) stride: u64,
    pub(crate) codec: Box<dyn Codec>,
    /// The section of the checksums of its rows, if there is one.
    pub(crate) checksums: Option<SectionKind>,
}

impl Matrix {
    pub(crate) fn row(&self, position: u32) -> Extent {
        Extent { offset: self.extent.offset + u64::from(position) * self.stride, length: self.stride }
    }
}

/// The part of the clustered index that is in the front.
pub(crate) struct Clusters {
    pub(crate) cells: Cells,
    /// The codec of the leaves' centroids, around that of their cell, and of the lists' rows, around that of their
    /// leaf.
    pub(crate) list_codec: Rabitq,
}

/// An opened segment: its header, codec parameters and checksums. It holds no rows; they are read from a source.
pub struct Segment {
    pub(crate) header: Header,
    pub(crate) codes: Matrix,
    /// The finer rows by which candidates are ranked again, stage by stage; without them, the codes are used.
    pub(crate) finer: Vec<Matrix>,
    /// The clustered index, if there is one.
    pub(crate) clusters: Option<Clusters>,
    /// The fields and the heads of their indexes, if there are some.
    pub(crate) payload: Option<PayloadHead>,
    pub(super) seed: u64,
    /// The checksums of all sections with more than one block.
    pub(super) checksums: Vec<u64>,
}

impl Segment {
    /// Rows.
    pub fn count(&self) -> usize {
        self.header.count
    }

    /// Components per vector.
    pub fn dim(&self) -> usize {
        self.header.dim
    }

    /// The rows that are dead, from the bytes of the segment's file of dead rows.
    ///
    /// # Errors
    /// `checksum`, `corrupt` or `length` if they are of another segment, or damaged; `out-of-memory`.
    pub fn dead_rows(&self, bytes: &[u8]) -> Result<PositionSet, Error> {
        PositionSet::decode(bytes, self.count(), &self.header.file_id, 0)
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let matrices = self.finer.iter().chain([&self.codes]).map(|rows| rows.codec.bytes()).sum::<u64>();
        let clusters = self.clusters.as_ref().map_or(0, |c| c.cells.bytes() + c.list_codec.bytes());
        let header = bytes(&self.header.stages) + bytes(&self.header.sections);
        let payload = self.payload.as_ref().map_or(0, PayloadHead::bytes);
        header + bytes(&self.finer) + matrices + clusters + payload + bytes(&self.checksums)
    }

    pub(crate) fn extent(&self, kind: SectionKind) -> Option<Extent> {
        self.header.section(kind).map(|s| s.extent)
    }

    /// The extent of a section that [`Segment::open`] found.
    pub(crate) fn required(&self, kind: SectionKind) -> Result<Extent, Error> {
        self.extent(kind).ok_or_else(|| Error::corrupt(kind.name(), "the section is missing"))
    }

    /// The finest rows: those by which hits are ranked.
    pub(crate) fn finest(&self) -> &Matrix {
        self.finer.last().unwrap_or(&self.codes)
    }

    /// The checksum blocks around a row.
    pub(crate) fn block_around(&self, row: Extent) -> Read {
        let Some(section) = self.section_around(row) else {
            return Read { extent: row, expected: Expected::Blocks };
        };
        let start = (row.offset - section.extent.offset) / section.block_size * section.block_size;
        let end = (row.end() - section.extent.offset).div_ceil(section.block_size) * section.block_size;
        let length = end.min(section.extent.length) - start;
        Read { extent: Extent { offset: section.extent.offset + start, length }, expected: Expected::Blocks }
    }

    /// The section around `extent`.
    pub(crate) fn section_extent(&self, extent: Extent) -> Option<Extent> {
        self.section_around(extent).map(|s| s.extent)
    }

    fn section_around(&self, extent: Extent) -> Option<&Section> {
        self.header.sections.iter().find(|s| s.extent.contains(extent) && extent.length > 0)
    }

    /// Compares bytes with their checksums.
    pub(crate) fn check(&self, read: Read, bytes: &[u8]) -> Result<(), Error> {
        let extent = read.extent;
        let section = self.section_around(extent);
        let section = section.ok_or_else(|| Error::argument("offset", "no section holds these bytes"))?;
        let name = section.kind.name();
        if bytes.len() as u64 != extent.length {
            return Err(Error::Length { section: name, expected: extent.length, got: bytes.len() as u64 });
        }
        let right = match read.expected {
            Expected::Blocks => return self.check_blocks(section, extent, bytes),
            Expected::Row { position, checksum } => {
                let seed = if section.kind == SectionKind::Graph { LINKS } else { 0 };
                self.unit_checksum(position, bytes, seed) == checksum
            }
            Expected::Unit { seed, at, checksum } => checksum::sum_at(seed, at, bytes) == checksum,
            Expected::Short { seed, at, checksum } => checksum::sum_at(seed, at, bytes) as u32 == checksum,
            Expected::Halves { seed, at, first, checksums } => {
                let halves = bytes.split_at_checked(first as usize);
                halves.is_some_and(|(labels, codes)| {
                    checksum::sum_at(seed, at, labels) as u32 == checksums[0]
                        && checksum::sum_at(seed, at + u64::from(first), codes) as u32 == checksums[1]
                })
            }
        };
        if right { Ok(()) } else { Err(Error::Checksum { section: name, offset: extent.offset }) }
    }

    fn check_blocks(&self, section: &Section, extent: Extent, bytes: &[u8]) -> Result<(), Error> {
        let start = extent.offset - section.extent.offset;
        let block_size = section.block_size;
        let whole = extent.end() == section.extent.end() || extent.length.is_multiple_of(block_size);
        if !start.is_multiple_of(block_size) || !whole {
            return Err(Error::argument("offset", format!("deliver whole blocks of {block_size} bytes")));
        }
        for (i, block) in bytes.chunks(block_size as usize).enumerate() {
            let offset = extent.offset + i as u64 * block_size;
            let stored = self.block_checksum(section, start / block_size + i as u64);
            if checksum::sum_at(self.seed, offset, block) != stored {
                return Err(Error::Checksum { section: section.kind.name(), offset });
            }
        }
        Ok(())
    }

    fn block_checksum(&self, section: &Section, block: u64) -> u64 {
        if section.blocks() <= 1 {
            return section.sum;
        }
        // In range: `check_lengths` compared the number of blocks with the number of checksums.
        usize::try_from(section.sum + block).ok().and_then(|at| self.checksums.get(at)).copied().unwrap_or(0)
    }

    /// The position of `id`, if a row has it; or the extents that the lookup still needs.
    pub(crate) fn find(&self, source: &dyn Source, id: &Id) -> Result<Found<Option<u32>>, Error> {
        self.lookup(source)?.find(id)
    }

    fn lookup<'a>(&self, source: &'a dyn Source) -> Result<Lookup<'a>, Error> {
        Ok(Lookup {
            source,
            ids: self.required(SectionKind::Ids)?,
            order: self.required(SectionKind::IdOrder)?,
            count: self.count(),
            text: self.header.text_ids,
            file_seed: self.seed,
        })
    }

    /// The ids of all rows, if the source has both of their sections.
    pub(crate) fn whole_ids<'a>(&self, source: &'a dyn Source) -> Result<Option<WholeIds<'a>>, Error> {
        let [ids, order] = [SectionKind::Ids, SectionKind::IdOrder].map(|kind| self.required(kind));
        let (Some(ids), Some(order)) = (source.get(ids?), source.get(order?)) else { return Ok(None) };
        let view = IdView::new(ids, self.count(), self.header.text_ids)?;
        WholeIds::new(view, order, self.seed).map(Some)
    }

    /// The id of the row at `position`; or the extents that are still needed.
    pub(crate) fn id(&self, source: &dyn Source, position: u32) -> Result<Found<Id>, Error> {
        self.lookup(source)?.id(position)
    }

    /// The checksum of the row at `position`, from the bytes of its section of checksums.
    pub(crate) fn stored_row_checksum(checksums: &[u8], position: u32) -> Option<u32> {
        checksums.get(position as usize * 4..).and_then(|s| s.first_chunk()).map(|s| u32::from_le_bytes(*s))
    }

    /// The checksums of a node's code and of its links in layer 0, from the bytes of the NodeChecksums section.
    pub(crate) fn stored_node_checksums(checksums: &[u8], node: u32) -> Option<[u32; 2]> {
        let both: [u8; 8] = *checksums.get(node as usize * 8..)?.first_chunk()?;
        let both = u64::from_le_bytes(both);
        Some([both as u32, (both >> 32) as u32])
    }

    /// The checksum of a row; with the seed [`LINKS`], of a node's links.
    pub(crate) fn unit_checksum(&self, position: u32, bytes: &[u8], seed: u64) -> u32 {
        checksum::row_checksum(self.seed ^ seed, position as usize, bytes)
    }
}
