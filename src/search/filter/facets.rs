//! Facets: how many rows have each value of a field, of all rows or of those that a filter matches. They are counted from the
//! sets of terms and from the blocks of keys; no stored field is read.

use std::collections::BTreeMap;
use std::fmt;

use super::{Missing, block, kinds};
use crate::error::Error;
use crate::payload::{FieldKind, FieldType, as_float, time, to_float, to_integer};
use crate::row_set::RowSet;
use crate::search::view::View;
use crate::segment::payload::{IndexHead, PayloadField, PayloadHead, SetRef, Term};
use crate::storage::Read;

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// Of a keyword.
    Text(String),
    /// Of an integer.
    Integer(i64),
    /// Of a float.
    Float(f64),
    /// Of a boolean.
    Boolean(bool),
    /// Of a timestamp: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// As JSON has it, texts without quotes; a timestamp as RFC 3339 text.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldValue::Text(text) => f.write_str(text),
            FieldValue::Integer(number) => number.fmt(f),
            FieldValue::Float(number) => number.fmt(f),
            FieldValue::Boolean(value) => value.fmt(f),
            FieldValue::Timestamp(ms) => f.write_str(&time::format(*ms)),
        }
    }
}

/// How many rows have each value of a field.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ValueCounts {
    /// How many values some row has.
    pub distinct: usize,
    /// The values that most rows have, with their rows: most rows first, then in the order of the values.
    pub values: Vec<(FieldValue, u64)>,
}

/// A value where it is counted, in the order of values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Text(Box<str>),
    Number(u64),
}

/// Facets under way, once the rows are known.
pub(crate) struct Facets {
    field: String,
    limit: usize,
    kind: FieldType,
    counts: BTreeMap<Key, u64>,
    /// For each segment what must be read.
    units: Vec<Vec<Unit>>,
}

enum Unit {
    Terms(usize),
    Set { term: Box<str>, read: Read },
    Keys(usize),
}

