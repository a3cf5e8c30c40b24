//! The header and the section table, both directions. All integers are little-endian; FORMAT.md is this file in prose.
//!
//! Long because the header is one run of bytes: what writes a field and what reads and checks it stand in one file.

use crate::error::Error;
use crate::metric::Metric;
use crate::quant::CodecKind;
use crate::storage::Extent;

pub(crate) const MAGIC: [u8; 8] = *b"PAGEVEC\0";
pub(crate) const VERSION: u32 = 2;
/// Sections start at multiples of this, so that they cast in place.
pub(crate) const ALIGN: u64 = 64;
/// The longest front this build accepts, so that no header makes a reader fetch or allocate more.
pub(crate) const MAX_FRONT: u64 = 256 << 20;
pub(crate) const MAX_DIM: usize = 65_535;
/// Positions are 31-bit: the search pool keeps a flag beside them.
pub(crate) const MAX_COUNT: usize = (1 << 31) - 1;
pub(crate) const MAX_DEGREE: usize = 256;
pub(crate) const MAX_EF_CONSTRUCTION: usize = 1 << 16;
/// The seed of the checksums of links, beside that of the file.
pub(crate) const LINKS: u64 = 0x4C49_4E4B;
const MAX_SECTIONS: usize = 64;
const FIXED: usize = 96;
const ENTRY: usize = 40;

/// The kinds of sections, with their numbers in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum SectionKind {
    /// A section of a later version that a reader may skip. Only its checksums are checked.
    Unknown = 0,
    CodeParameters = 1,
    RefineParameters = 2,
    Checksums = 3,
    ListParameters = 4,
    Cells = 5,
    ExactParameters = 6,
    Payload = 7,
    Codes = 16,
    Refine = 17,
    RefineChecksums = 18,
    Graph = 19,
    Ids = 20,
    IdOrder = 21,
    Leaves = 22,
    Lists = 23,
    NodeChecksums = 24,
    Exact = 25,
    ExactChecksums = 26,
    Terms = 28,
    Sets = 29,
    Sorted = 31,
    FieldDirectory = 32,
    Fields = 33,
}

/// The sections of one form of the vectors.
pub(crate) struct Form {
    pub(crate) parameters: SectionKind,
    pub(crate) matrix: SectionKind,
    /// The checksums of single rows. Those of codes are in the node checksums and in the lists, where they are needed.
    pub(crate) checksums: Option<SectionKind>,
}

/// The forms that a file may have, in the order in which a search uses them: codes find candidates, each further stage
/// ranks the best of them again.
pub(crate) const STAGES: [Form; 3] = [
    Form { parameters: SectionKind::CodeParameters, matrix: SectionKind::Codes, checksums: None },
    Form {
        parameters: SectionKind::RefineParameters,
        matrix: SectionKind::Refine,
        checksums: Some(SectionKind::RefineChecksums),
    },
    Form {
        parameters: SectionKind::ExactParameters,
        matrix: SectionKind::Exact,
        checksums: Some(SectionKind::ExactChecksums),
    },
];

impl SectionKind {
    pub(crate) const ALL: [SectionKind; 23] = [
        SectionKind::CodeParameters,
        SectionKind::RefineParameters,
        SectionKind::Checksums,
        SectionKind::ListParameters,
        SectionKind::Cells,
        SectionKind::ExactParameters,
        SectionKind::Payload,
        SectionKind::Codes,
        SectionKind::Refine,
        SectionKind::RefineChecksums,
        SectionKind::Graph,
        SectionKind::Ids,
        SectionKind::IdOrder,
        SectionKind::Leaves,
        SectionKind::Lists,
        SectionKind::NodeChecksums,
        SectionKind::Exact,
        SectionKind::ExactChecksums,
        SectionKind::Terms,
        SectionKind::Sets,
        SectionKind::Sorted,
        SectionKind::FieldDirectory,
        SectionKind::Fields,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            SectionKind::Unknown => "unknown section",
            SectionKind::CodeParameters => "code parameters",
            SectionKind::RefineParameters => "refine parameters",
            SectionKind::Checksums => "checksums",
            SectionKind::ListParameters => "list parameters",
            SectionKind::Cells => "cells",
            SectionKind::Codes => "codes",
            SectionKind::Refine => "refine rows",
            SectionKind::RefineChecksums => "refine checksums",
            SectionKind::Graph => "graph",
            SectionKind::Ids => "ids",
            SectionKind::IdOrder => "id order",
            SectionKind::Leaves => "leaves",
            SectionKind::Lists => "lists",
            SectionKind::NodeChecksums => "node checksums",
            SectionKind::ExactParameters => "exact parameters",
            SectionKind::Exact => "exact rows",
            SectionKind::ExactChecksums => "exact checksums",
            SectionKind::Payload => "payload",
            SectionKind::Terms => "terms",
            SectionKind::Sets => "sets",
            SectionKind::Sorted => "sorted",
            SectionKind::FieldDirectory => "field directory",
            SectionKind::Fields => "fields",
        }
    }

    /// Whether `open` reads it.
    pub(crate) fn in_front(self) -> bool {
        self != SectionKind::Unknown && (self as u32) < SectionKind::Codes as u32
    }
}

