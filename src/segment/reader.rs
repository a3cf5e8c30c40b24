//! The front in, a [`Segment`] out. Opening is cheap, and checks all that later reads rest on: every section's length
//! against the counts in the header, before anything of that size is allocated.

use super::clusters::Cells;
use super::format::{self, Form, Header, STAGES, Section, SectionKind};
use super::graph::LINKS;
use super::ids::{Found, Lookup};
use crate::error::Error;
use crate::id::Id;
use crate::quant::{self, Codec, CodecKind, Rabitq};
use crate::storage::{Expected, Extent, Read, Source, checksum};

/// Enough of a file's start to hold its header; the whole front of most segments.
pub const HEAD: u64 = 64 << 10;

/// How many bytes from 0 [`Segment::open`] needs, told from the first [`HEAD`] bytes (or the whole file, if shorter).
pub fn front_length(head: &[u8], file_length: u64) -> Result<u64, Error> {
    format::front_length(head, file_length)
}

/// A matrix of codes in the file: `count` rows of `stride` bytes.
pub(crate) struct Matrix {
    pub(crate) extent: Extent,
    pub(crate) stride: u64,
    pub(crate) codec: Box<dyn Codec>,
    /// Where the checksums of its rows are, if they have a section of their own.
    pub(crate) checksums: Option<SectionKind>,
}

impl Matrix {
    pub(crate) fn row(&self, position: u32) -> Extent {
        Extent { offset: self.extent.offset + u64::from(position) * self.stride, length: self.stride }
    }
}

/// What the clustered index holds in the front.
pub(crate) struct Clusters {
    pub(crate) cells: Cells,
    /// Of the leaves' centroids, around that of their cell, and of the lists' rows, around that of their leaf.
    pub(crate) list_codec: Rabitq,
}

/// An opened segment: its header, codec parameters and checksums. It holds no rows; those are read from a source.
pub struct Segment {
    pub(crate) header: Header,
    pub(crate) codes: Matrix,
    /// Finer forms by which candidates are ranked again, one after the other; without them the codes themselves serve.
    pub(crate) finer: Vec<Matrix>,
    /// The clustered index, if there is one.
    pub(crate) clusters: Option<Clusters>,
    pub(super) seed: u64,
    checksums: Vec<u64>,
}

impl Segment {
    /// Reads the front (see [`front_length`]) of a file that is `file_length` bytes long.
    ///
    /// # Errors
    /// `not-a-segment`, `version`, `length`, `checksum`, `corrupt`.
    pub fn open(front: &[u8], file_length: u64) -> Result<Self, Error> {
        let header = Header::decode(front, file_length)?;
        let seed = checksum::file_seed(&header.file_id);
        check_lengths(&header)?;
        let sums_bytes = front_section(&header, front, seed, SectionKind::Checksums)?;
        let checksums = sums_bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let mut stages = STAGES.iter().zip(&header.stages);
        let matrix = |(form, codec)| matrix(&header, front, seed, form, codec);
        let codes = stages.next().map(matrix).ok_or_else(|| Error::corrupt("header", "no codes"))??;
        let finer = stages.map(matrix).collect::<Result<_, _>>()?;
        let clusters = clusters(&header, front, seed)?;
        Ok(Segment { header, codes, finer, clusters, seed, checksums })
    }

    /// Rows.
    pub fn count(&self) -> usize {
        self.header.count
    }

    /// Components per vector.
    pub fn dim(&self) -> usize {
        self.header.dim
    }

    pub(crate) fn extent(&self, kind: SectionKind) -> Option<Extent> {
        self.header.section(kind).map(|s| s.extent)
    }

    /// The extent of a section that [`Segment::open`] found to be there.
    pub(crate) fn required(&self, kind: SectionKind) -> Result<Extent, Error> {
        self.extent(kind).ok_or_else(|| Error::corrupt(kind.name(), "the section is missing"))
    }

