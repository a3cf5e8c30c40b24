//! Candidates in order of (distance, position), at most so many: one sorted array, as in NSG and glass, which for the
//! usual hundred entries beats a heap.

use crate::kernels;

/// A candidate as one integer: the distance's bits in an order that integers keep, the position, and whether the
/// search has looked at its neighbours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) u64);

const EXPANDED: u64 = 1;

impl Key {
    #[inline]
    pub(super) fn new(distance: f32, position: u32) -> Self {
        let bits = distance.to_bits();
        let ordered = bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000);
        Key(u64::from(ordered) << 32 | u64::from(position) << 1)
    }

    fn position(self) -> u32 {
        (self.0 as u32) >> 1
    }

    pub(super) fn distance(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        let mask = if ordered & 0x8000_0000 != 0 { 0x8000_0000 } else { u32::MAX };
        f32::from_bits(ordered ^ mask)
    }

    pub(super) fn candidate(self) -> (f32, u32) {
        (self.distance(), self.position())
    }
}

/// The nearest candidates seen so far.
#[derive(Default)]
pub(crate) struct Pool {
    keys: Vec<Key>,
    capacity: usize,
    /// No key before this one is unexpanded.
    cursor: usize,
}

impl Pool {
    pub(crate) fn reset(&mut self, capacity: usize) {
        self.keys.clear();
        self.keys.reserve(capacity.saturating_add(1).min(1 << 16));
        self.capacity = capacity.max(1);
        self.cursor = 0;
    }

    /// Keeps the candidate if it is among the nearest. A position must be offered once only.
    #[inline]
    pub(crate) fn offer(&mut self, distance: f32, position: u32) {
        self.keep(distance, position);
    }

    /// As [`Pool::offer`]; says whether it was kept.
    #[inline]
    pub(crate) fn keep(&mut self, distance: f32, position: u32) -> bool {
        let key = Key::new(distance, position);
        if self.keys.len() == self.capacity {
            match self.keys.last() {
                Some(&last) if key.0 < last.0 => self.keys.pop(),
                _ => return false,
            };
        }
        let at = kernels::insert(&mut self.keys, key);
        self.cursor = self.cursor.min(at);
        true
    }

    /// The nearest candidate that was not taken yet.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u32> {
        while let Some(key) = self.keys.get_mut(self.cursor) {
            self.cursor += 1;
            if key.0 & EXPANDED == 0 {
                key.0 |= EXPANDED;
                return Some(key.position());
            }
        }
        None
    }

    /// The candidates that were not taken yet, nearest first.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = u32> + '_ {
        let left = self.keys.get(self.cursor..).unwrap_or_default();
        left.iter().filter(|k| k.0 & EXPANDED == 0).map(|k| k.position())
    }

    /// Nearest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (f32, u32)> + '_ {
        self.keys.iter().map(|k| k.candidate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_nearest_in_order_and_ties_go_to_the_lower_position() {
        let mut pool = Pool::default();
        pool.reset(4);
        for (d, p) in [(0.5, 9), (-1.0, 3), (0.0, 7), (-0.0, 8), (0.5, 2), (f32::NAN, 1), (2.0, 4)] {
            pool.offer(d, p);
        }
        let kept: Vec<(f32, u32)> = pool.iter().collect();
        assert_eq!(kept, vec![(-1.0, 3), (-0.0, 8), (0.0, 7), (0.5, 2)]);
    }

    #[test]
    fn takes_each_candidate_once_even_when_a_nearer_one_comes_late() {
        let mut pool = Pool::default();
        pool.reset(3);
        pool.offer(1.0, 1);
        pool.offer(2.0, 2);
        assert_eq!(pool.take(), Some(1));
        pool.offer(0.5, 5);
        assert_eq!(pool.take(), Some(5));
        assert_eq!(pool.take(), Some(2));
        assert_eq!(pool.take(), None);
    }
}
