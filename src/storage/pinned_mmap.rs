//! A mapped file with copies of some sections in memory: of those that every search reads.

use super::in_memory::slice;
use super::{Buffer, Extent, Mapped, SlotRoom, Source};
use crate::error::Error;

/// See the head of this file.
pub(crate) struct PinnedMmap {
    map: Mapped,
    parts: Vec<(Extent, Buffer)>,
}

impl PinnedMmap {
    /// Copies `sections` out of the mapping.
    pub(crate) fn new(map: Mapped, sections: &[Extent]) -> Result<Self, Error> {
        let copy = |&extent: &Extent| {
            let bytes = map.get(extent).ok_or(Error::Length {
                section: "file",
                expected: extent.end(),
                got: map.length(),
            })?;
            Ok((extent, Buffer::copy_of(bytes)?))
        };
        let parts = sections.iter().map(copy).collect::<Result<_, Error>>()?;
        Ok(PinnedMmap { map, parts })
    }

    /// Bytes of memory beside the mapping.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.0.length).sum::<u64>() + self.map.overhead()
    }

    fn part(&self, extent: Extent) -> Option<&(Extent, Buffer)> {
        self.parts.iter().find(|p| p.0.contains(extent))
    }
}

impl Source for PinnedMmap {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        match self.part(extent) {
            Some((section, bytes)) => {
                slice(bytes.as_ref(), Extent { offset: extent.offset - section.offset, ..extent })
            }
            None => self.map.get(extent),
        }
    }

    fn fits(&self, section: Extent) -> bool {
        self.map.fits(section)
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        self.map.slots(section)
    }

    fn prefetch(&self, extents: &mut dyn Iterator<Item = Extent>) {
        self.map.prefetch(&mut extents.filter(|&e| self.part(e).is_none()));
    }

    fn resident(&self, extent: Extent) -> u64 {
        if self.part(extent).is_some() { extent.length } else { self.map.resident(extent) }
    }

    fn evict(&self) {
        self.map.evict();
    }

    fn memory(&self) -> u64 {
        self.map.memory()
    }

    fn allocated(&self) -> u64 {
        self.bytes()
    }

    fn prefetch_records(&self, first: Extent, at: &[u32]) -> bool {
        self.part(first).is_none() && self.map.prefetch_records(first, at)
    }
}
