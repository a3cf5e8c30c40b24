//! The least of many distances, kept while they are computed.

/// A distance and a number as one integer, in the order of distances, then of numbers.
fn key(distance: f32, number: u32) -> u64 {
    let bits = distance.to_bits();
    let ordered = bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000);
    u64::from(ordered) << 32 | u64::from(number)
}

fn distance(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(ordered ^ if ordered & 0x8000_0000 != 0 { 0x8000_0000 } else { u32::MAX })
}

/// The nearest of what was offered to one row. Of equal distances those that follow the row come first, so that rows
/// that are the same choose others all around, not all the first of them.
#[derive(Clone)]
pub(crate) struct Least {
    keep: usize,
    row: u32,
    /// Numbers are counted from the row.
    kept: Vec<u64>,
    /// What is above it is not among them.
    bound: f32,
}

impl Least {
    /// Keeps `keep` for the row that has this number.
    pub(crate) fn new(keep: usize, row: u32) -> Self {
        Least { keep: keep.max(1), row, kept: Vec::new(), bound: f32::INFINITY }
    }

    /// `ids` at these distances.
    pub(crate) fn offer(&mut self, distances: &[f32], ids: &[u32]) {
        for (&distance, &id) in distances.iter().zip(ids) {
            if distance <= self.bound {
                self.kept.push(key(distance, id.wrapping_sub(self.row)));
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

    /// Nearest first, an id that was offered twice once.
    pub(crate) fn sorted(mut self) -> impl Iterator<Item = (f32, u32)> {
        self.shorten();
        self.kept.sort_unstable();
        self.kept.dedup();
        self.kept.into_iter().map(move |key| (distance(key), (key as u32).wrapping_add(self.row)))
    }
}

#[cfg(test)]
mod tests {
    use super::Least;

    #[test]
    fn keeps_the_nearest_once_and_of_equals_those_that_follow() {
        let mut least = Least::new(4, 5);
        least.offer(&[1.0, 1.0, 1.0, -0.5, 7.0, 1.0], &[3, 4, 5, 9, 1, 6]);
        least.offer(&[-0.5, 0.0, 2.0], &[9, 0, 2]);
        let kept: Vec<_> = least.sorted().collect();
        assert_eq!(kept, [(-0.5, 9), (0.0, 0), (1.0, 5)]);
    }
}
