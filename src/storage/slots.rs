//! A fixed number of slots for units of one section, or of the same section of several files. A unit is an extent that was reserved: a row, a list, a chunk.

use std::collections::BTreeMap;

use super::{Buffer, Extent, Read, in_order};
use crate::error::Error;

struct Slot {
    read: Read,
    filled: bool,
    /// The tickets that it must not be evicted for.
    pins: Vec<u32>,
    /// Whether it was used since the clock's hand last passed it.
    recent: bool,
}

/// See the head of this file.
pub(crate) struct Slots {
    size: u64,
    capacity: usize,
    /// Allocated with the first reservation.
    buffer: Option<Buffer>,
    /// By offset and length: the labels of a list are a unit, and the whole list is another.
    by_extent: BTreeMap<Extent, usize>,
    slots: Vec<Slot>,
    /// The clock's hand: where the search for a slot to reuse goes on.
    hand: usize,
    evictions: u64,
}

impl Slots {
    pub(crate) fn new(size: u64, capacity: usize) -> Self {
        let (by_extent, slots) = (BTreeMap::new(), Vec::new());
        Slots { size, capacity, buffer: None, by_extent, slots, hand: 0, evictions: 0 }
    }

    /// Whether there is room for `reads`, each a unit, beside what other tickets have pinned.
    pub(crate) fn has_room(&self, ticket: u32, reads: &[Read]) -> Result<bool, Error> {
        let mut reads = reads.to_vec();
        in_order(&mut reads);
        reads.dedup_by_key(|read| read.extent);
        if let Some(large) = reads.iter().find(|r| r.extent.length > self.size) {
            let detail = format!("{} bytes where the largest has {}", large.extent.length, self.size);
            return Err(Error::corrupt("lists", detail));
        }
        let elsewhere = |s: &&Slot| {
            s.pins.iter().any(|&t| t != ticket)
                && reads.binary_search_by_key(&s.read.extent, |read| read.extent).is_err()
        };
        let held = self.slots.iter().filter(elsewhere).count();
        if held == 0 && reads.len() > self.capacity {
            // Even without other tickets there would be too little room.
            let [needed, budget] = [reads.len(), self.capacity].map(|units| units as u64 * self.size);
            return Err(Error::Budget { needed, budget });
        }
        Ok(reads.len() + held <= self.capacity)
    }

    /// Reserves a slot for each of `reads` and pins it to `ticket`. Units that are not pinned may be evicted.
    pub(crate) fn reserve(&mut self, ticket: u32, reads: &[Read]) -> Result<(), Error> {
        if self.buffer.is_none() {
            self.buffer = Some(Buffer::zeroed(self.size * self.capacity as u64)?);
        }
        let (known, new): (Vec<Read>, Vec<Read>) = reads.iter().partition(|r| self.unit(r.extent).is_some());
        for at in known.iter().filter_map(|r| self.unit(r.extent)).collect::<Vec<_>>() {
            self.slots[at].recent = true;
            if !self.slots[at].pins.contains(&ticket) {
                self.slots[at].pins.push(ticket);
            }
        }
        for read in new {
            let at = self.free_slot().ok_or(Error::Budget {
                needed: self.size * (self.capacity as u64 + 1),
                budget: self.size * self.capacity as u64,
            })?;
            let slot = Slot { read, filled: false, pins: vec![ticket], recent: true };
            match self.slots.get_mut(at) {
                Some(old) => *old = slot,
                None => self.slots.push(slot),
            }
            self.by_extent.insert(read.extent, at);
        }
        Ok(())
    }

    fn unit(&self, extent: Extent) -> Option<usize> {
        self.by_extent.get(&extent).copied()
    }

    /// A slot to write into, by the clock algorithm: the first one that is not pinned and was not used since the hand
    /// last passed it.
    fn free_slot(&mut self) -> Option<usize> {
        if self.slots.len() < self.capacity {
            return Some(self.slots.len());
        }
        for _ in 0..2 * self.slots.len() {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            let slot = &mut self.slots[at];
            if slot.pins.is_empty() && (!slot.filled || !slot.recent) {
                self.evictions += u64::from(slot.filled);
                let extent = slot.read.extent;
                self.by_extent.remove(&extent);
                return Some(at);
            }
            slot.recent &= !slot.pins.is_empty();
        }
        None
    }

    /// The units within `extent` that are reserved and not filled yet.
    pub(crate) fn pending(&self, extent: Extent) -> Vec<Read> {
        let from = |offset| Extent { offset, length: 0 };
        let slots =
            self.by_extent.range(from(extent.offset)..from(extent.end())).map(|(_, &at)| &self.slots[at]);
        slots.filter(|s| !s.filled && extent.contains(s.read.extent)).map(|s| s.read).collect()
    }

    pub(crate) fn fill(&mut self, extent: Extent, bytes: &[u8]) {
        let Some(at) = self.unit(extent).filter(|&at| !self.slots[at].filled) else { return };
        let start = (at as u64 * self.size) as usize;
        let Some(buffer) = &mut self.buffer else { return };
        if let Some(target) = buffer.as_mut().get_mut(start..start + bytes.len()) {
            target.copy_from_slice(bytes);
            self.slots[at].filled = true;
        }
    }

    /// The bytes of `extent`, if it lies in a unit that is filled.
    pub(crate) fn get(&self, extent: Extent) -> Option<&[u8]> {
        let before = self.by_extent.range(..=Extent { length: u64::MAX, ..extent }).rev();
        // At most two units begin at one offset, and none overlaps a unit that begins elsewhere.
        let around = before.take(2).map(|(_, &at)| at);
        let holds = |&at: &usize| self.slots[at].filled && self.slots[at].read.extent.contains(extent);
        let at = around.into_iter().find(holds)?;
        let slot = &self.slots[at];
        let start = (at as u64 * self.size + (extent.offset - slot.read.extent.offset)) as usize;
        self.buffer.as_ref()?.as_ref().get(start..start + extent.length as usize)
    }

    pub(crate) fn release(&mut self, ticket: u32) {
        self.slots.iter_mut().for_each(|slot| slot.pins.retain(|&t| t != ticket));
    }

    /// Bytes held, slots filled, evictions so far.
    pub(crate) fn stats(&self) -> (u64, usize, u64) {
        let filled = self.slots.iter().filter(|s| s.filled);
        let (held, slots) = filled.fold((0, 0), |(held, slots), s| (held + s.read.extent.length, slots + 1));
        (held, slots, self.evictions)
    }
}
