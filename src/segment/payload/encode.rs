//! The sections of the indexes, from the values of all rows.

use super::cursor::put;
use super::units::{Unit, Written};
use super::{geo, sorted, terms};
use crate::error::Error;
use crate::payload::{Column, FieldColumn, FieldKind, FieldType};
use crate::row_set::RowSet;
use crate::segment::sets::{self, Place};
use crate::segment::writer::Pieces;
use crate::sort;

/// The sections.
#[derive(Debug)]
pub(crate) struct EncodedPayload {
    pub(crate) head: Vec<u8>,
    pub(crate) terms: Pieces,
    pub(crate) sets: Pieces,
    pub(crate) sorted: Pieces,
}

/// The sections of units, while they are written.
pub(super) struct Sections {
    pub(super) terms: Written,
    sets: Written,
    pub(super) sorted: Written,
    file_seed: u64,
}

impl Sections {
    /// Adds the set of rows, which rise.
    pub(super) fn set(
        &mut self,
        positions: &mut dyn Iterator<Item = u32>,
        rows: usize,
    ) -> Result<Unit, Error> {
        let place = Place { file_seed: self.file_seed, offset: self.sets.length };
        self.sets.push(sets::encode_positions(positions, rows, place))
    }
}

/// The sections of these fields, whose columns name the positions of `rows` rows.
///
/// # Errors
/// `out-of-memory`; `internal` of a column that breaks its rules.
pub(crate) fn encode(
    mut fields: Vec<FieldColumn>,
    rows: usize,
    file_seed: u64,
) -> Result<EncodedPayload, Error> {
    let [terms, sets, sorted] = [0, 1, 2].map(|number| Written::new(number, file_seed));
    let mut sections = Sections { terms, sets, sorted, file_seed };
    sort::by(&mut fields, |a, b| a.name.cmp(&b.name));
    let mut all = Vec::new();
    for field in &fields {
        encode_field(field, rows, &mut sections, &mut all)?;
    }
    let mut head = Vec::with_capacity(all.len() + 16);
    put(&mut head, fields.len() as u64);
    let Sections { terms, sets, sorted, .. } = sections;
    [&terms, &sets, &sorted].iter().for_each(|section| put(&mut head, u64::from(section.largest)));
    head.append(&mut all);
    Ok(EncodedPayload { head, terms: terms.pieces, sets: sets.pieces, sorted: sorted.pieces })
}

fn encode_field(
    field: &FieldColumn,
    rows: usize,
    sections: &mut Sections,
    head: &mut Vec<u8>,
) -> Result<(), Error> {
    put(head, field.name.len() as u64);
    head.extend(field.name.as_bytes());
    let kind = match field.kind {
        FieldKind::Indexed(kind) => kind,
        FieldKind::Stored(reason) => {
            head.extend([0, reason as u8]);
            return Ok(());
        }
    };
    head.extend([kind as u8, 0]);
    let present = present(&field.column, rows)?;
    put(head, present.count() as u64);
    let (before, mut index) = (sections.sets.length, Vec::new());
    let values = match (&field.column, kind) {
        (Column::Terms { texts, rows: pairs }, FieldType::Keyword | FieldType::Boolean) => {
            terms::encode(texts, pairs, rows, sections, &mut index)?;
            pairs.len()
        }
        (Column::Keys(pairs), FieldType::Integer | FieldType::Float | FieldType::Timestamp) => {
            sorted::encode(pairs, rows, sections, &mut index)?;
            pairs.len()
        }
        (Column::Points(points), FieldType::Geo) => {
            geo::encode(points, sections, &mut index)?;
            points.len()
        }
        _ => return Err(Error::internal("a column of another type than its field")),
    };
    put(head, values as u64);
    let some = present.count() > 0 && !present.is_full();
    let present = if some { Some(sections.set(&mut present.from(0), rows)?) } else { None };
    put(head, sections.sets.length - before);
    if let Some(unit) = present {
        unit.put(head);
    }
    head.append(&mut index);
    Ok(())
}

/// The rows that have a value.
fn present(column: &Column, rows: usize) -> Result<RowSet, Error> {
    let all: Box<dyn Iterator<Item = u32>> = match column {
        Column::Terms { rows, .. } => Box::new(rows.iter().map(|pair| pair.1)),
        Column::Keys(pairs) => Box::new(pairs.iter().map(|pair| pair.1)),
        Column::Points(points) => Box::new(points.iter().map(|pair| pair.1)),
        Column::None => Box::new(std::iter::empty()),
    };
    let mut beyond = false;
    let set = RowSet::of(rows, all.inspect(|&row| beyond |= row as usize >= rows))?;
    if beyond { Err(Error::internal("a column with a row that there is not")) } else { Ok(set) }
}
