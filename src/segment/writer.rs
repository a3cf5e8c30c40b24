//! Writes a file from its sections: those of the front first, then the rest in the order of their kinds.

use super::format::{ALIGN, Header, LINKS, STAGES, Section, SectionKind, header_bytes};
use super::graph::links;
use crate::error::Error;
use crate::exec;
use crate::sort;
use crate::storage::{Extent, Sink, checksum};

/// All that a segment is made of. [`write()`] fills in the lengths and sections of `header`.
pub(crate) struct Parts {
    pub(crate) header: Header,
    pub(crate) sections: Vec<(SectionKind, Pieces)>,
}

/// The bytes of a section, one piece after another. Most have one; lists are made one by one.
pub(crate) type Pieces = Vec<Vec<u8>>;

fn length(pieces: &Pieces) -> usize {
    pieces.iter().map(Vec::len).sum()
}

/// A sink is given at most so many bytes at a time.
const PIECE: usize = 1 << 20;
/// About how many bytes one checksum covers.
const BLOCK: u64 = 64 << 10;
/// The same for the sections of ids, of which a lookup reads a few blocks.
const ID_BLOCK: u64 = 8 << 10;

/// Writes the file to `sink`, section by section; each is freed once it was written. `tick` is called with the bytes
/// that were written, and all.
pub(crate) fn write(parts: Parts, sink: &mut dyn Sink, tick: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
    let Parts { mut header, mut sections } = parts;
    arrange(&mut header, sections.iter().map(|(kind, pieces)| (*kind, length(pieces) as u64)).collect());
    let checksums = header.section(SectionKind::Checksums).map_or(0, |section| section.extent.length);
    sections.push((SectionKind::Checksums, vec![vec![0; checksums as usize]]));
    sort::by_key(&mut sections, |(kind, _)| *kind);
    fill_sums(&mut header, &mut sections);
    sink.begin(header.file_length)?;
    emit(&header, sections, sink, tick)
}

/// Puts sections of these lengths, and the checksums of their blocks, into the table of a header: where each is, and the
/// lengths of the front and of the file.
pub(super) fn arrange(header: &mut Header, mut lengths: Vec<(SectionKind, u64)>) {
    let block_size = |header: &Header, kind: SectionKind, length: u64| {
        // A front section is one block, since it is read whole.
        if kind.in_front() {
            return length.max(1);
        }
        if matches!(kind, SectionKind::Ids | SectionKind::IdOrder) {
            return ID_BLOCK;
        }
        let mut stages = STAGES.iter().map(|s| s.matrix).zip(&header.stages);
        let codec = stages.find(|stage| stage.0 == kind);
        let stride = codec.map_or(1, |(_, codec)| codec.stride(header.dim, header.metric)) as u64;
        (BLOCK / stride).max(1) * stride
    };
    let blocks = lengths.iter().map(|&(kind, length)| length.div_ceil(block_size(header, kind, length)));
    let checksums: u64 = blocks.filter(|&blocks| blocks > 1).sum();
    lengths.push((SectionKind::Checksums, checksums * 8));
    sort::by_key(&mut lengths, |(kind, _)| *kind);

    let mut offset = header_bytes(lengths.len()) as u64;
    for (kind, length) in lengths {
        offset = offset.next_multiple_of(ALIGN);
        let extent = Extent { offset, length };
        let block_size = block_size(header, kind, length);
        header.sections.push(Section { kind, extent, block_size, sum: 0 });
        offset = extent.end();
        if kind.in_front() {
            header.front_length = offset;
        }
    }
    header.file_length = offset;
}

/// Computes every section's checksums; the Checksums section, which holds most of them, comes last.
fn fill_sums(header: &mut Header, sections: &mut [(SectionKind, Pieces)]) {
    let seed = checksum::file_seed(&header.file_id);
    let mut table: Vec<u8> = Vec::new();
    for (section, (_, pieces)) in
        header.sections.iter_mut().zip(&*sections).filter(|(s, _)| s.kind != SectionKind::Checksums)
    {
        let found = block_checksums(seed, section, pieces);
        section.sum = match found.as_slice() {
            [one] => *one,
            _ => table.len() as u64 / 8,
        };
        if found.len() > 1 {
            table.extend(found.iter().flat_map(|s| s.to_le_bytes()));
        }
    }
    for (section, (_, pieces)) in
        header.sections.iter_mut().zip(sections).filter(|(s, _)| s.kind == SectionKind::Checksums)
    {
        section.sum = checksum::sum_at(seed, section.extent.offset, &table);
        *pieces = vec![std::mem::take(&mut table)];
    }
}

/// Hands the file over from its first byte to its last.
fn emit(
    header: &Header,
    sections: Vec<(SectionKind, Pieces)>,
    sink: &mut dyn Sink,
    tick: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let (mut written, mut block) = (0, Vec::with_capacity(PIECE));
    let mut put = |bytes: &[u8]| {
        cut(&mut block, PIECE, bytes, |piece| {
            sink.write(piece)?;
            written += piece.len() as u64;
            tick(written, header.file_length);
            Ok(())
        })
    };
    let head = header.encode();
    let mut end = head.len() as u64;
    put(&head)?;
    for (section, (_, pieces)) in header.sections.iter().zip(sections) {
        let padding = section.extent.offset.saturating_sub(end).min(ALIGN);
        put(&[0; ALIGN as usize][..padding as usize])?;
        pieces.into_iter().try_for_each(|piece| put(&piece))?;
        end = section.extent.end();
    }
    if !block.is_empty() {
        sink.write(&block)?;
        tick(header.file_length, header.file_length);
    }
    Ok(())
}

/// Adds bytes to a block, and calls `full` with it whenever it has `size` bytes.
fn cut<E>(
    block: &mut Vec<u8>,
    size: usize,
    mut bytes: &[u8],
    mut full: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    while !bytes.is_empty() {
        let (now, later) = bytes.split_at(bytes.len().min(size - block.len()));
        block.extend_from_slice(now);
        bytes = later;
        if block.len() == size {
            full(block)?;
            block.clear();
        }
    }
    Ok(())
}

fn block_checksums(seed: u64, section: &Section, pieces: &[Vec<u8>]) -> Vec<u64> {
    let block_size = section.block_size as usize;
    let sum = |number: usize, block: &[u8]| {
        checksum::sum_at(seed, section.extent.offset + (number * block_size) as u64, block)
    };
    if let [bytes] = pieces {
        let checksums = exec::map_chunks(bytes.len().div_ceil(block_size).max(1), 64, |blocks| {
            let block = |b: usize| &bytes[b * block_size..((b + 1) * block_size).min(bytes.len())];
            blocks.map(|b| sum(b, block(b))).collect::<Vec<u64>>()
        });
        return checksums.concat();
    }
    let (mut sums, mut block) = (Vec::new(), Vec::with_capacity(block_size));
    for piece in pieces {
        let Ok(()) = cut(&mut block, block_size, piece, |block| {
            sums.push(sum(sums.len(), block));
            Ok::<(), std::convert::Infallible>(())
        });
    }
    if !block.is_empty() || sums.is_empty() {
        sums.push(sum(sums.len(), &block));
    }
    sums
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
