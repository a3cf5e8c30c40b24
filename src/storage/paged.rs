//! The arena: it holds parts of files in memory, under a budget of bytes. An extent is a range of addresses: the files of an
//! index have one address space.
//!
//! It is a fixed list of regions, planned once when the files are opened. So memory cannot fragment, and its size is
//! known in advance.
//! * `Whole`: a section in one piece. It is filled block by block and kept until the file is closed.
//! * `Slots`: room for some units of a section (rows, lists, chunks of rows), or of the same section of several files. The
//!   clock algorithm picks the unit to evict.
//!
//! An operation reserves room for its reads before they are fetched. They stay pinned until it steps again.

mod evict;

use super::blocks::Blocks;
use super::slots::Slots;
use super::{Expected, Extent, Read, SlotRoom, Source};
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;

/// How a section, or a part of one, is held in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// In one piece, delivered in multiples of `block_size` bytes.
    Whole { section: Extent, block_size: u64 },
    /// At most `slots` units of these sections, of at most `slot` bytes each.
    Slots { sections: Vec<Extent>, slot: u64, slots: usize },
}

impl Region {
    fn sections(&self) -> &[Extent] {
        match self {
            Region::Whole { section, .. } => std::slice::from_ref(section),
            Region::Slots { sections, .. } => sections,
        }
    }

    /// Its first section.
    pub(crate) fn first(&self) -> Extent {
        self.sections().first().copied().unwrap_or(Extent { offset: 0, length: 0 })
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
    /// Sections by address, each with the number of its holding. A section that is held whole and in slots is here twice.
    sections: Vec<(Extent, usize)>,
    /// See [`Source::speculative_bytes`].
    pub(crate) speculative_bytes: u64,
    /// Of regions that are no more, or are not in slots.
    evictions: u64,
    /// For the regions themselves.
    _places: Reservation,
}

impl Paged {
    /// A section has at most one region of each kind. Their bytes together are within the budget of the ledger, from
    /// which each region reserves its memory when it is first needed.
    ///
    /// # Errors
    /// `budget`.
    pub(crate) fn new(regions: Vec<Region>, ledger: &Ledger) -> Result<Self, Error> {
        let holding = |region: &Region| match *region {
            Region::Whole { section, block_size } => {
                Blocks::new(section, block_size, ledger).map(Holding::Whole)
            }
            Region::Slots { slot, slots, .. } => Ok(Holding::Slots(Slots::new(slot, slots, ledger))),
        };
        let in_slots = |region: &Region| match region {
            Region::Whole { .. } => 0,
            Region::Slots { sections, .. } => sections.capacity() * size_of::<Extent>(),
        };
        let places = regions.len() * size_of::<(Region, Holding)>()
            + regions
                .iter()
                .map(|r| r.sections().len() * size_of::<(Extent, usize)>() + in_slots(r))
                .sum::<usize>();
        let places = ledger.reserve(Part::Places, places as u64)?;
        // They are few, and inserted in order: to sort them would cost 4 kB in wasm.
        let mut sections: Vec<(Extent, usize)> =
            Vec::with_capacity(regions.iter().map(|region| region.sections().len()).sum());
        for (region, number) in regions.iter().zip(0..) {
            for &section in region.sections() {
                let at = sections.partition_point(|before| before.0.offset <= section.offset);
                sections.insert(at, (section, number));
            }
        }
        let mut holdings = Vec::with_capacity(regions.len());
        for region in regions {
            let holding = holding(&region)?;
            holdings.push((region, holding));
        }
        Ok(Paged { holdings, sections, speculative_bytes: 0, evictions: 0, _places: places })
    }

    /// The numbers of the holdings of the section around an extent.
    fn numbers(&self, extent: Extent) -> impl Iterator<Item = usize> + '_ {
        let behind = self.sections.partition_point(|section| section.0.offset <= extent.offset);
        let before = self.sections.get(..behind).unwrap_or_default().iter().rev();
        let offset = before.clone().next().map(|section| section.0.offset);
        let same = before.take_while(move |section| Some(section.0.offset) == offset);
        same.filter(move |section| section.0.contains(extent)).map(|section| section.1)
    }

    fn around(&self, extent: Extent) -> impl Iterator<Item = &(Region, Holding)> {
        self.numbers(extent).filter_map(|number| self.holdings.get(number))
    }

    /// The region of a read: blocks go to the whole section if it is held, units to slots.
    fn region_of(&self, read: &Read) -> Result<usize, Error> {
        let whole = |number: &usize| matches!(self.holdings[*number].0, Region::Whole { .. });
        let wanted = |number: &usize| whole(number) == (read.expected == Expected::Blocks);
        let at = self.numbers(read.extent).find(wanted).or_else(|| self.numbers(read.extent).next());
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

    /// How many of `groups` fit at once, beside what other tickets have pinned: the first ones. An error if not even the
    /// first can ever fit; 0 if it must wait.
    pub(crate) fn fitting(&self, ticket: u32, groups: &[&[Read]]) -> Result<usize, Error> {
        let mut by_region: Vec<Vec<Read>> = vec![Vec::new(); self.holdings.len()];
        for (reads, number) in groups.iter().zip(0..) {
            for read in *reads {
                by_region[self.region_of(read)?].push(*read);
            }
            match self.has_room_for(ticket, &by_region) {
                Ok(true) => {}
                Ok(false) => return Ok(number),
                Err(error) => return if number > 0 { Ok(number) } else { Err(error) },
            }
        }
        Ok(groups.len())
    }

    fn has_room_for(&self, ticket: u32, by_region: &[Vec<Read>]) -> Result<bool, Error> {
        for ((_, holding), reads) in self.holdings.iter().zip(by_region) {
            match holding {
                Holding::Slots(slots) if !slots.has_room(ticket, reads)? => return Ok(false),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Reserves room for `reads` and pins it to `ticket`: for all of them or for none.
    pub(crate) fn reserve(&mut self, ticket: u32, reads: &[Read]) -> Result<Reserved, Error> {
        let mut by_region: Vec<Vec<Read>> = vec![Vec::new(); self.holdings.len()];
        for read in reads {
            by_region[self.region_of(read)?].push(*read);
        }
        if !self.has_room_for(ticket, &by_region)? {
            return Ok(Reserved::Wait);
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
        self.holdings.iter().fold((0, 0, self.evictions), |total, (_, holding)| match holding {
            Holding::Whole(blocks) => (total.0 + blocks.held(), total.1, total.2),
            Holding::Slots(slots) => {
                let (held, filled, evictions) = slots.stats();
                (total.0 + held, total.1 + filled, total.2 + evictions)
            }
        })
    }

    /// Bytes of a section that are in memory.
    pub(crate) fn held_of(&self, section: Extent) -> u64 {
        let held = |h: &(Region, Holding)| match &h.1 {
            Holding::Whole(blocks) => blocks.held(),
            Holding::Slots(slots) => slots.held_of(section),
        };
        self.around(section).map(held).sum()
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
