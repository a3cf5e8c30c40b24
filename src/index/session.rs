//! Operations over a file of which only some parts are here. The caller moves bytes; the session says which.
//!
//! ```text
//! begin_* -> ticket;  step(ticket) -> Need(extents): fetch, deliver each, step again
//!                                  -> Wait: step again after another ticket has moved on
//!                                  -> Done(outcome)
//! ```

use super::layout::{layout, to_load};
use super::search::{Scratch, Search, Step, missing};
use super::{Answer, IndexChoice, SearchOptions, plan};
use crate::error::Error;
use crate::id::Id;
use crate::segment::clusters::List;
use crate::segment::{IdView, Lookup, SectionKind, Segment};
use crate::storage::{Extent, Paged, Read, Reserved, Source, Sum};

/// Names one operation under way.
pub type Ticket = u32;

/// Something to do.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Find the nearest rows of each query (row-major).
    Search {
        /// One or more.
        queries: Vec<f32>,
        /// How.
        options: SearchOptions,
    },
    /// Find the position of an id.
    Find(Id),
    /// Read the vector of an id, as stored.
    Vector(Id),
    /// Bring codes and graph here, so that every later search may walk the graph.
    Load,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One answer per query.
    Answers(Vec<Answer>),
    /// The position, if there is such an id.
    Position(Option<u32>),
    /// The vector; under cosine of unit length.
    Vector(Vec<f32>),
    /// Codes and graph are here.
    Loaded,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepped {
    /// Deliver these, then step again. Their room is reserved until then.
    Need(Vec<Extent>),
    /// Other operations hold the room.
    Wait,
    /// The ticket is spent.
    Done(Outcome),
}

/// What a session holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionStats {
    /// Bytes allocated for parts of the file.
    pub resident: u64,
    /// Rows and chunks kept for later queries.
    pub slots: usize,
    /// Rows and chunks that made room for others.
    pub evictions: u64,
    /// Operations under way.
    pub operations: usize,
}

enum Running {
    Search(Box<Search>),
    Find(Id),
    Vector(Id),
    Load,
}

/// An opened segment and the parts of it that are here.
pub struct Session {
    segment: Segment,
    paged: Paged,
    budget: u64,
    /// Few: one per operation under way.
    running: Vec<(Ticket, Running)>,
    next: Ticket,
    scratch: Scratch,
}

impl Session {
    /// Holds at most `memory_budget` bytes of the file.
    ///
    /// # Errors
    /// `budget` if not even one query fits.
    pub fn new(segment: Segment, memory_budget: u64) -> Result<Self, Error> {
        Session::favouring(IndexChoice::Auto, segment, memory_budget)
    }

    /// As [`Session::new`], with the room laid out for searches by one index. [`IndexChoice::Hnsw`]: codes and graph
    /// come before all else, and where they do not fit the graph can be walked node by node.
    ///
    /// # Errors
    /// `budget` if not even one query fits.
    pub fn favouring(index: IndexChoice, segment: Segment, memory_budget: u64) -> Result<Self, Error> {
        let paged = Paged::new(layout(&segment, memory_budget, index)?);
        let (running, scratch) = (Vec::new(), Scratch::default());
        Ok(Session { segment, paged, budget: memory_budget, running, next: 0, scratch })
    }

    /// What was opened.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// A wave costs as much as `bytes` do: what the way to the file brings in the time of a round trip; [`u64::MAX`]:
    /// the file is in memory, and what a search reads of it costs nothing. Decides when bytes are read and, where no
    /// index was asked for, which one answers.
    pub fn spare(&mut self, bytes: u64) {
        self.paged.spare = bytes;
    }

