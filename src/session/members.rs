//! The segments of an index, and the one address space of their files.
//!
//! Reads of all segments go through one arena and one list of needs, so each file has a range of addresses of its own:
//! that of segment 0 begins at 0, that of the next at a multiple of 2³² which is at least 2³² bytes behind the end of the
//! one before. So extents of two segments are never neighbours.

use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::memory::{Shared, bytes};
use crate::row_set::SharedRows;
use crate::search::View;
use crate::segment::{PositionSet, Segment};
use crate::sort;
use crate::storage::{Extent, Paged, Read, SlotRoom, Source};

/// Between two files, at least; and a multiple of it is where a file begins.
const GAP: u64 = 1 << 32;

/// A segment of an index.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) segment: Shared<Segment>,
    /// The address of the first byte of its file.
    pub(crate) base: u64,
    /// The rows that are not dead; `None`: all.
    pub(crate) alive: Option<SharedRows>,
}

/// The segments of an index: at least one, all of the same dimension, metric and kind of ids.
pub(crate) struct Members(Vec<Member>);

impl Members {
    /// So many segments are in an index at most.
    pub(crate) const MOST: usize = 1024;

    /// Segments in order, with the rows of each that are dead.
    ///
    /// # Errors
    /// `argument` if they do not belong together, there are none, or too many; `out-of-memory`.
    pub(crate) fn new(segments: Vec<(Segment, Option<PositionSet>)>) -> Result<Self, Error> {
        let with_rows = |(segment, dead): (Segment, Option<PositionSet>)| {
            let alive = alive_rows(&segment, dead)?;
            Ok((Shared::new(segment), alive))
        };
        Members::of(segments.into_iter().map(with_rows).collect::<Result<_, Error>>()?)
    }

    /// Segments in order, with the rows of each that are not dead (`None`: all).
    ///
    /// # Errors
    /// As [`Members::new`].
    pub(crate) fn of(segments: Vec<(Shared<Segment>, Option<SharedRows>)>) -> Result<Self, Error> {
        if segments.is_empty() || segments.len() > Members::MOST {
            let detail = format!("{} segments: an index has 1 to {}", segments.len(), Members::MOST);
            return Err(Error::argument("segments", detail));
        }
        let (mut members, mut base) = (Vec::with_capacity(segments.len()), 0u64);
        for (segment, alive) in segments {
            let end = base.saturating_add(segment.header.file_length);
            let mut member = Member { segment, base, alive: None };
            if let Some(alive) = alive {
                member.set_alive(alive)?;
            }
            members.push(member);
            base = end.div_ceil(GAP).saturating_add(1).saturating_mul(GAP);
        }
        let members = Members(members);
        members.check_kinds()?;
        Ok(members)
    }

    /// The same segments, of which these have other rows that are not dead.
    ///
    /// # Errors
    /// `argument` for a segment that is not there, and for rows of another number.
    pub(crate) fn with_alive(&self, changes: Vec<(usize, SharedRows)>) -> Result<Self, Error> {
        let mut members = self.0.clone();
        for (number, alive) in changes {
            let none = || Error::argument("segment", format!("there is no segment {number}"));
            members.get_mut(number).ok_or_else(none)?.set_alive(alive)?;
        }
        Ok(Members(members))
    }

