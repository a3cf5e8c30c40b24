//! A set of positions that is cleared in the time it took to fill.

/// A bitset that remembers which words it touched.
#[derive(Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    touched: Vec<u32>,
}

impl Visited {
    /// Empties the set and makes room for positions below `count`.
    pub(crate) fn reset(&mut self, count: usize) {
        for word in self.touched.drain(..) {
            self.words[word as usize] = 0;
        }
        if self.words.len() * 64 < count {
            self.words.resize(count.div_ceil(64), 0);
        }
    }

    /// Adds a position below the count of the last `reset`; says whether it is new.
    #[inline]
    pub(crate) fn insert(&mut self, position: u32) -> bool {
        let word = &mut self.words[position as usize / 64];
        let bit = 1u64 << (position % 64);
        if *word == 0 {
            self.touched.push(position / 64);
        }
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
