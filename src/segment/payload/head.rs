//! The fields of a segment and the heads of their indexes, from the bytes of the payload section. What it says is checked as a
//! whole when a segment is opened.

use super::cursor::Cursor;
use super::geo::GeoHead;
use super::sorted::SortedHead;
use super::terms::{SetRef, TermsHead, add_inline, each_inline};
use super::units::{Unit, Units};
use super::{NAME, SECTIONS};
use crate::error::Error;
use crate::payload::{FieldKind, FieldType, NotIndexed};
use crate::segment::sets::{self, Place};
use crate::storage::{Extent, Read};

/// All fields of a segment, rising by name.
pub(crate) struct PayloadHead {
    pub(crate) fields: Vec<PayloadField>,
    /// Bytes of the longest unit of terms, of sets, and of sorted.
    pub(crate) largest: [u32; 3],
    pub(super) sets: Units,
    file_seed: u64,
    rows: usize,
}

/// A field and the head of its index.
pub(crate) struct PayloadField {
    pub(crate) name: Box<str>,
    pub(crate) kind: FieldKind,
    /// Rows that have a value; 0 of a field that is not indexed.
    pub(crate) rows: u32,
    /// Values of all rows.
    pub(crate) values: u64,
    pub(crate) index: IndexHead,
    /// The set of the rows that have a value, where only some have.
    present: Option<Read>,
    /// Bytes in the front, of terms, of sets, and of sorted.
    pub(crate) bytes: [u64; 4],
}

/// The head of an index.
pub(crate) enum IndexHead {
    Terms(TermsHead),
    Sorted(SortedHead),
    Geo(GeoHead),
    /// The field is not indexed.
    None,
}

/// What the heads of all kinds of index are decoded with.
pub(super) struct OfField {
    /// Values of all rows.
    pub(super) values: u64,
    /// Whether no row has several.
    pub(super) single: bool,
    pub(super) present: Option<Unit>,
    /// Where its sets end in their section, without the last, which is that of the rows that have a value.
    pub(super) sets_end: u64,
    /// Rows of the segment.
    pub(super) rows: u32,
    pub(super) units: [Units; 3],
}

impl PayloadHead {
    /// `sections` are where terms, sets and sorted are.
    ///
    /// # Errors
    /// `corrupt`.
    pub(in crate::segment) fn decode(
        bytes: &[u8],
        sections: [Extent; 3],
        rows: usize,
        file_seed: u64,
    ) -> Result<Self, Error> {
        let mut cursor = Cursor { left: bytes, section: NAME };
        let (count, largest) = (cursor.number()?, [cursor.short()?, cursor.short()?, cursor.short()?]);
        let units = [0, 1, 2].map(|n| Units::new(n, sections[n], largest[n], file_seed));
        if let Some(section) = (0..3).find(|&n| u64::from(largest[n]) > sections[n].length) {
            return Err(Error::corrupt(SECTIONS[section].name(), "its longest unit is longer than it"));
        }
        let mut head = PayloadHead { fields: Vec::new(), largest, sets: units[1], file_seed, rows };
        let mut ends = [0; 3];
        for _ in 0..count {
            let field = PayloadField::read(&mut cursor, units, &mut ends, rows)?;
            if head.fields.last().is_some_and(|last| last.name >= field.name) {
                return Err(Error::corrupt(NAME, "the names of fields do not rise"));
            }
            head.fields.push(field);
        }
        if !cursor.left.is_empty() {
            return Err(Error::corrupt(NAME, "bytes follow the last field"));
        }
        match (0..3).find(|&n| ends[n] != sections[n].length) {
            None => Ok(head),
            Some(n) => Err(Error::corrupt(SECTIONS[n].name(), "its length is not that of its units")),
        }
    }

    /// The fields by name, and whether they are indexed.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&str, FieldKind)> {
        self.fields.iter().map(|field| (&*field.name, field.kind))
    }

    /// The field of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&PayloadField> {
        self.fields.get(self.field(name)?)
    }

    /// The number of the field of a name.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.fields.binary_search_by(|field| (*field.name).cmp(name)).ok()
    }

    /// Sets the bits of the rows of a set in `words`, which have a bit for each row of the segment; those that are set
    /// stay so. `bytes` are those of a set that is read. Returns how many rows the set has.
    ///
    /// # Errors
    /// `corrupt`, `checksum`, `length`. Then some more bits may be set.
    pub(crate) fn add_set(&self, set: SetRef<'_>, bytes: &[u8], words: &mut [u64]) -> Result<usize, Error> {
        match set {
            SetRef::Inline(bytes) => add_inline(bytes, self.rows, words),
            SetRef::At(read) => {
                let offset = read.extent.offset.saturating_sub(self.sets.section.offset);
                sets::add(bytes, self.rows, Place { file_seed: self.file_seed, offset }, words)
            }
        }
    }

    /// Calls `take` with each row of a set that stands beside its text, rising.
    ///
    /// # Errors
    /// `corrupt`. Then some may have been given.
    pub(crate) fn each_inline(&self, bytes: &[u8], take: &mut dyn FnMut(u32)) -> Result<(), Error> {
        each_inline(bytes, self.rows, take).map(|_| ())
    }

    /// How many units there are of terms, of sets (at most), and of sorted.
    pub(crate) fn units(&self) -> [u64; 3] {
        let mut units = [0; 3];
        for field in &self.fields {
            let (section, blocks) = match &field.index {
                IndexHead::Terms(head) if field.bytes[1] > 0 => (0, head.blocks()),
                IndexHead::Sorted(head) => (2, head.blocks()),
                IndexHead::Geo(head) => (2, head.blocks()),
                IndexHead::Terms(_) | IndexHead::None => (0, 0),
            };
            units[section] += blocks as u64;
        }
        units[1] = self.sets.section.length.div_ceil(sets::SHORTEST);
        units
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let field = |field: &PayloadField| {
            let index = match &field.index {
                IndexHead::Terms(head) => head.bytes(),
                IndexHead::Sorted(head) => head.bytes(),
                IndexHead::Geo(head) => head.bytes(),
                IndexHead::None => 0,
            };
            field.name.len() as u64 + index
        };
        crate::memory::bytes(&self.fields) + self.fields.iter().map(field).sum::<u64>()
    }
}

