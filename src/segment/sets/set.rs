//! A whole set: from rows to bytes, and back.

use super::chunk::{self, SPAN, WORDS};
use super::directory::{self, Directory, Entry, span};
use super::{Place, SECTION, corrupt};
use crate::error::Error;
use crate::row_set::RowSet;
use crate::segment::limits::MAX_COUNT;
use crate::storage::checksum::file_seed;

/// The bytes of a set of rows.
pub(crate) fn encode(rows: &RowSet, place: Place) -> Vec<u8> {
    encode_positions(&mut rows.from(0), rows.length(), place)
}

/// The bytes of the set of these positions, which rise and are below `rows`.
pub(crate) fn encode_positions(
    positions: &mut dyn Iterator<Item = u32>,
    rows: usize,
    place: Place,
) -> Vec<u8> {
    let (mut entries, mut chunks, mut chunk) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = positions.next();
    while let Some(first) = next {
        let number = first as usize / SPAN;
        chunk.clear();
        while let Some(position) = next.filter(|&p| p as usize / SPAN == number) {
            chunk.push((position as usize % SPAN) as u16);
            next = positions.next();
        }
        let start = chunks.len();
        let kind = chunk::encode(&chunk, span(number, rows), &mut chunks);
        entries.push(Entry { number, kind, count: chunk.len(), length: chunks.len() - start, sum: 0 });
    }
    let (directory, mut start) = (directory::length(entries.len()), 0);
    for entry in &mut entries {
        entry.sum = place.sum(directory + start, &chunks[start..start + entry.length]);
        start += entry.length;
    }
    let mut out = directory::encode(&entries, place);
    out.append(&mut chunks);
    out
}

/// The set of rows in `bytes`, of a segment with so many rows. Holds a bit for each row, so the caller must know `rows`
/// from elsewhere than these bytes.
///
/// # Errors
/// `corrupt`, `checksum`, `length`, `out-of-memory`.
pub(crate) fn decode(bytes: &[u8], rows: usize, place: Place) -> Result<RowSet, Error> {
    let mut words = RowSet::no_words(rows)?;
    add(bytes, rows, place, &mut words)?;
    RowSet::of_words(words, rows)
}

/// Sets the bits of the positions of the set in `bytes`; those that are set stay so. `words` has a bit for each of
/// `rows`. Returns how many positions the set has; an error may leave some more set.
///
/// # Errors
/// `corrupt`, `checksum`, `length`.
pub(crate) fn add(bytes: &[u8], rows: usize, place: Place, words: &mut [u64]) -> Result<usize, Error> {
    let directory = Directory::read(bytes, rows, place)?;
    if directory.end() != bytes.len() {
        let (expected, got) = (directory.end() as u64, bytes.len() as u64);
        return Err(Error::Length { section: SECTION, expected, got });
    }
    let mut count = 0;
    for (entry, range) in directory.chunks() {
        count += entry.count;
        let bytes = bytes.get(range.clone()).ok_or_else(|| corrupt("a chunk beyond its end"))?;
        place.check(range.start, bytes, entry.sum)?;
        let words = words.chunks_mut(WORDS).nth(entry.number);
        let words = words.ok_or_else(|| corrupt("a chunk beyond the last row"))?;
        chunk::decode(entry.kind, bytes, entry.count, span(entry.number, rows), words)?;
    }
    Ok(count)
}

/// A set of positions of a segment's rows: one bit for each row.
///
/// ```
/// use pagevec::PositionSet;
///
/// let dead = PositionSet::from_positions(100_000, [7, 99_999])?;
/// let file_id = [1; 16];
/// let bytes = dead.encode(&file_id, 0);
/// assert_eq!(PositionSet::decode(&bytes, 100_000, &file_id, 0)?, dead);
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionSet {
    rows: RowSet,
}

