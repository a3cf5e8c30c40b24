//! A whole file in memory.

use super::{Extent, SlotRoom, Source};

/// Its bytes.
#[derive(Debug)]
pub(crate) struct InMemory<B>(pub(crate) B);

impl<B: AsRef<[u8]>> Source for InMemory<B> {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        slice(self.0.as_ref(), extent)
    }

    fn fits(&self, _section: Extent) -> bool {
        true
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        SlotRoom { count: usize::MAX, bytes: section.length }
    }

    fn allocated(&self) -> u64 {
        self.0.as_ref().len() as u64
    }
}

/// The bytes of `extent` in a file whose bytes are all in `bytes`.
pub(super) fn slice(bytes: &[u8], extent: Extent) -> Option<&[u8]> {
    let start = usize::try_from(extent.offset).ok()?;
    let length = usize::try_from(extent.length).ok()?;
    bytes.get(start..start.checked_add(length)?)
}
