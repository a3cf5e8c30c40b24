//! Units leave their slots, and the memory of those that are left empty is freed. Nothing may be pinned meanwhile.

use std::sync::atomic::Ordering::Relaxed;

use super::Slots;
use crate::storage::{Extent, Held};

impl Slots {
    /// From now on there are so many slots; units that have none any more are dropped, first those that were not used lately.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        let filled = self.slots.iter().filter(|slot| slot.filled).count();
        self.capacity = capacity;
        self.drop_units(filled.saturating_sub(capacity), 0);
    }

    /// Drops units until so many are dropped, and so many bytes; returns these bytes. Those that were not used lately go first.
    pub(crate) fn drop_units(&mut self, mut units: usize, bytes: u64) -> u64 {
        let (mut dropped, mut left) = (0, bytes);
        for recent in [false, true] {
            for slot in self.slots.iter_mut().filter(|slot| slot.filled && slot.recent == recent) {
                if units == 0 && left == 0 {
                    break;
                }
                let length = slot.read.extent.length;
                slot.filled = false;
                self.evictions += 1;
                (units, left, dropped) =
                    (units.saturating_sub(1), left.saturating_sub(length), dropped + length);
            }
        }
        self.close_gaps();
        dropped
    }

    /// Moves the units that are left to the first slots, and frees the memory behind them.
    fn close_gaps(&mut self) {
        let kept: Vec<u32> =
            (0..).zip(&self.slots).filter(|(_, slot)| slot.filled).map(|(at, _)| at).collect();
        for (to, &from) in kept.iter().enumerate() {
            // Each goes to a slot at or before its own, which is free by now.
            let from = from as usize;
            if from != to {
                self.memory.copy(from, to, self.slots[from].read.extent.length as usize);
                self.slots.swap(from, to);
            }
        }
        self.order.retain_mut(|at| match kept.binary_search(at) {
            Ok(now) => {
                *at = now as u32;
                true
            }
            Err(_) => false,
        });
        self.slots.truncate(kept.len());
        self.hand = 0;
        // The last chunk may become shorter, by a copy. If there is no memory for that it stays as it is.
        let _ = self.memory.resize(kept.len(), self.capacity);
        if self.slots.is_empty() {
            (self.slots, self.order, self.pins) = Default::default();
            self.memory.forget();
        }
        self.slots.shrink_to_fit();
        self.order.shrink_to_fit();
        self.settle();
    }

    /// Tells where the units are, and which were read since this was asked last.
    pub(crate) fn tell(&self, each: &mut dyn FnMut(Held)) {
        for (address, length) in self.memory.memory() {
            each(Held::Memory { address, length });
        }
        for (at, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.filled) {
            let Extent { length, .. } = slot.read.extent;
            let address = self.memory.get(at, 0, length).map_or(0, |bytes| bytes.as_ptr().addr());
            let touched = slot.touched.swap(false, Relaxed);
            each(Held::Unit { extent: slot.read.extent, address, touched });
        }
    }
}
