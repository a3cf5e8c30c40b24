//! The values of one field while rows are added, and what they tell of its type.

use super::interner::Interner;
use crate::payload::column::{Column, FieldColumn};
use crate::payload::geo::Point;
use crate::payload::json::Json;
use crate::payload::key::{of_float, of_integer, to_float};
use crate::payload::schema::{FieldKind, FieldType, MAX_KEYWORD, NotIndexed};
use crate::payload::time;
use crate::payload::value::{self, ValueRef};
use crate::sort;

/// So many distinct texts are keywords, however few rows have them; above that, at most one for so many rows.
const FEW: usize = 64;
const PER_TEXT: usize = 4;

/// What was seen among the values. All of it counts, whatever came first, so the type does not depend on the order of
/// the rows.
#[derive(Clone, Copy, Default)]
struct Seen(u16);

impl Seen {
    const BOOLEAN: u16 = 1;
    const NUMBER: u16 = 1 << 1;
    const TEXT: u16 = 1 << 2;
    const POINT: u16 = 1 << 3;
    const TYPES: u16 = Self::BOOLEAN | Self::NUMBER | Self::TEXT | Self::POINT;
    /// An object that is no point, or an array in an array.
    const NESTED: u16 = 1 << 4;
    const FRACTION: u16 = 1 << 5;
    /// A number beyond the whole numbers that are exact.
    const LARGE: u16 = 1 << 6;
    /// A text that is no time.
    const NO_TIME: u16 = 1 << 7;
    /// A text that is no keyword.
    const LONG: u16 = 1 << 8;
    /// More distinct texts than keywords may be.
    const MANY: u16 = 1 << 9;

    fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    fn is_mixed(self) -> bool {
        (self.0 & Self::TYPES).count_ones() > 1
    }

    /// Whether the field cannot be indexed, whatever values follow.
    fn is_settled(self) -> bool {
        self.has(Self::NESTED) || self.is_mixed()
    }
}

/// The values of one field.
#[derive(Default)]
pub(super) struct Field {
    /// `None`: it is inferred.
    declared: Option<FieldKind>,
    /// Texts are keywords also where nearly all of them are different.
    every_text: bool,
    seen: Seen,
    /// Rows that have a value.
    rows: usize,
    terms: Interner,
    /// Pairs of the number of a text and a row.
    texts: Vec<(u32, u32)>,
    /// Of integers, floats and times; where the type is inferred, numbers have the keys of floats.
    keys: Vec<(u64, u32)>,
    points: Vec<(Point, u32)>,
}

impl Field {
    pub(super) fn new(declared: Option<FieldKind>, every_text: bool) -> Self {
        Field { declared, every_text, ..Field::default() }
    }

    /// Adds the values of a row. There are at most `most` rows in all.
    ///
    /// # Errors
    /// What is wrong with a value of a declared field.
    pub(super) fn add(&mut self, row: u32, json: &Json, most: usize) -> Result<(), String> {
        match self.declared {
            Some(FieldKind::Stored(_)) => Ok(()),
            Some(FieldKind::Indexed(of)) => self.add_typed(row, json, of),
            None => {
                let mut items =
                    value::items(json).iter().filter(|item| !matches!(item, Json::Null)).peekable();
                self.rows += usize::from(items.peek().is_some());
                items.for_each(|item| self.infer(item, row));
                if self.has_many(most) {
                    self.seen.0 |= Seen::MANY;
                }
                self.free();
                Ok(())
            }
        }
    }

    fn add_typed(&mut self, row: u32, json: &Json, of: FieldType) -> Result<(), String> {
        let mut found = Vec::new();
        value::values(json, of, &mut found)?;
        for value in found {
            match value {
                ValueRef::Key(key) => self.keys.push((key, row)),
                ValueRef::Point(point) => self.points.push((point, row)),
                ValueRef::Text(text) => match self.terms.number(text) {
                    Some(number) => self.texts.push((number, row)),
                    None => return Err("the distinct texts of the field have more than 4 GiB".to_owned()),
                },
            }
        }
        Ok(())
    }

