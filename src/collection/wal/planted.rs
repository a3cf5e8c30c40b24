//! Faults that a test plants, to see that the tests notice them. Outside of tests there is none.

/// What is done wrong.
#[cfg_attr(not(test), allow(dead_code, reason = "only tests plant them"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// [`super::Wal::sync`] does nothing.
    NoSync,
    /// A log is begun while those before it are not synced.
    NoSyncOfLogsBefore,
    /// The sums of frames are the same in every log.
    SeedWithoutLog,
    /// Frames and logs need not follow on one another.
    NoChain,
    /// A place that cannot be read is always a torn tail.
    NoLookingOn,
    /// A batch is acknowledged before it is synced.
    EarlyAck,
    /// A failed write is not the last: the next one goes behind it.
    GoOnBehindTornBytes,
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Runs with a fault.
#[cfg(test)]
pub(super) fn with<T>(fault: Option<Fault>, run: impl FnOnce() -> T) -> T {
    PLANTED.set(fault);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    PLANTED.set(None);
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Whether this fault is planted.
#[cfg(test)]
pub(super) fn planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Whether this fault is planted.
#[cfg(not(test))]
pub(super) const fn planted(_fault: Fault) -> bool {
    false
}
