//! The directory of a set: how many chunks there are, an entry for each, and their checksum.

use std::ops::Range;

use super::chunk::{Kind, LONGEST, SPAN};
use super::{Place, corrupt};
use crate::error::Error;

/// Bytes before the entries: how many there are.
const HEAD: usize = 4;
const ENTRY: usize = 16;
/// Bytes after the entries: the checksum of what precedes them.
const SUM: usize = 8;

/// What the directory says of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The chunk's first position divided by 65,536.
    pub(super) number: usize,
    pub(super) kind: Kind,
    /// Positions in the chunk, at least 1.
    pub(super) count: usize,
    pub(super) length: usize,
    pub(super) sum: u64,
}

impl Entry {
    pub(super) fn bytes(&self) -> [u8; ENTRY] {
        let mut out = [0; ENTRY];
        out[0..2].copy_from_slice(&(self.number as u16).to_le_bytes());
        out[2..4].copy_from_slice(&((self.count - 1) as u16).to_le_bytes());
        out[4..6].copy_from_slice(&(self.length as u16).to_le_bytes());
        out[6] = self.kind as u8;
        out[8..16].copy_from_slice(&self.sum.to_le_bytes());
        out
    }

    fn of(bytes: &[u8; ENTRY]) -> Option<Self> {
        let two = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let kind = Kind::of(bytes[6])?;
        let sum = u64::from_le_bytes(*bytes.last_chunk()?);
        Some(Entry { number: two(0), kind, count: two(2) + 1, length: two(4), sum })
    }
}

/// Positions that chunk `number` covers of a set of those below `rows`.
pub(super) fn span(number: usize, rows: usize) -> usize {
    rows.saturating_sub(number.saturating_mul(SPAN)).min(SPAN)
}

/// Bytes of the directory of so many chunks.
pub(super) fn length(chunks: usize) -> usize {
    HEAD + chunks * ENTRY + SUM
}

/// The directory with these entries.
pub(super) fn encode(entries: &[Entry], place: Place) -> Vec<u8> {
    let mut out = (entries.len() as u32).to_le_bytes().to_vec();
    entries.iter().for_each(|entry| out.extend(entry.bytes()));
    let sum = place.sum(0, &out);
    out.extend(sum.to_le_bytes());
    out
}

/// A directory whose checksum and entries are right.
pub(super) struct Directory<'a> {
    entries: &'a [[u8; ENTRY]],
}

impl<'a> Directory<'a> {
    /// The directory at the start of `bytes`, of a set of positions below `rows`.
    ///
    /// # Errors
    /// `corrupt`, `checksum`.
    pub(super) fn read(bytes: &'a [u8], rows: usize, place: Place) -> Result<Self, Error> {
        let cut = || corrupt("its directory is cut short");
        let head = bytes.first_chunk::<HEAD>().ok_or_else(cut)?;
        let chunks = u32::from_le_bytes(*head);
        // So the length below is no longer than a usize.
        if u64::from(chunks) > rows.div_ceil(SPAN) as u64 {
            return Err(corrupt("more chunks than its rows have"));
        }
        let (said, sum) =
            bytes.get(..length(chunks as usize)).and_then(|b| b.split_last_chunk()).ok_or_else(cut)?;
        place.check(0, said, u64::from_le_bytes(*sum))?;
        let (entries, _) = said[HEAD..].as_chunks();
        let mut next = 0;
        for bytes in entries {
            let entry = Entry::of(bytes)
                .ok_or_else(|| corrupt("a chunk of a kind that this version does not know"))?;
            if entry.number < next {
                return Err(corrupt("chunks that do not rise"));
            }
            if bytes[7] != 0 {
                return Err(corrupt("a byte that is not zero"));
            }
            if entry.count > span(entry.number, rows) || entry.length > LONGEST {
                return Err(corrupt("a chunk with more positions or bytes than it may have"));
            }
            next = entry.number + 1;
        }
        Ok(Directory { entries })
    }

    /// The chunks, and where the bytes of each are from the start of the set.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (Entry, Range<usize>)> + '_ {
        let entries = self.entries.iter().filter_map(Entry::of);
        entries.scan(length(self.entries.len()), |start, entry| {
            let range = *start..*start + entry.length;
            *start = range.end;
            Some((entry, range))
        })
    }

    /// Bytes of the whole set.
    pub(super) fn end(&self) -> usize {
        self.chunks().last().map_or(length(self.entries.len()), |(_, range)| range.end)
    }
}
