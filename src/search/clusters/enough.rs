//! How many cells and lists are enough where only some rows may be hits.
//!
//! The curves of the file say how many rows a search scans for k hits. If a part s of the rows around the query may be
//! hits, the k nearest that may be are about as far as the k/s nearest of all, so as many rows are scanned as for k/s
//! hits. That part is estimated from the cells or leaves that the search takes; those without any such row are passed
//! over, and never read.

use std::cell::Cell;

use crate::topk::TopK;

/// The rows that may be hits are far from the query if it passes over so many tenths of the rows that k hits have around
/// them.
const FAR: u64 = 40;
/// Then so many times the rows are scanned: leaves that are all far from the query are hard to tell apart.
const MORE: u64 = 2;

/// How many rows a cell or a leaf has, and how many of them may be hits.
#[derive(Clone, Copy, Default)]
pub(in crate::search) struct Held {
    pub(super) rows: u64,
    pub(super) set: u64,
}

/// The cells or leaves so far.
#[derive(Clone, Copy, Default)]
struct Total {
    /// Of those that are taken.
    held: Held,
    taken: u64,
    /// Rows of all, also of those that were passed over.
    passed: u64,
    /// Rows that were passed over before k rows that may be hits were taken.
    passed_over: Option<u64>,
}

/// How many rows are scanned.
pub(super) struct Wide<'a> {
    /// Hits wanted.
    k: usize,
    /// How many rows a search scans for so many hits.
    rows: &'a dyn Fn(usize) -> u64,
    /// The last number of hits, and the rows that are scanned for it.
    last: Cell<(usize, u64)>,
    far: Cell<bool>,
}

impl<'a> Wide<'a> {
    /// `for_k` is what `rows` gives for `k`.
    pub(super) fn new(k: usize, for_k: u64, rows: &'a dyn Fn(usize) -> u64) -> Self {
        Wide { k, rows, last: Cell::new((k, for_k)), far: Cell::new(false) }
    }

    /// Whether these rows are enough.
    fn holds(&self, total: &Total) -> bool {
        let (k, Held { rows, set }) = (self.k as u64, total.held);
        if set < k {
            return false;
        }
        // Leaves without rows that may be hits are not among the taken. With them the part would be smaller: by about
        // 1/c of c rows in each leaf that is taken, if such rows lie at random. Half of that is corrected.
        let random =
            if set == rows { set } else { (set - total.taken * total.taken / set.max(1) / 2).max(1) };
        let for_hits = (k * rows / random) as usize;
        if for_hits != self.last.get().0 {
            self.last.set((for_hits, (self.rows)(for_hits)));
        }
        self.far.set(total.passed_over.unwrap_or(0) * random / rows.max(1) * 10 > FAR * k);
        let wanted = self.last.get().1 * if self.far.get() { MORE } else { 1 };
        // As many of all rows around the query.
        rows * set / random >= wanted
    }

    /// Whether the rows that may be hits are far from the query, after [`enough`].
    pub(super) fn is_far(&self) -> bool {
        self.far.get()
    }
}

impl Total {
    fn add(&mut self, k: usize, held: Held) {
        self.passed += held.rows;
        if held.set > 0 {
            self.held = Held { rows: self.held.rows + held.rows, set: self.held.set + held.set };
            self.taken += 1;
        }
        if self.passed_over.is_none() && self.held.set >= k as u64 {
            self.passed_over = Some(self.passed - self.held.rows);
        }
    }
}

/// The first by priority that together have enough rows: about `count` of them.
#[inline(never)]
pub(super) fn enough(
    priorities: &[f32],
    count: usize,
    wide: &Wide<'_>,
    held: &dyn Fn(u32) -> Held,
    nearest: &mut TopK,
) -> Vec<u32> {
    let mut count = count.max(1);
    loop {
        nearest.reset(count);
        priorities.iter().zip(0..).for_each(|(&priority, at)| nearest.offer(priority, at));
        let (mut total, mut first) = (Total::default(), Vec::with_capacity(count.min(priorities.len())));
        for (_, at) in nearest.sorted() {
            if wide.holds(&total) {
                return first;
            }
            let held = held(at);
            total.add(wide.k, held);
            if held.set > 0 {
                first.push(at);
            }
        }
        if wide.holds(&total) || count >= priorities.len() {
            return first;
        }
        count *= 2;
    }
}

/// How many rows so many cells or leaves have, if they are of average size.
pub(super) fn as_many_as(number: usize, rows: usize, of: usize) -> u64 {
    (number as u64).saturating_mul(rows as u64).div_ceil(of.max(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred leaves of 32 rows in order; a search for k hits scans 40 rows for each.
    fn taken(k: usize, set: impl Fn(u32) -> u64) -> (Vec<u32>, bool) {
        let priorities: Vec<f32> = (0..100).map(|leaf| leaf as f32).collect();
        let rows = |k: usize| 40 * k as u64;
        let wide = Wide::new(k, rows(k), &rows);
        let held = |leaf| Held { rows: 32, set: set(leaf) };
        let taken = enough(&priorities, 3, &wide, &held, &mut TopK::default());
        (taken, wide.is_far())
    }

    #[test]
    fn all_rows_take_what_the_curve_says() {
        assert_eq!(taken(2, |_| 32), ((0..3).collect(), false));
        assert_eq!(taken(1000, |_| 32).0.len(), 100, "there are no more");
    }

    #[test]
    fn of_half_the_rows_twice_as_many_are_taken() {
        assert_eq!(taken(2, |_| 16), ((0..5).collect(), false));
    }

    #[test]
    fn leaves_without_rows_are_passed_over() {
        let (first, far) = taken(2, |leaf| if leaf % 4 == 3 { 32 } else { 0 });
        assert_eq!((first, far), (vec![3, 7, 11, 15, 19], true));
        let (first, far) = taken(2, |leaf| if leaf >= 90 { 32 } else { 0 });
        assert_eq!((first, far), ((90..95).collect(), true));
        assert!(taken(2, |_| 0).0.is_empty());
        assert_eq!(taken(2, |leaf| u64::from(leaf == 50)).0, [50], "all that there is");
    }
}
