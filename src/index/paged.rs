//! Searches a file that is read piece by piece, from any number of threads. Each thread steps its own operation:
//!
//! ```text
//! step  under the shared lock: all searches read the bytes that the arena holds read  without a lock: bytes are read
//! from the file into memory of the search, and checked there copy  under the exclusive lock: the bytes are copied into
//! the arena; the lock is then downgraded to the shared one, so
//!       that no other search can evict them
//! ```
//!
//! So no search holds slots of the arena while it waits for the file, and none waits for the slots of another.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::flight::Flight;
use super::front::resize;
use super::options::OpenOptions;
use super::scratches::Scratches;
use crate::budget::Part;
use crate::error::Error;
use crate::search::{Operation, Outcome, Step, View};
use crate::session::{Counted, Members, layout, unreadable};
use crate::storage::{Expected, Extent, Paged, Read, ReadAt, Reserved};

/// A section that is held whole is read in pieces of about so many bytes.
const PIECE: u64 = 1 << 20;
/// The bytes in flight from the file are limited to the larger of these: so many, or this part of the budget.
const FLIGHT: u64 = 1 << 20;
const FLIGHT_PART: u64 = 4;
/// All operations share one ticket, since slots are pinned only under the exclusive lock.
const TICKET: u32 = 0;

/// The segments, the arena that holds parts of their files, and the readers of the files. All but the segments are
/// shared with the readings of the same files under other live rows.
pub(super) struct Reading {
    members: Members,
    paged: Arc<RwLock<Paged>>,
    /// One for each segment.
    files: Vec<ReadFile>,
    scratches: Arc<Scratches>,
    flight: Arc<Flight>,
}

/// The reader of a file.
pub(super) type ReadFile = Arc<dyn ReadAt>;

/// How much an operation read from the file.
#[derive(Clone, Copy, Default)]
pub(super) struct Moved {
    pub(super) bytes: u64,
    pub(super) requests: u64,
    pub(super) waves: u64,
}

/// The bytes that a step needs and the arena does not hold.
struct Wave {
    /// Parts of sections that the arena holds whole.
    parts: Vec<Extent>,
    /// Rows, lists and other units, which share slots.
    units: Vec<Read>,
    /// Where the units lie in the file; neighbours are one extent.
    extents: Vec<Extent>,
}

impl Reading {
    pub(super) fn new(
        members: Members,
        files: Vec<ReadFile>,
        options: &OpenOptions,
        scratches: Arc<Scratches>,
    ) -> Result<Self, Error> {
        let budget = options.memory_budget;
        let regions = layout(&members, budget, options.index)?;
        let paged = Arc::new(RwLock::new(Paged::new(regions, scratches.ledger())?));
        let flight = Arc::new(Flight::new((budget / FLIGHT_PART).max(FLIGHT)));
        Ok(Reading { members, paged, files, scratches, flight })
    }

    /// The same files and their arena, of segments with other live rows.
    pub(super) fn with_members(&self, members: Members) -> Self {
        Reading {
            members,
            paged: Arc::clone(&self.paged),
            files: self.files.clone(),
            scratches: Arc::clone(&self.scratches),
            flight: Arc::clone(&self.flight),
        }
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn files(&self) -> &[ReadFile] {
        &self.files
    }

    pub(super) fn scratches(&self) -> &Scratches {
        &self.scratches
    }

    /// Bytes of a section of a segment that the arena holds.
    pub(super) fn resident(&self, segment: usize, section: Extent) -> u64 {
        let base = self.members.iter().nth(segment).map(|member| member.base);
        let at = |base| Extent { offset: section.offset + base, ..section };
        base.map_or(0, |base| self.shared().held_of(at(base)))
    }

    pub(super) fn evictions(&self) -> u64 {
        self.shared().stats().2
    }

    /// Reads bytes by their address.
    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        let (file, extent) = self.in_file(extent)?;
        file.read(extent, into)
    }

    fn in_file(&self, extent: Extent) -> Result<(&dyn ReadAt, Extent), Error> {
        let file = self.files.get(self.members.number_at(extent.offset));
        let file = file.ok_or_else(|| Error::internal("an address in no file"))?;
        Ok((&**file, Extent { offset: extent.offset - self.members.at(extent.offset).base, ..extent }))
    }

    /// Announces what a wave reads, to each file its part.
    fn prefetch(&self, extents: &[Extent]) -> Result<(), Error> {
        let number = |extent: &Extent| self.members.number_at(extent.offset);
        for extents in extents.chunk_by(|a, b| number(a) == number(b)) {
            let mut local = extents.iter().map(|&extent| Ok(self.in_file(extent)?.1));
            let local = local.by_ref().collect::<Result<Vec<Extent>, Error>>()?;
            self.in_file(extents[0])?.0.prefetch(&local);
        }
        Ok(())
    }

    /// Runs an operation to its end.
    pub(super) fn run(&self, operation: Operation) -> Result<(Outcome, Moved), Error> {
        let (mut operation, mut running) = (Some(operation), None);
        self.drive(|views| {
            if let Some(operation) = operation.take() {
                running = Some(Counted::new(views, operation, self.scratches.ledger())?);
            }
            let running = running.as_mut().ok_or_else(|| Error::internal("an operation that never began"))?;
            self.scratches.with(|scratch| running.step(views, scratch))
        })
    }

