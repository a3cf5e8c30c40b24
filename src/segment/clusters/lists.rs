//! Blocks of Leaves and of Lists, read where they are.

use super::{Reader, bad};
use crate::error::Error;
use crate::quant::Rabitq;
use crate::segment::ids::IdView;
use crate::segment::packed::Packed;
use crate::storage::{Expected, Extent, Read};

/// One leaf, as its cell's block describes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// The read of its list.
    pub(crate) read: Read,
    /// Bytes of its labels, which come first.
    labels: u32,
    /// How many rows of other leaves were spilled into it.
    spilled: u32,
    /// Its own rows: start..end.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Root mean square distance of its rows to its centroid.
    pub(crate) spread: f32,
}

/// The Lists section, which leaves point into.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    pub(super) extent: Extent,
    pub(super) longest: u64,
    /// The seed of its checksums.
    pub(super) seed: u64,
    /// Bytes of the codes of a leaf's centroid.
    pub(super) centre: usize,
}

/// The leaves of one cell.
pub(crate) struct LeafBlock<'a> {
    lists: Lists,
    stride: usize,
    /// The rows of the cell: its leaves have no others.
    rows: [u32; 2],
    offset: u64,
    /// For each list, the checksums of its labels and of its codes.
    checksums: &'a [[u8; 8]],
    /// Bytes of the labels of each list.
    labels: &'a [[u8; 4]],
    spilled: &'a [[u8; 2]],
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
        lists: Lists,
        rows: [u32; 2],
    ) -> Result<Self, Error> {
        let mut reader = Reader { section: "leaves", bytes };
        let block = LeafBlock {
            lists,
            stride,
            rows,
            offset: reader.numbers(1)?.first().map_or(0, |b| u64::from_le_bytes(*b)),
            checksums: reader.numbers(count)?,
            labels: reader.numbers(count)?,
            spilled: reader.numbers(count)?,
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
        self.checksums.len()
    }

    /// The leaves in order, of a segment of `rows` rows.
    pub(crate) fn leaves(&self, rows: usize) -> impl Iterator<Item = Result<Leaf, Error>> {
        let mut from = self.offset;
        (0..self.count()).map(move |at| {
            let labels = u32::from_le_bytes(self.labels[at]);
            let checksums = u64::from_le_bytes(self.checksums[at]);
            let spilled = u32::from(u16::from_le_bytes(self.spilled[at]));
            let spread = half::bf16::from_le_bytes(self.spreads[at]).to_f32();
            let [start, end] = [at, at + 1].map(|i| u32::from_le_bytes(self.starts[i]));
            let ordered = self.rows[0] <= start && start <= end && end <= self.rows[1];
            if !ordered || end as usize > rows || !spread.is_finite() {
                return Err(bad("leaves", "a leaf's rows leave the segment"));
            }
            // In u64: every factor has 32 bits.
            let held = u64::from(end - start) + u64::from(spilled);
            let codes = self.lists.centre as u64 + held * self.stride as u64;
            let length = u64::from(labels) + codes;
            if length > self.lists.longest
                || from.checked_add(length).is_none_or(|to| to > self.lists.extent.length)
            {
                return Err(bad("leaves", "a leaf's list leaves the segment"));
            }
            let extent = Extent { offset: self.lists.extent.offset + from, length };
            let expected = Expected::Halves {
                seed: self.lists.seed,
                at: from,
                first: labels,
                checksums: [checksums as u32, (checksums >> 32) as u32],
            };
            from += length;
            Ok(Leaf { read: Read { extent, expected }, labels, spilled, start, end, spread })
        })
    }
}

impl Leaf {
    /// The read of the labels of its list alone.
    pub(crate) fn labels_read(&self) -> Read {
        let extent = Extent { length: u64::from(self.labels), ..self.read.extent };
        let expected = match self.read.expected {
            Expected::Halves { seed, at, checksums, .. } => {
                Expected::Short { seed, at, checksum: checksums[0] }
            }
            other => other,
        };
        Read { extent, expected }
    }

    /// Bytes of the codes of its list.
    pub(crate) fn code_bytes(&self) -> u64 {
        self.read.extent.length - u64::from(self.labels)
    }
}

