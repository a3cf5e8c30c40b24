//! What the logs of a folder hold, told without a manifest.

use std::path::Path;

use super::recover::{Expected, recover};
use super::slots::{done, head_of, is_slot, open};
use crate::error::Error;
use crate::storage::{Access, Dir};

/// What the write-ahead log of a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalInfo {
    /// The numbers of the logs that follow on one another, from the oldest on.
    pub logs: Vec<u64>,
    /// The number of the first operation in them, counted since the collection was created.
    pub first_sequence: u64,
    /// The number after the last one.
    pub next_sequence: u64,
    /// The batches that these operations were written in.
    pub batches: u64,
    /// Whether a write was under way when the power failed; nothing of it was acknowledged.
    pub torn: bool,
}

/// Reads the write-ahead log of a folder, from the oldest log that is there on, and checks every batch in it. Changes
/// nothing. A folder without logs has none.
///
/// # Errors
/// `wal-damaged` where something that was acknowledged cannot be read; `io`, `out-of-memory`, `version`, `corrupt`.
pub fn wal_info(dir: &dyn Dir, folder: impl AsRef<Path>) -> Result<WalInfo, Error> {
    let folder = folder.as_ref();
    let mut oldest = None;
    for entry in
        done(dir.list(folder), folder)?.iter().filter(|entry| !entry.is_folder && is_slot(&entry.name))
    {
        let file = open(dir, &folder.join(&entry.name), Access::Read)?;
        let head = head_of(file.as_ref(), file.length()?)?;
        oldest = oldest.into_iter().chain(head).min_by_key(|head| head.number);
    }
    let Some(oldest) = oldest else { return Ok(WalInfo::default()) };
    let expected = Expected {
        collection: oldest.collection,
        shape: oldest.shape,
        first_log: oldest.number,
        first_sequence: oldest.first_sequence,
        durable: oldest.first_sequence,
    };
    let recovered = recover(dir, folder, &expected, &mut |_| Ok(()))?;
    Ok(WalInfo {
        logs: recovered.logs,
        first_sequence: oldest.first_sequence,
        next_sequence: recovered.next_sequence,
        batches: recovered.batches,
        torn: recovered.torn,
    })
}
