//! FORMAT.md, "Stored fields", read a second time: the places of blocks, an LZ4 decoder, the sums.

use super::format::{self, put, sum_at, u32_at, u64_at};
use std::ops::Range;

pub(crate) const DIRECTORY: u32 = 32;
pub(crate) const FIELDS: u32 = 33;
const SEED: u64 = 0x4649_454C;

/// A group of rows: where its entry in the directory and its own directory of blocks stand in the file, and its blocks.
pub(crate) struct Group {
    pub(crate) entry: usize,
    pub(crate) directory: Range<usize>,
    pub(crate) blocks: Vec<Block>,
}

pub(crate) struct Block {
    pub(crate) entry: usize,
    pub(crate) rows: Range<usize>,
    pub(crate) raw: usize,
    pub(crate) bytes: Range<usize>,
}

fn u16_at(file: &[u8], at: usize) -> usize {
    u16::from_le_bytes([file[at], file[at + 1]]).into()
}

/// The groups as they stand in the file, as far as they lie inside it.
pub(crate) fn groups(file: &[u8]) -> Vec<Group> {
    let (Some(directory), Some(fields)) = (format::find(file, DIRECTORY), format::find(file, FIELDS)) else {
        return Vec::new();
    };
    let end = directory.offset.saturating_add(directory.length);
    if directory.length < 16 || end > file.len() {
        return Vec::new();
    }
    let (count, rows) =
        (u32_at(file, directory.offset) as usize, u32_at(file, directory.offset + 4) as usize);
    let mut groups = Vec::new();
    for number in 0..count.min(directory.length / 16 - 1) {
        let entry = directory.offset + 16 + number * 16;
        let blocks = u32_at(file, entry + 8) as usize;
        let at = usize::try_from(u64_at(file, entry)).unwrap_or(usize::MAX);
        let Some(at) = fields.offset.checked_add(at) else { break };
        let Some(end) = blocks.checked_mul(10).and_then(|length| at.checked_add(length)) else { break };
        if end > file.len() {
            break;
        }
        let (mut first, mut offset) = (0, end);
        let mut found = Vec::new();
        for entry in (at..end).step_by(10) {
            let [last, raw, stored] = [0, 2, 4].map(|field| u16_at(file, entry + field));
            let bytes = offset..offset + stored + 1;
            if bytes.end > file.len() {
                break;
            }
            let base = number.saturating_mul(rows);
            found.push(Block { entry, rows: base + first..base + last, raw: raw + 1, bytes: bytes.clone() });
            (first, offset) = (last, bytes.end);
        }
        groups.push(Group { entry, directory: at..end, blocks: found });
    }
    groups
}

/// The line of each row.
pub(crate) fn lines(file: &[u8]) -> Vec<String> {
    let directory = format::section(file, DIRECTORY);
    let length = u32_at(file, directory.offset + 8) as usize;
    let dictionary = &file[directory.offset + directory.length - length..directory.offset + directory.length];
    let mut lines = Vec::new();
    for block in groups(file).iter().flat_map(|group| &group.blocks) {
        let stored = &file[block.bytes.clone()];
        let raw = if stored.len() == block.raw { stored.to_vec() } else { lz4(stored, dictionary) };
        assert_eq!(raw.len(), block.raw);
        let text = String::from_utf8(raw).expect("lines are UTF-8");
        assert!(text.ends_with('\n'));
        lines.extend(text[..text.len() - 1].split('\n').map(str::to_owned));
        assert_eq!(lines.len(), block.rows.end);
    }
    lines
}

fn lz4(mut stored: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut out = dictionary.to_vec();
    let take = |stored: &mut &[u8]| {
        let byte = stored[0];
        *stored = &stored[1..];
        usize::from(byte)
    };
    let more = |stored: &mut &[u8], mut length: usize| {
        while length >= 15 {
            let byte = take(stored);
            length += byte;
            if byte < 255 {
                break;
            }
        }
        length
    };
    loop {
        let token = take(&mut stored);
        let literals = more(&mut stored, token >> 4);
        out.extend_from_slice(&stored[..literals]);
        stored = &stored[literals..];
        if stored.is_empty() {
            return out.split_off(dictionary.len());
        }
        let offset = take(&mut stored) | take(&mut stored) << 8;
        let length = more(&mut stored, token & 15) + 4;
        for _ in 0..length {
            out.push(out[out.len() - offset]);
        }
    }
}

/// Makes the sums of blocks and of their directories right again.
pub(crate) fn seal(file: &mut [u8], file_seed: u64) {
    let Some(fields) = format::find(file, FIELDS) else { return };
    let sum = |file: &[u8], range: &Range<usize>| {
        let at = range.start.wrapping_sub(fields.offset) as u64;
        (sum_at(file_seed ^ SEED, at, &file[range.clone()]) as u32).to_le_bytes()
    };
    for group in groups(file) {
        for block in &group.blocks {
            let sum = sum(file, &block.bytes);
            put(file, block.entry + 6, &sum);
        }
        let sum = sum(file, &group.directory);
        put(file, group.entry + 12, &sum);
    }
}
