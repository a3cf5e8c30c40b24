//! A fixed number of slots for units of one section, or of the same section of several files. A unit is an extent that was reserved: a row, a list, a chunk.

mod evict;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::chunks::Chunks;
use super::{Extent, Read, each_once};
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::memory::{grow, grown};

struct Slot {
    read: Read,
    filled: bool,
    /// How many tickets it must not be evicted for.
    pins: u32,
    /// Whether it was used since the clock's hand last passed it.
    recent: bool,
    /// Whether its bytes were read since that was last asked.
    touched: AtomicBool,
}

/// See the head of this file.
pub(crate) struct Slots {
    size: u64,
    capacity: usize,
    memory: Chunks,
    slots: Vec<Slot>,
    /// The numbers of all slots by offset and length of their units: the labels of a list are a unit, and the whole list
    /// is another. It is one array, so that its bytes are known; what it costs to change is moved memory, once for a
    /// wave.
    order: Vec<u32>,
    /// The slot and the ticket of each pin, in order.
    pins: Vec<(u32, u32)>,
    /// The clock's hand: where the search for a slot to reuse goes on.
    hand: usize,
    evictions: u64,
    /// For all but the units themselves.
    places: Reservation,
}

impl Slots {
    pub(crate) fn new(size: u64, capacity: usize, ledger: &Ledger) -> Self {
        Slots {
            size,
            capacity,
            memory: Chunks::new(size, ledger),
            slots: Vec::new(),
            order: Vec::new(),
            pins: Vec::new(),
            hand: 0,
            evictions: 0,
            places: ledger.nothing(Part::Places),
        }
    }

    /// Whether there is room for `reads`, each a unit, beside what other tickets have pinned.
    pub(crate) fn has_room(&self, ticket: u32, reads: &[Read]) -> Result<bool, Error> {
        let mut reads = reads.to_vec();
        each_once(&mut reads);
        if let Some(large) = reads.iter().find(|r| r.extent.length > self.size) {
            let detail = format!("{} bytes where the largest has {}", large.extent.length, self.size);
            return Err(Error::corrupt("lists", detail));
        }
        let elsewhere = |pins: &&[(u32, u32)]| {
            pins.iter().any(|&(_, t)| t != ticket)
                && reads.binary_search_by_key(&self.extent(pins[0].0), |read| read.extent).is_err()
        };
        let held = self.pins.chunk_by(|a, b| a.0 == b.0).filter(elsewhere).count();
        if held == 0 && reads.len() > self.capacity {
            // Even without other tickets there would be too little room.
            let [needed, budget] = [reads.len(), self.capacity].map(|units| units as u64 * self.size);
            return Err(Error::Budget { needed, budget });
        }
        Ok(reads.len() + held <= self.capacity)
    }

    /// Reserves a slot for each of `reads` and pins it to `ticket`. Units that are not pinned may be evicted. After an
    /// error nothing is reserved.
    pub(crate) fn reserve(&mut self, ticket: u32, reads: &[Read]) -> Result<(), Error> {
        let mut reads = reads.to_vec();
        each_once(&mut reads);
        let (known, new): (Vec<Read>, Vec<Read>) = reads.iter().partition(|r| self.unit(r.extent).is_some());
        self.allocate(new.len(), reads.len())?;
        for read in known {
            let Some(at) = self.unit(read.extent) else { continue };
            self.slots[at].recent = true;
            self.pin(at, ticket);
        }
        let unused = (self.slots.len()..self.capacity).take(new.len());
        let mut chosen: Vec<usize> = unused.collect();
        let first_reused = chosen.len();
        while chosen.len() < new.len() {
            let Some(at) = self.reusable_slot() else {
                chosen[first_reused..].iter().for_each(|&at| self.slots[at].pins = 0);
                let [needed, budget] = [1, 0].map(|more| self.size * (self.capacity as u64 + more));
                return Err(Error::Budget { needed, budget });
            };
            // So that it is chosen once.
            self.slots[at].pins = 1;
            chosen.push(at);
        }
        self.evict(&chosen[first_reused..]);
        for (&at, &read) in chosen.iter().zip(&new) {
            let slot = Slot { read, filled: false, pins: 0, recent: true, touched: AtomicBool::new(false) };
            match self.slots.get_mut(at) {
                Some(old) => *old = slot,
                None => self.slots.push(slot),
            }
            self.pin(at, ticket);
        }
        self.enter(&chosen);
        Ok(())
    }

    /// Reserves and allocates memory for so many more units and pins.
    fn allocate(&mut self, more: usize, pins: usize) -> Result<(), Error> {
        let slots = grown(&self.slots, more, self.capacity);
        let (order, pins) = (grown(&self.order, more, self.capacity), grown(&self.pins, pins, usize::MAX));
        let in_use = self.slots.len().saturating_add(more).min(self.capacity);
        let reserved = self.places.resize(bytes_of(slots, order, pins) + self.memory.places(self.capacity));
        let allocated = reserved.and_then(|()| {
            self.memory.resize(in_use, self.capacity)?;
            grow(&mut self.slots, slots)?;
            grow(&mut self.order, order)?;
            grow(&mut self.pins, pins)
        });
        if allocated.is_err() {
            self.settle();
        }
        allocated
    }

    /// Gives back what was reserved and is not allocated.
    fn settle(&mut self) {
        let places = bytes_of(self.slots.capacity(), self.order.capacity(), self.pins.capacity());
        self.places.settle(places + self.memory.places_now());
    }

