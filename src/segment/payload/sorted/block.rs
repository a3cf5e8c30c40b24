//! The pairs of a block, both directions.

use super::SortedHead;
use crate::error::Error;
use crate::segment::packed::{self, Packed};
use crate::segment::payload::SORTED_NAME;
use crate::segment::payload::cursor::Cursor;

/// The low bits of keys are packed apart from the rest, since packed numbers have no 64 bits.
const LOW: usize = 32;

/// The pairs of a block.
pub(crate) struct SortedBlock<'a> {
    first: u64,
    /// No key is above it.
    upper: u64,
    count: usize,
    shift: u32,
    low: Packed<'a>,
    high: Packed<'a>,
    positions: Packed<'a>,
    rows: u32,
}

impl SortedHead {
    /// The pairs of block `number`, whose bytes these are.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn decode<'a>(&self, number: usize, bytes: &'a [u8]) -> Result<SortedBlock<'a>, Error> {
        let bad = |detail: &str| Error::corrupt(SORTED_NAME, detail);
        let (first, upper) = self.keys(number).ok_or_else(|| bad("there is no such block"))?;
        let count = self.per_block.min(self.pairs - self.per_block * number as u64) as usize;
        let mut cursor = Cursor { left: bytes, section: SORTED_NAME };
        let (shift, width) = (u32::from(cursor.u8()?), usize::from(cursor.u8()?));
        if shift > 63 || shift as usize + width > 64 {
            return Err(bad("keys of more than 64 bits"));
        }
        let cut = || bad("a block of keys is cut short");
        let (low, rest) = Packed::without_head(cursor.left, count, width.min(LOW)).ok_or_else(cut)?;
        let (high, rest) = Packed::without_head(rest, count, width.saturating_sub(LOW)).ok_or_else(cut)?;
        let (positions, rest) = Packed::split(rest, count).ok_or_else(cut)?;
        if !rest.is_empty() {
            return Err(bad("bytes after the last row of a block"));
        }
        Ok(SortedBlock { first, upper, count, shift, low, high, positions, rows: self.rows })
    }
}

impl SortedBlock<'_> {
    /// Calls `take` with each key and row, rising. After an error some may have been given that are not right.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn each(&self, take: &mut dyn FnMut(u64, u32)) -> Result<(), Error> {
        let mut before = None;
        for at in 0..self.count {
            // The widths have 64 bits together, so nothing is lost by the shifts.
            let above = (self.low.get(at) | self.high.get(at) << LOW) << self.shift;
            let (key, position) = (self.first.checked_add(above), self.positions.get(at));
            let key = key.filter(|&key| key <= self.upper && before < Some((key, position)));
            let Some(key) = key.filter(|_| position < u64::from(self.rows)) else {
                return Err(Error::corrupt(SORTED_NAME, "a key or a row that may not be here"));
            };
            before = Some((key, position));
            take(key, position as u32);
        }
        Ok(())
    }
}

/// The bytes of a block, whose pairs rise.
pub(super) fn encode(block: &[(u64, u32)]) -> Vec<u8> {
    let first = block[0].0;
    let above = || block.iter().map(|pair| pair.0 - first);
    let all = above().fold(0, |all, key| all | key);
    let shift = if all == 0 { 0 } else { all.trailing_zeros() };
    let width = (u64::BITS - (all >> shift).leading_zeros()) as usize;
    let mut out = vec![shift as u8, width as u8];
    let low = |key: u64| key >> shift & ((1 << LOW) - 1);
    packed::pack(above().map(low), width.min(LOW) as u32, &mut out);
    packed::pack(above().map(|key| key >> shift >> LOW), width.saturating_sub(LOW) as u32, &mut out);
    packed::encode(block.iter().map(|pair| u64::from(pair.1)), &mut out);
    out
}
