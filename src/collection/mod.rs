//! Collections: vectors that change. Writes go to a log and to memory, and are found at once; rows in memory are flushed to
//! segments, and segments are merged.
//!
//! | file | duty |
//! |---|---|
//! | `options`, `row`, `stats` | how a collection is opened; what callers give and get |
//! | `keep` | memory: what is reserved, which writes are admitted, what the controller has done |
//! | `shared` | what the threads of a collection share: the state, the writer, the batches that wait |
//! | `state/` | what a reader sees: segments and rows in memory; how a batch changes it |
//! | `write/` | what one writer at a time does: group commit, the log, flushes |
//! | `wal/` | the write-ahead log |
//! | `merge/` | which segments are merged, and the work; merges that a host does itself |
//! | `files/` | names, manifest and segments, and how a collection is opened |
//! | `fields` | updates, and what filters and the values of fields tell |
//! | `export`, `import`, `verify` | one segment of all rows, a copy; the rows of an index; whether all is sound |
//!
//! ```text
//! upsert -> check -> log, sync -> apply -> a new state is published
//!                                   memory full: flush -> a plain segment, a new log, the manifest
//!                                   segments waiting: merge -> one segment with a graph, the manifest
//! search -> the state: segments and memory, each scanned or walked; hits are joined by score
//! ```
//!
//! It knows files through a `Dir` only, and neither threads nor time: a host calls [`Collection::tick`], and runs
//! [`Collection::maintain`] where it wants merges to be done.

mod export;
mod fields;
mod files;
mod import;
mod keep;
mod merge;
mod options;
mod row;
mod shared;
mod state;
mod stats;
mod verify;
mod wal;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Id;
use crate::memory::lock;
use crate::search::{Answer, SearchOptions};
use crate::storage::Dir;
use files::Place;
use files::open::{Losses, Mode};
pub use import::IndexRows;
pub use merge::job::{MergeJob, run_merge};
pub use options::{CollectionOptions, Durability, FlushAt};
pub use row::{NewRow, Repaired};
pub(crate) use shared::Shared;
pub use state::Snapshot;
pub use stats::{CollectionInfo, CollectionStats, RowCounts, SegmentCounts};
pub use wal::Request;
pub use wal::{WalInfo, wal_info};
pub use write::Written;
use write::batch::Changes;
pub use write::update::Updated;

/// Vectors that change, in a folder. One writer at a time, and any number of threads that search; none of them waits for the
/// writer.
///
/// ```
/// use pagevec::{Collection, CollectionOptions, Id, MemoryDir, NewRow, SearchOptions};
///
/// let notes = Collection::open_in(MemoryDir::default(), "notes", &CollectionOptions::new(2))?;
/// notes.upsert(&[NewRow::new(1, &[1.0, 0.0]), NewRow::new(2, &[0.0, 1.0]).fields(r#"{"title":"North"}"#)])?;
/// notes.delete(&[Id::Number(1)])?;
/// let answer = notes.search(&[0.1, 0.9], &SearchOptions::new(10).fields(true))?;
/// assert_eq!(answer.hits[0].fields.as_deref(), Some(r#"{"title":"North"}"#));
/// # Ok::<(), pagevec::Error>(())
/// ```
pub struct Collection {
    /// What does maintenance; it ends before the files are closed.
    pub(crate) _maintenance: Option<Box<dyn Send + Sync>>,
    pub(crate) shared: Arc<Shared>,
}

impl Collection {
    /// Opens the collection in a folder of `dir`, or creates it there.
    ///
    /// # Errors
    /// `argument` where there is none and none is to be created, or for options that it was not created with; `dimension`;
    /// `locked` while another writer has it open; `wal-damaged`, `version`, `corrupt`, `checksum`, `length`, `io`.
    pub fn open_in(
        dir: impl Dir + 'static,
        folder: impl AsRef<Path>,
        options: &CollectionOptions,
    ) -> Result<Self, Error> {
        Collection::open_as(dir, folder, options, 0)
    }

    /// As [`Collection::open_in`]. A new collection gets its id from `fresh`, which should be a number that no other collection
    /// was created with: by its id, files that belong to another collection are found out.
    ///
    /// # Errors
    /// As there.
    pub fn open_as(
        dir: impl Dir + 'static,
        folder: impl AsRef<Path>,
        options: &CollectionOptions,
        fresh: u64,
    ) -> Result<Self, Error> {
        let place = Place { dir: Box::new(dir), folder: folder.as_ref().to_owned() };
        let shared = Shared::open(place, options, files::open::collection_id(fresh))?;
        Ok(Collection { _maintenance: None, shared: Arc::new(shared) })
    }

    /// Opens a damaged collection, and gives up what cannot be read, so that it can be opened and written again. Damaged files are
    /// copied to `damaged-…` before.
    ///
    /// # Errors
    /// As [`Collection::open_in`], apart from damage to segments and to the log; `corrupt`, `checksum` and `length` where both
    /// manifests are damaged.
    pub fn repair_in(
        dir: impl Dir + 'static,
        folder: impl AsRef<Path>,
        options: &CollectionOptions,
    ) -> Result<Repaired, Error> {
        let place = Arc::new(Place { dir: Box::new(dir), folder: folder.as_ref().to_owned() });
        let options = options.clone().read_only(false);
        let opened = files::open::open(&place, &options, [0; 16], Mode::Repair)?;
        let state = Arc::new(opened.state);
        let mut writer = opened.writer.ok_or(Error::ReadOnly)?;
        // It begins another log, and names only what is whole.
        let state = writer.flush_anyway(&state)?;
        let Losses { segments, kept, .. } = opened.losses;
        let segments = segments.into_iter().map(|(name, error)| format!("{name}: {error}")).collect();
        Ok(Repaired { sequence: state.sequence, count: Snapshot(state).count(), segments, kept })
    }

