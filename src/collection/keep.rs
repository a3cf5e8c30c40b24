//! Keeps a collection within its memory budget: does what the controller (`pressure/`) chooses, admits writes, and tells all
//! figures. What is reserved follows the state that readers take.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::Collection;
use super::shared::Shared;
use super::state::State;
use super::state::memtable::table_bytes;
use super::write::Writer;
use super::write::batch::{Change, Changes};
use crate::budget::{Part, Reservation};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Id;
use crate::memory::lock;
use crate::pressure::{Action, Budget, MemoryManager, MemoryMetrics};

/// Threads whose batches are written as one group, about.
const THREADS: usize = 16;

/// The memory of a collection.
pub(crate) struct Kept {
    pub(super) manager: MemoryManager,
    /// Whether somebody looks at the pressure: where nobody does, nothing would accept writes again that were refused.
    is_kept: AtomicBool,
    /// For the rows in memory of the state that readers take.
    memtable: Mutex<Reservation>,
}

impl Kept {
    pub(super) fn new(budget: u64, state: &mut State) -> Self {
        let manager = MemoryManager::new(Budget::bytes(budget));
        state.meter = manager.meter().clone();
        let is_kept = AtomicBool::new(false);
        let kept = Kept { memtable: Mutex::new(manager.own().nothing(Part::Memtable)), is_kept, manager };
        kept.follow(state);
        kept
    }

    /// What is reserved is what this state has.
    pub(super) fn follow(&self, state: &State) {
        lock(&self.memtable).settle(state.memtable.allocated());
        self.manager.watch(state.index.iter().map(|index| index.ledger().clone()).collect());
    }
}

impl Shared {
    /// Reserves for a batch until it is written: one that does not fit even after a flush is refused. Nothing is where nobody
    /// keeps the collection within its budget.
    ///
    /// # Errors
    /// `budget`.
    pub(super) fn admit(&self, changes: &Changes, frame: u64) -> Result<Option<[Reservation; 2]>, Error> {
        if !self.kept.is_kept.load(Relaxed) {
            return Ok(None);
        }
        let state = self.snapshot().0;
        let strides: u64 = state.memtable.epoch.0.iter().map(|stage| stage.stride as u64).sum();
        let of_row = |change| match change {
            Change::Put { id, fields, .. } => strides + row_bytes(id) + fields.len() as u64,
            Change::Update { id, row } => row.codes.len() as u64 + row_bytes(id) + row.fields.len() as u64,
            Change::Delete { .. } => 0,
        };
        // Vectors grow by doubling; the table of all rows does at once, perhaps by the rows of several threads.
        let rows = 2 * changes.each().map(of_row).sum::<u64>();
        let table = |more: usize| table_bytes(state.memtable.live() + more);
        let rows = rows + if rows > 0 { table(THREADS * changes.rows()) - table(0) } else { 0 };
        self.kept.manager.admit(rows, frame, || self.flush().is_ok_and(|flushed| flushed)).map(Some)
    }

    /// Flushes, and makes the state after it the one that readers take. Returns whether there was anything to flush.
    ///
    /// # Errors
    /// `io`.
    pub(super) fn flush(&self) -> Result<bool, Error> {
        let mut writer = self.writer()?;
        self.flush_by(&mut writer)
    }

    /// As [`Shared::flush`], where the writer is held already. What it copies is reserved.
    pub(super) fn flush_by(&self, writer: &mut Writer) -> Result<bool, Error> {
        let state = self.snapshot().0;
        let mut copied = self.kept.manager.own().nothing(Part::Building);
        copied.settle(state.memtable.allocated());
        let next = writer.flush(&state)?;
        drop(copied);
        let flushed = next.is_some();
        self.publish(next);
        Ok(flushed)
    }

    /// Does an action of the controller. Those that tell, or change which writes are accepted, are not of the collection.
    ///
    /// # Errors
    /// Those of a flush or a merge; `cancelled`.
    pub(crate) fn act(&self, action: Action, ctx: &Ctx<'_>) -> Result<(), Error> {
        match action {
            Action::Optimise => self.forget_columns(false),
            Action::FlushOldest | Action::FlushAll | Action::EmergencyFlush => self.flush().map(drop),
            Action::CompactSmall => self.merge(false, ctx).map(drop),
            Action::Compact => {
                while self.merge(true, ctx)? {}
                Ok(())
            }
            Action::EvictCaches => self.forget_columns(true),
            _ => Ok(()),
        }
    }

    /// A look at the pressure, and what is to be done.
    pub(crate) fn keep(&self, act: &mut dyn FnMut(Action) -> Result<(), Error>) -> Vec<Action> {
        self.kept.is_kept.store(true, Relaxed);
        self.kept.manager.tick(act)
    }

    /// Publishes the state without the columns that filters have made of the rows in memory, and drops scratch memory; where
    /// `caches` is set also what is held of the files.
    fn forget_columns(&self, caches: bool) -> Result<(), Error> {
        let _writer = self.writer()?;
        let state = self.snapshot().0;
        if let Some(index) = &state.index {
            if caches { index.evict() } else { index.trim() }
        }
        self.publish(Some(State::clone(&state).into()));
        Ok(())
    }
}

impl Collection {
    /// The memory of this collection: its budget, what is reserved, where the controller stands.
    pub fn memory(&self) -> &MemoryManager {
        &self.shared.kept.manager
    }

    /// All figures of its memory.
    pub fn metrics(&self) -> MemoryMetrics {
        let state = self.snapshot().0;
        let mut metrics = self.memory().metrics();
        if let Some(index) = &state.index {
            (metrics.contents, metrics.evictions) = (index.contents(), index.evictions());
        }
        metrics.log = self.shared.writer.as_ref().map_or(0, |writer| lock(writer).logged);
        metrics
    }

    /// Looks at the pressure once, and does what the controller chooses, which is returned. From the first call on, writes that
    /// do not fit the budget are refused. A collection that was opened by [`Collection::open`] does so by itself, ten times a
    /// second.
    pub fn keep(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        self.shared.keep(&mut |action| self.shared.act(action, ctx))
    }

    /// Does an action of the controller now, whatever the pressure. Those that only tell do nothing, and neither do those that
    /// change which writes are accepted.
    ///
    /// # Errors
    /// Those of [`Collection::flush`] and [`Collection::maintain`].
    pub fn act(&self, action: Action, ctx: &Ctx<'_>) -> Result<(), Error> {
        self.shared.act(action, ctx)
    }
}

/// About what a row has in memory beside its codes: its id, the text of which is in the table too, and its fields with their counts.
fn row_bytes(id: &Id) -> u64 {
    2 * id.bytes() + (size_of::<Id>() + size_of::<Arc<str>>() + 16) as u64
}
