//! Goes on behind damage: what cannot be read is given up, and a copy of it is kept.

use std::path::Path;

use super::recover::{Apply, Expected, Recovered, walk};
use super::slots::{self, slots};
use crate::error::Error;
use crate::storage::{Access, Dir, DirFile};

/// Files are copied and compared in pieces of so many bytes.
const PIECE: u64 = 1 << 18;

/// As [`super::recover()`], but ends at damage as at a torn tail. Before that it copies the damaged log, those after it
/// and slots without a header to `damaged-<name of the slot>-<number>`, which nothing reads or removes; returns the names
/// of the copies, too. The logs themselves stay as they are. So a repair that is cut off is done again.
///
/// The caller begins the log `next_log` and then commits a manifest whose `durable` is no more than `next_sequence`.
///
/// # Errors
/// Those of [`super::recover()`] but `wal-damaged`.
pub(crate) fn repair(
    dir: &dyn Dir,
    folder: &Path,
    expected: &Expected,
    apply: &mut Apply<'_>,
) -> Result<(Recovered, Vec<String>), Error> {
    let (recovered, damage) = walk(dir, folder, expected, apply)?;
    let mut kept = Vec::new();
    if let Some(damage) = damage {
        for slot in slots(dir, folder, &expected.collection)? {
            let is_lost = slot.log().map_or(slot.is_unreadable(), |log| log.number >= damage.log);
            if is_lost {
                let file = slot.open(dir, folder, Access::Read)?;
                kept.push(copy(dir, folder, &slot.name, file.as_ref())?);
            }
        }
        slots::done(dir.sync_folder(folder), folder)?;
    }
    Ok((recovered, kept))
}

/// Copies a file, unless there is a copy.
fn copy(dir: &dyn Dir, folder: &Path, slot: &str, from: &dyn DirFile) -> Result<String, Error> {
    let entries = slots::done(dir.list(folder), folder)?;
    let length = from.length()?;
    for number in 0u32.. {
        let name = format!("damaged-{slot}-{number}");
        let path = folder.join(&name);
        if entries.iter().all(|entry| entry.name != name) {
            let mut to = slots::open(dir, &path, Access::Create)?;
            for_pieces(from, length, |piece, at| to.write_at(piece, at).map(|()| true))?;
            to.sync()?;
            return Ok(name);
        }
        if entries.iter().any(|entry| entry.name == name && !entry.is_folder && entry.length == length) {
            let mut there = slots::open(dir, &path, Access::Read)?;
            let mut bytes = vec![0; PIECE.min(length) as usize];
            let same = for_pieces(from, length, |piece, at| {
                there.read_at(&mut bytes[..piece.len()], at)?;
                Ok(bytes[..piece.len()] == *piece)
            })?;
            if same {
                there.sync()?;
                return Ok(name);
            }
        }
    }
    Err(Error::internal("every name of a copy is taken"))
}

/// Runs over a file in pieces while `run` returns `true`; returns whether it did to the end.
fn for_pieces(
    file: &dyn DirFile,
    length: u64,
    mut run: impl FnMut(&[u8], u64) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let mut bytes = vec![0; PIECE.min(length) as usize];
    let mut at = 0;
    while at < length {
        let piece = &mut bytes[..(length - at).min(PIECE) as usize];
        file.read_at(piece, at)?;
        if !run(piece, at)? {
            return Ok(false);
        }
        at += piece.len() as u64;
    }
    Ok(true)
}