impl Facets {
    /// Checks the field; reads nothing.
    ///
    /// # Errors
    /// `filter` for a field that no segment has indexed, or of points, or of different types in different segments.
    pub(in crate::search) fn new(views: &[View<'_>], field: String, limit: usize) -> Result<Self, Error> {
        let kind = crate::payload::facet_type(&field, kinds(views))?;
        Ok(Facets::of(views, field, kind, limit))
    }

    /// Of a field of this type; reads nothing.
    pub(crate) fn of(views: &[View<'_>], field: String, kind: FieldType, limit: usize) -> Self {
        let mut facets =
            Facets { field, limit, kind, counts: BTreeMap::new(), units: Vec::with_capacity(views.len()) };
        for view in views {
            let units = match find(view, &facets.field).map(|(_, field)| &field.index) {
                Some(IndexHead::Terms(head)) => (0..head.blocks()).rev().map(Unit::Terms).collect(),
                Some(IndexHead::Sorted(head)) => (0..head.blocks()).rev().map(Unit::Keys).collect(),
                _ => Vec::new(),
            };
            facets.units.push(units);
        }
        facets
    }

    /// Counts rows that are in no segment. `from` is the type of the key.
    pub(crate) fn add(&mut self, key: Key, from: FieldType, count: u64) {
        *self.counts.entry(key.of(from, self.kind)).or_default() += count;
    }

    /// Goes as far as the available bytes allow, and adds the reads that it misses. If there are none, it is done. `rows` are
    /// those that count, one set for each segment; `None`: all.
    pub(crate) fn step(
        &mut self,
        views: &[View<'_>],
        rows: &[Option<&RowSet>],
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        for (segment, view) in views.iter().enumerate() {
            let Some(units) = self.units.get_mut(segment) else { continue };
            let mut units = std::mem::take(units);
            let (mut missing, mut left) = (Missing::default(), Vec::new());
            let Some((payload, field)) = find(view, &self.field) else { continue };
            let mut counting = Counting {
                view,
                payload,
                rows: rows.get(segment).copied().flatten(),
                words: RowSet::no_words(view.segment.count())?,
                of: self.kind,
                counts: &mut self.counts,
            };
            while let Some(unit) = units.pop() {
                let Some(read) = counting.take(field, &unit, &mut units)? else { continue };
                match unit {
                    Unit::Terms(_) => missing.terms.push(read),
                    Unit::Set { .. } => missing.sets.push(read),
                    Unit::Keys(_) => missing.sorted.push(read),
                }
                left.push(unit);
            }
            left.reverse();
            self.units[segment] = left;
            missing.into_reads(view, reads);
        }
        Ok(())
    }

    /// The counts. It must be done.
    pub(crate) fn finish(&mut self) -> ValueCounts {
        let counts = std::mem::take(&mut self.counts);
        let distinct = counts.len();
        let mut all: Vec<(Key, u64)> = counts.into_iter().collect();
        crate::sort::by(&mut all, |a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(self.limit);
        let values = all.into_iter().map(|(key, count)| (self.value(key), count)).collect();
        ValueCounts { distinct, values }
    }

    fn value(&self, key: Key) -> FieldValue {
        match (key, self.kind) {
            (Key::Text(text), FieldType::Boolean) => FieldValue::Boolean(&*text == "true"),
            (Key::Text(text), _) => FieldValue::Text(text.into()),
            (Key::Number(key), FieldType::Float) => FieldValue::Float(to_float(key)),
            (Key::Number(key), FieldType::Timestamp) => FieldValue::Timestamp(to_integer(key)),
            (Key::Number(key), _) => FieldValue::Integer(to_integer(key)),
        }
    }

    /// The bytes that it has allocated, about.
    pub(in crate::search) fn bytes(&self) -> u64 {
        const ENTRY: u64 = 64;
        let units = self.units.iter().map(crate::memory::bytes).sum::<u64>();
        self.counts.len() as u64 * ENTRY + units
    }
}

impl Key {
    /// A value of one type as one of another: of whole numbers as floats.
    fn of(self, from: FieldType, to: FieldType) -> Self {
        match self {
            Key::Number(key) if (from, to) == (FieldType::Integer, FieldType::Float) => {
                Key::Number(as_float(key))
            }
            key => key,
        }
    }
}

/// The field of this name, if the segment has indexed it.
fn find<'a>(view: &View<'a>, name: &str) -> Option<(&'a PayloadHead, &'a PayloadField)> {
    let payload = view.segment.payload.as_ref()?;
    let field = payload.get(name)?;
    matches!(field.kind, FieldKind::Indexed(_)).then_some((payload, field))
}

/// The counts of one segment.
struct Counting<'a, 'b> {
    view: &'b View<'a>,
    payload: &'a PayloadHead,
    rows: Option<&'b RowSet>,
    /// Of the set that is counted; zeros between two of them.
    words: Vec<u64>,
    /// The type of the values that are counted.
    of: FieldType,
    counts: &'b mut BTreeMap<Key, u64>,
}

impl Counting<'_, '_> {
    /// Counts what a unit has, or returns the read that it misses.
    fn take(
        &mut self,
        field: &PayloadField,
        unit: &Unit,
        more: &mut Vec<Unit>,
    ) -> Result<Option<Read>, Error> {
        let here = |read: &Read| self.view.source.get(read.extent);
        match (unit, &field.index) {
            (&Unit::Terms(number), IndexHead::Terms(head)) => {
                let bytes = match block(self.view, head, number) {
                    Ok(bytes) => bytes,
                    Err(read) => return Ok(Some(read)),
                };
                let mut terms = head.each(bytes);
                while let Some(Term { text, count, set }) = terms.read()? {
                    let term: Box<str> = text.into();
                    match (self.rows, set) {
                        (None, _) => self.add(Key::Text(term), u64::from(count)),
                        (_, SetRef::At(read)) => more.push(Unit::Set { term, read }),
                        (_, inline) => self.count(term, inline, &[])?,
                    }
                }
            }
            (Unit::Set { term, read }, _) => {
                let Some(bytes) = here(read) else { return Ok(Some(*read)) };
                self.count(term.clone(), SetRef::At(*read), bytes)?;
            }
            (&Unit::Keys(block), IndexHead::Sorted(head)) => {
                let Some(read) = head.block(block) else { return Ok(None) };
                let Some(bytes) = here(&read) else { return Ok(Some(read)) };
                let (rows, mut run) = (self.rows, (0, 0));
                let mut counted = Vec::new();
                head.decode(block, bytes)?.each(&mut |key, position| {
                    if rows.is_none_or(|rows| rows.contains(position)) {
                        if run.0 != key {
                            counted.push(std::mem::replace(&mut run, (key, 0)));
                        }
                        run.1 += 1;
                    }
                })?;
                counted.push(run);
                let FieldKind::Indexed(from) = field.kind else { return Ok(None) };
                counted
                    .into_iter()
                    .for_each(|(key, count)| self.add(Key::Number(key).of(from, self.of), count));
            }
            _ => return Err(Error::internal("a unit of another index")),
        }
        Ok(None)
    }

    fn count(&mut self, term: Box<str>, set: SetRef<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.words.fill(0);
        self.payload.add_set(set, bytes, &mut self.words)?;
        let rows = self.rows.map_or(&[][..], RowSet::words);
        let both = self.words.iter().zip(rows).map(|(word, rows)| u64::from((word & rows).count_ones()));
        let count = both.sum();
        self.add(Key::Text(term), count);
        Ok(())
    }

    fn add(&mut self, key: Key, count: u64) {
        if count > 0 {
            *self.counts.entry(key).or_default() += count;
        }
    }
}
