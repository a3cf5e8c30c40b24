//! A set of rows, by position: the rows that a search may return.
//!
//! Positions are in cluster order, so a cell and a leaf are runs of them, and counting a run says how many rows of the
//! set each holds.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Error;
use crate::memory::{bytes, room_for};

/// A set that the searches of a batch share.
pub(crate) type SharedRows = Arc<RowSet>;

/// The rows of each segment that a search may return; `None`: all of its rows that are not dead.
pub(crate) type Selected = Arc<[Option<SharedRows>]>;

/// Words whose rows are counted together.
const BLOCK: usize = 8;
const BITS: usize = 64;

/// Sets the bit of a position, if the words have one for it.
pub(crate) fn add(words: &mut [u64], position: u32) {
    if let Some(word) = words.get_mut(position as usize / BITS) {
        *word |= 1 << (position as usize % BITS);
    }
}

/// A bitset with counts: exact, whatever the rows have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowSet {
    /// Bits at and beyond `length` are 0.
    words: Vec<u64>,
    /// How many rows of the set come before each block of words.
    before: Vec<u32>,
    count: usize,
    length: usize,
}

impl RowSet {
    /// The set of these positions, each below `length`, in any order.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn of(length: usize, positions: impl IntoIterator<Item = u32>) -> Result<Self, Error> {
        let mut words = RowSet::no_words(length)?;
        positions.into_iter().for_each(|position| add(&mut words, position));
        RowSet::counted(words, length)
    }

    /// The words of a set without positions, to be filled for [`RowSet::of_words`].
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn no_words(length: usize) -> Result<Vec<u64>, Error> {
        let mut words = room_for(length.div_ceil(BITS))?;
        words.resize(length.div_ceil(BITS), 0);
        Ok(words)
    }

    /// The set whose bits these words hold, 64 positions each; bits at and beyond `length` are cleared.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn of_words(mut words: Vec<u64>, length: usize) -> Result<Self, Error> {
        words.truncate(length.div_ceil(BITS));
        RowSet::counted(words, length)
    }

    /// All positions below the length but those of the set.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn complement(mut self) -> Result<Self, Error> {
        self.words.iter_mut().for_each(|word| *word = !*word);
        RowSet::counted(self.words, self.length)
    }

    /// The rows of both sets, which have the same length.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn and(mut self, other: &RowSet) -> Result<Self, Error> {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
        RowSet::counted(self.words, self.length)
    }

    /// The rows of either set, which have the same length.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub(crate) fn or(mut self, other: &RowSet) -> Result<Self, Error> {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        RowSet::counted(self.words, self.length)
    }

    fn counted(mut words: Vec<u64>, length: usize) -> Result<Self, Error> {
        if let Some(last) = words.get_mut(length / BITS) {
            *last &= (1 << (length % BITS)) - 1;
        }
        let mut before = room_for(words.len().div_ceil(BLOCK))?;
        let mut count = 0;
        for block in words.chunks(BLOCK) {
            before.push(count);
            count += ones(block);
        }
        Ok(RowSet { words, before, count: count as usize, length })
    }

    /// Rows in the set.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.words) + bytes(&self.before)
    }

    /// Positions that the set may hold: all below this.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Its bits, 64 positions a word, the lowest first; those at and beyond the length are 0.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether it has every row.
    pub(crate) fn is_full(&self) -> bool {
        self.count == self.length
    }

    #[inline]
    pub(crate) fn contains(&self, position: u32) -> bool {
        let word = self.words.get(position as usize / BITS).copied().unwrap_or(0);
        word >> (position as usize % BITS) & 1 == 1
    }

    /// How many rows of the set are in a run of positions.
    pub(crate) fn count_in(&self, run: Range<u32>) -> u32 {
        self.rank(run.end).saturating_sub(self.rank(run.start))
    }

    /// How many rows of the set come before `position`.
    fn rank(&self, position: u32) -> u32 {
        let position = position as usize;
        let Some(&before) = self.before.get(position / (BLOCK * BITS)) else { return self.count as u32 };
        let (at, block) = (position / BITS, position / BITS / BLOCK * BLOCK);
        let below = self.words.get(at).map_or(0, |word| (word & ((1 << (position % BITS)) - 1)).count_ones());
        before + ones(self.words.get(block..at).unwrap_or_default()) + below
    }

    /// The first position of the set from `start` on.
    #[inline(never)]
    pub(crate) fn next(&self, start: u32) -> Option<u32> {
        self.from(start).next()
    }

    /// The positions of the set from `start` on, rising.
    pub(crate) fn from(&self, start: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = start as usize / BITS;
        let first = self.words.get(at).map_or(0, |word| word & (u64::MAX << (start as usize % BITS)));
        let mut left = first;
        std::iter::from_fn(move || {
            while left == 0 {
                at += 1;
                left = *self.words.get(at)?;
            }
            let bit = left.trailing_zeros();
            left &= left - 1;
            Some((at * BITS) as u32 + bit)
        })
    }

    /// The positions of the set in a run.
    pub(crate) fn within(&self, run: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        self.from(run.start).take_while(move |&position| position < run.end)
    }
}

fn ones(words: &[u64]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn drawn(length: usize, one_in: u64, seed: u64) -> BTreeSet<u32> {
        let hash = |p: u64| crate::hash::hash(seed ^ crate::hash::hash(p));
        (0..length as u64).filter(|&p| hash(p).is_multiple_of(one_in)).map(|p| p as u32).collect()
    }

    #[test]
    fn it_is_the_set_of_its_positions() {
        for length in [0, 1, 63, 64, 65, 511, 512, 513, 5000] {
            for one_in in [1, 2, 7, 64, 700, u64::MAX] {
                let wanted = drawn(length, one_in, 3);
                let set = RowSet::of(length, wanted.iter().copied()).unwrap();
                assert_eq!((set.count(), set.is_full()), (wanted.len(), wanted.len() == length));
                let whole = 0..length as u32 + 70;
                assert!(whole.clone().all(|p| set.contains(p) == wanted.contains(&p)));
                for (start, end) in
                    [(0, 0), (0, 64), (5, 66), (63, 513), (1, 4999), (600, 5000), (0, u32::MAX)]
                {
                    let run = || wanted.range(start..end).copied();
                    assert_eq!(set.count_in(start..end) as usize, run().count(), "{length} {start}..{end}");
                    assert!(set.within(start..end).eq(run()), "{length} {start}..{end}");
                }
                assert!(set.from(0).eq(wanted.iter().copied()));
                let others = set.clone().complement().unwrap();
                assert!(others.from(0).eq((0..length as u32).filter(|p| !wanted.contains(p))));
                let third = drawn(length, 3, 9);
                let either = set.clone().or(&RowSet::of(length, third.iter().copied()).unwrap()).unwrap();
                assert!(either.from(0).eq(wanted.union(&third).copied()));
                assert_eq!(either.count(), wanted.union(&third).count());
                let both = set.and(&RowSet::of(length, third.iter().copied()).unwrap()).unwrap();
                assert!(both.from(0).eq(wanted.intersection(&third).copied()));
                assert_eq!(both.count(), wanted.intersection(&third).count());
            }
        }
    }
}
