//! The front in, a [`Segment`] out. Opening is cheap, and checks all that later reads rest on: every section's length
//! against the counts in the header, before anything of that size is allocated.

use super::format::{self, Header, Section, SectionKind};
use crate::error::Error;
use crate::quant::{self, Codec, CodecKind};
use crate::storage::{Extent, checksum};

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
}

impl Matrix {
    pub(crate) fn row(&self, position: u32) -> Extent {
        Extent { offset: self.extent.offset + u64::from(position) * self.stride, length: self.stride }
    }
}

/// An opened segment: its header, codec parameters and checksums. It holds no rows; those are read from a source.
pub struct Segment {
    pub(crate) header: Header,
    pub(crate) codes: Matrix,
    /// Finer rows to rescore by; without them the codes themselves serve.
    pub(crate) rows: Option<Matrix>,
    seed: u64,
    sums: Vec<u64>,
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
        let sums_bytes = front_section(&header, front, seed, SectionKind::Sums)?;
        let sums = sums_bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let codes = matrix(&header, front, seed, SectionKind::Codes, header.codec)?;
        let rows =
            header.rows.map(|kind| matrix(&header, front, seed, SectionKind::Rows, kind)).transpose()?;
        Ok(Segment { header, codes, rows, seed, sums })
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

    pub(crate) fn starts_section(&self, offset: u64) -> bool {
        self.header.sections.iter().any(|s| s.extent.offset == offset)
    }

    /// The rows that hits are ranked by at last.
    pub(crate) fn finest(&self) -> &Matrix {
        self.rows.as_ref().unwrap_or(&self.codes)
    }

    fn section_around(&self, extent: Extent) -> Option<&Section> {
        self.header.sections.iter().find(|s| s.extent.contains(extent) && extent.length > 0)
    }

    /// Compares bytes with what was written: whole checksum blocks of a section, or whole rows, whose sums
    /// (`row_sums`, the section of that name) stand apart.
    pub(crate) fn check(&self, extent: Extent, bytes: &[u8], row_sums: Option<&[u8]>) -> Result<(), Error> {
        let section = self.section_around(extent);
        let section = section.ok_or_else(|| Error::argument("offset", "no section holds these bytes"))?;
        if bytes.len() as u64 != extent.length {
            return Err(Error::Length {
                section: section.kind.name(),
                expected: extent.length,
                got: bytes.len() as u64,
            });
        }
        if section.kind == SectionKind::Rows {
            return self.check_rows(extent, bytes, row_sums.unwrap_or_default());
        }
        let start = extent.offset - section.extent.offset;
        let grain = section.grain;
        let whole = extent.end() == section.extent.end() || extent.length.is_multiple_of(grain);
        if !start.is_multiple_of(grain) || !whole {
            return Err(Error::argument("offset", format!("deliver whole blocks of {grain} bytes")));
        }
        for (i, block) in bytes.chunks(grain as usize).enumerate() {
            let offset = extent.offset + i as u64 * grain;
            if checksum::sum_at(self.seed, offset, block) != self.block_sum(section, start / grain + i as u64)
            {
                return Err(Error::Checksum { section: section.kind.name(), offset });
            }
        }
        Ok(())
    }

    fn block_sum(&self, section: &Section, block: u64) -> u64 {
        if section.blocks() <= 1 {
            return section.sum;
        }
        // In range: `check_lengths` compared every section's blocks with the sums there are.
        usize::try_from(section.sum + block).ok().and_then(|at| self.sums.get(at)).copied().unwrap_or(0)
    }

    fn check_rows(&self, extent: Extent, bytes: &[u8], row_sums: &[u8]) -> Result<(), Error> {
        let Some(rows) = &self.rows else {
            return Err(Error::argument("offset", "this segment has no rows"));
        };
        let start = extent.offset - rows.extent.offset;
        if !start.is_multiple_of(rows.stride) || !extent.length.is_multiple_of(rows.stride) {
            return Err(Error::argument("offset", format!("deliver whole rows of {} bytes", rows.stride)));
        }
        for (i, row) in bytes.chunks(rows.stride as usize).enumerate() {
            let at = (start / rows.stride) as usize + i;
            let stored = row_sums.get(at * 4..).and_then(|s| s.first_chunk()).map(|s| u32::from_le_bytes(*s));
            if stored != Some(checksum::row_sum(self.seed, at, row)) {
                return Err(Error::Checksum {
                    section: "rows",
                    offset: extent.offset + i as u64 * rows.stride,
                });
            }
        }
        Ok(())
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

fn matrix(h: &Header, front: &[u8], seed: u64, kind: SectionKind, codec: CodecKind) -> Result<Matrix, Error> {
    let parameters = match kind {
        SectionKind::Codes => SectionKind::CodeParameters,
        _ => SectionKind::RowParameters,
    };
    let section = h.section(kind).ok_or_else(|| Error::corrupt(kind.name(), "the section is missing"))?;
    let stored = front_section(h, front, seed, parameters)?;
    let codec_object = quant::load(codec, h.metric, h.dim, stored)?;
    Ok(Matrix { extent: section.extent, stride: codec.stride(h.dim, h.metric) as u64, codec: codec_object })
}

/// Every section's length must be the one that the counts demand, and every block must have its sum.
fn check_lengths(h: &Header) -> Result<(), Error> {
    let count = h.count as u64;
    let sums = h.section(SectionKind::Sums).map_or(0, |s| s.extent.length / 8);
    for section in &h.sections {
        let fixed = match section.kind {
            SectionKind::CodeParameters => Some(h.codec.parameter_bytes(h.dim) as u64),
            SectionKind::RowParameters => h.rows.map(|r| r.parameter_bytes(h.dim) as u64),
            SectionKind::Codes => Some(count * h.codec.stride(h.dim, h.metric) as u64),
            SectionKind::Rows => h.rows.map(|r| count * r.stride(h.dim, h.metric) as u64),
            SectionKind::RowSums | SectionKind::IdOrder => Some(count * 4),
            // Their own headers say more; `graph` and `ids` check them when they are read.
            SectionKind::Graph | SectionKind::Ids | SectionKind::Sums => None,
        };
        if let Some(expected) = fixed.filter(|&f| f != section.extent.length) {
            return Err(Error::Length { section: section.kind.name(), expected, got: section.extent.length });
        }
        let stride = match section.kind {
            SectionKind::Codes => h.codec.stride(h.dim, h.metric) as u64,
            _ => 1,
        };
        let blocks = section.blocks();
        let listed = blocks <= 1 || section.sum.checked_add(blocks).is_some_and(|end| end <= sums);
        let one = !section.kind.in_front() || blocks <= 1;
        if !listed || !one || section.grain % stride != 0 {
            return Err(Error::corrupt(
                section.kind.name(),
                "its checksum blocks do not fit the table of sums",
            ));
        }
    }
    let needed = [SectionKind::Codes, SectionKind::Ids, SectionKind::IdOrder];
    let with_rows = [SectionKind::Rows, SectionKind::RowSums];
    let missing = |kinds: &[SectionKind]| kinds.iter().find(|k| h.section(**k).is_none()).copied();
    match missing(&needed).or_else(|| h.rows.and_then(|_| missing(&with_rows))) {
        Some(kind) => Err(Error::corrupt(kind.name(), "the section is missing")),
        None => Ok(()),
    }
}
