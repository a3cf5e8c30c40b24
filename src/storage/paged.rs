//! A file that is elsewhere, held here in part under a byte budget.
//!
//! The arena is a fixed list of regions, one per section at the most, planned once when the file is opened, so that
//! memory cannot fragment and can be told in advance:
//! * `Whole`: the section in one piece, filled block by block, kept until the file is closed.
//! * `Slots`: room for some of the section's equal units (a row, a chunk of rows); the clock algorithm picks what goes out.
//!
//! An operation reserves the units it needs before they are fetched; they stay pinned until it steps again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Buffer, Extent, Source};
use crate::error::Error;

/// How one section is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// In one piece, delivered in multiples of `grain` bytes.
    Whole { section: Extent, grain: u64 },
    /// At most `slots` units of `unit` bytes (the section's last may be shorter).
    Slots { section: Extent, unit: u64, slots: usize },
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
            Region::Slots { unit, slots, .. } => unit * slots as u64,
        }
    }

    /// The bytes that are delivered, kept and evicted together.
    pub(crate) fn unit(&self) -> u64 {
        match *self {
            Region::Whole { grain, .. } => grain,
            Region::Slots { unit, .. } => unit,
        }
    }
}

/// What became of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// Room is held for every extent.
    Granted,
    /// Other operations hold the room; try again once one of them has moved on.
    Wait,
}

struct Slot {
    unit: u64,
    filled: bool,
    pins: Vec<u32>,
    /// Used since the clock's hand last passed.
    recent: bool,
}

/// What a region holds: `buffer` is allocated with the first reservation.
struct Holding {
    region: Region,
    buffer: Option<Buffer>,
    /// Whole: which blocks are here, and how many are missing.
    filled: Vec<bool>,
    missing: usize,
    /// Slots: unit -> slot, and the slots themselves.
    by_unit: BTreeMap<u64, usize>,
    slots: Vec<Slot>,
    /// Where the search for a slot to evict goes on.
    hand: usize,
}

/// See the head of this file.
pub(crate) struct Paged {
    holdings: Vec<Holding>,
    evictions: u64,
}

impl Paged {
    /// `regions` must lie in different sections; their total is the caller's budget.
    pub(crate) fn new(regions: Vec<Region>) -> Self {
        Paged { holdings: regions.into_iter().map(Holding::new).collect(), evictions: 0 }
    }

    fn index_of(&self, extent: Extent) -> Option<usize> {
        self.holdings.iter().position(|h| h.region.section().contains(extent))
    }

    /// The grain in which the section around `offset` is delivered; `None` if no region holds that section.
    pub(crate) fn grain(&self, offset: u64) -> Option<u64> {
        self.index_of(Extent { offset, length: 1 }).map(|i| self.holdings[i].region.unit())
    }

    /// Makes room for `extents` (each within one section) and pins it to `ticket`. All or nothing.
    pub(crate) fn reserve(&mut self, ticket: u32, extents: &[Extent]) -> Result<Reserved, Error> {
        let mut wanted: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for &extent in extents {
            let at = self.index_of(extent).ok_or_else(|| unplaced(extent))?;
            wanted.entry(at).or_default().extend(self.holdings[at].units(extent));
        }
        for (&at, units) in &wanted {
            if !self.holdings[at].has_room(ticket, units) {
                return Ok(Reserved::Wait);
            }
        }
        for (at, units) in wanted {
            self.evictions += self.holdings[at].reserve(ticket, &units)?;
        }
        Ok(Reserved::Granted)
    }

    /// Stores verified bytes. Bytes nobody reserved, or that are here already, are dropped.
    pub(crate) fn fill(&mut self, extent: Extent, bytes: &[u8]) -> Result<(), Error> {
        let at = self.index_of(extent).ok_or_else(|| unplaced(extent))?;
        self.holdings[at].fill(extent, bytes)
    }

    /// Unpins everything `ticket` holds; slots reserved but never filled are free again.
    pub(crate) fn release(&mut self, ticket: u32) {
        for holding in &mut self.holdings {
            for slot in &mut holding.slots {
                slot.pins.retain(|&t| t != ticket);
            }
        }
    }

    /// Bytes allocated, filled slots, and evictions so far.
    pub(crate) fn stats(&self) -> (u64, usize, u64) {
        let resident = self.holdings.iter().filter(|h| h.buffer.is_some()).map(|h| h.region.bytes()).sum();
        let slots = self.holdings.iter().flat_map(|h| &h.slots).filter(|s| s.filled).count();
        (resident, slots, self.evictions)
    }

    /// Those parts of `extent` that are neither here nor, for slots, worth asking for again: maximal missing runs.
    pub(crate) fn missing(&self, extent: Extent) -> Vec<Extent> {
        let Some(at) = self.index_of(extent) else { return vec![extent] };
        let holding = &self.holdings[at];
        let mut runs: Vec<Extent> = Vec::new();
        for unit in holding.units(extent).filter(|&u| !holding.has(u)) {
            let piece = holding.extent_of(unit);
            match runs.last_mut() {
                Some(last) if last.end() == piece.offset => last.length += piece.length,
                _ => runs.push(piece),
            }
        }
        runs
    }
}

fn unplaced(extent: Extent) -> Error {
    Error::argument(
        "offset",
        format!("{}..{} lies in no part of the file that is cached", extent.offset, extent.end()),
    )
}

impl Source for Paged {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        self.holdings[self.index_of(extent)?].get(extent)
    }

    fn room(&self, section: Extent) -> u64 {
        self.index_of(section).map_or(0, |at| self.holdings[at].region.bytes())
    }
}

