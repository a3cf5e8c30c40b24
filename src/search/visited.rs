//! A set of positions. To clear it takes as long as it took to fill.

use std::ops::Range;

/// A bitset, and the positions that were added, in order.
#[derive(Default)]
pub(crate) struct Visited {
    pub(super) words: Vec<u64>,
    pub(super) added: Vec<u32>,
}

impl Visited {
    /// Empties the set and makes room for positions below `count`.
    pub(crate) fn reset(&mut self, count: usize) {
        for position in self.added.drain(..) {
            self.words[position as usize / 64] = 0;
        }
        if self.words.len() * 64 < count {
            self.words.resize(count.div_ceil(64), 0);
        }
    }

    /// Adds positions, each below the count of the last `reset`. Returns where the new ones among them are in
    /// [`Visited::added`]. No branch depends on which are new: about half of a node's links are, and no CPU can predict
    /// which.
    #[inline]
    pub(crate) fn extend(&mut self, positions: &[u32]) -> Range<usize> {
        let start = self.added.len();
        self.added.resize(start + positions.len(), 0);
        let fresh = &mut self.added[start..];
        let mut count = 0;
        for &position in positions {
            let word = &mut self.words[position as usize / 64];
            let bit = 1u64 << (position % 64);
            fresh[count] = position;
            count += usize::from(*word & bit == 0);
            *word |= bit;
        }
        self.added.truncate(start + count);
        start..start + count
    }

    /// Whether a position below the count of the last `reset` was added.
    pub(crate) fn contains(&self, position: u32) -> bool {
        self.words.get(position as usize / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }

    pub(crate) fn added(&self, range: Range<usize>) -> &[u32] {
        &self.added[range]
    }
}
