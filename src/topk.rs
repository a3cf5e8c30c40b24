//! Selects the k nearest of many candidates, by partition. A candidate that may be among them is appended; when there
//! are twice as many as are wanted, the farther half is dropped. So the cost of a candidate does not depend on k.

use crate::memory::bytes;

/// The bits of a float, changed so that they are ordered as integers like the floats are.
#[inline]
pub(crate) fn sortable(distance: f32) -> u32 {
    let bits = distance.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

/// The float of [`sortable`] bits.
#[inline]
pub(crate) fn from_sortable(bits: u32) -> f32 {
    f32::from_bits(bits ^ if bits & 0x8000_0000 != 0 { 0x8000_0000 } else { u32::MAX })
}

/// A candidate as one integer: the sortable bits of the distance, the position, and whether a search has expanded it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

/// The bit of a [`Key`] that is set when its node was expanded: the search has read its links.
pub(crate) const EXPANDED: u64 = 1;

impl Key {
    #[inline]
    pub(crate) fn new(distance: f32, position: u32) -> Self {
        Key(u64::from(sortable(distance)) << 32 | u64::from(position) << 1)
    }

    /// The key of the item `number` in an order of integers instead of distances.
    pub(crate) fn in_order(rank: u32, number: u32) -> Self {
        Key(u64::from(rank) << 32 | u64::from(number) << 1)
    }

    #[inline]
    pub(crate) fn position(self) -> u32 {
        (self.0 as u32) >> 1
    }

    #[inline]
    pub(crate) fn distance(self) -> f32 {
        from_sortable((self.0 >> 32) as u32)
    }

    #[inline]
    pub(crate) fn candidate(self) -> (f32, u32) {
        (self.distance(), self.position())
    }
}

/// Below so many candidates nothing is dropped.
const LEAST: usize = 64;
/// Memory for more candidates is allocated only when they come.
const AT_ONCE: usize = 1024;

/// The nearest candidates seen so far: smaller distances first, equal ones in order of position.
#[derive(Default)]
pub(crate) struct TopK {
    k: usize,
    /// In no order; the k least keys are among them. They are integers so that sorting shares the code of other
    /// integers.
    keys: Vec<u64>,
    /// This key and larger ones are not among the k least.
    limit: u64,
}

impl TopK {
    /// Starts anew, for the nearest `k`, at least 1; memory is kept.
    pub(crate) fn reset(&mut self, k: usize) {
        self.k = k.max(1);
        self.keys.clear();
        self.keys.reserve(self.room().min(AT_ONCE));
        self.limit = u64::MAX;
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.keys)
    }

    #[inline]
    fn room(&self) -> usize {
        self.k.saturating_mul(2).max(LEAST)
    }

    /// Takes a candidate into account.
    #[inline]
    pub(crate) fn offer(&mut self, distance: f32, position: u32) {
        let key = Key::new(distance, position).0;
        if key < self.limit {
            self.keys.push(key);
            if self.keys.len() >= self.room() {
                self.drop_farther();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_farther(&mut self) {
        if self.keys.len() > self.k {
            self.limit = *self.keys.select_nth_unstable(self.k - 1).1;
            self.keys.truncate(self.k);
        }
    }

    /// The nearest, in no particular order.
    pub(crate) fn unsorted(&mut self) -> impl ExactSizeIterator<Item = (f32, u32)> + '_ {
        self.drop_farther();
        self.keys.iter().map(|&key| Key(key).candidate())
    }

    /// The nearest, nearest first.
    pub(crate) fn sorted(&mut self) -> impl ExactSizeIterator<Item = (f32, u32)> + '_ {
        self.drop_farther();
        self.keys.sort_unstable();
        self.keys.iter().map(|&key| Key(key).candidate())
    }
}

/// The least of some distances and its index; ties go to the first.
pub(crate) fn argmin(distances: &[f32]) -> (f32, usize) {
    let least = minimum(distances);
    (least, distances.iter().position(|&d| d <= least).unwrap_or(0))
}

/// The least of some distances.
pub(crate) fn minimum(distances: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (lines, rest) = distances.as_chunks::<LANES>();
    let mut lanes = [f32::INFINITY; LANES];
    for line in lines {
        lanes.iter_mut().zip(line).for_each(|(l, &d)| *l = if d < *l { d } else { *l });
    }
    lanes.iter().chain(rest).fold(f32::INFINITY, |l, &d| if d < l { d } else { l })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances with many ties, some that are no numbers, falling or rising or neither.
    fn candidates(count: u32, seed: u64) -> Vec<(f32, u32)> {
        let distance = |p: u32| {
            let h = (u64::from(p) ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            match seed % 4 {
                0 => p as f32,
                1 => -(p as f32),
                2 if h.is_multiple_of(50) => f32::NAN,
                2 => (h % 7) as f32 - 3.0,
                _ => h as f32 - 8e6,
            }
        };
        (0..count).map(|p| (distance(p), p)).collect()
    }

    #[test]
    fn the_nearest_are_those_of_a_full_sort_for_every_k() {
        let mut top = TopK::default();
        for seed in 0..8 {
            for count in [0, 1, 63, 64, 65, 1000] {
                let mut all = candidates(count, seed);
                for k in [1, 2, 31, 32, 33, 64, 500, 999, 1000, 2000, usize::MAX] {
                    top.reset(k);
                    all.iter().for_each(|&(d, p)| top.offer(d, p));
                    let mut expected = all.clone();
                    expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    expected.truncate(k);
                    let bits = |c: (f32, u32)| (c.0.to_bits(), c.1);
                    let mut unsorted: Vec<_> = top.unsorted().map(bits).collect();
                    unsorted.sort_unstable_by_key(|c| c.1);
                    let mut by_position: Vec<_> = expected.iter().copied().map(bits).collect();
                    by_position.sort_unstable_by_key(|c| c.1);
                    assert_eq!(unsorted, by_position, "{seed} {count} {k}");
                    let sorted: Vec<_> = top.sorted().map(bits).collect();
                    assert_eq!(sorted, expected.into_iter().map(bits).collect::<Vec<_>>());
                }
                all.clear();
            }
        }
    }
}
