//! Collections in the file system, which maintain themselves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::process_lock::CollectionDir;
use crate::collection::{Collection, CollectionOptions, Repaired, Shared};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec::{Periodic, with_threads};
use crate::storage::io_error;

/// How often is looked for work.
const EVERY: Duration = Duration::from_millis(100);
/// After failures, at most.
const LONGEST: Duration = Duration::from_secs(60);

impl Collection {
    /// Opens the collection in a folder, or creates it there. A thread of its own flushes rows that are in memory for long, and
    /// merges segments.
    ///
    /// # Errors
    /// As [`Collection::open_in`].
    pub fn open(folder: impl AsRef<Path>, options: &CollectionOptions) -> Result<Self, Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let fresh = since.as_nanos() as u64 ^ u64::from(std::process::id()) << 40;
        let mut collection = Collection::open_as(CollectionDir, &folder, options, fresh)?;
        if !options.read_only && !options.degraded {
            let periodic = maintenance(Arc::clone(&collection.shared));
            let periodic = periodic.map_err(|source| io_error(folder.as_ref(), source))?;
            collection._maintenance = Some(Box::new(periodic));
            collection.shared.is_maintained.store(true, Ordering::Relaxed);
        }
        Ok(collection)
    }

    /// [`Collection::backup_in`] into a folder of the file system.
    ///
    /// # Errors
    /// As there.
    pub fn backup(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        self.backup_in(CollectionDir, folder)
    }

    /// [`Collection::repair_in`] a folder of the file system.
    ///
    /// # Errors
    /// As there; `locked`.
    pub fn repair(folder: impl AsRef<Path>) -> Result<Repaired, Error> {
        Collection::repair_in(CollectionDir, folder, &CollectionOptions::default().create(false))
    }
}

/// Half of the cores merge: the others are left to searches. After a failure it waits, for longer each time.
fn maintenance(shared: Arc<Shared>) -> std::io::Result<Periodic> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
    let opened = Instant::now();
    let (mut pause, mut again) = (EVERY, Instant::now());
    Periodic::start(EVERY, move |stopped| {
        // What fails here is told by the writes that it keeps from being done.
        let _ = shared.tick(opened.elapsed().as_millis() as u64);
        shared.keep(&mut |action| {
            with_threads(threads, || {
                let stopped = || stopped();
                shared.act(action, &Ctx { cancelled: Some(&stopped), ..Ctx::default() })
            })?
        });
        if Instant::now() < again || !shared.is_merge_due() {
            return;
        }
        let merged = with_threads(threads, || {
            let stopped = || stopped();
            shared.merge(false, &Ctx { cancelled: Some(&stopped), ..Ctx::default() })
        });
        pause = if matches!(merged, Ok(Ok(_))) { EVERY } else { (pause * 2).min(LONGEST) };
        again = Instant::now() + pause;
    })
}
