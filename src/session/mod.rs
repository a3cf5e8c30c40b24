//! A session runs operations over the files of an index, which are held only in part. The session names the bytes that it
//! needs, and the caller fetches and delivers them.
//!
//! ```text
//! begin_* -> ticket;  step(ticket) -> Need(extents): fetch, deliver each, step again
//!                                  -> Wait: step again after another ticket has moved on
//!                                  -> Done(outcome)
//! ```

mod budget;
mod counted;
mod layout;
mod members;
mod options;

pub(crate) use counted::{Counted, CountedScratch};
pub(crate) use layout::{layout, to_load};
pub(crate) use members::{Member, Members, alive_rows};
pub use options::SessionOptions;

use crate::budget::{Ledger, Memory, Reservation};
use crate::error::Error;
use crate::search::{Operation, Outcome, Step, plan};
use crate::segment::{PositionSet, Segment};
use crate::storage::{Extent, Paged, Read, Reserved, in_order};

/// The number of an operation that has begun.
pub type Ticket = u32;

/// The result of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepped {
    /// The operation needs these extents: deliver them, then step again. Their room is reserved until then.
    Need(Vec<Extent>),
    /// Other operations hold the memory: step again after one of them has moved on.
    Wait,
    /// The operation has ended with this outcome; its ticket is spent.
    Done(Outcome),
}

/// Figures of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Bytes of the file that are held in memory; at least as many are allocated.
    pub resident: u64,
    /// Rows and chunks that are held for later queries.
    pub slots: usize,
    /// Rows and chunks that were dropped to make room for others.
    pub evictions: u64,
    /// Operations that have begun and not ended.
    pub operations: usize,
    /// The ledger: what is reserved, by part.
    pub memory: Memory,
}

/// The opened segments of an index, and the parts of their files that are held in memory.
///
/// The files have one address space, in which extents are named: [`Session::segments`] says where each begins; the first begins at 0.
pub struct Session {
    members: Members,
    paged: Paged,
    options: SessionOptions,
    ledger: Ledger,
    _fronts: [Reservation; 2],
    /// One entry per operation; there are few.
    running: Vec<(Ticket, Counted)>,
    next: Ticket,
    scratch: CountedScratch,
}

impl Session {
    /// A session over an opened segment, of whose file nothing has been delivered yet.
    ///
    /// # Errors
    /// `budget` if not even one query fits.
    pub fn new(segment: Segment, options: &SessionOptions) -> Result<Self, Error> {
        Session::of_segments(vec![(segment, None)], options)
    }

    /// A session over the segments of an index, in order, each with its rows that are dead.
    ///
    /// # Errors
    /// As [`Session::new`]; `argument` if the segments have not the same dimension, metric and kind of ids; `corrupt` for
    /// dead rows of another number of rows.
    pub fn of_segments(
        segments: Vec<(Segment, Option<PositionSet>)>,
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let members = Members::new(segments)?;
        let ledger = Ledger::new(options.memory_budget);
        let regions = layout(&members, options.memory_budget, options.index)?;
        let (fronts, paged) = (members.reserve(&ledger)?, Paged::new(regions, &ledger)?);
        let (running, scratch) = (Vec::new(), CountedScratch::new(&ledger));
        let options = options.clone();
        Ok(Session { members, paged, options, ledger, _fronts: fronts, running, next: 0, scratch })
    }

    /// The first segment.
    pub fn segment(&self) -> &Segment {
        self.members.first()
    }