impl Holding {
    fn new(region: Region) -> Self {
        let blocks = match region {
            Region::Whole { section, grain } => section.length.div_ceil(grain.max(1)) as usize,
            Region::Slots { .. } => 0,
        };
        Holding {
            region,
            buffer: None,
            filled: vec![false; blocks],
            missing: blocks,
            by_unit: BTreeMap::new(),
            slots: Vec::new(),
            hand: 0,
        }
    }

    /// The units that `extent` touches.
    fn units(&self, extent: Extent) -> std::ops::Range<u64> {
        let unit = self.region.unit().max(1);
        let start = extent.offset - self.region.section().offset;
        start / unit..(start + extent.length).div_ceil(unit)
    }

    fn extent_of(&self, unit: u64) -> Extent {
        let section = self.region.section();
        let start = unit * self.region.unit();
        Extent {
            offset: section.offset + start,
            length: self.region.unit().min(section.length.saturating_sub(start)),
        }
    }

    fn has(&self, unit: u64) -> bool {
        match self.region {
            Region::Whole { .. } => self.filled.get(unit as usize).copied().unwrap_or(false),
            Region::Slots { .. } => self.by_unit.get(&unit).is_some_and(|&s| self.slots[s].filled),
        }
    }

    fn has_room(&self, ticket: u32, units: &[u64]) -> bool {
        let Region::Slots { slots, .. } = self.region else { return true };
        let units: BTreeSet<u64> = units.iter().copied().collect();
        let held = |s: &&Slot| s.pins.iter().any(|&t| t != ticket) && !units.contains(&s.unit);
        units.len() + self.slots.iter().filter(held).count() <= slots
    }

    /// Pins `units`, evicting unpinned ones; says how many filled slots it evicted.
    fn reserve(&mut self, ticket: u32, units: &[u64]) -> Result<u64, Error> {
        if self.buffer.is_none() {
            self.buffer = Some(Buffer::zeroed(self.region.bytes() as usize)?);
        }
        let Region::Slots { slots, .. } = self.region else { return Ok(0) };
        let mut evicted = 0;
        for &unit in units {
            if let Some(&at) = self.by_unit.get(&unit) {
                self.slots[at].recent = true;
                if !self.slots[at].pins.contains(&ticket) {
                    self.slots[at].pins.push(ticket);
                }
            }
        }
        for &unit in units {
            if self.by_unit.contains_key(&unit) {
                continue;
            }
            let fresh = Slot { unit, filled: false, pins: vec![ticket], recent: true };
            let at = if self.slots.len() < slots {
                self.slots.push(fresh);
                self.slots.len() - 1
            } else {
                let Some(at) = self.victim() else {
                    return Err(Error::Budget {
                        needed: self.region.bytes() * 2,
                        budget: self.region.bytes(),
                    });
                };
                evicted += u64::from(self.slots[at].filled);
                self.by_unit.remove(&self.slots[at].unit);
                self.slots[at] = fresh;
                at
            };
            self.by_unit.insert(unit, at);
        }
        Ok(evicted)
    }

    /// The slot to reuse, by the clock algorithm: the first unpinned one that was not used since the hand passed it.
    fn victim(&mut self) -> Option<usize> {
        for _ in 0..2 * self.slots.len() {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            let slot = &mut self.slots[at];
            if slot.pins.is_empty() {
                if !slot.filled || !slot.recent {
                    return Some(at);
                }
                slot.recent = false;
            }
        }
        None
    }

    fn get(&self, extent: Extent) -> Option<&[u8]> {
        let buffer = self.buffer.as_ref()?.as_ref();
        let start = match self.region {
            Region::Whole { section, .. } => {
                if self.missing > 0 && !self.units(extent).all(|u| self.has(u)) {
                    return None;
                }
                extent.offset - section.offset
            }
            Region::Slots { unit, .. } => {
                let first = self.units(extent).start;
                if !self.extent_of(first).contains(extent) || !self.has(first) {
                    return None;
                }
                self.by_unit[&first] as u64 * unit + (extent.offset - self.extent_of(first).offset)
            }
        };
        buffer.get(start as usize..(start + extent.length) as usize)
    }

    fn fill(&mut self, extent: Extent, bytes: &[u8]) -> Result<(), Error> {
        let unit = self.region.unit().max(1);
        let section = self.region.section();
        for u in self.units(extent) {
            let piece = self.extent_of(u);
            if !extent.contains(piece) {
                return Err(Error::argument(
                    "offset",
                    format!("deliver whole units of {unit} bytes from offset {}", section.offset),
                ));
            }
            let from = (piece.offset - extent.offset) as usize;
            let Some(source) = bytes.get(from..from + piece.length as usize) else {
                return Err(Error::Length {
                    section: "delivery",
                    expected: extent.length,
                    got: bytes.len() as u64,
                });
            };
            let target = match self.region {
                Region::Whole { .. } if !self.has(u) => piece.offset - section.offset,
                Region::Slots { .. } if !self.has(u) && self.by_unit.contains_key(&u) => {
                    self.by_unit[&u] as u64 * unit
                }
                _ => continue,
            };
            let Some(buffer) = &mut self.buffer else { continue };
            let target = target as usize..(target + piece.length) as usize;
            let Some(slice) = buffer.as_mut().get_mut(target) else { continue };
            slice.copy_from_slice(source);
            match self.region {
                Region::Whole { .. } => {
                    self.filled[u as usize] = true;
                    self.missing -= 1;
                }
                Region::Slots { .. } => self.slots[self.by_unit[&u]].filled = true,
            }
        }
        Ok(())
    }
}
