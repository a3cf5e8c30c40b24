//! Writes wait while too many rows are in no graph, since every search scans those: where a thread merges.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::collection::write::queue::same;
use crate::error::Error;
use crate::memory::lock;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// See the head of this file.
#[derive(Default)]
pub(crate) struct Backlog {
    /// Why the last merge failed.
    error: Mutex<Option<Error>>,
    changed: Condvar,
}

impl Backlog {
    /// A merge has ended.
    pub(crate) fn merged(&self, error: Option<&Error>) {
        *lock(&self.error) = error.filter(|error| !matches!(error, Error::Cancelled)).map(same);
        self.changed.notify_all();
    }

    /// Waits until there is room for so many rows more. `unindexed` says how many there are, and how many there may be.
    ///
    /// # Errors
    /// That of the last merge, where there is no room and merges fail.
    pub(crate) fn wait(&self, rows: usize, unindexed: impl Fn() -> (usize, usize)) -> Result<(), Error> {
        let mut error = lock(&self.error);
        loop {
            let (now, most) = unindexed();
            // A batch of very many rows waits until the others are merged.
            if now + rows.min(most / 2) <= most {
                return Ok(());
            }
            if let Some(error) = &*error {
                return Err(same(error));
            }
            let waited = self.changed.wait_timeout(error, PAUSE);
            error = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
