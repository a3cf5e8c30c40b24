//! The ledger of memory: what an index or a build holds is reserved here before it is allocated, by part, and given back
//! when it is dropped. A reservation that the limit of its parts does not allow for is refused, and then nothing is
//! allocated.
//!
//! There are two limits. The *budget* is of what is held of the files: fronts, whole sections, slots. It is divided
//! among them when an index is opened (`session/layout.rs`), so reading never meets its end. The *working* limit is of
//! all that lies beside: which unit is in which slot, bytes on their way, the memory of searches, and builds. It is
//! apart, so that a search can never take the room of the bytes it waits for.
//!
//! The ledger is counters alone, so any number of threads reserve from one, and none waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::Error;

/// What memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The fronts of the files: codec parameters, cells, checksums. Counted as long as they are in the files.
    Fronts,
    /// Sections that are held whole, and files that were read into memory.
    Sections,
    /// Slots for rows, lists and other units.
    Slots,
    /// Which unit is where, which rows are dead, and what fronts have in memory beyond their bytes in the files.
    Places,
    /// Bytes that are on their way from a file.
    Reading,
    /// Memory that searches reuse.
    Scratch,
    /// Operations under way: queries, candidates, answers.
    Operations,
    /// A build: codes, order, lists, graph, ids.
    Building,
}

/// How many parts there are.
const PARTS: usize = 8;

impl Part {
    /// Every part, in order.
    pub const ALL: [Part; PARTS] = [
        Part::Fronts,
        Part::Sections,
        Part::Slots,
        Part::Places,
        Part::Reading,
        Part::Scratch,
        Part::Operations,
        Part::Building,
    ];

    /// A stable short name, the same in Rust and in JS.
    pub fn name(self) -> &'static str {
        match self {
            Part::Fronts => "fronts",
            Part::Sections => "sections",
            Part::Slots => "slots",
            Part::Places => "places",
            Part::Reading => "reading",
            Part::Scratch => "scratch",
            Part::Operations => "operations",
            Part::Building => "building",
        }
    }

    /// Whether the part is of the budget; if not, of the working memory.
    pub fn is_in_budget(self) -> bool {
        matches!(self, Part::Fronts | Part::Sections | Part::Slots)
    }
}

/// The bytes of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartMemory {
    /// Now.
    pub reserved: u64,
    /// The most there were at once.
    pub peak: u64,
}

/// What a ledger says, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// The limit of fronts, sections and slots together, in bytes.
    pub budget: u64,
    /// The limit of all other parts together; `u64::MAX`: none.
    pub working: u64,
    parts: [PartMemory; PARTS],
}

impl Memory {
    /// The bytes of a part.
    pub fn of(&self, part: Part) -> PartMemory {
        self.parts[part as usize]
    }

    /// The bytes of all parts.
    pub fn reserved(&self) -> u64 {
        self.parts.iter().map(|part| part.reserved).sum()
    }
}

#[derive(Default)]
struct Counters {
    reserved: AtomicU64,
    peak: AtomicU64,
}

/// A limit, and what is reserved of it.
#[derive(Default)]
struct Side {
    limit: AtomicU64,
    reserved: AtomicU64,
}

#[derive(Default)]
struct Book {
    /// The working memory, and the budget.
    sides: [Side; 2],
    parts: [Counters; PARTS],
}

/// See the head of this file. A clone is the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Book>);

impl Ledger {
    /// A ledger with this budget. The working memory has no limit until one is set.
    pub(crate) fn new(budget: u64) -> Self {
        let ledger = Ledger(Arc::default());
        ledger.set_budget(budget);
        ledger.set_working(u64::MAX);
        ledger
    }

    /// Sets the limit of fronts, sections and slots. What is reserved already stays. An index whose budget becomes less
    /// than it was opened with keeps its slots, and refuses what it has not reserved yet.
    pub fn set_budget(&self, bytes: u64) {
        self.0.sides[1].limit.store(bytes, Relaxed);
    }

