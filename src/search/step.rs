//! The result of one step, and the reads that a step asks for.

use crate::error::Error;
use crate::segment::{SectionKind, Segment};
use crate::storage::{Expected, Extent, Read, Source, in_order};

/// The result of a step.
#[derive(Debug, PartialEq)]
pub(crate) enum Step<T> {
    /// Deliver these, then step again.
    Need(Vec<Read>),
    /// The outcome.
    Done(T),
}

impl<T> Step<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Step::Need(reads) => Step::Need(reads),
            Step::Done(value) => Step::Done(f(value)),
        }
    }

    /// The outcome over a source that has the whole file: what it misses lies beyond the file's end.
    pub(crate) fn whole(self) -> Result<T, Error> {
        match self {
            Step::Done(value) => Ok(value),
            Step::Need(reads) => {
                let end = reads.iter().map(|r| r.extent.end()).max().unwrap_or(0);
                Err(Error::corrupt("file", format!("it ends before byte {end}")))
            }
        }
    }
}

/// The sections among `a` and `b` that the source does not have, as reads.
pub(super) fn missing(
    segment: &Segment,
    source: &dyn Source,
    a: &[SectionKind],
    b: &[SectionKind],
) -> Vec<Read> {
    let extents = a.iter().chain(b).filter_map(|&k| segment.extent(k));
    let absent = extents.filter(|&e| e.length > 0 && source.get(e).is_none());
    absent.map(|extent| Read { extent, expected: Expected::Blocks }).collect()
}

/// The codes that are read together with those of the row at `position`: all codes if they fit, else one chunk.
pub(super) fn chunk_around(segment: &Segment, source: &dyn Source, position: u32) -> Read {
    let codes = &segment.codes;
    let count = segment.count() as u64;
    let chunk =
        if source.fits(codes.extent) { count } else { source.slots(codes.extent).bytes / codes.stride };
    let first = u64::from(position) / chunk.max(1) * chunk.max(1);
    let length = chunk.max(1).min(count.saturating_sub(first)) * codes.stride;
    let extent = Extent { offset: codes.extent.offset + first * codes.stride, length };
    Read { extent, expected: Expected::Blocks }
}

/// Drops double reads, and those for which there are no slots. All must be units of one section.
pub(super) fn fitting(mut reads: Vec<Read>, source: &dyn Source, segment: &Segment) -> Vec<Read> {
    in_order(&mut reads);
    reads.dedup_by_key(|r| r.extent);
    let Some(section) = reads.first().and_then(|r| segment.section_extent(r.extent)) else { return reads };
    reads.retain(|r| section.contains(r.extent));
    reads.truncate(source.slots(section).count.max(1));
    reads
}

/// Bytes that the source had a moment ago.
pub(super) fn delivered(source: &dyn Source, extent: Extent) -> Result<&[u8], Error> {
    if extent.length == 0 {
        return Ok(&[]);
    }
    source.get(extent).ok_or_else(|| Error::internal("bytes that were delivered are gone"))
}
