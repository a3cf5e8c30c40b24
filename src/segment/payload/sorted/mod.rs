//! The index of keys: blocks of pairs of a key and a row. The pairs rise; the first key of each block is in the head. Blocks
//! are in *buckets*, runs of whole blocks, each of which has a set of the rows in it: a range of keys is the sets of the
//! buckets within it, and single blocks at its two ends. This file has the head.
//!
//! | file | duty |
//! |---|---|
//! | `plan`   | which sets and blocks a range needs |
//! | `block`  | the pairs of a block, both directions |
//! | `encode` | the blocks, the sets and the head |

mod block;
mod encode;
mod plan;

pub(super) use encode::encode;

use super::NAME;
use super::cursor::Cursor;
use super::head::OfField;
use super::units::{Unit, Units};
use crate::error::Error;
use crate::storage::Read;

/// The head of an index of keys.
pub(crate) struct SortedHead {
    /// Pairs in all, and of a block but the last.
    pub(super) pairs: u64,
    per_block: u64,
    pub(super) blocks: Vec<KeyBlock>,
    /// The greatest key.
    last: u64,
    pub(super) per_bucket: usize,
    pub(super) buckets: Vec<Unit>,
    /// The set of rows that have a value, if not all have.
    present: Option<Unit>,
    single: bool,
    units: Units,
    sets: Units,
    rows: u32,
}

/// A block and its first key.
pub(super) struct KeyBlock {
    pub(super) first: u64,
    pub(super) unit: Unit,
}

impl SortedHead {
    /// `set` and `at` are where its sets and its blocks start in their sections; they are moved behind them.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        of: &OfField,
        [_, set, at]: &mut [u64; 3],
    ) -> Result<Self, Error> {
        let bad = |detail: &str| Error::corrupt(NAME, detail);
        let [_, sets, units] = of.units;
        let mut head = SortedHead {
            pairs: of.values,
            per_block: cursor.number()?,
            blocks: Vec::new(),
            last: 0,
            per_bucket: 0,
            buckets: Vec::new(),
            present: of.present,
            single: of.single,
            units,
            sets,
            rows: of.rows,
        };
        if head.per_block == 0 || head.per_block > u64::from(u32::MAX) {
            return Err(bad("blocks of no pairs, or of more than 2^32"));
        }
        for _ in 0..head.pairs.div_ceil(head.per_block) {
            let first = match head.blocks.last() {
                None => cursor.u64()?,
                Some(last) => last
                    .first
                    .checked_add(cursor.number()?)
                    .ok_or_else(|| bad("keys of more than 64 bits"))?,
            };
            let unit = Unit::read(cursor, at)?;
            if !units.hold(unit) {
                return Err(bad("a block of keys leaves its section"));
            }
            head.blocks.push(KeyBlock { first, unit });
            head.last = first;
        }
        if head.blocks.is_empty() {
            return Ok(head);
        }
        let more = cursor.number()?;
        head.last = head.last.checked_add(more).ok_or_else(|| bad("keys of more than 64 bits"))?;
        let per_bucket = cursor.number()?;
        if per_bucket > 0 {
            // No more than there are blocks, each of which is in memory.
            head.per_bucket = per_bucket.min(head.blocks.len() as u64) as usize;
            for _ in 0..head.blocks.len().div_ceil(head.per_bucket) {
                let unit = Unit::read(cursor, set)?;
                if !sets.hold(unit) {
                    return Err(bad("the set of a bucket leaves its section"));
                }
                head.buckets.push(unit);
            }
        }
        Ok(head)
    }

    /// How many blocks there are; their keys rise.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// A block.
    pub(crate) fn block(&self, number: usize) -> Option<Read> {
        self.blocks.get(number).map(|block| self.units.read(block.unit))
    }

    /// The least and the greatest key that a block may have.
    pub(crate) fn keys(&self, number: usize) -> Option<(u64, u64)> {
        let block = self.blocks.get(number)?;
        Some((block.first, self.blocks.get(number + 1).map_or(self.last, |next| next.first)))
    }

    /// The sets of the buckets.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Read> + '_ {
        self.buckets.iter().map(|&unit| self.sets.read(unit))
    }

    /// Whether a block is the last of its bucket, or of all.
    pub(super) fn ends_bucket(&self, number: usize) -> bool {
        let end = number + 1;
        end == self.blocks.len() || (self.per_bucket > 0 && end.is_multiple_of(self.per_bucket))
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        crate::memory::bytes(&self.blocks) + crate::memory::bytes(&self.buckets)
    }
}