    /// Neighbours within one section become one.
    pub(crate) fn merge(&self, extents: impl Iterator<Item = Extent>) -> Vec<Extent> {
        let starts_section = |offset| self.header.sections.iter().any(|s| s.extent.offset == offset);
        let mut merged: Vec<Extent> = Vec::new();
        for extent in extents {
            match merged.last_mut() {
                Some(last) if last.end() == extent.offset && !starts_section(extent.offset) => {
                    last.length += extent.length;
                }
                _ => merged.push(extent),
            }
        }
        merged
    }

    /// The rows that hits are ranked by at last.
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

    /// Compares bytes with what was written.
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
                let seed = if section.kind == SectionKind::Graph { self.seed ^ LINKS } else { self.seed };
                checksum::row_checksum(seed, position as usize, bytes) == checksum
            }
            Expected::Unit { seed, at, checksum } => checksum::sum_at(seed, at, bytes) == checksum,
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
        // In range: `check_lengths` compared every section's blocks with the checksums there are.
        usize::try_from(section.sum + block).ok().and_then(|at| self.checksums.get(at)).copied().unwrap_or(0)
    }

    /// The position of `id`, if a row has it; or the parts of the file that say so and are not here.
    pub(crate) fn find(&self, source: &dyn Source, id: &Id) -> Result<Found<Option<u32>>, Error> {
        let lookup = Lookup {
            source,
            ids: self.required(SectionKind::Ids)?,
            order: self.required(SectionKind::IdOrder)?,
            count: self.count(),
            text: self.header.text_ids,
            file_seed: self.seed,
        };
        lookup.find(id)
    }

    /// The checksum of the row at `position`, as the section `checksums` of its form has it.
    pub(crate) fn stored_row_checksum(checksums: &[u8], position: u32) -> Option<u32> {
        checksums.get(position as usize * 4..).and_then(|s| s.first_chunk()).map(|s| u32::from_le_bytes(*s))
    }

    /// The checksums of a node's code and of its links in layer 0, as the NodeChecksums section `checksums` has them.
    pub(crate) fn stored_node_checksums(checksums: &[u8], node: u32) -> Option<[u32; 2]> {
        let both: [u8; 8] = *checksums.get(node as usize * 8..)?.first_chunk()?;
        let both = u64::from_le_bytes(both);
        Some([both as u32, (both >> 32) as u32])
    }

    /// The checksum of a row's bytes, or with the seed [`LINKS`] of a node's.
    pub(crate) fn unit_checksum(&self, position: u32, bytes: &[u8], seed: u64) -> u32 {
        checksum::row_checksum(self.seed ^ seed, position as usize, bytes)
    }
}

fn front_section<'a>(h: &Header, front: &'a [u8], seed: u64, kind: SectionKind) -> Result<&'a [u8], Error> {
    let Some(section) = h.section(kind) else { return Ok(&[]) };
    let Extent { offset, length } = section.extent;
    let bytes = front.get(offset as usize..(offset + length) as usize);
    let bytes =
        bytes.ok_or(Error::Length { section: "front", expected: h.front_length, got: front.len() as u64 })?;
    if section.blocks() <= 1 && checksum::sum_at(seed, offset, bytes) != section.sum {
        return Err(Error::Checksum { section: kind.name(), offset });
    }
    Ok(bytes)
}

fn matrix(h: &Header, front: &[u8], seed: u64, form: &Form, codec: &CodecKind) -> Result<Matrix, Error> {
    let kind = form.matrix;
    let section = h.section(kind).ok_or_else(|| Error::corrupt(kind.name(), "the section is missing"))?;
    let stored = front_section(h, front, seed, form.parameters)?;
    Ok(Matrix {
        extent: section.extent,
        stride: codec.stride(h.dim, h.metric) as u64,
        codec: quant::load(*codec, h.metric, h.dim, stored)?,
        checksums: form.checksums,
    })
}