    /// Checks the arguments and takes a ticket. Nothing is read before the first step.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`.
    pub fn begin(&mut self, operation: Operation) -> Result<Ticket, Error> {
        let running = match operation {
            Operation::Search { queries, options } => {
                Running::Search(Box::new(Search::new(&self.segment, &self.paged, &queries, &options)?))
            }
            Operation::Find(id) => Running::Find(id),
            Operation::Vector(id) => Running::Vector(id),
            Operation::Load => {
                let facts = plan::Facts::of(&self.segment, &self.paged);
                if facts.graph && !facts.graph_fits {
                    return Err(Error::argument("memory_budget", self.too_small_to_load()));
                }
                plan::route(IndexChoice::Hnsw, plan::Facts { walk_fits: false, ..facts })?;
                Running::Load
            }
        };
        self.next = self.next.wrapping_add(1);
        self.running.push((self.next, running));
        Ok(self.next)
    }

    fn too_small_to_load(&self) -> String {
        let (needed, budget) = (to_load(&self.segment), self.budget);
        format!(
            "codes and graph need a memory budget of {needed} bytes, it is {budget}: raise it, or search by clusters or flat"
        )
    }

    /// Goes on with an operation. An error ends it.
    ///
    /// # Errors
    /// `argument` for a ticket that is spent, `unknown-id`, `corrupt`, `out-of-memory`.
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
        let running = running.ok_or_else(|| Error::argument("ticket", "the operation is over"))?;
        let step = match running {
            Running::Search(search) => {
                search.step(&self.segment, &self.paged, &mut self.scratch)?.map(Outcome::Answers)
            }
            Running::Find(id) => find(&self.segment, &self.paged, id)?.map(Outcome::Position),
            Running::Vector(id) => vector(&self.segment, &self.paged, id)?.map(Outcome::Vector),
            Running::Load => load(&self.segment, &self.paged),
        };
        let reads = match step {
            Step::Done(outcome) => return Ok(Stepped::Done(outcome)),
            Step::Need(reads) => reads,
        };
        // What the last wave brought has been read: its room is free for the next.
        self.paged.release(ticket);
        if self.paged.reserve(ticket, &reads)? == Reserved::Wait {
            return Ok(Stepped::Wait);
        }
        let missing = self.merge(reads.iter().flat_map(|r| self.paged.missing(r)));
        match missing.is_empty() {
            // Asked for, here, and yet not readable: only a layout that does not fit the search does that.
            true => Err(Error::argument(
                "memory_budget",
                "bytes that are here cannot be read as they were asked for",
            )),
            false => Ok(Stepped::Need(missing)),
        }
    }

    /// Neighbours within one section become one.
    fn merge(&self, extents: impl Iterator<Item = Extent>) -> Vec<Extent> {
        let mut merged: Vec<Extent> = Vec::new();
        for extent in extents {
            match merged.last_mut() {
                Some(last) if last.end() == extent.offset && !self.segment.starts_section(extent.offset) => {
                    last.length += extent.length;
                }
                _ => merged.push(extent),
            }
        }
        merged
    }

    /// The unit in which the section around `offset` may be delivered in pieces.
    pub fn grain(&self, offset: u64) -> u64 {
        // What cannot come in pieces has a grain that no extent is longer than.
        self.paged.grain(offset).unwrap_or(self.segment.header.file_length)
    }

    /// Checks bytes against their checksums and keeps them. Bytes that are here already, or that no operation waits
    /// for any more, are dropped.
    ///
    /// Returns whether every byte was compared with its checksum: what was dropped was not.
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
        // All or nothing: what is delivered again after an error is awaited, and so checked, as a whole.
        let reads = self.paged.awaited(extent)?;
        reads.iter().try_for_each(|read| self.segment.check(*read, part(read)))?;
        reads.iter().try_for_each(|read| self.paged.fill(read, part(read)))?;
        let mut end = extent.offset;
        while let Some(next) = reads.iter().map(|r| r.extent).find(|c| c.offset <= end && c.end() > end) {
            end = next.end();
        }
        Ok(end >= extent.end())
    }

    /// Ends an operation; its room is free. A spent ticket is no error.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.running.retain(|r| r.0 != ticket);
        self.paged.release(ticket);
    }

    /// What is held.
    pub fn stats(&self) -> SessionStats {
        let (resident, slots, evictions) = self.paged.stats();
        SessionStats {
            resident: resident + self.segment.header.front_length,
            slots,
            evictions,
            operations: self.running.len(),
        }
    }
}

