//! The arena: it holds a part of a file in memory, under a budget of bytes.
//!
//! It is a fixed list of regions, planned once when the file is opened. So memory cannot fragment, and its size is
//! known in advance.
//! * `Whole`: a section in one piece. It is filled block by block and kept until the file is closed.
//! * `Slots`: room for some units of a section (rows, lists, chunks of rows). The clock algorithm picks the unit to evict.
//!
//! An operation reserves room for its reads before they are fetched. They stay pinned until it steps again.

use super::blocks::Blocks;
use super::slots::Slots;
use super::{Expected, Extent, Read, SlotRoom, Source};
use crate::error::Error;

/// How a section, or a part of one, is held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// In one piece, delivered in multiples of `block_size` bytes.
    Whole { section: Extent, block_size: u64 },
    /// At most `slots` units of at most `slot` bytes each.
    Slots { section: Extent, slot: u64, slots: usize },
}

impl Region {
    pub(crate) fn section(&self) -> Extent {
        match *self {
            Region::Whole { section, .. } | Region::Slots { section, .. } => section,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match *self {
            Region::Whole { section, .. } => section.length,
            Region::Slots { slot, slots, .. } => slot * slots as u64,
        }
    }
}

/// The result of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// Every read has room.
    Granted,
    /// Other operations hold the room. Try again when one of them has stepped.
    Wait,
}

enum Holding {
    Whole(Blocks),
    Slots(Slots),
}

/// See the head of this file.
pub(crate) struct Paged {
    holdings: Vec<(Region, Holding)>,
    /// See [`Source::speculative_bytes`].
    pub(crate) speculative_bytes: u64,
}

impl Paged {
    /// A section has at most one region of each kind. Their bytes together are the budget, which the caller keeps.
    pub(crate) fn new(regions: Vec<Region>) -> Self {
        let holding = |region| match region {
            Region::Whole { section, block_size } => Holding::Whole(Blocks::new(section, block_size)),
            Region::Slots { slot, slots, .. } => Holding::Slots(Slots::new(slot, slots)),
        };
        Paged { holdings: regions.into_iter().map(|r| (r, holding(r))).collect(), speculative_bytes: 0 }
    }

    fn around(&self, extent: Extent) -> impl Iterator<Item = &(Region, Holding)> {
        self.holdings.iter().filter(move |h| h.0.section().contains(extent))
    }

    /// The region of a read: blocks go to the whole section if it is held, units to slots.
    fn region_of(&self, read: &Read) -> Result<usize, Error> {
        let whole = |h: &(Region, Holding)| matches!(h.0, Region::Whole { .. });
        let fits = |h: &(Region, Holding)| h.0.section().contains(read.extent);
        let wanted = |h: &&(Region, Holding)| fits(h) && whole(h) == (read.expected == Expected::Blocks);
        let at =
            self.holdings.iter().position(|h| wanted(&h)).or_else(|| self.holdings.iter().position(fits));
        at.ok_or_else(|| not_cached(read.extent))
    }

    /// The block size in which an extent at `offset` may be delivered in pieces; `None` if it must come as a whole.
    pub(crate) fn block_size(&self, offset: u64) -> Option<u64> {
        self.around(Extent { offset, length: 1 }).find_map(|h| match h.0 {
            Region::Whole { block_size, .. } => Some(block_size),
            Region::Slots { .. } => None,
        })
    }

    /// Whether the bytes of `read` are kept until the file is closed: their section is held whole.
    pub(crate) fn stays(&self, read: &Read) -> Result<bool, Error> {
        let at = self.region_of(read)?;
        Ok(self.holdings.get(at).is_some_and(|h| matches!(h.0, Region::Whole { .. })))
    }

