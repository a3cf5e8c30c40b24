//! A second reading of the write-ahead log, from FORMAT.md: makes logs, makes their sums right again, and changes them.

use super::data::Random;
use super::format::sum_at;

pub(crate) const COLLECTION: [u8; 16] = *b"sixteen of bytes";
pub(crate) const DIM: usize = 2;
const HEAD: usize = 72;
const BLOCK: usize = 4096;
const MARK: &[u8] = b"PVWF";

/// Where a log ends: the number of the next operation, and the sum of the last frame.
pub(crate) type End = (u64, u64);

/// A put of a number, with fields.
pub(crate) fn put(id: u64, fields: &[u8]) -> Vec<u8> {
    let vector = [id as f32, -0.5].map(f32::to_le_bytes).concat();
    op(1, &[], fields, id, &vector)
}

/// A put of a text.
pub(crate) fn put_text(id: &str, fields: &[u8]) -> Vec<u8> {
    op(1, id.as_bytes(), fields, 0, &[0; 4 * DIM])
}

pub(crate) fn delete(id: u64) -> Vec<u8> {
    op(2, &[], &[], id, &[])
}

pub(crate) fn clear() -> Vec<u8> {
    op(3, &[], &[], 0, &[])
}

fn op(kind: u8, text: &[u8], fields: &[u8], number: u64, vector: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend((fields.len() as u32).to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend([vector, fields, text].concat());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A log of groups of batches of operations; each group was synced before the next one was written.
pub(crate) fn log(number: u64, from: End, text_ids: bool, groups: &[Vec<Vec<Vec<u8>>>]) -> (Vec<u8>, End) {
    let (mut sequence, before) = from;
    let mut bytes = b"PVECWAL\0".to_vec();
    bytes.extend([1, u32::from(text_ids)].map(u32::to_le_bytes).concat());
    bytes.extend(COLLECTION);
    bytes.extend([number, sequence, before].map(u64::to_le_bytes).concat());
    bytes.extend([DIM as u32, 0].map(u32::to_le_bytes).concat());
    for group in groups {
        let durable = sequence;
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        for batch in group {
            let body = batch.concat();
            bytes.extend(MARK);
            bytes.extend((body.len() as u32).to_le_bytes());
            bytes.extend([sequence, durable, 0].map(u64::to_le_bytes).concat());
            bytes.extend([batch.len() as u32, 1].map(u32::to_le_bytes).concat());
            // A request, and room for two sums.
            bytes.extend([7, sequence, 0, 0].map(u64::to_le_bytes).concat());
            bytes.extend(body);
            sequence += batch.len() as u64;
        }
    }
    bytes.resize(bytes.len().next_multiple_of(BLOCK) + 80, 0);
    let sum = seal(&mut bytes);
    (bytes, (sequence, sum))
}

/// Makes the sums of a log right, and `before` of its frames; returns the last sum.
pub(crate) fn seal(bytes: &mut [u8]) -> u64 {
    if bytes.len() < HEAD {
        return 0;
    }
    let collection = xxhash_rust::xxh3::xxh3_64(&bytes[16..32]);
    let number = u64_at(bytes, 32);
    put_u64(bytes, 64, sum_at(collection, number, &bytes[..64]));
    let seed = sum_at(collection, number, &[]);
    let (mut sum, mut at) = (u64_at(bytes, 48), BLOCK);
    loop {
        let next = [at, at.next_multiple_of(BLOCK)].into_iter().find(|&at| marked(bytes, at));
        let Some(start) = next else { return sum };
        let length = u64_at(bytes, start) >> 32;
        let end = (start + HEAD).saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let Some(body) = bytes.get(start + HEAD..end) else { return sum };
        let body = xxhash_rust::xxh3::xxh3_64(body);
        put_u64(bytes, start + 24, sum);
        put_u64(bytes, start + 56, body);
        sum = sum_at(seed, start as u64, &bytes[start..start + 64]);
        put_u64(bytes, start + 64, sum);
        at = end;
    }
}

fn marked(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.len() >= HEAD && rest.starts_with(MARK))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// Changes a log as somebody would who knows the format: bytes of its header, of a frame or of a body, or its length.
/// Mostly the sums are right again.
pub(crate) fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let frames: Vec<usize> = (0..bytes.len()).step_by(8).filter(|&at| marked(bytes, at)).collect();
    for _ in 0..1 + random.below(3) {
        let start =
            if random.below(4) == 0 || frames.is_empty() { 0 } else { frames[random.below(frames.len())] };
        let within = [HEAD, HEAD + 24, HEAD + 200][random.below(3)];
        let at = start + random.below(within);
        let Some(byte) = bytes.get_mut(at) else { continue };
        *byte = match random.below(4) {
            0 => *byte ^ (1 << random.below(8)),
            1 => byte.wrapping_add(1),
            2 => 0,
            _ => random.next() as u8,
        };
    }
    if random.below(8) == 0 {
        bytes.truncate(random.below(bytes.len() + 1));
    }
    if random.below(4) > 0 {
        seal(bytes);
    }
}
