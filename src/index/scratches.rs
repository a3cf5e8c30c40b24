//! A pool of scratch memory, which searches reuse.

use std::sync::Mutex;

use crate::budget::Ledger;
use crate::memory::lock;
use crate::session::CountedScratch;

/// The scratch memory of finished searches.
pub(super) struct Scratches(Mutex<Vec<CountedScratch>>, Ledger);

impl Scratches {
    pub(super) fn new(ledger: &Ledger) -> Self {
        Scratches(Mutex::default(), ledger.clone())
    }

    /// The ledger from which scratch memory is reserved.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.1
    }

    /// Calls `f` with a scratch from the pool, or a new one. The lock is not held meanwhile. If `f` panics, the scratch
    /// is dropped.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut CountedScratch) -> T) -> T {
        let free = lock(&self.0).pop();
        let mut mine = free.unwrap_or_else(|| CountedScratch::new(&self.1));
        let value = f(&mut mine);
        lock(&self.0).push(mine);
        value
    }

    /// Drops those that no search has.
    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}
