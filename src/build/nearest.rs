//! The k nearest candidates of one row, selected while distances are computed. Unlike [`crate::topk`], ties can be
//! broken by a hash, and a candidate may be offered twice.

use crate::hash::hash;
use crate::topk::{from_sortable, sortable};

/// A distance and a rank as one integer, ordered by distance, then by rank.
fn key(distance: f32, number: u32) -> u64 {
    u64::from(sortable(distance)) << 32 | u64::from(number)
}

fn distance(key: u64) -> f32 {
    from_sortable((key >> 32) as u32)
}

/// The order of candidates at the same distance: by a rank that is computed from their number.
#[derive(Clone, Copy)]
pub(crate) struct Ties {
    factor: u32,
    /// The inverse of `factor` modulo 2³².
    inverse: u32,
    mask: u32,
}

impl Ties {
    /// The lower number comes first.
    pub(crate) const LOWER: Self = Ties { factor: 1, inverse: 1, mask: 0 };

    /// An order that depends on a hash of the row, so that different rows choose different ones of equal candidates.
    pub(crate) fn of(row: u32) -> Self {
        Ties { factor: 0x9E37_79B1, inverse: 0x0E8B_2F51, mask: hash(u64::from(row)) as u32 }
    }

    fn rank(self, number: u32) -> u32 {
        number.wrapping_mul(self.factor) ^ self.mask
    }

    fn number(self, rank: u32) -> u32 {
        (rank ^ self.mask).wrapping_mul(self.inverse)
    }
}

/// The `keep` nearest candidates that were offered.
#[derive(Clone)]
pub(crate) struct Nearest {
    keep: usize,
    ties: Ties,
    kept: Vec<u64>,
    /// Candidates farther than this are not among the nearest.
    bound: f32,
}

impl Nearest {
    pub(crate) fn new(keep: usize, ties: Ties) -> Self {
        Nearest { keep: keep.max(1), ties, kept: Vec::new(), bound: f32::INFINITY }
    }

    /// Offers candidates; `distances[i]` is that of `ids[i]`.
    pub(crate) fn offer(&mut self, distances: &[f32], ids: &[u32]) {
        for (&distance, &id) in distances.iter().zip(ids) {
            if distance <= self.bound {
                self.kept.push(key(distance, self.ties.rank(id)));
                if self.kept.len() == 2 * self.keep {
                    self.shorten();
                }
            }
        }
    }

    fn shorten(&mut self) {
        if self.kept.len() > self.keep {
            let (_, &mut last, _) = self.kept.select_nth_unstable(self.keep - 1);
            self.bound = distance(last);
            self.kept.truncate(self.keep);
        }
    }

    /// The nearest, nearest first. A candidate that was offered twice comes once.
    pub(crate) fn sorted(mut self) -> impl Iterator<Item = (f32, u32)> {
        self.shorten();
        self.kept.sort_unstable();
        self.kept.dedup();
        self.kept.into_iter().map(move |key| (distance(key), self.ties.number(key as u32)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Nearest, Ties};

    #[test]
    fn keeps_the_nearest_once_and_of_equals_the_lower() {
        let mut least = Nearest::new(4, Ties::LOWER);
        least.offer(&[1.0, 1.0, 1.0, -0.5, 7.0, 1.0], &[6, 4, 5, 9, 1, 3]);
        least.offer(&[-0.5, 0.0, 2.0], &[9, 0, 2]);
        let kept: Vec<_> = least.sorted().collect();
        assert_eq!(kept, [(-0.5, 9), (0.0, 0), (1.0, 3)]);
    }

    #[test]
    fn rows_choose_different_ones_of_equals() {
        let ids: Vec<u32> = (0..1000).collect();
        let mut chosen = vec![0; ids.len()];
        for row in 0..1000 {
            let mut least = Nearest::new(10, Ties::of(row));
            least.offer(&[2.0; 1000], &ids);
            least.sorted().for_each(|(_, id)| chosen[id as usize] += 1);
        }
        assert_eq!(chosen.iter().sum::<u32>(), 10_000);
        assert!(chosen.iter().all(|&times| times < 40), "{chosen:?}");
    }
}
