//! Writes a file from its sections: those of the front first, then the rest in the order of their kinds.

use super::format::{ALIGN, Header, LINKS, STAGES, Section, SectionKind, header_bytes};
use super::graph::links;
use crate::error::Error;
use crate::exec;
use crate::storage::{Extent, Sink, checksum};

/// All that a segment is made of. [`write()`] fills in the lengths and sections of `header`.
pub(crate) struct Parts {
    pub(crate) header: Header,
    pub(crate) sections: Vec<(SectionKind, Vec<u8>)>,
}

/// A sink is given at most so many bytes at a time.
const PIECE: usize = 1 << 20;
/// About how many bytes one checksum covers.
const BLOCK: usize = 64 << 10;
/// The same for the sections of ids, of which a lookup reads a few blocks.
const ID_BLOCK: usize = 8 << 10;

/// Writes the file to `sink`, section by section; each is freed once it was written. `tick` is called with the bytes
/// that were written, and all.
pub(crate) fn write(parts: Parts, sink: &mut dyn Sink, tick: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
    let Parts { mut header, mut sections } = parts;
    let strides: Vec<_> = STAGES.iter().map(|s| s.matrix).zip(header.stages.iter().copied()).collect();
    let block_size = |kind: SectionKind, length: usize| {
        // A front section is one block, since it is read whole.
        if kind.in_front() {
            return length.max(1);
        }
        if matches!(kind, SectionKind::Ids | SectionKind::IdOrder) {
            return ID_BLOCK;
        }
        let stride =
            strides.iter().find(|s| s.0 == kind).map_or(1, |s| s.1.stride(header.dim, header.metric));
        (BLOCK / stride).max(1) * stride
    };
    let checksums: usize = sections
        .iter()
        .map(|(kind, bytes)| bytes.len().div_ceil(block_size(*kind, bytes.len())))
        .filter(|&blocks| blocks > 1)
        .sum();
    sections.push((SectionKind::Checksums, vec![0; checksums * 8]));
    sections.sort_by_key(|(kind, _)| *kind);

    let mut offset = header_bytes(sections.len()) as u64;
    for (kind, bytes) in &sections {
        offset = offset.next_multiple_of(ALIGN);
        let extent = Extent { offset, length: bytes.len() as u64 };
        let block_size = block_size(*kind, bytes.len()) as u64;
        header.sections.push(Section { kind: *kind, extent, block_size, sum: 0 });
        offset = extent.end();
        if kind.in_front() {
            header.front_length = offset;
        }
    }
    header.file_length = offset;
    fill_sums(&mut header, &mut sections);
    sink.begin(header.file_length)?;
    emit(&header, sections, sink, tick)
}

/// Computes every section's checksums; the Checksums section, which holds most of them, comes last.
fn fill_sums(header: &mut Header, sections: &mut [(SectionKind, Vec<u8>)]) {
    let seed = checksum::file_seed(&header.file_id);
    let mut table: Vec<u8> = Vec::new();
    for (section, (_, bytes)) in
        header.sections.iter_mut().zip(&*sections).filter(|(s, _)| s.kind != SectionKind::Checksums)
    {
        let found = block_checksums(seed, section, bytes);
        section.sum = match found.as_slice() {
            [one] => *one,
            _ => table.len() as u64 / 8,
        };
        if found.len() > 1 {
            table.extend(found.iter().flat_map(|s| s.to_le_bytes()));
        }
    }
    for (section, (_, bytes)) in
        header.sections.iter_mut().zip(sections).filter(|(s, _)| s.kind == SectionKind::Checksums)
    {
        *bytes = std::mem::take(&mut table);
        section.sum = checksum::sum_at(seed, section.extent.offset, bytes);
    }
}

/// Hands the file over from its first byte to its last.
fn emit(
    header: &Header,
    sections: Vec<(SectionKind, Vec<u8>)>,
    sink: &mut dyn Sink,
    tick: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let mut written = 0;
    let mut put = |bytes: &[u8]| {
        bytes.chunks(PIECE).try_for_each(|piece| {
            sink.write(piece)?;
            written += piece.len() as u64;
            tick(written, header.file_length);
            Ok(())
        })
    };
    let head = header.encode();
    let mut end = head.len() as u64;
    put(&head)?;
    for (section, (_, bytes)) in header.sections.iter().zip(sections) {
        let padding = section.extent.offset.saturating_sub(end).min(ALIGN);
        put(&[0; ALIGN as usize][..padding as usize])?;
        put(&bytes)?;
        end = section.extent.end();
    }
    Ok(())
}

fn block_checksums(seed: u64, section: &Section, bytes: &[u8]) -> Vec<u64> {
    let block_size = section.block_size as usize;
    let checksums = exec::map_chunks(bytes.len().div_ceil(block_size).max(1), 64, |blocks| {
        let checksum = |b: usize| {
            let block = &bytes[(b * block_size).min(bytes.len())..((b + 1) * block_size).min(bytes.len())];
            checksum::sum_at(seed, section.extent.offset + (b * block_size) as u64, block)
        };
        blocks.map(checksum).collect::<Vec<u64>>()
    });
    checksums.concat()
}

/// The RefineChecksums or ExactChecksums section of `rows`.
pub(crate) fn row_checksums(file_id: &[u8; 16], rows: &[u8], stride: usize) -> Vec<u8> {
    let seed = checksum::file_seed(file_id);
    rows.chunks(stride)
        .enumerate()
        .flat_map(|(i, row)| checksum::row_checksum(seed, i, row).to_le_bytes())
        .collect()
}

/// The NodeChecksums section: for every node the checksums of its code and of its links in layer 0. The records of
/// these links are the last bytes of `graph`.
pub(crate) fn node_checksums(
    file_id: &[u8; 16],
    codes: &[u8],
    stride: usize,
    graph: &[u8],
    m: usize,
) -> Vec<u8> {
    let seed = checksum::file_seed(file_id);
    let codes = codes.chunks_exact(stride);
    let record = links::stride(codes.len(), m);
    let base = &graph[graph.len().saturating_sub(codes.len() * record)..];
    let checksums = codes.zip(base.chunks_exact(record)).enumerate().map(|(node, (code, links))| {
        [checksum::row_checksum(seed, node, code), checksum::row_checksum(seed ^ LINKS, node, links)]
    });
    checksums.flatten().flat_map(u32::to_le_bytes).collect()
}
