//! What one writer at a time does: it logs a batch, applies it, and publishes the state after it; it flushes the rows in memory
//! to a segment, and puts merged segments in place of others.
//!
//! | file | duty |
//! |---|---|
//! | `batch` | a batch of writes, checked |
//! | `queue` | group commit |
//! | `backlog` | writes that wait for merges |
//! | `log` | the log that is written |
//! | `clock` | how old writes are |
//! | `flush` | the rows in memory become a segment |
//! | `update` | other fields for rows that are there |
//! | `segments` | numbers of new segments, those that are being merged, files of those that are gone |

pub(crate) mod backlog;
pub(crate) mod batch;
pub(crate) mod clock;
pub(crate) mod flush;
pub(crate) mod log;
pub(crate) mod queue;
pub(crate) mod segments;
pub(crate) mod update;

use std::collections::HashMap;
use std::sync::Arc;

use crate::collection::files::Place;
use crate::collection::files::manifest::{Applied, Files, Manifest};
use crate::collection::options::CollectionOptions;
use crate::collection::state::State;
use crate::collection::state::apply::{Counts, Slots, apply};
use crate::collection::wal::{Frame, Request, Wal};
use crate::collection::write::batch::Changes;
use crate::collection::write::clock::Clock;
use crate::collection::write::queue::same;
use crate::error::Error;
use crate::sort;
use crate::storage::DirLock;

/// Logs that are kept before the rows in them are flushed: every opening that writes begins another, and allocates its bytes.
const LOGS: u64 = 8;
/// Rows in no graph that are indexed when nothing is written: a scan of fewer costs about what a walk does.
const IDLE_ROWS: usize = 1024;
/// Clients whose last request is known.
const CLIENTS: usize = 1024;
/// Rows in memory at most, of those at which they are flushed: where flushes fail, writes are refused then.
const FULL: usize = 4;

/// See the head of this file.
pub(crate) struct Writer {
    pub(crate) place: Arc<Place>,
    pub(crate) options: CollectionOptions,
    /// The manifest that the next commit writes, less what follows from the state.
    pub(crate) manifest: Manifest,
    pub(crate) files: Files,
    /// The next numbers of segments, by `Made`: even ones are flushed and odd ones merged, so that a host that makes files
    /// ready ahead knows those of flushes, and never has a file open that another thread is to write.
    next_numbers: [u64; 2],
    /// The log that is written; `None` before the first write after an opening or a flush.
    pub(crate) wal: Option<Wal>,
    /// The number of the next log, and the sum of the last frame before it.
    pub(crate) next_log: (u64, u64),
    /// The rows in memory by id.
    pub(crate) slots: Slots,
    /// Bytes that were logged since the last flush.
    pub(crate) logged: u64,
    pub(crate) unsynced: u64,
    pub(crate) clock: Clock,
    /// The last request of each client, and when it came.
    pub(crate) applied: HashMap<u64, u64>,
    /// A write or a sync has failed: what the files hold is not known, so no more is written.
    pub(crate) failed: bool,
    /// Segments whose merge is under way: no other merge takes them.
    pub(crate) merging: Vec<u64>,
    /// Segments that are not of the collection any more, whose files are still there.
    pub(crate) dropped: Vec<u64>,
    /// Why the last flush failed.
    pub(crate) flush_error: Option<Error>,
    pub(crate) lock: DirLock,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Operations in the collection's log, with those of this batch.
    pub sequence: u64,
    /// Rows that are new or have replaced others.
    pub upserted: usize,
    /// Rows that were deleted.
    pub deleted: usize,
    /// Whether it was applied now: `false` for a request that was applied before.
    pub applied: bool,
}

/// A batch that waits for its turn.
pub(crate) struct Waiting {
    pub(crate) changes: Changes,
    /// `None` if it changes nothing.
    pub(crate) frame: Option<Frame>,
    pub(crate) request: Option<Request>,
}

impl Writer {
    pub(crate) fn new(
        place: Arc<Place>,
        options: CollectionOptions,
        manifest: Manifest,
        files: Files,
        lock: DirLock,
    ) -> Self {
        let applied = manifest.applied.iter().map(|applied| (applied.client, applied.number)).collect();
        let even = manifest.next_file.next_multiple_of(2);
        Writer {
            place,
            options,
            next_numbers: [even, even + 1],
            next_log: (manifest.log, 0),
            manifest,
            files,
            wal: None,
            slots: Slots::new(),
            logged: 0,
            unsynced: 0,
            clock: Clock::default(),
            applied,
            failed: false,
            merging: Vec::new(),
            dropped: Vec::new(),
            flush_error: None,
            lock,
        }
    }