    /// Adds rows; a row takes the place of the one with its id. All rows are written, or none. Of an id that comes twice the
    /// last row counts.
    ///
    /// # Errors
    /// `dimension`, `not-finite`, `zero-vector`, `argument`, `field`, which name the row; `io`: then the collection must be opened
    /// again.
    pub fn upsert(&self, rows: &[NewRow<'_>]) -> Result<Written, Error> {
        let ids = rows.iter().map(|row| row.id.clone()).collect();
        if let Some(row) = rows.iter().find(|row| row.vector.len() != self.shared.settings.dim) {
            return Err(Error::Dimension { expected: self.shared.settings.dim, got: row.vector.len() });
        }
        let vectors = rows.iter().flat_map(|row| row.vector).copied().collect();
        let fields = rows.iter().map(|row| row.fields.to_owned()).collect();
        self.upsert_matrix(ids, vectors, fields, None)
    }

    /// As [`Collection::upsert`], of rows one behind the other; no `fields`: none has any. A `request` that is written again is
    /// not applied again.
    ///
    /// # Errors
    /// As there.
    pub fn upsert_matrix(
        &self,
        ids: Vec<Id>,
        vectors: Vec<f32>,
        mut fields: Vec<String>,
        request: Option<Request>,
    ) -> Result<Written, Error> {
        fields.resize(ids.len().max(fields.len()), String::new());
        let fields = write::batch::check_fields(fields, &ids, &self.snapshot().0.schema)?;
        self.shared.write(Changes::Put { ids, vectors, dim: self.shared.settings.dim, fields }, request)
    }

    /// Deletes rows by their ids; one that no row has is no error.
    ///
    /// # Errors
    /// `argument`; `io`: then the collection must be opened again.
    pub fn delete(&self, ids: &[Id]) -> Result<Written, Error> {
        self.delete_as(ids.to_vec(), None)
    }

    /// As [`Collection::delete`]. A `request` that is written again is not applied again.
    ///
    /// # Errors
    /// As there.
    pub fn delete_as(&self, ids: Vec<Id>, request: Option<Request>) -> Result<Written, Error> {
        self.shared.write(Changes::Delete(ids), request)
    }

    /// Deletes all rows.
    ///
    /// # Errors
    /// `io`: then the collection must be opened again.
    pub fn clear(&self, request: Option<Request>) -> Result<Written, Error> {
        self.shared.write(Changes::Clear, request)
    }

    /// The collection as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// See [`Snapshot::search`].
    ///
    /// # Errors
    /// As there.
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        self.snapshot().search(query, options)
    }

    /// Live rows.
    pub fn count(&self) -> usize {
        self.snapshot().count()
    }

    /// Makes all writes durable. Under [`Durability::Strict`] they are already.
    ///
    /// # Errors
    /// `io`: then the collection must be opened again.
    pub fn sync(&self) -> Result<(), Error> {
        self.shared.writer()?.sync()
    }

    /// Writes the rows in memory to a segment. Returns whether there was anything to write.
    ///
    /// # Errors
    /// `io`: then the rows stay in memory and in the log.
    pub fn flush(&self) -> Result<bool, Error> {
        self.shared.flush()
    }

    /// Tells the time, in milliseconds from any moment on, and flushes rows that have been in memory for long. Where nothing was
    /// written for two seconds and 1,024 rows or more are in no graph, those in memory are flushed, and a merge is due.
    ///
    /// # Errors
    /// As [`Collection::flush`].
    pub fn tick(&self, now: u64) -> Result<(), Error> {
        self.shared.tick(now)
    }

    /// Whether a merge is due.
    pub fn is_merge_due(&self) -> bool {
        self.shared.is_merge_due()
    }

    /// Does one merge that is due. Returns whether there was one: then another may be due. A collection that was opened by
    /// [`Collection::open`] does so by itself.
    ///
    /// # Errors
    /// `io`, `cancelled`, `out-of-memory`; those of the segments. The collection is as before then.
    pub fn maintain(&self, ctx: &Ctx<'_>) -> Result<bool, Error> {
        self.shared.merge(false, ctx)
    }

    /// Flushes, and merges all into as few segments as possible, without dead rows.
    ///
    /// # Errors
    /// As [`Collection::maintain`].
    pub fn compact(&self, ctx: &Ctx<'_>) -> Result<(), Error> {
        self.flush()?;
        while self.shared.merge(true, ctx)? {}
        Ok(())
    }

    /// What it is fixed to.
    pub fn info(&self) -> CollectionInfo {
        let writer = self.shared.writer.as_ref().map(lock);
        stats::info_of(&self.shared.snapshot().0, writer.as_deref())
    }

    /// What it is made of.
    pub fn stats(&self) -> CollectionStats {
        let shared = &self.shared;
        let writer = shared.writer.as_ref().map(lock);
        stats::of(&shared.snapshot().0, writer.as_deref(), &shared.losses)
    }
}
