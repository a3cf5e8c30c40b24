//! The position of an id, in a file of which only parts may be in memory.

use std::ops::Range;

use super::order::{ENTRY, IdOrder, hash};
use super::view::{SECTION, text_id, u32_at};
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::segment::packed::One;
use crate::storage::{Extent, Source};

/// The result of a lookup, or the extents that it still needs.
pub(crate) type Found<T> = Result<T, Vec<Extent>>;

/// Where ids and their order lie, and what they are read with.
pub(crate) struct Lookup<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) ids: Extent,
    pub(crate) order: Extent,
    pub(crate) count: usize,
    pub(crate) text: bool,
    pub(crate) file_seed: u64,
}

impl Lookup<'_> {
    /// The position of `id`, if a row has it.
    pub(crate) fn find(&self, id: &Id) -> Result<Found<Option<u32>>, Error> {
        if self.text != matches!(id, Id::Text(_)) || self.count == 0 {
            return Ok(Ok(None));
        }
        let positions = match self.positions(hash(self.file_seed, id))? {
            Ok(positions) => positions,
            Err(absent) => return Ok(Err(absent)),
        };
        let mut absent = Vec::new();
        for position in positions {
            match self.id(position)? {
                Ok(found) if found == *id => return Ok(Ok(Some(position))),
                Ok(_) => {}
                Err(needed) => absent.extend(needed),
            }
        }
        Ok(if absent.is_empty() { Ok(None) } else { Err(absent) })
    }

    /// The rows whose ids have this hash.
    fn positions(&self, hash: u32) -> Result<Found<Vec<u32>>, Error> {
        let count = self.count as u64;
        let place = (u64::from(hash) * count) >> 32;
        // Three standard deviations: one hash of 400 lies outside.
        let mut around = (count.isqrt() * 3 / 2).max(1);
        loop {
            let (first, end) = (place.saturating_sub(around), place.saturating_add(around + 1).min(count));
            let window = Extent { offset: self.order.offset + first * ENTRY, length: (end - first) * ENTRY };
            let Some(bytes) = self.source.get(window) else { return Ok(Err(vec![window])) };
            let entries = IdOrder(bytes);
            let run = entries.run(hash, (end - first) as usize)?;
            let starts = run.start > 0 || first == 0;
            let ends = run.end < (end - first) as usize || end == count;
            if starts && ends {
                let position = |rank| match entries.entry(rank)?.1 {
                    position if u64::from(position) < count => Ok(position),
                    _ => Err(Error::corrupt("id order", "a position beyond the last row")),
                };
                return Ok(Ok(run.map(position).collect::<Result<_, _>>()?));
            }
            around = around.saturating_mul(4);
        }
    }

    /// The id of a row, from the parts of the ids section that it takes.
    #[inline(never)]
    pub(crate) fn id(&self, position: u32) -> Result<Found<Id>, Error> {
        let part = |range: Range<u64>| -> Result<Found<&[u8]>, Error> {
            let length = range.end.saturating_sub(range.start);
            if range.end > self.ids.length || range.start > range.end {
                return Err(Error::corrupt(SECTION, "an id's bytes leave the section"));
            }
            let extent = Extent { offset: self.ids.offset + range.start, length };
            match length {
                0 => Ok(Ok(&[])),
                _ => Ok(self.source.get(extent).ok_or_else(|| vec![extent])),
            }
        };
        if !self.text {
            let head = match part(0..One::HEAD)? {
                Ok(head) => head,
                Err(absent) => return Ok(Err(absent)),
            };
            let one = One::of(head, position).ok_or_else(|| Error::corrupt(SECTION, "numbers too wide"))?;
            return match part(one.bytes())? {
                Ok(bytes) if one.number(bytes) <= Ids::MAX_NUMBER => Ok(Ok(Id::Number(one.number(bytes)))),
                Ok(_) => Err(Error::corrupt(SECTION, "a number above 2^53 - 1")),
                Err(absent) => Ok(Err(absent)),
            };
        }
        let at = u64::from(position) * 4;
        let offsets = match part(at..at + 8)? {
            Ok(offsets) => [u32_at(offsets, 0)?, u32_at(offsets, 4)?].map(u64::from),
            Err(absent) => return Ok(Err(absent)),
        };
        let base = (self.count as u64 + 1) * 4;
        match part(base + offsets[0]..base + offsets[1])? {
            Ok(text) => text_id(text).map(Ok),
            Err(absent) => Ok(Err(absent)),
        }
    }
}