/// An entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: SectionKind,
    pub(crate) extent: Extent,
    /// Bytes per checksum block: the *grain* of FORMAT.md.
    pub(crate) block_size: u64,
    /// With one block its checksum; with more, the number of its first one in the Checksums section.
    pub(crate) sum: u64,
}

impl Section {
    pub(crate) fn blocks(&self) -> u64 {
        self.extent.length.div_ceil(self.block_size.max(1))
    }
}

/// The header: all that is before the first section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) file_length: u64,
    /// Bytes from 0 that `open` reads: this header and the front sections.
    pub(crate) front_length: u64,
    pub(crate) file_id: [u8; 16],
    pub(crate) count: usize,
    pub(crate) dim: usize,
    pub(crate) metric: Metric,
    /// The codecs of the [`STAGES`] that the file has: one to three.
    pub(crate) stages: Vec<CodecKind>,
    pub(crate) text_ids: bool,
    /// 0 when there is no graph.
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) seed: u64,
    /// Of the stored fields; zeros when there are none.
    pub(crate) fields: FieldSizes,
    pub(crate) sections: Vec<Section>,
}

/// The largest parts of the stored fields, for which a reader needs room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSizes {
    /// Bytes of the longest block, or directory of blocks, in the file.
    pub(crate) unit: u32,
    /// Bytes of the longest block when it is decompressed.
    pub(crate) block: u32,
}

/// Bytes of a header with so many sections, its checksum included.
pub(crate) fn header_bytes(sections: usize) -> usize {
    FIXED + sections * ENTRY + 8
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(header_bytes(self.sections.len()));
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(0u32.to_le_bytes()); // required features: none yet
        out.extend(0u32.to_le_bytes()); // optional features: none yet
        out.extend((self.sections.len() as u32).to_le_bytes());
        out.extend(self.file_length.to_le_bytes());
        out.extend(self.front_length.to_le_bytes());
        out.extend(self.file_id);
        out.extend((self.count as u32).to_le_bytes());
        out.extend((self.dim as u32).to_le_bytes());
        let codec = |stage: usize| self.stages.get(stage).map_or(0, |c| c.number());
        out.extend([self.metric as u8, codec(0), codec(1), u8::from(self.text_ids)]);
        out.extend((self.m as u32).to_le_bytes());
        out.extend((self.ef_construction as u32).to_le_bytes());
        out.extend(self.seed.to_le_bytes());
        out.extend([codec(2), 0]);
        out.extend(self.stages.first().map_or(0, |c| c.parts()).to_le_bytes());
        out.extend(self.fields.unit.to_le_bytes());
        out.extend(self.fields.block.to_le_bytes());
        for section in &self.sections {
            out.extend((section.kind as u32).to_le_bytes());
            out.extend(0u32.to_le_bytes()); // flags: 1 = a reader that does not know the kind must refuse the file
            out.extend(section.extent.offset.to_le_bytes());
            out.extend(section.extent.length.to_le_bytes());
            out.extend(section.block_size.to_le_bytes());
            out.extend(section.sum.to_le_bytes());
        }
        let sum = crate::storage::checksum::sum_at(0, 0, &out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// Reads and checks a header at the start of `bytes`, which are the first bytes of a file of `file_length`.
    pub(crate) fn decode(bytes: &[u8], file_length: u64) -> Result<Header, Error> {
        let mut cursor = Cursor { bytes, at: 0 };
        check_magic(bytes)?;
        cursor.at = MAGIC.len();
        let version = cursor.u32()?;
        if version != VERSION {
            return Err(Error::Version { found: u64::from(version), supported: u64::from(VERSION) });
        }
        let required = cursor.u32()?;
        if required != 0 {
            return Err(Error::Version { found: u64::from(required) << 32, supported: 0 });
        }
        let _optional = cursor.u32()?;
        let count = cursor.u32()? as usize;
        if count > MAX_SECTIONS {
            return Err(bad("more than 64 sections"));
        }
        let signed = header_bytes(count) - 8;
        let head = bytes.get(..signed).ok_or_else(|| short(bytes))?;
        cursor.at = signed;
        if cursor.u64()? != crate::storage::checksum::sum_at(0, 0, head) {
            return Err(Error::Checksum { section: "header", offset: 0 });
        }
        cursor.at = 24;
        let mut header = Header {
            file_length: cursor.u64()?,
            front_length: cursor.u64()?,
            file_id: cursor.take()?,
            count: cursor.u32()? as usize,
            dim: cursor.u32()? as usize,
            metric: Metric::from_u8(cursor.u8()?).ok_or_else(|| bad("an unknown metric"))?,
            stages: Vec::new(),
            text_ids: match cursor.skip(2).u8()? {
                0 => false,
                1 => true,
                _ => return Err(bad("an unknown kind of ids")),
            },
            m: cursor.u32()? as usize,
            ef_construction: cursor.u32()? as usize,
            seed: cursor.u64()?,
            fields: FieldSizes { unit: cursor.skip(4).u32()?, block: cursor.u32()? },
            sections: Vec::new(),
        };
        header.stages = stages(bytes, header.dim)?;
        cursor.at = FIXED;
        header.sections = sections(&mut cursor, count)?;
        header.check(file_length)?;
        Ok(header)
    }

    fn check(&self, file_length: u64) -> Result<(), Error> {
        if self.file_length != file_length {
            return Err(Error::Length { section: "file", expected: self.file_length, got: file_length });
        }
        if self.dim == 0 || self.dim > MAX_DIM || self.count > MAX_COUNT || self.m > MAX_DEGREE {
            return Err(bad("a count, dimension or degree outside the format's limits"));
        }
        let mut end = header_bytes(self.sections.len()) as u64;
        for section in &self.sections {
            let Extent { offset, length } = section.extent;
            if offset < end || offset % ALIGN != 0 || length > file_length || offset > file_length - length {
                return Err(Error::corrupt(
                    section.kind.name(),
                    "the section overlaps another or leaves the file",
                ));
            }
            if section.block_size == 0 || (section.kind.in_front() && offset + length > self.front_length) {
                return Err(Error::corrupt(
                    section.kind.name(),
                    "the section has no block size or leaves the front",
                ));
            }
            end = offset + length;
        }
        if self.front_length > file_length || self.front_length > MAX_FRONT {
            return Err(bad("a front longer than the file or than 256 MiB"));
        }
        // `open` checks the blocks, their checksums and the lengths of sections, since it knows what they must be.
        Ok(())
    }

    pub(crate) fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|s| s.kind == kind)
    }
}

