//! The nearest candidates of a walk, in order of (distance, position), up to a capacity. They are one sorted array, as
//! in NSG and glass: for the usual hundred entries that is faster than a heap. A wide search inserts into a second,
//! short array, and merges it into the long one when it is full. So an insertion moves a few thousand bytes at most.

use crate::kernels;
use crate::topk::{EXPANDED, Key};

/// A pool with a larger capacity has two arrays.
const WIDE: usize = 2048;
/// The capacity of the short array.
const LATE: usize = 512;

/// Candidates in order.
#[derive(Default)]
pub(super) struct Run {
    pub(super) keys: Vec<Key>,
    /// All keys before this one are expanded.
    cursor: usize,
}

impl Run {
    #[inline]
    fn insert(&mut self, key: Key) {
        let at = kernels::insert(&mut self.keys, key);
        self.cursor = self.cursor.min(at);
    }

    /// The nearest key that is not expanded.
    #[inline]
    fn next(&mut self) -> Option<&mut Key> {
        while self.keys.get(self.cursor).is_some_and(|key| key.0 & EXPANDED != 0) {
            self.cursor += 1;
        }
        self.keys.get_mut(self.cursor)
    }

    fn left(&self) -> std::slice::Iter<'_, Key> {
        self.keys.get(self.cursor..).unwrap_or_default().iter()
    }

    /// Merges `other` into this run, from the back and in place.
    fn merge(&mut self, other: &mut Run) {
        let (mut mine, mut theirs) = (self.keys.len(), other.keys.len());
        self.keys.resize(mine + theirs, Key(0));
        while theirs > 0 {
            let place = mine + theirs - 1;
            let key = other.keys[theirs - 1];
            if mine > 0 && self.keys[mine - 1] > key {
                self.keys[place] = self.keys[mine - 1];
                mine -= 1;
                continue;
            }
            self.keys[place] = key;
            theirs -= 1;
            if key.0 & EXPANDED == 0 {
                self.cursor = self.cursor.min(place);
            }
        }
        other.keys.clear();
        other.cursor = 0;
    }
}

/// The nearest candidates seen so far.
#[derive(Default)]
pub(crate) struct Pool {
    pub(super) main: Run,
    /// In a wide search: those inserted since the last merge.
    pub(super) late: Run,
    capacity: usize,
}

impl Pool {
    pub(crate) fn reset(&mut self, capacity: usize) {
        for run in [&mut self.main, &mut self.late] {
            run.keys.clear();
            run.cursor = 0;
        }
        // A wide one grows: most that are as wide as can be, the frontiers of walks under sets, stay empty.
        if capacity <= WIDE {
            self.main.keys.reserve(capacity + 1);
        }
        self.capacity = capacity.max(1);
    }

    /// Lowers the capacity; those beyond it are dropped. Neither the old nor the new one may be wide.
    pub(crate) fn narrow(&mut self, capacity: usize) {
        debug_assert!(self.capacity <= WIDE);
        self.capacity = capacity.max(1);
        self.main.keys.truncate(self.capacity);
        self.main.cursor = self.main.cursor.min(self.capacity);
    }

    /// Keeps the candidate if it is among the nearest. A position must be offered once only.
    #[inline]
    pub(crate) fn offer(&mut self, distance: f32, position: u32) {
        self.keep(distance, position);
    }

    /// As [`Pool::offer`]. Returns whether the candidate was kept.
    #[inline]
    pub(crate) fn keep(&mut self, distance: f32, position: u32) -> bool {
        let key = Key::new(distance, position);
        if self.capacity > WIDE {
            return self.keep_late(key);
        }
        if self.main.keys.len() == self.capacity {
            match self.main.keys.last() {
                Some(&last) if key.0 < last.0 => self.main.keys.pop(),
                _ => return false,
            };
        }
        self.main.insert(key);
        true
    }

    #[inline(never)]
    fn keep_late(&mut self, key: Key) -> bool {
        let (main, late) = (&mut self.main, &mut self.late);
        if main.keys.len() + late.keys.len() == self.capacity {
            let farthest = if late.keys.last() > main.keys.last() { &mut late.keys } else { &mut main.keys };
            match farthest.last() {
                Some(&last) if key.0 < last.0 => farthest.pop(),
                _ => return false,
            };
        }
        late.insert(key);
        if late.keys.len() == LATE {
            main.merge(late);
        }
        true
    }