    /// Steps over views of the segments, and reads what a step needs, until it is done.
    pub(super) fn drive<T>(
        &self,
        mut step: impl FnMut(&[View<'_>]) -> Result<Step<T>, Error>,
    ) -> Result<(T, Moved), Error> {
        let mut moved = Moved::default();
        let mut paged = self.shared();
        loop {
            let reads = match self.members.with_views(&*paged, &mut step)? {
                Step::Done(outcome) => return Ok((outcome, moved)),
                Step::Need(reads) => reads,
            };
            let wave = self.wave(&paged, &reads)?;
            drop(paged);
            moved.waves += 1;
            let extents = [&wave.parts[..], &wave.extents].concat();
            moved.requests += extents.len() as u64;
            moved.bytes += extents.iter().map(|e| e.length).sum::<u64>();
            self.prefetch(&extents)?;
            for &part in &wave.parts {
                self.fetch_part(part)?;
            }
            paged = self.fetch_units(&wave)?;
        }
    }

    fn wave(&self, paged: &Paged, reads: &[Read]) -> Result<Wave, Error> {
        let (mut parts, mut units) = (Vec::new(), Vec::new());
        for read in reads {
            let missing = paged.missing(read);
            match paged.stays(read)? {
                true => parts.extend(missing),
                false if missing.is_empty() => {}
                false => units.push(*read),
            }
        }
        if !units.is_empty() {
            units.truncate(self.members.fitting(paged, TICKET, &units)?);
        }
        let extents = self.members.merge(units.iter().map(|read| read.extent));
        match parts.is_empty() && units.is_empty() {
            true => Err(unreadable()),
            false => Ok(Wave { parts, units, extents }),
        }
    }

    /// Reads a part of a section that the arena holds whole, piece by piece. Pieces that other searches have read
    /// meanwhile are skipped.
    fn fetch_part(&self, part: Extent) -> Result<(), Error> {
        let block = |extent| Read { extent, expected: Expected::Blocks };
        self.exclusive().reserve(TICKET, &[block(part)])?;
        let grain = self.shared().block_size(part.offset).unwrap_or(part.length).max(1);
        let size = (PIECE / grain).max(1) * grain;
        let mut bytes = Vec::new();
        for offset in (part.offset..part.end()).step_by(size as usize) {
            let piece = block(Extent { offset, length: size.min(part.end() - offset) });
            if self.shared().missing(&piece).is_empty() {
                continue;
            }
            let _flying = self.flight.take(piece.extent.length);
            let _reading = self.scratches.ledger().reserve(Part::Reading, piece.extent.length)?;
            resize(&mut bytes, piece.extent.length)?;
            self.read(piece.extent, &mut bytes)?;
            self.members.check(piece, &bytes)?;
            self.exclusive().fill(&piece, &bytes)?;
        }
        Ok(())
    }

    /// Reads units into the arena. The lock that it returns keeps them from being evicted until they have been used.
    fn fetch_units(&self, wave: &Wave) -> Result<RwLockReadGuard<'_, Paged>, Error> {
        if wave.units.is_empty() {
            return Ok(self.shared());
        }
        let total = wave.extents.iter().map(|e| e.length).sum();
        let _flying = self.flight.take(total);
        let _reading = self.scratches.ledger().reserve(Part::Reading, total)?;
        let mut bytes = Vec::new();
        resize(&mut bytes, total)?;
        let (mut rest, mut starts, mut start) = (&mut bytes[..], Vec::with_capacity(wave.extents.len()), 0);
        for &extent in &wave.extents {
            let (now, later) = rest.split_at_mut(extent.length as usize);
            self.read(extent, now)?;
            rest = later;
            starts.push(start);
            start += extent.length;
        }
        let mut units = Vec::with_capacity(wave.units.len());
        for read in &wave.units {
            // The last extent that begins no later has it: they are in order, and apart.
            let at =
                wave.extents.partition_point(|extent| extent.offset <= read.extent.offset).saturating_sub(1);
            let start = wave.extents.get(at).zip(starts.get(at));
            let start = start
                .map_or(0, |(extent, start)| start + read.extent.offset.saturating_sub(extent.offset))
                as usize;
            let unit = bytes.get(start..start + read.extent.length as usize).ok_or_else(unreadable)?;
            self.members.check(*read, unit)?;
            units.push((read, unit));
        }
        let mut paged = self.exclusive();
        let reserved = match paged.reserve(TICKET, &wave.units) {
            Ok(Reserved::Granted) => units.iter().try_for_each(|(read, unit)| paged.fill(read, unit)),
            Ok(Reserved::Wait) => Err(unreadable()),
            Err(error) => Err(error),
        };
        paged.release(TICKET);
        reserved?;
        Ok(RwLockWriteGuard::downgrade(paged))
    }

    fn shared(&self) -> RwLockReadGuard<'_, Paged> {
        if self.paged.is_poisoned() {
            drop(self.exclusive());
        }
        self.paged.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic under this lock leaves nothing but pins, which are released: a unit is marked as held only after it was
    /// copied.
    fn exclusive(&self) -> RwLockWriteGuard<'_, Paged> {
        self.paged.write().unwrap_or_else(|poisoned| {
            let mut paged = poisoned.into_inner();
            paged.release(TICKET);
            self.paged.clear_poison();
            paged
        })
    }
}
