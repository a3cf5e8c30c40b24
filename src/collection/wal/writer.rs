//! The writer of one log: it is begun, appended to and synced. Its first failure is its last call that does anything.

use std::path::Path;

use super::frame::{Frame, FrameHead};
use super::header::{BLOCK, LogHead, START};
use super::planted::{Fault, planted};
use super::reader::Reader;
use super::slots::{self, Slot};
use crate::error::Error;
use crate::memory::grow;
use crate::storage::{Access, Dir, DirFile};

/// Zeros are written in pieces of so many bytes.
const PIECE: usize = 1 << 18;
/// A buffer up to this size is kept for the next group.
const KEPT: usize = 1 << 20;

/// A log that is written.
pub(crate) struct Wal {
    pub(super) file: Box<dyn DirFile>,
    pub(super) path: String,
    pub(super) number: u64,
    pub(super) seed: u64,
    /// The bytes that are there, which writes do not extend the file over.
    pub(super) allocated: u64,
    /// Where the last frame ends.
    pub(super) end: u64,
    /// The sum of the last frame.
    pub(super) sum: u64,
    pub(super) next_sequence: u64,
    pub(super) synced_sequence: u64,
    pub(super) poisoned: bool,
    /// The frames of a group, as they are written.
    pub(super) buffer: Vec<u8>,
}

impl Wal {
    /// Begins a log. It takes a slot whose log is older than `oldest_needed`, or creates one of `preallocate` zeros:
    /// to overwrite bytes that are there takes half the time of appending. The logs before, from `oldest_needed` on,
    /// are synced first, because a process that was killed may have left them unsynced, and the header says they are.
    ///
    /// If this fails it may be tried again, with this number or a later one.
    ///
    /// # Errors
    /// `io`, as when there is no room for the zeros; `version`.
    pub(crate) fn begin(
        dir: &dyn Dir,
        folder: &Path,
        head: &LogHead,
        preallocate: u64,
        oldest_needed: u64,
    ) -> Result<Self, Error> {
        let slots = slots::slots(dir, folder, &head.collection)?;
        let mut free: Option<(u64, &Slot)> = None;
        for slot in &slots {
            let number = match slot.log() {
                Some(log) if log.number < oldest_needed && log.number < head.number => log.number,
                Some(log) if log.number < head.number => {
                    if !planted(Fault::NoSyncOfLogsBefore) {
                        slot.open(dir, folder, Access::Read)?.sync()?;
                    }
                    continue;
                }
                // An earlier call has failed; no frame was written.
                Some(log) if log.number == head.number && is_empty(dir, folder, slot, log)? => 0,
                Some(log) => {
                    let detail = format!("log {} is there, so log {} is not new", log.number, head.number);
                    return Err(Error::internal(detail));
                }
                None if slot.is_unreadable() => 1,
                None => continue,
            };
            if free.is_none_or(|(least, _)| number < least) {
                free = Some((number, slot));
            }
        }
        let (name, mut file, length) = match free {
            Some((_, slot)) => (slot.name.clone(), slot.open(dir, folder, Access::Write)?, slot.length),
            None => slots::create(dir, folder).map(|(name, file)| (name, file, 0))?,
        };
        let allocated = preallocate.max(START + BLOCK);
        if length > allocated {
            file.set_length(allocated)?;
        }
        let zeros = vec![0; PIECE];
        let mut at = length.min(allocated);
        while at < allocated {
            let piece = usize::try_from(allocated - at).unwrap_or(PIECE).min(PIECE);
            file.write_at(&zeros[..piece], at)?;
            at += piece as u64;
        }
        let mut block = [0; BLOCK as usize];
        let header = head.encode();
        block[..header.len()].copy_from_slice(&header);
        file.write_at(&block, 0)?;
        file.sync()?;
        // The slot may be of a writer that was killed before it synced the folder, so also if it is not new.
        slots::done(dir.sync_folder(folder), folder)?;
        Ok(Wal {
            file,
            path: folder.join(name).display().to_string(),
            number: head.number,
            seed: head.seed(),
            allocated,
            end: START,
            sum: head.before,
            next_sequence: head.first_sequence,
            synced_sequence: head.first_sequence,
            poisoned: false,
            buffer: Vec::new(),
        })
    }