    /// Writes a group of batches: one write and one sync of the log for all, then each is applied. Returns what became of
    /// each, and the state to be published.
    pub(crate) fn commit(
        &mut self,
        state: &Arc<State>,
        group: &[Arc<Waiting>],
    ) -> (Vec<Result<Written, Error>>, Option<Arc<State>>) {
        if let Err(error) = self.check(state) {
            return (group.iter().map(|_| Err(same(&error))).collect(), None);
        }
        let admitted: Vec<Result<bool, Error>> =
            group.iter().map(|waiting| self.admit(state, waiting)).collect();
        let frames: Vec<&Frame> = group
            .iter()
            .zip(&admitted)
            .filter(|(_, new)| matches!(new, Ok(true)))
            .filter_map(|(waiting, _)| waiting.frame.as_ref())
            .collect();
        let logged = if frames.is_empty() { Ok(()) } else { self.log(state.sequence, &frames) };
        let mut next = None;
        let results = group.iter().zip(admitted).map(|(waiting, new)| {
            let state: &mut Arc<State> = next.get_or_insert_with(|| Arc::clone(state));
            let counts = match (new, &logged) {
                (Err(error), _) => return Err(error),
                (Ok(false), _) => None,
                (Ok(true), Err(error)) => return Err(same(error)),
                (Ok(true), Ok(())) => Some(self.apply(state, waiting)?),
            };
            let (applied, Counts { upserted, deleted }) = (counts.is_some(), counts.unwrap_or_default());
            Ok(Written { sequence: state.sequence, upserted, deleted, applied })
        });
        let results = results.collect();
        (results, next)
    }

    /// Refuses writes where they would be lost, or would fill the memory.
    pub(crate) fn check(&self, state: &State) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Poisoned { path: self.place.folder.display().to_string() });
        }
        match &self.flush_error {
            Some(error) if state.memtable.count() >= FULL * self.options.flush.rows => Err(same(error)),
            _ => Ok(()),
        }
    }

    /// Whether a batch is new, and changes anything. The first batch fixes the kind of ids: the log is written for that kind, so
    /// the manifest has it before.
    fn admit(&mut self, state: &State, waiting: &Waiting) -> Result<bool, Error> {
        match (self.manifest.text_ids, waiting.changes.are_texts(), &waiting.changes) {
            (Some(texts), Some(given), _) if given != texts => {
                let kind = if texts { "texts" } else { "numbers" };
                return Err(Error::argument(
                    "ids",
                    format!("the ids of the collection are {kind}: give such"),
                ));
            }
            (None, Some(texts), Changes::Put { .. }) => {
                self.manifest.text_ids = Some(texts);
                self.commit_manifest(state, false)?;
            }
            // There were never any rows.
            (None, ..) => return Ok(false),
            _ if waiting.changes.is_empty() => return Ok(false),
            _ => {}
        }
        let Some(Request { client, number }) = waiting.request else { return Ok(true) };
        match self.applied.insert(client, number) {
            Some(last) if last >= number => {
                self.applied.insert(client, last);
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    fn apply(&mut self, state: &mut Arc<State>, waiting: &Waiting) -> Result<Counts, Error> {
        let done = apply(Arc::make_mut(state), &mut self.slots, &waiting.changes);
        // It is in the log, so that it is applied when that is read again; here it was not, or in part.
        self.failed |= done.is_err();
        done
    }

    /// Whether the rows in memory should be flushed.
    pub(crate) fn is_due(&self, state: &State) -> bool {
        let at = self.options.flush;
        let many = self.wal.as_ref().is_some_and(|wal| wal.number() >= self.manifest.log.max(1) + LOGS);
        let old = self.clock.age() >= at.age && self.logged > 0;
        let waits = state.memtable.live() > 0 && self.is_idle(state);
        state.memtable.count() >= at.rows || self.logged >= at.bytes || old || many || waits
    }

    /// Whether nothing is written, and so many rows are in no graph that this is the time to index them.
    pub(crate) fn is_idle(&self, state: &State) -> bool {
        self.clock.is_idle() && state.unindexed() >= IDLE_ROWS
    }

    /// Makes a state the one that is found at the next opening; where it was `flushed`, it has nothing in memory. The log is
    /// synced before, since a row of a segment may be dead by an operation that only the log has.
    pub(crate) fn commit_manifest(&mut self, state: &State, flushed: bool) -> Result<(), Error> {
        let segments = state.stored_entries()?;
        self.sync()?;
        // It must be there before a manifest names it. Until then the one before is gone on with.
        let log = if flushed { Some(self.begin_log(state.sequence)?) } else { None };
        let mut manifest =
            Manifest { generation: self.manifest.generation + 1, segments, ..self.manifest.clone() };
        if let Some(log) = &log {
            (manifest.log, manifest.sequence) = (log.number(), state.sequence);
            manifest.epoch = state.memtable.epoch.stored();
            manifest.applied =
                self.applied.iter().map(|(&client, &number)| Applied { client, number }).collect();
            sort::by_key(&mut manifest.applied, |applied| {
                std::cmp::Reverse((applied.number, applied.client))
            });
            manifest.applied.truncate(CLIENTS);
        }
        let done = self.files.commit(&manifest);
        self.failed |= done.is_err();
        done?;
        let stays = |number| manifest.segments.iter().any(|segment| segment.number == number);
        let dropped =
            self.manifest.segments.iter().map(|segment| segment.number).filter(|&number| !stays(number));
        self.dropped.extend(dropped);
        self.manifest = manifest;
        self.remove_dropped();
        if log.is_some() {
            self.end_log();
            self.wal = log;
            (self.logged, self.flush_error) = (0, None);
            self.clock.flushed();
            self.slots = Slots::new();
        }
        Ok(())
    }
}