    /// Reserves room for `reads` and pins it to `ticket`: for all of them or for none.
    pub(crate) fn reserve(&mut self, ticket: u32, reads: &[Read]) -> Result<Reserved, Error> {
        let mut by_region: Vec<Vec<Read>> = vec![Vec::new(); self.holdings.len()];
        for read in reads {
            by_region[self.region_of(read)?].push(*read);
        }
        for ((_, holding), reads) in self.holdings.iter().zip(&by_region) {
            match holding {
                Holding::Slots(slots) if !slots.has_room(ticket, reads)? => return Ok(Reserved::Wait),
                _ => {}
            }
        }
        for ((_, holding), reads) in self.holdings.iter_mut().zip(&by_region).filter(|(_, r)| !r.is_empty()) {
            match holding {
                Holding::Whole(blocks) => blocks.allocate()?,
                Holding::Slots(slots) => slots.reserve(ticket, reads)?,
            }
        }
        Ok(Reserved::Granted)
    }

    /// The pending reads inside `extent`, in units that are verified together.
    pub(crate) fn pending(&self, extent: Extent) -> Result<Vec<Read>, Error> {
        if self.around(extent).next().is_none() {
            return Err(not_cached(extent));
        }
        Ok(self
            .around(extent)
            .flat_map(|h| match &h.1 {
                Holding::Whole(blocks) => blocks.pending(extent),
                Holding::Slots(slots) => slots.pending(extent),
            })
            .collect())
    }

    /// Stores the verified bytes of a pending read.
    pub(crate) fn fill(&mut self, read: &Read, bytes: &[u8]) -> Result<(), Error> {
        let at = self.region_of(read)?;
        match &mut self.holdings[at].1 {
            Holding::Whole(blocks) => blocks.fill(read.extent, bytes),
            Holding::Slots(slots) => slots.fill(read.extent, bytes),
        }
        Ok(())
    }

    /// Unpins all that is pinned to `ticket`. Slots that were reserved and never filled are reused first.
    pub(crate) fn release(&mut self, ticket: u32) {
        for (_, holding) in &mut self.holdings {
            if let Holding::Slots(slots) = holding {
                slots.release(ticket);
            }
        }
    }

    /// Bytes of the file in memory, filled slots, and evictions so far.
    pub(crate) fn stats(&self) -> (u64, usize, u64) {
        self.holdings.iter().fold((0, 0, 0), |total, (_, holding)| match holding {
            Holding::Whole(blocks) => (total.0 + blocks.held(), total.1, total.2),
            Holding::Slots(slots) => {
                let (held, filled, evictions) = slots.stats();
                (total.0 + held, total.1 + filled, total.2 + evictions)
            }
        })
    }

    /// The parts of `read` that are not in memory, neighbours as one.
    pub(crate) fn missing(&self, read: &Read) -> Vec<Extent> {
        let region = self.region_of(read).ok().and_then(|at| self.holdings.get(at));
        match region {
            Some((_, Holding::Whole(blocks))) => blocks.missing(read.extent),
            _ if self.get(read.extent).is_some() => Vec::new(),
            _ => vec![read.extent],
        }
    }
}

fn not_cached(extent: Extent) -> Error {
    let place = format!("{}..{} lies in no part of the file that is cached", extent.offset, extent.end());
    Error::argument("offset", place)
}

impl Source for Paged {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        self.around(extent).find_map(|h| match &h.1 {
            Holding::Whole(blocks) => blocks.get(extent),
            Holding::Slots(slots) => slots.get(extent),
        })
    }

    fn fits(&self, section: Extent) -> bool {
        self.around(section).any(|h| matches!(h.0, Region::Whole { .. }))
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        let room = |h: &(Region, Holding)| match h.0 {
            Region::Slots { slot, slots, .. } => Some(SlotRoom { count: slots, bytes: slot }),
            Region::Whole { .. } => None,
        };
        self.around(section).find_map(room).unwrap_or(SlotRoom { count: 0, bytes: 0 })
    }

    fn speculative_bytes(&self) -> u64 {
        self.speculative_bytes
    }
}