    fn extent(&self, at: u32) -> Extent {
        self.slots[at as usize].read.extent
    }

    /// Where the slots of extents from this one on begin in the order.
    fn rank(&self, extent: Extent) -> usize {
        self.order.partition_point(|&at| self.extent(at) < extent)
    }

    fn unit(&self, extent: Extent) -> Option<usize> {
        let at = *self.order.get(self.rank(extent))?;
        (self.extent(at) == extent).then_some(at as usize)
    }

    /// Its memory was allocated before.
    fn pin(&mut self, at: usize, ticket: u32) {
        let pin = (at as u32, ticket);
        if let Err(place) = self.pins.binary_search(&pin) {
            self.pins.insert(place, pin);
            self.slots[at].pins += 1;
        }
    }

    /// A slot in use to write into, by the clock algorithm: the first one that is not pinned and was not used since the
    /// hand last passed it.
    fn reusable_slot(&mut self) -> Option<usize> {
        for _ in 0..2 * self.slots.len() {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            let slot = &mut self.slots[at];
            if slot.pins == 0 && (!slot.filled || !slot.recent) {
                return Some(at);
            }
            slot.recent &= slot.pins > 0;
        }
        None
    }

    /// Takes slots out of the order.
    fn evict(&mut self, slots: &[usize]) {
        let mut ranks: Vec<u64> =
            slots.iter().map(|&at| self.rank(self.slots[at].read.extent) as u64).collect();
        ranks.sort_unstable();
        self.evictions += slots.iter().filter(|&&at| self.slots[at].filled).count() as u64;
        let Some(mut to) = ranks.first().map(|&rank| rank as usize) else { return };
        let ends = ranks[1..].iter().map(|&rank| rank as usize).chain([self.order.len()]);
        for (&rank, end) in ranks.iter().zip(ends.collect::<Vec<_>>()) {
            self.order.copy_within(rank as usize + 1..end, to);
            to += end - (rank as usize + 1);
        }
        self.order.truncate(to);
    }

    /// Puts slots into the order, whose units are in order themselves.
    fn enter(&mut self, slots: &[usize]) {
        let mut from = self.order.len();
        self.order.resize(from + slots.len(), 0);
        let mut to = self.order.len();
        for &at in slots.iter().rev() {
            let extent = self.slots[at].read.extent;
            let rank = self.order[..from].partition_point(|&other| self.extent(other) < extent);
            to -= from - rank;
            self.order.copy_within(rank..from, to);
            from = rank;
            to -= 1;
            self.order[to] = at as u32;
        }
    }

    /// The units within `extent` that are reserved and not filled yet.
    pub(crate) fn pending(&self, extent: Extent) -> Vec<Read> {
        let from = self.rank(Extent { length: 0, ..extent });
        let slots = self.order[from..].iter().map(|&at| &self.slots[at as usize]);
        let inside = slots.take_while(|s| s.read.extent.offset < extent.end());
        inside.filter(|s| !s.filled && extent.contains(s.read.extent)).map(|s| s.read).collect()
    }

    pub(crate) fn fill(&mut self, extent: Extent, bytes: &[u8]) {
        let Some(at) = self.unit(extent).filter(|&at| !self.slots[at].filled) else { return };
        if let Some(target) = self.memory.get_mut(at, bytes.len()) {
            target.copy_from_slice(bytes);
            self.slots[at].filled = true;
        }
    }

    /// The bytes of `extent`, if it lies in a unit that is filled.
    pub(crate) fn get(&self, extent: Extent) -> Option<&[u8]> {
        let behind = self.rank(Extent { offset: extent.offset.saturating_add(1), length: 0 });
        // At most two units begin at one offset, and none overlaps a unit that begins elsewhere.
        let mut around = self.order[..behind].iter().rev().take(2).map(|&at| at as usize);
        let at = around.find(|&at| self.slots[at].filled && self.slots[at].read.extent.contains(extent))?;
        let slot = &self.slots[at];
        slot.touched.store(true, Relaxed);
        self.memory.get(at, extent.offset - slot.read.extent.offset, extent.length)
    }

    pub(crate) fn release(&mut self, ticket: u32) {
        let slots = &mut self.slots;
        self.pins.retain(|&(at, t)| {
            slots[at as usize].pins -= u32::from(t == ticket);
            t != ticket
        });
    }

    /// Bytes held of a section.
    pub(crate) fn held_of(&self, section: Extent) -> u64 {
        let filled = self.slots.iter().filter(|s| s.filled && section.contains(s.read.extent));
        filled.map(|s| s.read.extent.length).sum()
    }

    /// Bytes held, slots filled, evictions so far.
    pub(crate) fn stats(&self) -> (u64, usize, u64) {
        let filled = self.slots.iter().filter(|s| s.filled);
        let (held, slots) = filled.fold((0, 0), |(held, slots), s| (held + s.read.extent.length, slots + 1));
        (held, slots, self.evictions)
    }
}

/// What so many slots take beside their units, once all are filled.
pub(crate) fn places_of_slots(slots: usize) -> u64 {
    bytes_of(slots, slots, 0)
}

/// The bytes of these capacities.
fn bytes_of(slots: usize, order: usize, pins: usize) -> u64 {
    (slots * size_of::<Slot>() + order * size_of::<u32>() + pins * size_of::<(u32, u32)>()) as u64
}
