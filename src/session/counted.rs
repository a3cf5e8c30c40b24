//! Operations and scratch memory with what they have reserved: before each step the most that it may need, after it what
//! is allocated.

use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::search::{Most, Operation, Outcome, Running, Scratch, Step, View};

/// Memory that searches reuse.
pub(crate) struct CountedScratch {
    scratch: Scratch,
    reserved: Reservation,
}

impl CountedScratch {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        CountedScratch { scratch: Scratch::default(), reserved: ledger.nothing(Part::Scratch) }
    }

    /// Drops it: the next search allocates its own.
    pub(crate) fn release(&mut self) {
        self.scratch = Scratch::default();
        self.reserved.settle(0);
    }
}

/// An operation under way.
pub(crate) struct Counted {
    running: Running,
    most: Most,
    reserved: Reservation,
}

impl Counted {
    /// Checks the arguments; reads nothing.
    ///
    /// # Errors
    /// `budget`, before anything is allocated; those of the operation.
    pub(crate) fn new(views: &[View<'_>], operation: Operation, ledger: &Ledger) -> Result<Self, Error> {
        let most = Most::of(views, &operation);
        let mut reserved = ledger.reserve(Part::Operations, most.beside(u64::MAX))?;
        let running = Running::new(views, operation)?;
        reserved.settle(running.bytes());
        Ok(Counted { running, most, reserved })
    }

    /// Goes as far as the available bytes allow.
    ///
    /// # Errors
    /// `budget`, before anything is allocated; those of the operation.
    pub(crate) fn step(
        &mut self,
        views: &[View<'_>],
        CountedScratch { scratch, reserved }: &mut CountedScratch,
    ) -> Result<Step<Outcome>, Error> {
        // It has settled on what is allocated, which nothing has changed since.
        self.reserved.resize(self.reserved.bytes() + self.most.beside(scratch.reused_bytes()))?;
        let step = self.running.step(views, scratch);
        // Where the working memory has a limit, it is for operations.
        if reserved.is_limited() {
            scratch.forget();
        }
        // What the scratch memory has grown by is no more of this operation.
        reserved.take_from(&mut self.reserved, scratch.bytes().saturating_sub(reserved.bytes()));
        self.reserved.settle(self.running.bytes());
        step
    }
}