    /// Sees a value that is not null, and keeps it as long as its type may be the field's.
    fn infer(&mut self, item: &Json, row: u32) {
        let number = value::number(item);
        let point = match item {
            Json::Object(_) => value::point(item).ok(),
            _ => None,
        };
        self.seen.0 |= match item {
            Json::Null => 0,
            Json::Bool(_) => Seen::BOOLEAN,
            Json::Text(text) if text.len() > MAX_KEYWORD => Seen::TEXT | Seen::LONG,
            Json::Text(_) => Seen::TEXT,
            Json::Array(_) | Json::Object(_) => point.map_or(Seen::NESTED, |_| Seen::POINT),
            Json::Integer(_) | Json::Big(_) | Json::Float(_) => match number.unwrap_or_default() {
                number if !value::is_safe(number) => Seen::NUMBER | Seen::LARGE,
                number if !value::is_integer(number) => Seen::NUMBER | Seen::FRACTION,
                _ => Seen::NUMBER,
            },
        };
        if self.seen.is_settled() {
            return;
        }
        match item {
            Json::Text(text) => {
                if !self.seen.has(Seen::NO_TIME) {
                    match time::parse(text) {
                        Some(ms) => self.keys.push((of_integer(ms), row)),
                        None => self.seen.0 |= Seen::NO_TIME,
                    }
                }
                self.infer_text(text, row);
            }
            Json::Bool(value) => self.infer_text(value::boolean(*value), row),
            _ => {
                self.keys.extend(number.map(|number| (of_float(number), row)));
                self.points.extend(point.map(|point| (point, row)));
            }
        }
    }

    fn infer_text(&mut self, text: &str, row: u32) {
        if !self.seen.has(Seen::LONG | Seen::MANY) {
            match self.terms.number(text) {
                Some(number) => self.texts.push((number, row)),
                None => self.seen.0 |= Seen::MANY,
            }
        }
    }

    /// Whether there are too many distinct texts for keywords of so many rows.
    fn has_many(&self, rows: usize) -> bool {
        !self.every_text && self.terms.len() > FEW && self.terms.len() > rows / PER_TEXT
    }

    /// Frees values that will not be indexed.
    fn free(&mut self) {
        let is_settled = self.seen.is_settled();
        if is_settled || self.seen.has(Seen::LONG | Seen::MANY) {
            (self.terms, self.texts) = Default::default();
        }
        if is_settled || self.seen.has(Seen::NO_TIME) {
            self.keys = Vec::new();
        }
        if is_settled {
            self.points = Vec::new();
        }
    }

    /// What the field is; `None` where no row has a value, which leaves its type open.
    fn kind(&self) -> Option<FieldKind> {
        let seen = self.seen;
        let stored = |reason: NotIndexed| Some(FieldKind::Stored(reason));
        let of = match () {
            () if self.declared.is_some() => return self.declared,
            () if seen.has(Seen::NESTED) => return stored(NotIndexed::Nested),
            () if seen.is_mixed() => return stored(NotIndexed::Mixed),
            () if seen.has(Seen::BOOLEAN) => FieldType::Boolean,
            () if seen.has(Seen::POINT) => FieldType::Geo,
            () if seen.has(Seen::FRACTION) => FieldType::Float,
            () if seen.has(Seen::LARGE) => return stored(NotIndexed::Large),
            () if seen.has(Seen::NUMBER) => FieldType::Integer,
            () if !seen.has(Seen::TEXT) => return None,
            () if !seen.has(Seen::NO_TIME) => FieldType::Timestamp,
            () if seen.has(Seen::LONG) => return stored(NotIndexed::Long),
            () if seen.has(Seen::MANY) || self.has_many(self.rows) => return stored(NotIndexed::Distinct),
            () => FieldType::Keyword,
        };
        Some(FieldKind::Indexed(of))
    }

    /// The column of the field, if it has a kind.
    pub(super) fn finish(mut self, name: Box<str>) -> Option<FieldColumn> {
        let kind = self.kind()?;
        let column = match kind {
            FieldKind::Stored(_) => Column::None,
            FieldKind::Indexed(FieldType::Keyword | FieldType::Boolean) => self.terms(),
            FieldKind::Indexed(FieldType::Geo) => Column::Points(self.points),
            FieldKind::Indexed(FieldType::Integer) if self.declared.is_none() => {
                self.keys.iter_mut().for_each(|(key, _)| *key = of_integer(to_float(*key) as i64));
                Column::Keys(self.keys)
            }
            FieldKind::Indexed(_) => Column::Keys(self.keys),
        };
        Some(FieldColumn { name, kind, column: column.sorted() })
    }

    /// The texts by their bytes.
    fn terms(self) -> Column {
        let mut numbers: Vec<u32> = (0..self.terms.len() as u32).collect();
        sort::by(&mut numbers, |&a, &b| self.terms.text(a).cmp(self.terms.text(b)));
        let mut ranks = vec![0; numbers.len()];
        numbers.iter().zip(0..).for_each(|(&number, rank)| ranks[number as usize] = rank);
        let texts = numbers.iter().map(|&number| self.terms.text(number).into()).collect();
        let mut rows = self.texts;
        rows.iter_mut().for_each(|(number, _)| *number = ranks[*number as usize]);
        Column::Terms { texts, rows }
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.terms.heap_bytes()
            + size_of::<(u32, u32)>() * self.texts.capacity()
            + size_of::<(u64, u32)>() * self.keys.capacity()
            + size_of::<(Point, u32)>() * self.points.capacity()
    }
}