/// The labels of the list of one leaf: of its own rows, then of those spilled into it.
pub(crate) struct Labels<'a> {
    pub(crate) ids: IdView<'a>,
    row_checksums: &'a [[u8; 4]],
    start: u32,
    own: usize,
    spilled: Packed<'a>,
    /// The number of rows of the segment.
    rows: usize,
}

impl<'a> Labels<'a> {
    /// The labels at the start of a list. `rows` is how many the segment has.
    #[inline(never)]
    pub(crate) fn new(bytes: &'a [u8], leaf: &Leaf, text: bool, rows: usize) -> Result<Self, Error> {
        let mut reader = Reader { section: "lists", bytes };
        let own = (leaf.end - leaf.start) as usize;
        let spilled = leaf.spilled as usize;
        let count = own.saturating_add(spilled);
        let mut labels = Reader { section: "lists", bytes: reader.take(leaf.labels as usize)? };
        let row_checksums = labels.numbers(count)?;
        let (spilled, ids) = Packed::split(labels.bytes, spilled)
            .ok_or_else(|| bad("lists", "positions of spilled rows end too early"))?;
        let ids = IdView::new(ids, count, text)?;
        Ok(Labels { ids, row_checksums, start: leaf.start, own, spilled, rows })
    }

    pub(crate) fn count(&self) -> usize {
        self.row_checksums.len()
    }

    /// The position of the list's row `at`.
    #[inline]
    pub(crate) fn position(&self, at: usize) -> Result<u32, Error> {
        if at < self.own {
            return Ok(self.start + at as u32);
        }
        match self.spilled.get(at - self.own) {
            position if position < self.rows as u64 => Ok(position as u32),
            _ => Err(bad("lists", "a spilled row is beyond the last")),
        }
    }

    /// The checksum of the finest row of this list's row `at`.
    pub(crate) fn row_checksum(&self, at: usize) -> u32 {
        self.row_checksums.get(at).map_or(0, |b| u32::from_le_bytes(*b))
    }
}

/// The list of one leaf.
pub(crate) struct List<'a> {
    pub(crate) labels: Labels<'a>,
    /// The codes of the centroid of the leaf, around that of its cell.
    pub(crate) centre: &'a [u8],
    /// The rows' codes, a matrix.
    pub(crate) codes: &'a [u8],
}

impl<'a> List<'a> {
    /// `codec` is that of the codes, `rows` is how many the segment has.
    pub(crate) fn new(
        bytes: &'a [u8],
        leaf: &Leaf,
        codec: &Rabitq,
        text: bool,
        rows: usize,
    ) -> Result<Self, Error> {
        let labels = Labels::new(bytes, leaf, text, rows)?;
        let rest = bytes.get(leaf.labels as usize..).unwrap_or_default();
        let mut reader = Reader { section: "lists", bytes: rest };
        let codes_length = labels.count().saturating_mul(codec.stride());
        let centre = reader.take(rest.len().saturating_sub(codes_length))?;
        let codes = reader.take(codes_length)?;
        Ok(List { labels, centre, codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_beyond_its_section_is_refused() {
        let block = |labels: u32| -> Vec<u8> {
            let words = [0u64, 0].into_iter().flat_map(u64::to_le_bytes);
            let after = [0u8; 2].into_iter().chain([0u32, 1].into_iter().flat_map(u32::to_le_bytes));
            words.chain(labels.to_le_bytes()).chain(after).chain([0; 2 + 9]).collect()
        };
        let leaf = |bytes: &[u8]| {
            let extent = Extent { offset: 64, length: 100 };
            let lists = Lists { extent, longest: 100, seed: 0, centre: 6 };
            LeafBlock::new(bytes, 1, 9, lists, [0, 1]).unwrap().leaves(1).next().unwrap()
        };
        // One row and the centroid are 9 + 6 bytes.
        assert_eq!(leaf(&block(85)).unwrap().read.extent, Extent { offset: 64, length: 100 });
        assert_eq!(leaf(&block(0)).unwrap().read.extent.length, 15);
        assert_eq!(leaf(&block(86)).unwrap_err().code(), "corrupt");
        assert_eq!(leaf(&block(u32::MAX)).unwrap_err().code(), "corrupt");
    }
}
