//! The chain of logs: each goes on from the last frame of the one before.
//!
//! At a place that is no frame a log ends. Then there are these cases:
//!
//! 1. A later log begins with this sequence, after the frame that was read last: the writer had recovered to here, and
//!    went on there. What is between is void.
//! 2. Something proves that the place was synced: the manifest, a frame behind it, or a log that was begun later. Then
//!    what was acknowledged is lost: damage.
//! 3. Otherwise it is the end. If a frame is behind it nevertheless, sectors that were not synced were written in
//!    another order: a torn tail, of which nothing was acknowledged.

use std::collections::BTreeMap;
use std::path::Path;

use super::header::{LogHead, START, log_seed};
use super::planted::{Fault, planted};
use super::reader::Reader;
use super::recover::{Apply, Batch, Damage, Expected, Recovered};
use super::slots::Slot;
use crate::error::Error;
use crate::storage::{Access, Dir};

/// Logs that may have been begun after the last one whose header can be read.
const AHEAD: u64 = 8;

/// What is wrong, in words.
type Wrong = Option<&'static str>;

pub(super) struct Chain<'a> {
    dir: &'a dyn Dir,
    folder: &'a Path,
    expected: &'a Expected,
    /// From the manifest's log on, by number.
    logs: BTreeMap<u64, (&'a Slot, &'a LogHead)>,
    unreadable: Vec<&'a Slot>,
    /// A log that two files have.
    twice: Option<(&'a Slot, u64)>,
    /// The largest number of any log.
    newest: u64,
    at: At<'a>,
    read: Vec<u64>,
    batches: u64,
    torn: bool,
}

/// Where the last frame that was read ends, and what comes after it.
struct At<'a> {
    slot: &'a str,
    log: u64,
    offset: u64,
    sequence: u64,
    sum: u64,
}

impl<'a> Chain<'a> {
    pub(super) fn new(
        dir: &'a dyn Dir,
        folder: &'a Path,
        expected: &'a Expected,
        slots: &'a [Slot],
    ) -> Result<Self, Error> {
        let mut chain = Chain {
            dir,
            folder,
            expected,
            logs: BTreeMap::new(),
            unreadable: slots.iter().filter(|slot| slot.is_unreadable()).collect(),
            twice: None,
            newest: expected.first_log,
            at: At {
                slot: "wal-0",
                log: expected.first_log,
                offset: 0,
                sequence: expected.first_sequence,
                sum: 0,
            },
            read: Vec::new(),
            batches: 0,
            torn: false,
        };
        for (slot, head) in slots.iter().filter_map(|slot| Some((slot, slot.log()?))) {
            chain.newest = chain.newest.max(head.number);
            if head.number < expected.first_log {
                continue;
            }
            if head.shape != expected.shape {
                return Err(Error::corrupt(
                    "log",
                    "its vectors or ids are of another kind than the manifest's",
                ));
            }
            if chain.logs.contains_key(&head.number) {
                chain.twice = Some((slot, head.number));
            }
            chain.logs.entry(head.number).or_insert((slot, head));
        }
        Ok(chain)
    }

    /// Applies all batches, and goes to the end. Returns what is wrong there.
    pub(super) fn follow(&mut self, apply: &mut Apply<'_>) -> Result<Wrong, Error> {
        let start = self.start();
        if start.is_some() {
            return Ok(start);
        }
        let mut next = self.logs.get(&self.expected.first_log).copied();
        let mut last = None;
        loop {
            if let Some((slot, head)) = next {
                let mut log = self.open(slot)?;
                (self.at.slot, self.at.log, self.at.offset) = (&slot.name, head.number, START);
                self.read.push(head.number);
                let wrong = self.read_log(&mut log, head, apply)?;
                if wrong.is_some() {
                    return Ok(wrong);
                }
                last = Some((log, head.seed()));
            }
            next = self.successor();
            if next.is_none() {
                break;
            }
        }
        let wrong = self.is_synced(last)?;
        Ok(if planted(Fault::NoLookingOn) { None } else { wrong })
    }

    /// Goes to the manifest's log.
    fn start(&mut self) -> Wrong {
        if let Some((slot, log)) = self.twice {
            (self.at.slot, self.at.log) = (&slot.name, log);
            return Some("another file has the same log");
        }
        if self.expected.first_log == 0 {
            return None;
        }
        let Some((slot, head)) = self.logs.get(&self.expected.first_log) else {
            return Some("the log with which the manifest begins is missing, or its header is damaged");
        };
        self.at.slot = &slot.name;
        if head.first_sequence > self.expected.first_sequence {
            return Some("it begins after the manifest's position");
        }
        (self.at.sequence, self.at.sum) = (head.first_sequence, head.before);
        None
    }

