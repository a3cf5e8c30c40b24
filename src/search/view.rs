//! What a search sees of a segment: the segment, the bytes of its file that are available, and the rows that may be hits.
//! An index of several segments is searched over one view of each.

use std::ops::Range;

use crate::error::Error;
use crate::row_set::RowSet;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Expected, Extent, Read, Source, each_once};

/// See the head of this file.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) source: &'a dyn Source,
    /// `None`: every row.
    pub(crate) rows: Option<&'a RowSet>,
    /// Where the file begins in the address space of all segments of the index. The source knows nothing of it.
    pub(crate) base: u64,
}

impl<'a> View<'a> {
    /// A view of every row.
    pub(crate) fn new(segment: &'a Segment, source: &'a dyn Source) -> Self {
        View { segment, source, rows: None, base: 0 }
    }

    /// The same, of which only these rows may be hits. `None`: those of this view.
    pub(super) fn of_rows<'b>(&self, rows: Option<&'b RowSet>) -> View<'b>
    where
        'a: 'b,
    {
        View { rows: rows.or(self.rows), ..*self }
    }

    /// Reads of this segment in the address space of all.
    pub(crate) fn placed(&self, mut reads: Vec<Read>) -> Vec<Read> {
        if self.base > 0 {
            reads.iter_mut().for_each(|read| read.extent.offset += self.base);
        }
        reads
    }

    /// How many rows may be hits.
    pub(crate) fn count(&self) -> usize {
        self.rows.map_or(self.segment.count(), RowSet::count)
    }

    /// How many rows of a run of positions may be hits.
    pub(super) fn count_in(&self, run: Range<u32>) -> u32 {
        self.rows.map_or(run.end - run.start, |rows| rows.count_in(run))
    }

    /// The positions in a run that may be hits, rising.
    pub(super) fn positions(&self, run: Range<u32>) -> impl Iterator<Item = u32> + use<'a> {
        let (rows, mut next) = (self.rows, run.start);
        std::iter::from_fn(move || {
            let at = rows.map_or(Some(next), |rows| rows.next(next)).filter(|&at| at < run.end)?;
            next = at + 1;
            Some(at)
        })
    }

    /// The sections that have the checksums of finer rows.
    pub(super) fn checksums_of_rows(&self) -> Vec<SectionKind> {
        self.segment.finer.iter().filter_map(|rows| rows.checksums).collect()
    }

    /// The sections among these that are not available, as reads.
    #[inline(never)]
    pub(super) fn missing(&self, kinds: &[SectionKind]) -> Vec<Read> {
        let extents = kinds.iter().filter_map(|&kind| self.segment.extent(kind));
        let absent = extents.filter(|&e| e.length > 0 && self.source.get(e).is_none());
        absent.map(|extent| Read { extent, expected: Expected::Blocks }).collect()
    }

    /// The codes that are read together with those of the row at `position`: all codes if they fit, else one chunk.
    pub(super) fn chunk_around(&self, position: u32) -> Read {
        let (codes, count) = (&self.segment.codes, self.segment.count() as u64);
        let whole = self.source.fits(codes.extent);
        let chunk = if whole { count } else { self.source.slots(codes.extent).bytes / codes.stride };
        let first = u64::from(position) / chunk.max(1) * chunk.max(1);
        let length = chunk.max(1).min(count.saturating_sub(first)) * codes.stride;
        let extent = Extent { offset: codes.extent.offset + first * codes.stride, length };
        Read { extent, expected: Expected::Blocks }
    }

    /// Drops double reads, and those for which there are no slots. All must be units of one section.
    pub(super) fn fitting(&self, mut reads: Vec<Read>) -> Vec<Read> {
        each_once(&mut reads);
        let Some(section) = reads.first().and_then(|r| self.segment.section_extent(r.extent)) else {
            return reads;
        };
        reads.retain(|r| section.contains(r.extent));
        reads.truncate(self.source.slots(section).count.max(1));
        reads
    }

    /// Bytes that the source had a moment ago.
    pub(super) fn delivered(&self, extent: Extent) -> Result<&'a [u8], Error> {
        if extent.length == 0 {
            return Ok(&[]);
        }
        self.source.get(extent).ok_or_else(|| Error::internal("bytes that were delivered are gone"))
    }
}