impl PositionSet {
    /// The set of these positions, each below `rows`, in any order; one that comes twice counts once.
    ///
    /// # Errors
    /// `argument` for a position that no row has, or more rows than 2³¹ − 1, which is all that a segment holds;
    /// `out-of-memory`.
    pub fn from_positions(rows: usize, positions: impl IntoIterator<Item = u32>) -> Result<Self, Error> {
        check_rows(rows)?;
        let mut beyond = None;
        let positions =
            positions.into_iter().inspect(|&p| beyond = beyond.or((p as usize >= rows).then_some(p)));
        let set = RowSet::of(rows, positions)?;
        match beyond {
            None => Ok(PositionSet { rows: set }),
            Some(position) => Err(Error::argument(
                "positions",
                format!("{position} is not a position of {rows} rows: give positions below {rows}"),
            )),
        }
    }

    /// The rows of the segment, which bound the positions.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.length()
    }

    /// Positions in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.count()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.count() == 0
    }

    /// Whether a position is in the set.
    #[must_use]
    pub fn contains(&self, position: u32) -> bool {
        self.rows.contains(position)
    }

    /// The positions, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.rows.from(0)
    }

    /// The positions of both sets.
    ///
    /// # Errors
    /// `argument` where the sets are of different numbers of rows; `out-of-memory`.
    pub fn and(self, other: &PositionSet) -> Result<Self, Error> {
        self.check_same_rows(other)?;
        Ok(PositionSet { rows: self.rows.and(&other.rows)? })
    }

    /// The positions of either set.
    ///
    /// # Errors
    /// `argument` where the sets are of different numbers of rows; `out-of-memory`.
    pub fn or(self, other: &PositionSet) -> Result<Self, Error> {
        self.check_same_rows(other)?;
        Ok(PositionSet { rows: self.rows.or(&other.rows)? })
    }

    /// The positions that are not in the set.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub fn complement(self) -> Result<Self, Error> {
        Ok(PositionSet { rows: self.rows.complement()? })
    }

    /// The set as FORMAT.md describes it under "Position sets". Its checksums are seeded by the id of the segment whose
    /// rows it names, and by the offset at which it will stand in its section.
    #[must_use]
    pub fn encode(&self, file_id: &[u8; 16], offset: u64) -> Vec<u8> {
        encode(&self.rows, Place { file_seed: file_seed(file_id), offset })
    }

    /// The set that [`PositionSet::encode`] wrote with the same file id and offset. It takes a bit for each of `rows`,
    /// whatever the length of `bytes`.
    ///
    /// # Errors
    /// `corrupt`, `checksum` or `length` for bytes that are no such set, or one of more rows; `argument` for more rows
    /// than 2³¹ − 1; `out-of-memory`.
    pub fn decode(bytes: &[u8], rows: usize, file_id: &[u8; 16], offset: u64) -> Result<Self, Error> {
        check_rows(rows)?;
        Ok(PositionSet { rows: decode(bytes, rows, Place { file_seed: file_seed(file_id), offset })? })
    }

    /// # Errors
    /// `argument` for more rows than a segment holds.
    pub(crate) fn of_row_set(rows: RowSet) -> Result<Self, Error> {
        check_rows(rows.length())?;
        Ok(PositionSet { rows })
    }

    pub(crate) fn into_row_set(self) -> RowSet {
        self.rows
    }

    fn check_same_rows(&self, other: &PositionSet) -> Result<(), Error> {
        let (a, b) = (self.rows(), other.rows());
        match a == b {
            true => Ok(()),
            false => Err(Error::argument(
                "other",
                format!("a set of {b} rows, not of {a}: take one of the same segment"),
            )),
        }
    }
}

fn check_rows(rows: usize) -> Result<(), Error> {
    match rows <= MAX_COUNT {
        true => Ok(()),
        false => {
            Err(Error::argument("rows", format!("{rows} is more than a segment holds: at most {MAX_COUNT}")))
        }
    }
}