    /// Applies the batches of one log, and goes to its end. Returns what is wrong with a frame that is whole.
    fn read_log(&mut self, log: &mut Reader, head: &LogHead, apply: &mut Apply<'_>) -> Result<Wrong, Error> {
        let (at, expected) = (&mut self.at, self.expected);
        while let Some(frame) = log.next(head.seed(), at.offset, at.sequence, at.sum)? {
            if frame.head.unknown_flags != 0 {
                return Err(Error::Version { found: frame.head.unknown_flags.into(), supported: 1 });
            }
            let Some(batch) = Batch::of(&frame.head, frame.body, expected.shape) else {
                return Ok(Some("a frame has bytes that are no operations"));
            };
            if batch.first_sequence >= expected.first_sequence {
                apply(batch)?;
                self.batches += 1;
            } else if frame.head.next_sequence() > expected.first_sequence {
                return Ok(Some("the manifest's position is within a batch"));
            }
            (at.offset, at.sequence, at.sum) = (frame.end, frame.head.next_sequence(), frame.sum);
        }
        Ok(None)
    }

    /// The first later log that goes on from here.
    fn successor(&self) -> Option<(&'a Slot, &'a LogHead)> {
        let follows = |head: &LogHead| {
            planted(Fault::NoChain) || head.first_sequence == self.at.sequence && head.before == self.at.sum
        };
        self.later().find(|(_, head)| follows(head))
    }

    fn later(&self) -> impl Iterator<Item = (&'a Slot, &'a LogHead)> {
        self.logs.range(self.at.log.saturating_add(1)..).map(|(_, log)| *log)
    }

    /// What proves that something was synced behind the end.
    fn is_synced(&mut self, last: Option<(Reader, u64)>) -> Result<Wrong, Error> {
        for (slot, head) in self.later() {
            // One that begins before the end and has no frames was not finished: its writer went on in the log before.
            let is_unfinished = head.first_sequence <= self.at.sequence
                && self.open(slot)?.look_on(START, &[head.seed()], 0)?.is_none();
            if !is_unfinished {
                return Ok(Some("a later log does not go on from here"));
            }
        }
        if let Some((mut log, seed)) = last {
            let durable = log.look_on(self.at.offset, &[seed], self.at.sequence)?;
            self.torn = durable.is_some();
            if durable > Some(self.at.sequence) {
                return Ok(Some("there is no frame where one was synced"));
            }
        }
        if self.expected.durable > self.at.sequence {
            return Ok(Some("the manifest says that more was synced"));
        }
        self.headless()
    }

    /// Looks for a log whose header is damaged: its frames are there, under one of the next numbers. A header that was
    /// only torn has none, because it is synced before them.
    fn headless(&mut self) -> Result<Wrong, Error> {
        let numbers = (1..=AHEAD).map(|ahead| self.at.log.saturating_add(ahead));
        let seeds: Vec<u64> = numbers.map(|number| log_seed(&self.expected.collection, number)).collect();
        for &slot in &self.unreadable {
            if self.open(slot)?.look_on(START, &seeds, 0)?.is_some() {
                (self.at.slot, self.at.log, self.at.offset) = (&slot.name, self.at.log.saturating_add(1), 0);
                return Ok(Some("the header of a log that has frames is damaged"));
            }
        }
        Ok(None)
    }

    fn open(&self, slot: &Slot) -> Result<Reader, Error> {
        Reader::new(slot.open(self.dir, self.folder, Access::Read)?)
    }

    /// Where the chain ends, and the damage there.
    pub(super) fn end(self, wrong: Wrong) -> (Recovered, Option<Damage>) {
        let At { slot, log, offset, sequence, sum } = self.at;
        let recovered = Recovered {
            // A slot without a header may have been a log with a later number.
            next_log: self.newest.saturating_add(1 + self.unreadable.len() as u64),
            next_sequence: sequence.max(self.expected.first_sequence),
            last_sum: sum,
            torn: self.torn,
            logs: self.read,
            batches: self.batches,
        };
        let operations = sequence.saturating_sub(self.expected.first_sequence);
        let damage = |detail| Damage { slot: slot.to_owned(), log, offset, operations, detail };
        (recovered, wrong.map(damage))
    }
}
