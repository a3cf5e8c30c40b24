//! Blocks of Leaves and of Lists in place.

use super::{Reader, bad};
use crate::error::Error;
use crate::segment::ids::IdView;
use crate::segment::packed::Packed;
use crate::storage::{Extent, Read, Sum};

/// One leaf as its cell's block tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// Its list.
    pub(crate) read: Read,
    /// Its own rows: start..end.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Root mean square distance of its rows to its centroid.
    pub(crate) spread: f32,
}

/// One cell's leaves.
pub(crate) struct LeafBlock<'a> {
    lists: Extent,
    longest: u64,
    /// Those of the cell. Its leaves stay within.
    rows: [u32; 2],
    offset: u64,
    sums: &'a [[u8; 8]],
    lengths: &'a [[u8; 4]],
    starts: &'a [[u8; 4]],
    spreads: &'a [[u8; 2]],
    /// Codes of the leaves' centroids, a matrix.
    pub(crate) codes: &'a [u8],
}

impl<'a> LeafBlock<'a> {
    pub(super) fn new(
        bytes: &'a [u8],
        count: usize,
        stride: usize,
        lists: Extent,
        longest: u64,
        rows: [u32; 2],
    ) -> Result<Self, Error> {
        let mut reader = Reader { section: "leaves", bytes };
        let block = LeafBlock {
            lists,
            longest,
            rows,
            offset: reader.numbers(1)?.first().map_or(0, |b| u64::from_le_bytes(*b)),
            sums: reader.numbers(count)?,
            lengths: reader.numbers(count)?,
            starts: reader.numbers(count.saturating_add(1))?,
            spreads: reader.numbers(count)?,
            codes: reader.take(count.saturating_mul(stride))?,
        };
        match reader.bytes.is_empty() {
            true => Ok(block),
            false => Err(bad("leaves", "a block's length does not fit its number of leaves")),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.sums.len()
    }

    /// The leaves in order, of a segment of `rows` rows.
    pub(crate) fn leaves(&self, rows: usize) -> impl Iterator<Item = Result<Leaf, Error>> {
        let mut from = self.offset;
        (0..self.count()).map(move |at| {
            let length = u64::from(u32::from_le_bytes(self.lengths[at]));
            let sum = u64::from_le_bytes(self.sums[at]);
            let spread = half::bf16::from_le_bytes(self.spreads[at]).to_f32();
            let [start, end] = [at, at + 1].map(|i| u32::from_le_bytes(self.starts[i]));
            // An empty extent can never be found to be here: a search would ask for it for ever.
            let inside = (1..=self.longest).contains(&length)
                && from.checked_add(length).is_some_and(|to| to <= self.lists.length);
            let ordered = self.rows[0] <= start && start <= end && end <= self.rows[1];
            if !inside || !ordered || end as usize > rows || !spread.is_finite() {
                return Err(bad("leaves", "a leaf's list or rows leave the segment"));
            }
            let extent = Extent { offset: self.lists.offset + from, length };
            from += length;
            Ok(Leaf { read: Read { extent, sum: Sum::Unit(sum) }, start, end, spread })
        })
    }
}

/// One leaf's list in place: its own rows, then those spilled into it.
pub(crate) struct List<'a> {
    /// Their codes, a matrix.
    pub(crate) codes: &'a [u8],
    pub(crate) ids: IdView<'a>,
    row_sums: &'a [[u8; 4]],
    start: u32,
    own: usize,
    spilled: Packed<'a>,
    /// Of the segment.
    rows: usize,
}

impl<'a> List<'a> {
    /// `rows` is how many the segment has.
    pub(crate) fn new(
        bytes: &'a [u8],
        leaf: &Leaf,
        stride: usize,
        text: bool,
        rows: usize,
    ) -> Result<Self, Error> {
        let mut reader = Reader { section: "lists", bytes };
        let own = (leaf.end - leaf.start) as usize;
        let spilled = reader.numbers(1)?.first().map_or(0, |b| u32::from_le_bytes(*b)) as usize;
        let count = own.saturating_add(spilled);
        let codes = reader.take(count.saturating_mul(stride))?;
        let row_sums = reader.numbers(count)?;
        let (spilled, ids) = Packed::split(reader.bytes, spilled)
            .ok_or_else(|| bad("lists", "positions of spilled rows end too early"))?;
        let ids = IdView::new(ids, count, text)?;
        Ok(List { codes, ids, row_sums, start: leaf.start, own, spilled, rows })
    }

    pub(crate) fn count(&self) -> usize {
        self.row_sums.len()
    }

    /// Of the list's row `at`.
    pub(crate) fn position(&self, at: usize) -> Result<u32, Error> {
        if at < self.own {
            return Ok(self.start + at as u32);
        }
        match self.spilled.get(at - self.own) {
            position if position < self.rows as u64 => Ok(position as u32),
            _ => Err(bad("lists", "a spilled row is beyond the last")),
        }
    }

    /// The sum of the finest row of this list's row `at`.
    pub(crate) fn row_sum(&self, at: usize) -> u32 {
        self.row_sums.get(at).map_or(0, |b| u32::from_le_bytes(*b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_bytes_or_beyond_its_section_is_refused() {
        let block = |length: u32| -> Vec<u8> {
            let words = [0u64, 0].into_iter().flat_map(u64::to_le_bytes);
            words.chain([length, 0, 1].into_iter().flat_map(u32::to_le_bytes)).chain([0; 2 + 9]).collect()
        };
        let leaf = |bytes: &[u8]| {
            let lists = Extent { offset: 64, length: 100 };
            LeafBlock::new(bytes, 1, 9, lists, 100, [0, 1]).unwrap().leaves(1).next().unwrap()
        };
        assert_eq!(leaf(&block(100)).unwrap().read.extent, Extent { offset: 64, length: 100 });
        assert_eq!(leaf(&block(0)).unwrap_err().code(), "corrupt");
        assert_eq!(leaf(&block(101)).unwrap_err().code(), "corrupt");
    }
}
