//! What is counted always: searches and how long they took, the controller's actions, writes that were refused. Each is one
//! atomic number, so that any number of threads count and none waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::choose::Action;
use super::machine::Stopwatch;

/// Buckets of the histogram: four for each doubling, so that a percentile is told to a fifth, up to a minute.
const LATENCY_STEPS: usize = 100;

/// See the head of this file. A clone counts into the same numbers.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Counters>);

struct Counters {
    searches: AtomicU64,
    /// Calls that took so many microseconds.
    latencies: [AtomicU64; LATENCY_STEPS],
    actions: [AtomicU64; Action::ALL.len()],
    failed: AtomicU64,
    /// Changes of the level, and of the alert.
    levels: AtomicU64,
    alerts: AtomicU64,
    rejected: AtomicU64,
    opened: Stopwatch,
}

impl Default for Counters {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Counters {
            searches: zero(),
            latencies: std::array::from_fn(|_| zero()),
            actions: std::array::from_fn(|_| zero()),
            failed: zero(),
            levels: zero(),
            alerts: zero(),
            rejected: zero(),
            opened: Stopwatch::start(),
        }
    }
}

impl Meter {
    /// Does a search of so many queries, and counts it.
    pub(crate) fn timed<T>(&self, queries: usize, search: impl FnOnce() -> T) -> T {
        let clock = Stopwatch::start();
        let found = search();
        self.0.searches.fetch_add(queries as u64, Relaxed);
        if let Some(micros) = clock.micros() {
            self.0.latencies[bucket(micros)].fetch_add(1, Relaxed);
        }
        found
    }

    pub(super) fn acted(&self, action: Action, done: bool) {
        self.0.actions[action as usize].fetch_add(1, Relaxed);
        self.0.failed.fetch_add(u64::from(!done), Relaxed);
    }

    pub(super) fn changed(&self, level: bool, alert: bool) {
        self.0.levels.fetch_add(u64::from(level), Relaxed);
        self.0.alerts.fetch_add(u64::from(alert), Relaxed);
    }

    pub(super) fn rejected(&self) {
        self.0.rejected.fetch_add(1, Relaxed);
    }

    /// The numbers now.
    pub(super) fn counts(&self) -> Counts {
        let counters = &*self.0;
        let latencies: Vec<u64> = counters.latencies.iter().map(|count| count.load(Relaxed)).collect();
        Counts {
            searches: counters.searches.load(Relaxed),
            p95_micros: percentile(&latencies, 95),
            actions: Action::ALL.map(|action| (action, counters.actions[action as usize].load(Relaxed))),
            failed_actions: counters.failed.load(Relaxed),
            level_changes: counters.levels.load(Relaxed),
            alert_changes: counters.alerts.load(Relaxed),
            rejected_writes: counters.rejected.load(Relaxed),
            micros: counters.opened.micros(),
        }
    }
}

/// What a [`Meter`] has counted.
pub(super) struct Counts {
    pub(super) searches: u64,
    pub(super) p95_micros: Option<u64>,
    pub(super) actions: [(Action, u64); Action::ALL.len()],
    pub(super) failed_actions: u64,
    pub(super) level_changes: u64,
    pub(super) alert_changes: u64,
    pub(super) rejected_writes: u64,
    /// Since it began.
    pub(super) micros: Option<u64>,
}

fn bucket(micros: u64) -> usize {
    let doublings = (micros | 1).ilog2();
    let of_four =
        if doublings < 2 { micros } else { 4 * u64::from(doublings - 1) + (micros >> (doublings - 2) & 3) };
    (of_four as usize).min(LATENCY_STEPS - 1)
}

/// The most that a call of this bucket took.
fn longest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 4 { bucket } else { ((5 + bucket % 4) << (bucket / 4 - 1)) - 1 }
}

/// So many of a hundred calls took no longer; `None` before the first.
fn percentile(latencies: &[u64], percent: u64) -> Option<u64> {
    let all: u64 = latencies.iter().sum();
    let mut left = (all * percent).div_ceil(100);
    let reaches = |count: &u64| {
        left = left.saturating_sub(*count);
        left == 0
    };
    if all == 0 { None } else { latencies.iter().position(reaches).map(longest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_it_says() {
        for micros in (0..5000).chain([1 << 20, (1 << 24) + 12_345, 60_000_000]) {
            let at = bucket(micros);
            assert!(longest(at) >= micros, "{micros} in {at}, which ends at {}", longest(at));
            assert!(
                at == 0 || longest(at - 1) < micros,
                "{micros} in {at} begins at {}",
                longest(at - 1) + 1
            );
            assert!(longest(at) * 4 <= micros * 5 + 4, "{micros}: {}", longest(at));
        }
        assert_eq!(bucket(u64::MAX), LATENCY_STEPS - 1);
    }

    #[test]
    fn of_a_hundred_the_ninety_fifth_counts() {
        let mut latencies = [0; LATENCY_STEPS];
        assert_eq!(percentile(&latencies, 95), None);
        latencies[bucket(100)] = 95;
        latencies[bucket(9000)] = 5;
        assert_eq!(percentile(&latencies, 95), Some(longest(bucket(100))));
        assert_eq!(percentile(&latencies, 96), Some(longest(bucket(9000))));
    }

    #[test]
    fn searches_of_all_clones_are_counted() {
        let meter = Meter::default();
        assert_eq!(meter.clone().timed(3, || 7), 7);
        meter.timed(1, || ());
        let counts = meter.counts();
        assert!(counts.searches == 4 && counts.p95_micros.is_some());
    }
}