    fn check_kinds(&self) -> Result<(), Error> {
        let kind = |member: &Member| {
            let header = &member.segment.header;
            (header.dim, header.metric, header.text_ids)
        };
        match self.0.iter().position(|member| kind(member) != kind(&self.0[0])) {
            None => Ok(()),
            Some(number) => {
                let [(dim, metric, texts), (dim0, metric0, texts0)] =
                    [kind(&self.0[number]), kind(&self.0[0])];
                let ids = |texts| if texts { "text" } else { "number" };
                Err(Error::argument(
                    "segments",
                    format!(
                        "segment {number} has {dim} components, {}, {} ids; the first has {dim0}, {}, {}: rebuild it so",
                        metric.name(),
                        ids(texts),
                        metric0.name(),
                        ids(texts0),
                    ),
                ))
            }
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> + ExactSizeIterator {
        self.0.iter()
    }

    /// The first segment: in dimension, metric and kind of ids all are like it.
    pub(crate) fn first(&self) -> &Segment {
        &self.0[0].segment
    }

    /// The segment around an address.
    pub(crate) fn at(&self, address: u64) -> &Member {
        &self.0[self.number_at(address)]
    }

    /// Its number.
    pub(crate) fn number_at(&self, address: u64) -> usize {
        self.0.partition_point(|member| member.base <= address).saturating_sub(1)
    }

    /// Bytes of the fronts of all files.
    pub(crate) fn fronts(&self) -> u64 {
        self.0.iter().map(|member| member.segment.header.front_length).sum()
    }

    /// Counts them: their fronts by the bytes that these have in the files, and as places what they have allocated beyond
    /// that.
    ///
    /// # Errors
    /// `budget`.
    pub(crate) fn reserve(&self, ledger: &Ledger) -> Result<[Reservation; 2], Error> {
        let of = |member: &Member| member.bytes() + member.alive.as_ref().map_or(0, |rows| rows.bytes());
        let allocated = self.bytes() + self.0.iter().map(of).sum::<u64>();
        let (fronts, beyond) = (self.fronts(), allocated.saturating_sub(self.fronts()));
        Ok([ledger.reserve(Part::Fronts, fronts)?, ledger.reserve(Part::Places, beyond)?])
    }

    /// What it has allocated itself.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.0)
    }

    /// How many of `reads` fit at once: all, or those of the first segments. An error if not even those of the first can
    /// ever fit; 0 if they must wait.
    pub(crate) fn fitting(&self, paged: &Paged, ticket: u32, reads: &[Read]) -> Result<usize, Error> {
        if self.0.len() == 1 {
            return Ok(reads.len());
        }
        let base = |read: &Read| self.at(read.extent.offset).base;
        let groups: Vec<&[Read]> = reads.chunk_by(|a, b| base(a) == base(b)).collect();
        let fit = paged.fitting(ticket, &groups)?;
        Ok(groups.iter().take(fit).map(|group| group.len()).sum())
    }

    /// Compares bytes with their checksums. `read` has addresses.
    pub(crate) fn check(&self, mut read: Read, bytes: &[u8]) -> Result<(), Error> {
        let member = self.at(read.extent.offset);
        read.extent.offset -= member.base;
        member.segment.check(read, bytes)
    }

    /// Merges neighbours that are in one section, and what overlaps: a caller takes a request apart by these extents.
    pub(crate) fn merge(&self, extents: impl Iterator<Item = Extent>) -> Vec<Extent> {
        let mut extents: Vec<Extent> = extents.collect();
        sort::by_key(&mut extents, |&extent| extent);
        let mut merged: Vec<Extent> = Vec::new();
        for extent in extents {
            let follows = |end| extent.offset == end && !self.starts_section(end);
            match merged.last_mut() {
                Some(last) if extent.offset < last.end() || follows(last.end()) => {
                    last.length = last.length.max(extent.end() - last.offset);
                }
                _ => merged.push(extent),
            }
        }
        merged
    }

    fn starts_section(&self, address: u64) -> bool {
        let member = self.at(address);
        let mut sections = member.segment.header.sections.iter();
        sections.any(|section| section.extent.offset == address - member.base)
    }

    /// Calls `f` with a view of each segment over `source`, which has addresses.
    pub(crate) fn with_views<T>(&self, source: &dyn Source, f: impl FnOnce(&[View<'_>]) -> T) -> T {
        if let [member] = self.0.as_slice() {
            return f(&[member.view(source)]);
        }
        let shifted: Vec<Shifted<'_>> =
            self.0.iter().map(|member| Shifted { source, base: member.base }).collect();
        let views = self.0.iter().zip(&shifted).map(|(member, source)| member.view(source));
        f(&views.collect::<Vec<View<'_>>>())
    }

    /// Calls `f` with a view of each segment over a source of its own, which holds its file.
    pub(crate) fn with_files<S: AsRef<dyn Source + Send + Sync>, T>(
        &self,
        files: &[S],
        f: impl FnOnce(&[View<'_>]) -> T,
    ) -> T {
        match (self.0.as_slice(), files) {
            ([member], [file]) => f(&[member.view(file.as_ref())]),
            (members, files) => {
                let views = members.iter().zip(files).map(|(member, file)| member.view(file.as_ref()));
                f(&views.collect::<Vec<View<'_>>>())
            }
        }
    }
}

impl Member {
    pub(crate) fn view<'a>(&'a self, source: &'a dyn Source) -> View<'a> {
        View { rows: self.alive.as_deref(), base: self.base, ..View::new(&self.segment, source) }
    }

    /// What the segment has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        size_of::<Segment>() as u64 + self.segment.bytes()
    }

    /// Sets which rows are not dead.
    fn set_alive(&mut self, alive: SharedRows) -> Result<(), Error> {
        let (count, length) = (self.segment.count(), alive.length());
        if length != count {
            let detail = format!("live rows of {length} rows, of a segment of {count}");
            return Err(Error::argument("alive", detail));
        }
        self.alive = (!alive.is_full()).then_some(alive);
        Ok(())
    }

    /// Rows that are not dead.
    pub(crate) fn count(&self) -> usize {
        self.alive.as_ref().map_or(self.segment.count(), |alive| alive.count())
    }
}

/// The rows of a segment that are not dead; `None`: all.
///
/// # Errors
/// `corrupt` for dead rows of another number of rows; `out-of-memory`.
pub(crate) fn alive_rows(segment: &Segment, dead: Option<PositionSet>) -> Result<Option<SharedRows>, Error> {
    let Some(dead) = dead.filter(|dead| !dead.is_empty()) else { return Ok(None) };
    if dead.rows() != segment.count() {
        let detail = format!("dead rows of {} rows, of a segment of {}", dead.rows(), segment.count());
        return Err(Error::corrupt("dead rows", detail));
    }
    Ok(Some(SharedRows::new(dead.into_row_set().complement()?)))
}

/// The part of a source that one file has.
struct Shifted<'a> {
    source: &'a dyn Source,
    base: u64,
}

impl Shifted<'_> {
    fn address(&self, extent: Extent) -> Extent {
        Extent { offset: extent.offset.saturating_add(self.base), ..extent }
    }
}

impl Source for Shifted<'_> {
    fn get(&self, extent: Extent) -> Option<&[u8]> {
        self.source.get(self.address(extent))
    }

    fn fits(&self, section: Extent) -> bool {
        self.source.fits(self.address(section))
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        self.source.slots(self.address(section))
    }

    fn speculative_bytes(&self) -> u64 {
        self.source.speculative_bytes()
    }

    fn memory(&self) -> u64 {
        self.source.memory()
    }

    fn prefetch(&self, extents: &mut dyn Iterator<Item = Extent>) {
        self.source.prefetch(&mut extents.map(|extent| self.address(extent)));
    }

    fn prefetch_records(&self, first: Extent, at: &[u32]) -> bool {
        self.source.prefetch_records(self.address(first), at)
    }
}
