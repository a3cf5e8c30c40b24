//! Operations that wait for the memory of others.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::memory::lock;
use crate::search::Operation;

/// Runs operations, and those for which there is no memory again when others have given theirs back. What waits holds none.
/// Of those that have waited one runs at a time, so that they do not refuse one another.
#[derive(Default)]
pub(super) struct Admission {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wait: Duration,
    /// Attempts under way, and those that ever began.
    running: usize,
    begun: u64,
    /// Operations that ended: with an answer, or for another reason than memory.
    ended: u64,
    /// One that has waited is under way.
    retrying: bool,
}

/// An attempt under way until this is dropped, also when a panic unwinds.
struct Attempt<'a> {
    admission: &'a Admission,
    again: bool,
    refused: bool,
    /// As the attempt began: its number, whether no other was under way, and how many operations had ended.
    number: u64,
    alone: bool,
    ended: u64,
}

impl Admission {
    pub(super) fn set_wait(&self, wait: Duration) {
        lock(&self.state).wait = wait;
    }

    /// # Errors
    /// That of `run`; `budget` if there is no memory though nothing else runs, or none within the time to wait.
    pub(super) fn run<T>(
        &self,
        operation: Operation,
        run: impl Fn(Operation) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let wait = lock(&self.state).wait;
        if wait.is_zero() {
            return run(operation);
        }
        let from = Instant::now();
        let mut again = false;
        loop {
            let mut attempt = self.begin(again);
            let outcome = run(operation.clone());
            attempt.refused = matches!(outcome, Err(Error::Budget { .. }));
            let (refused, ended, alone) = (attempt.refused, attempt.ended, attempt.was_alone());
            drop(attempt);
            if !refused || alone || !self.wait(ended, wait.saturating_sub(from.elapsed())) {
                return outcome;
            }
            again = true;
        }
    }

    fn begin(&self, again: bool) -> Attempt<'_> {
        let mut state = lock(&self.state);
        state.running += 1;
        state.begun += 1;
        let (number, alone, ended) = (state.begun, state.running == 1, state.ended);
        Attempt { admission: self, again, refused: false, number, alone, ended }
    }

    /// Waits until an operation has ended since `ended` had, or until none is under way. Whether that was so in time.
    fn wait(&self, ended: u64, left: Duration) -> bool {
        let must_wait = |s: &mut State| s.retrying || (s.ended == ended && s.running > 0);
        let waited = self.changed.wait_timeout_while(lock(&self.state), left, must_wait);
        let (mut state, timeout): (MutexGuard<'_, State>, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.retrying |= !timeout.timed_out();
        !timeout.timed_out()
    }
}

impl Attempt<'_> {
    /// Whether no other was under way since it began.
    fn was_alone(&self) -> bool {
        self.alone && lock(&self.admission.state).begun == self.number
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.admission.state);
        state.running -= 1;
        state.ended += u64::from(!self.refused);
        state.retrying &= !self.again;
        drop(state);
        self.admission.changed.notify_all();
    }
}