    /// Takes the nearest candidate that was not taken yet.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.take_below(Key(u64::MAX))
    }

    /// The same, if its key is below `limit`.
    #[inline]
    pub(crate) fn take_below(&mut self, limit: Key) -> Option<u32> {
        let (main, late) = (self.main.next(), self.late.next());
        let late_is_nearer = matches!((&main, &late), (Some(main), Some(late)) if late < main);
        let key = if late_is_nearer { late? } else { main.or(late)? };
        if *key >= limit {
            return None;
        }
        key.0 |= EXPANDED;
        Some(key.position())
    }

    /// A candidate whose key is not below this is not kept.
    #[inline]
    pub(crate) fn limit(&self) -> Key {
        let (main, late) = (&self.main.keys, &self.late.keys);
        match main.len() + late.len() < self.capacity {
            true => Key(u64::MAX),
            false => main.last().max(late.last()).copied().unwrap_or(Key(u64::MAX)),
        }
    }

    /// The candidates that were not taken yet, nearest first.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = u32> + '_ {
        let left = Merged(self.main.left(), self.late.left());
        left.filter(|k| k.0 & EXPANDED == 0).map(|k| k.position())
    }

    /// Nearest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (f32, u32)> + '_ {
        Merged(self.main.keys.iter(), self.late.keys.iter()).map(|k| k.candidate())
    }
}

/// Two runs as one.
struct Merged<'a>(std::slice::Iter<'a, Key>, std::slice::Iter<'a, Key>);

impl Iterator for Merged<'_> {
    type Item = Key;

    #[inline]
    fn next(&mut self) -> Option<Key> {
        match (self.0.as_slice().first(), self.1.as_slice().first()) {
            (Some(main), Some(late)) if late < main => self.1.next().copied(),
            (None, Some(_)) => self.1.next().copied(),
            _ => self.0.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.len() + self.1.len();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Merged<'_> {}

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

    /// A wide pool does at each step what a narrow one of the same capacity would.
    #[test]
    fn a_wide_pool_is_one_sorted_array_to_its_callers() {
        for (capacity, seed) in [(WIDE + 1, 1u64), (WIDE + 700, 2), (3 * WIDE, 3)] {
            let mut wide = Pool::default();
            wide.reset(capacity);
            let mut sorted: Vec<Key> = Vec::new();
            let mut state = seed;
            for position in 0..20_000u32 {
                state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                // Falling at first, then anywhere, with ties.
                let spread = if position < 6000 { 20_000 - position } else { 5000 };
                let distance = ((state >> 33) as u32 % spread) as f32;
                let key = Key::new(distance, position);
                let at = sorted.partition_point(|k| k.0 & !EXPANDED < key.0);
                let fits = at < capacity;
                if fits {
                    sorted.insert(at, key);
                    sorted.truncate(capacity);
                }
                assert_eq!(wide.keep(distance, position), fits, "{position}");
                if state >> 62 == 0 {
                    let next = sorted.iter_mut().find(|k| k.0 & EXPANDED == 0);
                    let expected = next.map(|k| {
                        k.0 |= EXPANDED;
                        k.position()
                    });
                    assert_eq!(wide.take(), expected);
                }
                if position % 500 == 0 {
                    let waiting = sorted.iter().filter(|k| k.0 & EXPANDED == 0).map(|k| k.position());
                    assert!(wide.waiting().eq(waiting));
                    assert_eq!(wide.iter().len(), sorted.len());
                    assert!(wide.iter().eq(sorted.iter().map(|k| k.candidate())));
                }
            }
        }
    }

    #[test]
    fn a_narrower_pool_keeps_the_nearest() {
        let mut pool = Pool::default();
        pool.reset(5);
        (0..5u8).for_each(|p| pool.offer(f32::from(p), u32::from(p)));
        assert_eq!([pool.take(), pool.take(), pool.take()], [Some(0), Some(1), Some(2)]);
        pool.narrow(2);
        assert!(pool.iter().map(|c| c.1).eq([0, 1]));
        assert_eq!((pool.take(), pool.keep(2.0, 9), pool.keep(0.5, 8)), (None, false, true));
        assert_eq!(pool.take(), Some(8));
        assert!(pool.iter().map(|c| c.1).eq([0, 8]));
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
