//! Scratch memory that searches reuse, one after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::search::Scratch;

/// The scratch memory of finished searches, for those to come.
#[derive(Default)]
pub(super) struct Scratches(Mutex<Vec<Scratch>>);

impl Scratches {
    /// Lends one to `f`, without holding the lock. The one of a search that panics is dropped.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Scratch) -> T) -> T {
        let mut mine = self.lock().pop().unwrap_or_default();
        let value = f(&mut mine);
        self.lock().push(mine);
        value
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Scratch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
