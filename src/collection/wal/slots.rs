//! The files of the logs: `wal-0`, `wal-1`, … Each is a slot that holds one log after another; which one, its header
//! says. Files with other names are nothing to us.

use std::io::ErrorKind;
use std::path::Path;
use std::task::Poll;

use super::header::{HEADER, LogHead};
use crate::error::Error;
use crate::sort;
use crate::storage::{Access, Asked, Dir, DirFile};

const PREFIX: &str = "wal-";

/// A file that may hold a log.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) length: u64,
    pub(super) holds: Holds,
}

#[derive(Debug)]
pub(super) enum Holds {
    Log(LogHead),
    /// A log of another collection, which was put here by mistake: it is left alone.
    Foreign,
    /// No header: it is new, its header was torn when the log was begun, or is damaged.
    Nothing,
}

impl Slot {
    pub(super) fn log(&self) -> Option<&LogHead> {
        if let Holds::Log(head) = &self.holds { Some(head) } else { None }
    }

    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.holds, Holds::Nothing)
    }

    pub(super) fn open(
        &self,
        dir: &dyn Dir,
        folder: &Path,
        access: Access,
    ) -> Result<Box<dyn DirFile>, Error> {
        open(dir, &folder.join(&self.name), access)
    }
}

/// All slots, in the order of their names' numbers.
pub(super) fn slots(dir: &dyn Dir, folder: &Path, collection: &[u8; 16]) -> Result<Vec<Slot>, Error> {
    let mut slots = Vec::new();
    for entry in done(dir.list(folder), folder)? {
        let Some(number) = slot_number(&entry.name).filter(|_| !entry.is_folder) else { continue };
        let file = open(dir, &folder.join(&entry.name), Access::Read)?;
        let length = file.length()?;
        let holds = match head_of(file.as_ref(), length)? {
            Some(head) if head.collection == *collection => Holds::Log(head),
            Some(_) => Holds::Foreign,
            None => Holds::Nothing,
        };
        slots.push((number, Slot { name: entry.name, length, holds }));
    }
    sort::by_key(&mut slots, |(number, _)| *number);
    Ok(slots.into_iter().map(|(_, slot)| slot).collect())
}

/// The header of a log, whatever its collection; `None` if there is none.
pub(super) fn head_of(file: &dyn DirFile, length: u64) -> Result<Option<LogHead>, Error> {
    let mut bytes = [0; HEADER];
    if length < HEADER as u64 {
        return Ok(None);
    }
    file.read_at(&mut bytes, 0)?;
    LogHead::decode(&bytes)
}

/// Creates the slot with the first number whose name is free.
pub(super) fn create(dir: &dyn Dir, folder: &Path) -> Result<(String, Box<dyn DirFile>), Error> {
    let name = next_names(dir, folder, 1)?.pop();
    let name = name.ok_or_else(|| Error::internal("every name of a log is taken"))?;
    let file = open(dir, &folder.join(&name), Access::Create)?;
    Ok((name, file))
}

/// The names of the slots that are created next.
pub(crate) fn next_names(dir: &dyn Dir, folder: &Path, count: usize) -> Result<Vec<String>, Error> {
    let taken = done(dir.list(folder), folder)?;
    let names = (0u32..).map(|number| format!("{PREFIX}{number}"));
    Ok(names.filter(|name| taken.iter().all(|entry| entry.name != *name)).take(count).collect())
}

pub(super) fn open(dir: &dyn Dir, path: &Path, access: Access) -> Result<Box<dyn DirFile>, Error> {
    done(dir.open(path, access), path)
}

/// The answer, which is never pending here: where names are opened asynchronously, they are opened before.
pub(super) fn done<T>(asked: Asked<T>, path: &Path) -> Result<T, Error> {
    match asked {
        Poll::Ready(answer) => answer,
        Poll::Pending => {
            Err(Error::Io { path: path.display().to_string(), source: ErrorKind::WouldBlock.into() })
        }
    }
}

/// Whether this is the name of a slot.
pub(super) fn is_slot(name: &str) -> bool {
    slot_number(name).is_some()
}

/// The number in the name of a slot; there is one name for each.
fn slot_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(PREFIX)?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}