impl PayloadField {
    /// `ends` are where the units of the fields before it end in the three sections; they are moved behind its own.
    fn read(
        cursor: &mut Cursor<'_>,
        units: [Units; 3],
        ends: &mut [u64; 3],
        rows: usize,
    ) -> Result<Self, Error> {
        let bad = |detail: &str| Error::corrupt(NAME, detail);
        let (left, starts) = (cursor.left.len(), *ends);
        let length = cursor.short()? as usize;
        let name = std::str::from_utf8(cursor.take(length)?).map_err(|_| bad("a name that is not UTF-8"))?;
        let kind = kind([cursor.u8()?, cursor.u8()?])
            .ok_or_else(|| bad("a field of a type that this version does not know"))?;
        let mut field = PayloadField {
            name: name.into(),
            kind,
            rows: 0,
            values: 0,
            index: IndexHead::None,
            present: None,
            bytes: [0; 4],
        };
        if let FieldKind::Indexed(of) = kind {
            (field.rows, field.values) = (cursor.short()?, cursor.number()?);
            let has = u64::from(field.rows);
            if field.rows as usize > rows || field.values < has || (has == 0 && field.values > 0) {
                return Err(bad("a field with more rows than there are, or fewer values than rows"));
            }
            let sets_end = ends[1].checked_add(cursor.number()?);
            let sets_end = sets_end.filter(|&end| end <= units[1].section.length);
            let mut sets_end = sets_end.ok_or_else(|| bad("the sets of a field leave their section"))?;
            let mut present = None;
            if field.rows > 0 && (field.rows as usize) < rows {
                let mut unit = Unit { at: 0, length: cursor.short()?, checksum: cursor.u32()? };
                unit.at = sets_end.checked_sub(u64::from(unit.length)).unwrap_or(u64::MAX);
                if unit.at < ends[1] || !units[1].hold(unit) {
                    return Err(bad("the set of a field leaves its section"));
                }
                sets_end = unit.at;
                present = Some(unit);
            }
            field.present = present.map(|unit| units[1].read(unit));
            let (values, single) = (field.values, field.values == has);
            let of_field = OfField { values, single, present, sets_end, rows: rows as u32, units };
            field.index = match of {
                FieldType::Keyword | FieldType::Boolean => {
                    IndexHead::Terms(TermsHead::read(cursor, &of_field, ends)?)
                }
                FieldType::Integer | FieldType::Float | FieldType::Timestamp => {
                    IndexHead::Sorted(SortedHead::read(cursor, &of_field, ends)?)
                }
                FieldType::Geo => IndexHead::Geo(GeoHead::read(cursor, &of_field, ends)?),
            };
            if ends[1] != sets_end {
                return Err(bad("the sets of a field are not of its length"));
            }
            ends[1] = present.map_or(sets_end, Unit::end);
        }
        let [terms, sets, sorted] = [0, 1, 2].map(|n| ends[n] - starts[n]);
        field.bytes = [(left - cursor.left.len()) as u64, terms, sets, sorted];
        Ok(field)
    }

    /// The set of the rows that have a value; `None` if all have one, or none has.
    pub(crate) fn present(&self) -> Option<Read> {
        self.present
    }
}

/// Of two bytes: a type, or 0; why it has none, or 0.
fn kind(bytes: [u8; 2]) -> Option<FieldKind> {
    use NotIndexed::{Declared, Distinct, Large, Long, Mixed, Nested};
    match bytes {
        [0, reason] => {
            let all = [Declared, Mixed, Long, Distinct, Nested, Large];
            all.into_iter().find(|&known| known as u8 == reason).map(FieldKind::Stored)
        }
        [of, 0] => FieldType::ALL.into_iter().find(|&known| known as u8 == of).map(FieldKind::Indexed),
        _ => None,
    }
}
