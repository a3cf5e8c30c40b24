//! What the threads of a collection share: the state that readers take, the one writer, and the batches that wait for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::files::Place;
use super::files::open::{Losses, Mode, Opened, open};
use super::keep::Kept;
use super::options::{CollectionOptions, Settings};
use super::state::{Snapshot, State};
use super::wal::{Frame, Request};
use super::write::backlog::Backlog;
use super::write::batch::Changes;
use super::write::queue::Queue;
use super::write::update::{Updated, Updates};
use super::write::{Waiting, Writer, Written};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::memory::lock;
use crate::storage::is_missing;

/// Rows that are in no graph, at most, where merges keep up: every search scans them.
const UNINDEXED: usize = 65_536;

/// What a collection shares with its maintenance.
pub(crate) struct Shared {
    pub(super) place: Arc<Place>,
    pub(super) settings: Settings,
    state: RwLock<Arc<State>>,
    /// `None` where the collection is read only.
    pub(super) writer: Option<Mutex<Writer>>,
    /// Held while segments are merged here, so that who merges all waits for a merge that is under way.
    merging: Mutex<()>,
    /// Batches that wait for the writer.
    queue: Queue,
    /// Whether a thread merges, so that writes may wait for it.
    pub(crate) is_maintained: AtomicBool,
    backlog: Backlog,
    /// Rows in no graph, at most.
    most_unindexed: usize,
    pub(super) losses: Losses,
    pub(super) kept: Kept,
}

impl Shared {
    /// Opens the collection of a folder, or creates it there.
    pub(super) fn open(place: Place, options: &CollectionOptions, fresh: [u8; 16]) -> Result<Self, Error> {
        let place = Arc::new(place);
        let mode = if options.degraded { Mode::Degraded } else { Mode::Whole };
        let Opened { mut state, writer, losses } = open_fresh(&place, options, fresh, mode)?;
        let most_unindexed = UNINDEXED.max(4 * options.flush.rows);
        let kept = Kept::new(options.memory_budget, &mut state);
        let (settings, state) = (state.settings, RwLock::new(Arc::new(state)));
        Ok(Shared {
            place,
            settings,
            state,
            writer: writer.map(Mutex::new),
            merging: Mutex::default(),
            queue: Queue::default(),
            is_maintained: AtomicBool::new(false),
            backlog: Backlog::default(),
            most_unindexed,
            losses,
            kept,
        })
    }

    /// The state as it is now.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// See `Collection::tick`.
    pub(crate) fn tick(&self, now: u64) -> Result<(), Error> {
        let mut writer = self.writer()?;
        writer.clock.tell(now);
        self.flush_if_due(&mut writer);
        Ok(())
    }

    /// Whether a merge is due.
    pub(crate) fn is_merge_due(&self) -> bool {
        self.writer().is_ok_and(|writer| !writer.choose(&self.snapshot().0, false).is_empty())
    }

    /// Does one merge: one that is due, or any that is possible.
    pub(crate) fn merge(&self, all: bool, ctx: &Ctx<'_>) -> Result<bool, Error> {
        let _merging = lock(&self.merging);
        let job = {
            let mut writer = self.writer()?;
            writer.job(&self.snapshot().0, all)?
        };
        let Some(job) = job else { return Ok(false) };
        let inputs = job.manifest.segments.clone();
        let merged = job.run(&self.place, ctx);
        let mut writer = self.writer()?;
        writer.release(&inputs);
        let merged = merged.and_then(|merged| {
            let next = writer.put_merged(&self.snapshot().0, merged)?;
            self.publish(next);
            Ok(true)
        });
        drop(writer);
        self.backlog.merged(merged.as_ref().err());
        merged
    }

    /// Writes a batch: whoever leads the queue writes all that wait, with one sync.
    pub(super) fn write(&self, changes: Changes, request: Option<Request>) -> Result<Written, Error> {
        let writer = self.writer.as_ref().ok_or(Error::ReadOnly)?;
        changes.check(&self.settings)?;
        let frame = changes.frame(self.settings.dim, request)?;
        if self.is_maintained.load(Ordering::Relaxed) {
            self.backlog.wait(changes.rows(), || self.unindexed())?;
        }
        let _admitted = self.admit(&changes, frame.as_ref().map_or(0, Frame::length))?;
        let waiting = Arc::new(Waiting { changes, frame, request });
        self.queue.join(waiting, |mut group| {
            let mut writer = lock(writer);
            let batches = group.take();
            let (results, next) = writer.commit(&self.snapshot().0, &batches);
            self.publish(next);
            group.answer(results);
            self.flush_if_due(&mut writer);
        })
    }

    /// Makes an update. The rows that it keeps the codes of are read under the writer's lock, so it does not wait in the queue.
    pub(super) fn update(&self, updates: &Updates, request: Option<Request>) -> Result<Updated, Error> {
        if self.is_maintained.load(Ordering::Relaxed) {
            self.backlog.wait(updates.len(), || self.unindexed())?;
        }
        let mut writer = self.writer()?;
        let (updated, next) = writer.update(&self.snapshot().0, updates, request)?;
        self.publish(next);
        self.flush_if_due(&mut writer);
        Ok(updated)
    }

    /// Rows that every search scans, and how many there may be.
    fn unindexed(&self) -> (usize, usize) {
        (self.snapshot().0.unindexed(), self.most_unindexed)
    }

    /// A failed flush is no error of the write before it, which is in the log: it is told by the next writes when there are too
    /// many rows in memory.
    fn flush_if_due(&self, writer: &mut Writer) {
        if writer.is_due(&self.snapshot().0) {
            let _ = self.flush_by(writer);
        }
    }

    /// Makes a state the one that readers take.
    pub(super) fn publish(&self, next: Option<Arc<State>>) {
        if let Some(next) = next {
            self.kept.follow(&next);
            *self.state.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
    }

    /// The writer, once no other thread has it.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>, Error> {
        self.writer.as_ref().map(lock).ok_or(Error::ReadOnly)
    }
}

/// Opens. What is read only may be looked at while a writer replaces segments: then it is looked at anew.
fn open_fresh(
    place: &Arc<Place>,
    options: &CollectionOptions,
    fresh: [u8; 16],
    mode: Mode,
) -> Result<Opened, Error> {
    const ATTEMPTS: usize = 10;
    let is_gone = |error: &Error| match error {
        Error::InSegment { error, .. } => is_missing(error),
        error => matches!(error, Error::WalDamaged { .. }) || is_missing(error),
    };
    let mut opened = open(place, options, fresh, mode);
    for _ in 1..ATTEMPTS {
        match &opened {
            Err(error) if options.read_only && is_gone(error) => opened = open(place, options, fresh, mode),
            _ => break,
        }
    }
    opened
}