    /// Sets the limit of all other parts together. An operation that needs more ends in `budget`.
    pub fn set_working(&self, bytes: u64) {
        self.0.sides[0].limit.store(bytes, Relaxed);
    }

    /// What is reserved now.
    pub fn memory(&self) -> Memory {
        let [working, budget] = self.0.sides.each_ref().map(|side| side.limit.load(Relaxed));
        let parts = self.0.parts.each_ref();
        let parts =
            parts.map(|p| PartMemory { reserved: p.reserved.load(Relaxed), peak: p.peak.load(Relaxed) });
        Memory { budget, working, parts }
    }

    /// Reserves bytes until the reservation is dropped.
    ///
    /// # Errors
    /// `budget`, with what all of these parts would need together.
    pub(crate) fn reserve(&self, part: Part, bytes: u64) -> Result<Reservation, Error> {
        let mut reservation = self.nothing(part);
        reservation.resize(bytes)?;
        Ok(reservation)
    }

    /// A reservation of no bytes, which can grow.
    pub(crate) fn nothing(&self, part: Part) -> Reservation {
        Reservation { ledger: self.clone(), part, bytes: 0 }
    }

    fn side(&self, part: Part) -> &Side {
        &self.0.sides[usize::from(part.is_in_budget())]
    }

    fn add(&self, part: Part, bytes: u64) {
        let counters = &self.0.parts[part as usize];
        let now = counters.reserved.fetch_add(bytes, Relaxed) + bytes;
        counters.peak.fetch_max(now, Relaxed);
    }

    fn subtract(&self, part: Part, bytes: u64) {
        self.0.parts[part as usize].reserved.fetch_sub(bytes, Relaxed);
    }
}

/// Bytes that are reserved until this is dropped. Its calls are not inlined, since each copy is bytes of the wasm module.
pub(crate) struct Reservation {
    ledger: Ledger,
    part: Part,
    bytes: u64,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether its part has a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.ledger.side(self.part).limit.load(Relaxed) != u64::MAX
    }

    /// Changes how many bytes are reserved, before they are allocated or after they were freed.
    ///
    /// # Errors
    /// As [`Ledger::reserve`]; nothing is changed then.
    #[inline(never)]
    pub(crate) fn resize(&mut self, bytes: u64) -> Result<(), Error> {
        let side = self.ledger.side(self.part);
        let more = bytes.saturating_sub(self.bytes);
        let limit = side.limit.load(Relaxed);
        let grown = |reserved: u64| reserved.checked_add(more).filter(|&sum| sum <= limit);
        if more > 0
            && let Err(reserved) = side.reserved.fetch_update(Relaxed, Relaxed, grown)
        {
            return Err(Error::Budget { needed: reserved.saturating_add(more), budget: limit });
        }
        self.ledger.add(self.part, more);
        self.bytes += more;
        self.shrink(bytes);
        Ok(())
    }

    #[inline(never)]
    fn shrink(&mut self, bytes: u64) {
        let less = self.bytes - bytes;
        if less > 0 {
            self.ledger.subtract(self.part, less);
            self.ledger.side(self.part).reserved.fetch_sub(less, Relaxed);
            self.bytes = bytes;
        }
    }

    /// Says what is allocated now. What was reserved beyond that is given back; if it was too little, the rest is
    /// counted all the same, whatever the limit.
    #[inline(never)]
    pub(crate) fn settle(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.bytes);
        self.ledger.side(self.part).reserved.fetch_add(more, Relaxed);
        self.ledger.add(self.part, more);
        self.bytes += more;
        self.shrink(bytes);
    }

    /// Takes over bytes that `other` has reserved, of a part with the same limit: no other thread can reserve them in
    /// between. If `other` has fewer, the rest is counted all the same.
    #[inline(never)]
    pub(crate) fn take_from(&mut self, other: &mut Reservation, bytes: u64) {
        let taken = bytes.min(other.bytes);
        self.ledger.subtract(other.part, taken);
        other.bytes -= taken;
        self.ledger.add(self.part, taken);
        self.bytes += taken;
        self.settle(self.bytes + (bytes - taken));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(0);
    }
}
