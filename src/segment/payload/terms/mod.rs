//! The index of texts: blocks of texts that rise by their bytes, each with the rows that have it. This file has the head,
//! which tells the block of a text.
//!
//! | file | duty |
//! |---|---|
//! | `block`  | from the bytes of a block to its texts |
//! | `inline` | small sets, which stand beside their texts, both directions |
//! | `encode` | the blocks, their sets and the head |

mod block;
mod encode;
mod inline;

pub(crate) use block::{SetRef, Term};
pub(super) use encode::encode;
pub(super) use inline::{add as add_inline, each as each_inline};

use super::cursor::Cursor;
use super::head::OfField;
use super::units::{Unit, Units};
use super::{NAME, TERMS_NAME};
use crate::error::Error;
use crate::storage::Read;
use block::{TermReader, rises, shared};
use std::ops::Range;

/// The head of an index of texts.
pub(crate) struct TermsHead {
    /// Distinct texts.
    pub(crate) terms: u32,
    /// The only block, where it is short.
    here: Vec<u8>,
    pub(super) blocks: Vec<TermsEntry>,
    /// The separators, one after another.
    separators: Vec<u8>,
    units: Units,
    sets: Units,
    /// Where its sets are in their section.
    pub(super) places: Range<u64>,
    rows: u32,
}

/// A block, and where its separator ends.
pub(super) struct TermsEntry {
    separator: u32,
    pub(super) unit: Unit,
}

/// Where a block is.
pub(crate) enum TermBlock<'a> {
    Here(&'a [u8]),
    At(Read),
}

impl TermsHead {
    /// `set` and `at` are where its sets and its blocks start in their sections; they are moved behind them.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        of: &OfField,
        [at, set, _]: &mut [u64; 3],
    ) -> Result<Self, Error> {
        let [units, sets, _] = of.units;
        let (terms, count) = (cursor.short()?, cursor.number()?);
        let mut head = TermsHead {
            terms,
            here: Vec::new(),
            blocks: Vec::new(),
            separators: Vec::new(),
            units,
            sets,
            places: *set..of.sets_end,
            rows: of.rows,
        };
        if count == 0 {
            let length = cursor.short()? as usize;
            head.here = cursor.take(length)?.to_vec();
        }
        *set = of.sets_end;
        let mut last: Vec<u8> = Vec::new();
        for number in 0..count {
            let (shared, rest) = shared(cursor, last.len())?;
            if number > 0 && !rises(&last, shared, rest) {
                return Err(Error::corrupt(NAME, "separators of blocks do not rise"));
            }
            last.truncate(shared);
            last.extend(rest);
            head.separators.extend(&last);
            let unit = Unit::read(cursor, at)?;
            if !units.hold(unit) {
                return Err(Error::corrupt(NAME, "a block of terms leaves its section"));
            }
            head.blocks.push(TermsEntry { separator: head.separators.len() as u32, unit });
        }
        if (terms == 0) != (head.blocks() == 0) {
            return Err(Error::corrupt(NAME, "terms without a block, or a block without terms"));
        }
        Ok(head)
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        if self.here.is_empty() { self.blocks.len() } else { 1 }
    }

    /// Block `number`; beyond the last one that has no texts.
    pub(crate) fn block(&self, number: usize) -> TermBlock<'_> {
        match self.blocks.get(number) {
            Some(block) => TermBlock::At(self.units.read(block.unit)),
            None => TermBlock::Here(if number == 0 { &self.here } else { &[] }),
        }
    }

    /// The block that holds a text, if one does.
    pub(crate) fn block_of(&self, term: &str) -> Option<usize> {
        match self.blocks.is_empty() {
            true => (!self.here.is_empty()).then_some(0),
            false => self.blocks_up_to(term.as_bytes()).checked_sub(1),
        }
    }

    /// How many blocks start with this text or below it.
    fn blocks_up_to(&self, term: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.separator(middle) <= term {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// What no text of the block is below, and all of the block before it are.
    pub(super) fn separator(&self, number: usize) -> &[u8] {
        let end = |number: usize| self.blocks.get(number).map_or(0, |block| block.separator as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.separators.get(start..end(number)).unwrap_or_default()
    }

    /// A text of a block, whose bytes these are.
    ///
    /// # Errors
    /// `corrupt`.
    pub(crate) fn find<'a>(&'a self, bytes: &'a [u8], term: &'a str) -> Result<Option<Term<'a>>, Error> {
        let mut reader = self.each(bytes);
        while let Some(found) = reader.read()? {
            if found.text >= term {
                let same = found.text == term;
                let (count, set) = (found.count, reader.set);
                return Ok(same.then_some(Term { text: term, count, set }));
            }
        }
        Ok(None)
    }

    /// All texts of a block, whose bytes these are.
    pub(crate) fn each<'a>(&'a self, bytes: &'a [u8]) -> TermReader<'a> {
        let cursor = Cursor { left: bytes, section: TERMS_NAME };
        TermReader::new(self, cursor)
    }

    /// Where the section of sets is.
    pub(super) fn sets_offset(&self) -> u64 {
        self.sets.section.offset
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        use crate::memory::bytes;
        bytes(&self.here) + bytes(&self.blocks) + bytes(&self.separators)
    }
}
