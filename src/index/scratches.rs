//! A pool of scratch memory, which searches reuse.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::search::Scratch;

/// The scratch memory of finished searches.
#[derive(Default)]
pub(super) struct Scratches(Mutex<Vec<Scratch>>);

impl Scratches {
    /// Calls `f` with a scratch from the pool, or a new one. The lock is not held meanwhile. If `f` panics, the scratch
    /// is dropped.
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
