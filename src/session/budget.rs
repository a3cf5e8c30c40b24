//! What a session holds is made less, or more, while it is open.

use super::{Session, layout};
use crate::error::Error;
use crate::storage::Held;

impl Session {
    /// Changes the memory budget. What fits of what is held stays: of rows and lists those that were used lately.
    ///
    /// # Errors
    /// `budget`, which names the smallest that works; `argument` while an operation is under way. The session goes on under the
    /// budget that it had.
    pub fn set_memory_budget(&mut self, bytes: u64) -> Result<(), Error> {
        self.check_idle()?;
        let regions = layout(&self.members, bytes, self.options.index)?;
        self.paged.set_regions(regions, &self.ledger)?;
        self.ledger.set_budget(bytes);
        self.options.memory_budget = bytes;
        Ok(())
    }

    /// Drops the memory that searches reuse, and what is held of the files until so many bytes of them are dropped; returns how
    /// many were. Rows and lists that were not used lately go first, whole sections last. Searches read again what they need.
    ///
    /// # Errors
    /// `argument` while an operation is under way.
    pub fn evict(&mut self, bytes: u64) -> Result<u64, Error> {
        self.check_idle()?;
        self.scratch.release();
        Ok(self.paged.evict(bytes))
    }

    /// Tells what is held, region by region, and where in this process's memory: for a picture of it. What was touched is told once.
    pub fn held(&self, each: &mut dyn FnMut(Held)) {
        self.paged.tell(each);
    }

    fn check_idle(&self) -> Result<(), Error> {
        match self.running.is_empty() {
            true => Ok(()),
            false => Err(Error::argument("session", "an operation is under way: end it first".to_owned())),
        }
    }
}