    /// Writes a group of batches in one write, and returns the sequence after it. The log grows if there is no room.
    ///
    /// # Errors
    /// `io`; from then on each call fails with `poisoned`, because it is not known what was written. `out-of-memory`
    /// changes nothing.
    pub(crate) fn append(&mut self, frames: &[&Frame]) -> Result<u64, Error> {
        self.check()?;
        let start = self.next_offset();
        let length: u64 = frames.iter().map(|frame| frame.length()).sum();
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        grow(&mut buffer, usize::try_from(length).unwrap_or(usize::MAX))?;
        let (mut sum, mut sequence) = (self.sum, self.next_sequence);
        for frame in frames {
            let head = FrameHead {
                body_length: frame.body.len() as u32,
                first_sequence: sequence,
                durable: self.synced_sequence,
                before: sum,
                operations: frame.operations,
                updates: frame.updates,
                unknown_flags: 0,
                request: frame.request,
                body_sum: frame.body_sum,
            };
            let (bytes, own) = head.encode(self.seed, start + buffer.len() as u64);
            buffer.extend_from_slice(&bytes);
            buffer.extend_from_slice(&frame.body);
            (sum, sequence) = (own, head.next_sequence());
        }
        if !buffer.is_empty() {
            let written = self.file.write_at(&buffer, start);
            if planted(Fault::GoOnBehindTornBytes) && written.is_err() {
                self.end = start + length;
                return written.map(|()| sequence);
            }
            self.or_poison(written)?;
            (self.sum, self.next_sequence) = (sum, sequence);
            self.end = start + length;
        }
        if buffer.capacity() <= KEPT {
            self.buffer = buffer;
        }
        Ok(self.next_sequence)
    }

    /// Makes durable what was appended.
    ///
    /// # Errors
    /// As for [`Wal::append`]: after a sync that failed no later one can be believed.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.check()?;
        if self.synced_sequence < self.next_sequence {
            let synced = if planted(Fault::NoSync) { Ok(()) } else { self.file.sync() };
            self.or_poison(synced)?;
            self.synced_sequence = self.next_sequence;
        }
        Ok(())
    }

    /// The bytes for which there is room before the log must grow.
    pub(crate) fn room(&self) -> u64 {
        self.allocated.saturating_sub(self.next_offset())
    }

    /// The bytes that are written.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.end
    }

    /// The number of the next operation.
    #[cfg(test)]
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// All operations before this one are durable.
    #[cfg(test)]
    pub(crate) fn synced_sequence(&self) -> u64 {
        self.synced_sequence
    }

    /// The sum of the last frame: `before` of the next log.
    pub(crate) fn last_sum(&self) -> u64 {
        self.sum
    }

    /// The number of this log.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Where the next frame goes: after a sync into a new block of storage.
    fn next_offset(&self) -> u64 {
        if self.synced_sequence == self.next_sequence { self.end.next_multiple_of(BLOCK) } else { self.end }
    }

    fn check(&self) -> Result<(), Error> {
        if self.poisoned { Err(Error::Poisoned { path: self.path.clone() }) } else { Ok(()) }
    }

    fn or_poison<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        self.poisoned |= done.is_err();
        done
    }
}

/// Whether a log has no frame.
fn is_empty(dir: &dyn Dir, folder: &Path, slot: &Slot, log: &LogHead) -> Result<bool, Error> {
    let mut reader = Reader::new(slot.open(dir, folder, Access::Read)?)?;
    Ok(reader.look_on(START, &[log.seed()], 0)?.is_none())
}
