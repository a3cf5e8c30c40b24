//! The bytes that are on their way from files to the arena, and how many may be.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::memory::lock;

/// Limits the bytes in flight from the file to the arena. Waves are admitted in the order in which they come; a wave
/// larger than the limit is admitted alone.
pub(super) struct Flight {
    most: u64,
    state: Mutex<Flying>,
    changed: Condvar,
}

#[derive(Default)]
struct Flying {
    bytes: u64,
    /// Numbers of the queue: the next to be given out, and the one that is admitted next.
    next: u64,
    turn: u64,
}

/// Bytes in flight until this is dropped, also when a panic unwinds.
pub(super) struct Taken<'a>(&'a Flight, u64);

impl Flight {
    pub(super) fn new(most: u64) -> Self {
        Flight { most, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits for the waves before it. They cannot wait for this one, so there is no deadlock.
    pub(super) fn take(&self, bytes: u64) -> Taken<'_> {
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        let must_wait =
            |s: &mut Flying| s.turn != number || (s.bytes > 0 && s.bytes.saturating_add(bytes) > self.most);
        state = self.changed.wait_while(state, must_wait).unwrap_or_else(PoisonError::into_inner);
        state.turn += 1;
        state.bytes += bytes;
        self.changed.notify_all();
        Taken(self, bytes)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).bytes -= self.1;
        self.0.changed.notify_all();
    }
}