fn clusters(h: &Header, front: &[u8], seed: u64) -> Result<Option<Clusters>, Error> {
    let (Some(leaves), Some(lists)) = (h.section(SectionKind::Leaves), h.section(SectionKind::Lists)) else {
        return Ok(None);
    };
    if h.section(SectionKind::Cells).is_none() {
        return Ok(None);
    }
    let parameters = quant::floats(front_section(h, front, seed, SectionKind::ListParameters)?);
    if parameters.iter().any(|x| !x.is_finite()) {
        return Err(Error::corrupt("list parameters", "a parameter is not finite"));
    }
    let bytes = front_section(h, front, seed, SectionKind::Cells)?;
    let cells = Cells::decode(bytes, [leaves.extent, lists.extent], h.dim, seed)?;
    let list_codec = Rabitq::new(h.metric, parameters, cells.bits);
    Ok(Some(Clusters { cells, list_codec }))
}

/// Every section's length must be the one that the counts demand, and every block must have its checksum.
fn check_lengths(h: &Header) -> Result<(), Error> {
    let count = h.count as u64;
    let checksums = h.section(SectionKind::Checksums).map_or(0, |s| s.extent.length / 8);
    let stage = |at: usize| h.stages.get(at);
    let parameters = |at: usize| stage(at).map(|c| c.parameter_bytes(h.dim) as u64);
    let stride = |at: usize| stage(at).map(|c| c.stride(h.dim, h.metric) as u64);
    for section in &h.sections {
        let fixed = match section.kind {
            SectionKind::CodeParameters => parameters(0),
            SectionKind::RefineParameters => parameters(1),
            SectionKind::ExactParameters => parameters(2),
            SectionKind::Codes => stride(0).map(|s| count * s),
            SectionKind::Refine => stride(1).map(|s| count * s),
            SectionKind::Exact => stride(2).map(|s| count * s),
            SectionKind::RefineChecksums | SectionKind::ExactChecksums => Some(count * 4),
            SectionKind::NodeChecksums | SectionKind::IdOrder => Some(count * 8),
            // Their own headers say more; `graph` and `ids` check them when they are read.
            SectionKind::Graph | SectionKind::Ids | SectionKind::Checksums => None,
            SectionKind::ListParameters => Some(h.dim as u64 * 4),
            SectionKind::Cells | SectionKind::Leaves | SectionKind::Lists | SectionKind::Unknown => None,
        };
        if let Some(expected) = fixed.filter(|&f| f != section.extent.length) {
            return Err(Error::Length { section: section.kind.name(), expected, got: section.extent.length });
        }
        let stride = match section.kind {
            SectionKind::Codes => stride(0),
            SectionKind::Refine => stride(1),
            SectionKind::Exact => stride(2),
            _ => None,
        };
        let blocks = section.blocks();
        let listed = blocks <= 1 || section.sum.checked_add(blocks).is_some_and(|end| end <= checksums);
        let one = !section.kind.in_front() || blocks <= 1;
        if !listed || !one || section.block_size % stride.unwrap_or(1) != 0 {
            return Err(Error::corrupt(
                section.kind.name(),
                "its checksum blocks do not fit the table of checksums",
            ));
        }
    }
    if (h.m > 0) != h.section(SectionKind::Graph).is_some() {
        return Err(Error::corrupt(
            "graph",
            "the header and the section table disagree on whether there is one",
        ));
    }
    let mut needed = vec![SectionKind::Ids, SectionKind::IdOrder];
    for form in STAGES.iter().take(h.stages.len()) {
        needed.push(form.matrix);
        needed.extend(form.checksums);
    }
    let missing = |kinds: &[SectionKind]| kinds.iter().find(|k| h.section(**k).is_none()).copied();
    let clusters = [SectionKind::ListParameters, SectionKind::Leaves, SectionKind::Lists];
    let without = || h.section(SectionKind::Cells).and_then(|_| missing(&clusters));
    match missing(&needed).or_else(without) {
        Some(kind) => Err(Error::corrupt(kind.name(), "the section is missing")),
        None => Ok(()),
    }
}