/// The stages, by the fields of the header.
fn stages(bytes: &[u8], dim: usize) -> Result<Vec<CodecKind>, Error> {
    let mut cursor = Cursor { bytes, at: 65 };
    let [codes, refine] = cursor.take()?;
    let [exact, _, low, high] = cursor.skip(17).take()?;
    let mut parts = u16::from_le_bytes([low, high]);
    let numbers = [codes, refine, exact];
    let mut stages = Vec::new();
    for number in numbers.iter().take_while(|&&n| n > 0) {
        // Only codes have parts.
        let codec = CodecKind::from_file(*number, std::mem::take(&mut parts), dim);
        stages.push(codec.ok_or_else(|| bad("an unknown codec, or parts that the codec does not have"))?);
    }
    match stages.is_empty() || numbers[stages.len()..].iter().any(|&n| n > 0) {
        true => Err(bad("a stage without the one before it")),
        false => Ok(stages),
    }
}

/// Reads the section table, which is in order of offset.
fn sections(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<Section>, Error> {
    let mut sections: Vec<Section> = Vec::with_capacity(count);
    for _ in 0..count {
        let (number, flags) = (cursor.u32()?, cursor.u32()?);
        let extent = Extent { offset: cursor.u64()?, length: cursor.u64()? };
        let (block_size, sum) = (cursor.u64()?, cursor.u64()?);
        let known = SectionKind::ALL.into_iter().find(|k| *k as u32 == number);
        if known.is_none() && flags & 1 == 1 {
            return Err(Error::Version { found: u64::from(number), supported: u64::from(VERSION) });
        }
        let kind = known.unwrap_or(SectionKind::Unknown);
        if known.is_some() && sections.iter().any(|s| s.kind == kind) {
            return Err(Error::corrupt(kind.name(), "the section stands twice in the table"));
        }
        sections.push(Section { kind, extent, block_size, sum });
    }
    Ok(sections)
}

/// The length of the front, from the first bytes alone.
pub(crate) fn front_length(head: &[u8], file_length: u64) -> Result<u64, Error> {
    Header::decode(head, file_length).map(|h| h.front_length)
}

fn check_magic(bytes: &[u8]) -> Result<(), Error> {
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    let start = bytes.get(..16).unwrap_or(bytes);
    let detail = if bytes.is_empty() {
        "it is empty".to_owned()
    } else if start.trim_ascii_start().starts_with(b"<") {
        "it starts like an HTML or XML page".to_owned()
    } else {
        format!("it starts with \"{}\"", start.escape_ascii())
    };
    Err(Error::NotASegment { detail })
}

fn bad(detail: &str) -> Error {
    Error::corrupt("header", detail)
}

fn short(bytes: &[u8]) -> Error {
    Error::Length { section: "header", expected: header_bytes(0) as u64, got: bytes.len() as u64 }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn skip(&mut self, bytes: usize) -> &mut Self {
        self.at += bytes;
        self
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let found = self.bytes.get(self.at..).and_then(|b| b.first_chunk::<N>());
        self.at += N;
        found.copied().ok_or_else(|| short(self.bytes))
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.take::<1>().map(|b| b[0])
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }
}
