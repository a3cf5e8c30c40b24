//! What memory is for, now and at the most, beside what was expected of it: what is far above that may be leaking.

use crate::budget::{Memory, Part, PartMemory};

/// A part of memory whose bytes are more than this times those that were expected is told as a leak.
const LEAK: u64 = 2;

/// The bytes of each part at one moment, over all ledgers of a [`MemoryManager`](super::MemoryManager).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryTracker {
    parts: Vec<Tracked>,
}

/// One part of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracked {
    /// Which.
    pub part: Part,
    /// Bytes now.
    pub current: u64,
    /// The most bytes at once. Of several ledgers the sum of theirs, which may be more than there ever were at one time.
    pub peak: u64,
    /// The bytes that were expected; `None`: nothing was said of it.
    pub expected: Option<u64>,
}

/// A part that has more than twice the bytes that were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// Which.
    pub part: Part,
    /// Bytes now.
    pub current: u64,
    /// The bytes that were expected.
    pub expected: u64,
}

impl MemoryTracker {
    pub(super) fn of(ledgers: &[Memory], expected: &[Option<u64>]) -> Self {
        let sum = |part: Part, of: &dyn Fn(PartMemory) -> u64| {
            ledgers.iter().map(|memory| of(memory.of(part))).sum()
        };
        let tracked = |(part, &expected): (Part, &Option<u64>)| Tracked {
            part,
            current: sum(part, &|memory| memory.reserved),
            peak: sum(part, &|memory| memory.peak),
            expected,
        };
        MemoryTracker { parts: Part::ALL.into_iter().zip(expected).map(tracked).collect() }
    }

    /// Every part, in the order of [`Part::ALL`].
    pub fn parts(&self) -> &[Tracked] {
        &self.parts
    }

    /// One part.
    pub fn of_part(&self, part: Part) -> Tracked {
        self.parts[part as usize]
    }

    /// Bytes now, of all parts.
    pub fn current(&self) -> u64 {
        self.parts.iter().map(|part| part.current).sum()
    }

    /// The parts that have more than twice the bytes that were expected; empty: none.
    pub fn check_for_leaks(&self) -> Vec<Leak> {
        let leak = |tracked: &Tracked| {
            let expected = tracked.expected?;
            let (part, current) = (tracked.part, tracked.current);
            (current > expected.saturating_mul(LEAK)).then_some(Leak { part, current, expected })
        };
        self.parts.iter().filter_map(leak).collect()
    }
}
