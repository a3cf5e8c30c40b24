//! What is held is dropped, or is held under another budget. No operation may be under way meanwhile: nothing is pinned.

use super::{Holding, Paged, Region};
use crate::budget::Ledger;
use crate::error::Error;
use crate::storage::Held;

impl Paged {
    /// Drops what can be read again until so many bytes are dropped, and returns how many were: units first, those that were not used
    /// lately before the others, then whole sections.
    pub(crate) fn evict(&mut self, bytes: u64) -> u64 {
        let mut dropped = 0;
        for (_, holding) in &mut self.holdings {
            if let Holding::Slots(slots) = holding {
                dropped += slots.drop_units(0, bytes - dropped.min(bytes));
            }
        }
        for (_, holding) in &mut self.holdings {
            if let Holding::Whole(blocks) = holding
                && dropped < bytes
            {
                let (held, count) = blocks.clear();
                dropped += held;
                self.evictions += count;
            }
        }
        dropped
    }

    /// Holds these regions from now on, with what is here of them. After an error the old ones stay.
    ///
    /// # Errors
    /// `budget`.
    pub(crate) fn set_regions(&mut self, regions: Vec<Region>, ledger: &Ledger) -> Result<(), Error> {
        let mut next = Paged::new(regions, ledger)?;
        next.speculative_bytes = self.speculative_bytes;
        next.evictions = self.evictions;
        for (region, holding) in &mut self.holdings {
            let same = next.holdings.iter_mut().find(|(other, _)| region.is_like(other));
            if let (Some((Region::Slots { slots, .. }, _)), Holding::Slots(held)) = (&same, &mut *holding) {
                held.set_capacity(*slots);
            }
            match (same, holding) {
                (Some((_, place)), holding) => std::mem::swap(place, holding),
                (None, Holding::Slots(slots)) => next.evictions += slots.stats().2 + slots.stats().1 as u64,
                (None, Holding::Whole(blocks)) => next.evictions += blocks.clear().1,
            }
        }
        *self = next;
        Ok(())
    }

    /// Tells what is held, region by region, and which units were read since this was asked last.
    pub(crate) fn tell(&self, each: &mut dyn FnMut(Held)) {
        for (region, holding) in &self.holdings {
            each(Held::Region { section: region.first(), most: region.bytes() });
            match holding {
                Holding::Whole(blocks) => blocks.tell(each),
                Holding::Slots(slots) => slots.tell(each),
            }
        }
    }
}

impl Region {
    /// Whether what is held of one can be held of the other, which may have another number of slots.
    fn is_like(&self, other: &Region) -> bool {
        match (self, other) {
            (Region::Slots { sections, slot, .. }, Region::Slots { sections: others, slot: size, .. }) => {
                sections == others && slot == size
            }
            _ => self == other,
        }
    }
}