    /// The segments, each with the address of the first byte of its file, and its number of rows that are not dead.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = (&Segment, u64, usize)> + ExactSizeIterator {
        self.members.iter().map(|member| (&*member.segment, member.base, member.count()))
    }

    /// The ledger from which the session reserves its memory.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Sets the bandwidth-delay product of the link in bytes: a search may read so many bytes more to save a later
    /// round trip. It never changes the hits, with one exception: `u64::MAX` means that reading costs nothing, so that
    /// `auto` chooses as if everything that fits were in memory.
    pub fn set_speculative_bytes(&mut self, bytes: u64) {
        self.paged.speculative_bytes = bytes;
    }

    /// Checks the arguments and takes a ticket. Nothing is read before the first step.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`; `budget` where the working memory has a limit.
    pub fn begin(&mut self, operation: Operation) -> Result<Ticket, Error> {
        let load = matches!(operation, Operation::Load);
        let (running, too_small) = self.members.with_views(&self.paged, |views| {
            let facts = views.iter().map(plan::Facts::of);
            let too_small = load && facts.into_iter().any(|facts| facts.graph && !facts.graph_fits);
            (Counted::new(views, operation, &self.ledger), too_small)
        });
        if too_small {
            return Err(Error::argument("memory_budget", self.too_small_to_load()));
        }
        let running = running?;
        self.next = self.next.wrapping_add(1);
        self.running.push((self.next, running));
        Ok(self.next)
    }

    fn too_small_to_load(&self) -> String {
        let (needed, budget) = (to_load(&self.members), self.options.memory_budget);
        format!(
            "codes and graph need a memory budget of {needed} bytes, it is {budget}: raise it, or search by clusters or flat"
        )
    }

    /// Continues an operation. An error ends it.
    ///
    /// # Errors
    /// `argument` for a ticket that is spent, `unknown-id`, `corrupt`, `out-of-memory`, `budget`.
    pub fn step(&mut self, ticket: Ticket) -> Result<Stepped, Error> {
        let stepped = self.advance(ticket);
        if !matches!(stepped, Ok(Stepped::Need(_))) {
            self.paged.release(ticket);
        }
        if !matches!(stepped, Ok(Stepped::Need(_) | Stepped::Wait)) {
            self.running.retain(|r| r.0 != ticket);
        }
        stepped
    }

    fn advance(&mut self, ticket: Ticket) -> Result<Stepped, Error> {
        let running = self.running.iter_mut().find(|r| r.0 == ticket).map(|r| &mut r.1);
        let running =
            running.ok_or_else(|| Error::argument("ticket", "this operation has ended: begin another"))?;
        let scratch = &mut self.scratch;
        let stepped = self.members.with_views(&self.paged, |views| running.step(views, scratch));
        let mut reads = match stepped? {
            Step::Done(outcome) => return Ok(Stepped::Done(outcome)),
            Step::Need(reads) => reads,
        };
        // The bytes of the last wave have been used, so their room is free for the next one.
        self.paged.release(ticket);
        let fitting = self.members.fitting(&self.paged, ticket, &reads)?;
        reads.truncate(fitting);
        if reads.is_empty() || self.paged.reserve(ticket, &reads)? == Reserved::Wait {
            return Ok(Stepped::Wait);
        }
        let missing = self.members.merge(reads.iter().flat_map(|r| self.paged.missing(r)));
        if missing.is_empty() { Err(unreadable()) } else { Ok(Stepped::Need(missing)) }
    }

    /// The number of bytes in whose multiples the section around `offset` may be delivered.
    pub fn block_size(&self, offset: u64) -> u64 {
        // A section that must be delivered as a whole gets a block size that no extent exceeds.
        self.paged.block_size(offset).unwrap_or(self.members.at(offset).segment.header.file_length)
    }

    /// Compares bytes with their checksums and keeps those that an operation waits for. Other bytes, which are held
    /// already or which no operation waits for any more, are dropped unchecked.
    ///
    /// Returns whether every byte was compared with its checksum. Only then may the caller store the bytes.
    ///
    /// # Errors
    /// `checksum`, `length`; `argument` if nothing of that part of the file is kept.
    pub fn deliver(&mut self, extent: Extent, bytes: &[u8]) -> Result<bool, Error> {
        if bytes.len() as u64 != extent.length {
            return Err(Error::Length {
                section: "delivery",
                expected: extent.length,
                got: bytes.len() as u64,
            });
        }
        let part = |read: &Read| {
            let start = (read.extent.offset - extent.offset) as usize;
            bytes.get(start..start + read.extent.length as usize).unwrap_or_default()
        };
        // All reads are checked before any is kept, so that a delivery repeated after an error is checked as a whole.
        let reads = self.paged.pending(extent)?;
        reads.iter().try_for_each(|read| self.members.check(*read, part(read)))?;
        reads.iter().try_for_each(|read| self.paged.fill(read, part(read)))?;
        Ok(covers(reads, extent))
    }

    /// Ends an operation and frees its room. A spent ticket is no error.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.running.retain(|r| r.0 != ticket);
        self.paged.release(ticket);
    }

    /// The figures of this session.
    pub fn stats(&self) -> SessionStats {
        let (resident, slots, evictions) = self.paged.stats();
        SessionStats {
            resident: resident + self.members.fronts(),
            slots,
            evictions,
            operations: self.running.len(),
            memory: self.ledger.memory(),
        }
    }
}

/// Whether the extents of these reads cover `whole`.
fn covers(mut reads: Vec<Read>, whole: Extent) -> bool {
    in_order(&mut reads);
    let reached = |end: u64, e: &Extent| if e.offset <= end { end.max(e.end()) } else { end };
    reads.iter().map(|read| &read.extent).fold(whole.offset, reached) >= whole.end()
}

/// The error for bytes that are held and yet cannot be read: the layout does not fit the search.
pub(crate) fn unreadable() -> Error {
    Error::internal("bytes that are held cannot be read as the search needs them")
}