/// All that a walk over the graph reads.
fn load(segment: &Segment, source: &dyn Source) -> Step<Outcome> {
    let sums: Vec<SectionKind> = segment.finer.iter().filter_map(|rows| rows.sums).collect();
    let kinds = [SectionKind::Ids, SectionKind::Graph, SectionKind::Codes];
    let missing = missing(segment, source, &kinds, &sums);
    if missing.is_empty() { Step::Done(Outcome::Loaded) } else { Step::Need(missing) }
}

/// The position of an id.
pub(crate) fn find(segment: &Segment, source: &dyn Source, id: &Id) -> Result<Step<Option<u32>>, Error> {
    let extents = [segment.required(SectionKind::Ids)?, segment.required(SectionKind::IdOrder)?];
    let missing = missing(segment, source, &[SectionKind::Ids, SectionKind::IdOrder], &[]);
    if !missing.is_empty() || segment.count() == 0 {
        return Ok(if missing.is_empty() { Step::Done(None) } else { Step::Need(missing) });
    }
    let [ids, order] = extents.map(|e| source.get(e).unwrap_or_default());
    let ids = IdView::new(ids, segment.count(), segment.header.text_ids)?;
    Lookup { ids, order }.find(id).map(Step::Done)
}

/// The vector of an id.
pub(crate) fn vector(segment: &Segment, source: &dyn Source, id: &Id) -> Result<Step<Vec<f32>>, Error> {
    let position = match find(segment, source, id)? {
        Step::Need(reads) => return Ok(Step::Need(reads)),
        Step::Done(None) => return Err(Error::UnknownId { id: id.to_string() }),
        Step::Done(Some(position)) => position,
    };
    let rows = segment.finest();
    let extent = rows.row(position);
    if let Some(code) = source.get(extent) {
        let mut vector = vec![0.0; segment.dim()];
        rows.codec.decode(code, &mut vector);
        return Ok(Step::Done(vector));
    }
    match row_sum(segment, source, position)? {
        Step::Need(reads) => Ok(Step::Need(reads)),
        Step::Done(sum) => Ok(Step::Need(vec![Read { extent, sum: Sum::Row { position, sum } }])),
    }
}

/// The sum of the finest row at `position`: from its checksums, else from its list, else the row's block stands for it.
fn row_sum(segment: &Segment, source: &dyn Source, position: u32) -> Result<Step<u32>, Error> {
    if let Some(sums) = segment.finest().sums.and_then(|kind| segment.extent(kind)) {
        let stored = source.get(sums).and_then(|sums| Segment::stored_row_sum(sums, position));
        return Ok(stored.map_or(Step::Need(vec![Read { extent: sums, sum: Sum::Blocks }]), Step::Done));
    }
    let Some(clusters) = &segment.clusters else {
        return Ok(Step::Need(vec![segment.block_around(segment.finest().row(position))]));
    };
    let cells = &clusters.cells;
    let cell = cells.cell_of(position).ok_or_else(|| Error::corrupt("cells", "a row is in no cell"))?;
    let Some(bytes) = source.get(cells.block(cell).extent) else {
        return Ok(Step::Need(vec![cells.block(cell)]));
    };
    let stride = clusters.list_codec.stride();
    let block = cells.leaves(cell, bytes, stride)?;
    for leaf in block.leaves(segment.count()) {
        let leaf = leaf?;
        if (leaf.start..leaf.end).contains(&position) {
            let Some(bytes) = source.get(leaf.read.extent) else { return Ok(Step::Need(vec![leaf.read])) };
            let text = segment.header.text_ids;
            let list = List::new(bytes, &leaf, stride, text, segment.count())?;
            return Ok(Step::Done(list.row_sum((position - leaf.start) as usize)));
        }
    }
    Err(Error::corrupt("leaves", "a row is in no leaf"))
}
