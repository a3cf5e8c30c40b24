//! A set of positions as bytes, read by FORMAT.md alone: its checksums made right again, its fields changed.

use super::data::Random;
use super::format;
use pagevec::PositionSet;

/// Positions of a chunk.
pub(crate) const CHUNK: usize = 65_536;
pub(crate) const FILE: [u8; 16] = *b"0123456789abcdef";
pub(crate) const OFFSET: u64 = 4_096;

/// A number of several bytes, the lowest first.
pub(crate) fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// A set with a chunk of each kind, in few bytes.
pub(crate) fn small() -> (usize, Vec<u8>) {
    let rows = 2 * CHUNK + 40;
    let gaps = (0..300u32).map(|i| i * 200 + i % 7);
    let runs = 65_600..66_000;
    let bitmap = [0, 1, 2, 5, 6, 9, 11, 12, 17, 20, 22, 39].map(|p| 2 * CHUNK as u32 + p);
    let positions = gaps.chain(runs).chain(bitmap);
    let set = PositionSet::from_positions(rows, positions).expect("the positions are below the rows");
    let bytes = set.encode(&FILE, OFFSET);
    let kinds = [0, 1, 2].map(|entry| bytes[4 + 16 * entry + 6]);
    assert_eq!(kinds, [0, 2, 1]);
    (rows, bytes)
}

/// Makes the checksums right again, as far as the directory leads.
pub(crate) fn seal(bytes: &mut [u8]) {
    seal_at(bytes, xxhash_rust::xxh3::xxh3_64_with_seed(&FILE, 0), OFFSET);
}

/// The same of a set at some offset of its section, in another file.
pub(crate) fn seal_at(bytes: &mut [u8], file_seed: u64, offset: u64) {
    let seed = file_seed ^ 0x5345_5453;
    let Some(chunks) = bytes.get(..4).map(number) else { return };
    let head = chunks.saturating_mul(16).saturating_add(4);
    if head.saturating_add(8) > bytes.len() {
        return;
    }
    let mut at = head + 8;
    for entry in 0..chunks {
        let entry = 4 + 16 * entry;
        let end = bytes.len().min(at + number(&bytes[entry + 4..entry + 6]));
        let sum = format::sum_at(seed, offset.wrapping_add(at as u64), &bytes[at..end]);
        bytes[entry + 8..entry + 16].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
    let sum = format::sum_at(seed, offset, &bytes[..head]);
    bytes[head..head + 8].copy_from_slice(&sum.to_le_bytes());
}

/// Changes a set as somebody would who means harm: some bytes or its length, and its checksums are right again.
pub(crate) fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let within = if random.below(2) == 0 { 60 } else { bytes.len() };
    for _ in 0..1 + random.below(3) {
        let at = random.below(within.min(bytes.len()));
        let Some(byte) = bytes.get_mut(at) else { return };
        *byte = match random.below(3) {
            0 => *byte ^ (1 << random.below(8)),
            1 => byte.wrapping_add(1),
            _ => random.next() as u8,
        };
    }
    match random.below(16) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => bytes.push(0),
        _ => {}
    }
    seal(bytes);
}
