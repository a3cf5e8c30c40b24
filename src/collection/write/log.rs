//! The writer's log: begun at its first write, and anew when it is full or the rows in memory are flushed.

use crate::collection::files::Place;
use crate::collection::options::Durability;
use crate::collection::wal::{Frame, LogHead, Wal};
use crate::collection::write::Writer;
use crate::error::Error;

/// Under relaxed durability the log is synced after so many bytes.
const UNSYNCED: u64 = 1 << 20;

impl Writer {
    /// Writes frames to the log, and syncs it as the options say.
    pub(crate) fn log(&mut self, sequence: u64, frames: &[&Frame]) -> Result<(), Error> {
        let done = self.try_log(sequence, frames);
        self.failed |= done.is_err();
        done
    }

    fn try_log(&mut self, sequence: u64, frames: &[&Frame]) -> Result<(), Error> {
        let length: u64 = frames.iter().map(|frame| frame.length()).sum();
        if self.wal.as_ref().is_none_or(|wal| wal.room() < length) {
            let wal = self.begin_log(sequence)?;
            self.end_log();
            self.wal = Some(wal);
        }
        let Some(wal) = &mut self.wal else { return Err(Error::internal("a log that was begun is gone")) };
        wal.append(frames)?;
        self.clock.wrote();
        (self.logged, self.unsynced) = (self.logged + length, self.unsynced + length);
        match self.options.durability {
            Durability::Relaxed if self.unsynced < UNSYNCED => Ok(()),
            _ => self.sync(),
        }
    }

    /// Makes all that was logged durable.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        let Some(wal) = self.wal.as_mut().filter(|_| self.unsynced > 0) else { return Ok(()) };
        let done = wal.sync();
        self.failed |= done.is_err();
        self.unsynced = 0;
        done
    }

    /// Begins another log behind all that was logged, which is synced.
    pub(crate) fn begin_log(&self, sequence: u64) -> Result<Wal, Error> {
        let (number, before) = self.after();
        let (collection, shape) = (self.manifest.collection, self.manifest.shape());
        let head = LogHead { collection, number, first_sequence: sequence, before, shape };
        let Place { dir, folder } = &*self.place;
        Wal::begin(&**dir, folder, &head, self.options.log_bytes, self.manifest.log)
    }

    /// The number of the log behind the one that is written, and the sum of the last frame before it.
    fn after(&self) -> (u64, u64) {
        self.wal.as_ref().map_or(self.next_log, |wal| (wal.number() + 1, wal.last_sum()))
    }

    /// No more is written to the log.
    pub(crate) fn end_log(&mut self) {
        self.next_log = self.after();
        (self.wal, self.unsynced) = (None, 0);
    }
}
