//! From the front of a file to a [`Segment`]. Opening is cheap, and checks all that later reads rest on: the length of
//! every section is compared with the counts in the header before anything of that size is allocated.

use super::clusters::Cells;
use super::fields;
use super::format::{Form, Header, STAGES, SectionKind};
use super::payload;
use super::reader::{Clusters, Matrix, Segment};
use crate::error::Error;
use crate::quant::{self, CodecKind, Rabitq};
use crate::storage::{Extent, checksum};

impl Segment {
    /// Reads the front (see [`front_length`](crate::front_length)) of a file that is `file_length` bytes long.
    ///
    /// # Errors
    /// `not-a-segment`, `version`, `length`, `checksum`, `corrupt`.
    pub fn open(front: &[u8], file_length: u64) -> Result<Self, Error> {
        let header = Header::decode(front, file_length)?;
        let seed = checksum::file_seed(&header.file_id);
        check_lengths(&header)?;
        fields::check(&header)?;
        let sums_bytes = front_section(&header, front, seed, SectionKind::Checksums)?;
        let checksums = sums_bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let mut stages = STAGES.iter().zip(&header.stages);
        let matrix = |(form, codec)| matrix(&header, front, seed, form, codec);
        let codes = stages.next().map(matrix).ok_or_else(|| Error::corrupt("header", "no codes"))??;
        let finer = stages.map(matrix).collect::<Result<_, _>>()?;
        let clusters = clusters(&header, front, seed)?;
        let payload =
            payload::open(&header, front_section(&header, front, seed, SectionKind::Payload)?, seed)?;
        Ok(Segment { header, codes, finer, clusters, payload, seed, checksums })
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

/// Checks that every section has the length that the counts demand, and every block a checksum.
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
            // Checked by `graph` and `ids` when they are read.
            SectionKind::Graph | SectionKind::Ids | SectionKind::Checksums => None,
            SectionKind::ListParameters => Some(h.dim as u64 * 4),
            SectionKind::Cells | SectionKind::Leaves | SectionKind::Lists | SectionKind::Unknown => None,
            // Checked by `fields` when they are read.
            SectionKind::FieldDirectory | SectionKind::Fields => None,
            // Compared with the heads of the indexes by `payload`.
            SectionKind::Payload | SectionKind::Terms | SectionKind::Sets | SectionKind::Sorted => None,
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
