//! Sorts of what is seldom sorted. The sort of the standard library takes 5 to 10 kB of a WebAssembly module for each type and order,
//! and there are thirty: there, these are heap sorts of 300 bytes. Integers are sorted by the library, everywhere by one copy.

use std::cmp::Ordering;

/// Up to so many are sorted by insertion.
#[cfg(any(target_family = "wasm", test))]
const FEW: usize = 20;

/// Sorts by an order in which no two of the items are equal, so that the result is one and the same wherever it is made.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn by<T>(items: &mut [T], order: impl FnMut(&T, &T) -> Ordering) {
    items.sort_unstable_by(order);
}

/// Sorts by an order in which no two of the items are equal, so that the result is one and the same wherever it is made.
#[cfg(target_family = "wasm")]
pub(crate) fn by<T>(items: &mut [T], order: impl FnMut(&T, &T) -> Ordering) {
    small(items, order);
}

/// As [`by`], by a key that no two of the items share.
pub(crate) fn by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    by(items, |a, b| key(a).cmp(&key(b)));
}

#[cfg(any(target_family = "wasm", test))]
#[inline(never)]
fn small<T>(items: &mut [T], mut order: impl FnMut(&T, &T) -> Ordering) {
    let mut less = |items: &[T], a: usize, b: usize| order(&items[a], &items[b]).is_lt();
    if items.len() <= FEW {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && less(items, at, at - 1) {
                items.swap(at, at - 1);
                at -= 1;
            }
        }
        return;
    }
    // What is sorted again, as a list of reads is by each who takes it, costs one look at each.
    if (1..items.len()).all(|at| !less(items, at, at - 1)) {
        return;
    }
    let half = items.len() / 2;
    // First each item above its two is made the largest of the three, from the last one on; then the largest of all goes
    // behind those that are left, again and again.
    for step in (0..half + items.len()).rev() {
        let (mut at, end) = match step.checked_sub(items.len()) {
            Some(at) => (at, items.len()),
            None => {
                items.swap(0, step);
                (0, step)
            }
        };
        loop {
            let mut below = 2 * at + 1;
            if below >= end {
                break;
            }
            if below + 1 < end && less(items, below, below + 1) {
                below += 1;
            }
            if !less(items, at, below) {
                break;
            }
            items.swap(at, below);
            at = below;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash;

    #[test]
    fn small_sorts_as_the_library_does() {
        for length in (0..70).chain([1000, 4097]) {
            for seed in 0..5u64 {
                let mut items: Vec<(u64, usize)> =
                    (0..length).map(|at| (hash(seed + at as u64) % 50, at)).collect();
                let mut expected = items.clone();
                expected.sort_unstable();
                small(&mut items, Ord::cmp);
                assert_eq!(items, expected, "{length} {seed}");
            }
        }
    }
}
