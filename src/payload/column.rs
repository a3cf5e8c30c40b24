//! The indexed values of all rows of one field.

use super::geo::Point;
use super::schema::FieldKind;
use crate::memory::bytes;
use crate::sort;

/// A field and its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldColumn {
    pub(crate) name: Box<str>,
    pub(crate) kind: FieldKind,
    pub(crate) column: Column,
}

/// Values with the rows that have them. A row that has several values stands several times; the same value of a row
/// stands once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    /// Of keywords, and of booleans (`false`, `true`): the distinct texts, rising by their bytes, and rising pairs of the
    /// number of a text and a row.
    Terms { texts: Vec<Box<str>>, rows: Vec<(u32, u32)> },
    /// Of integers, floats and timestamps: rising pairs of a key (see `key`) and a row.
    Keys(Vec<(u64, u32)>),
    /// Of points: rising, which has no meaning.
    Points(Vec<(Point, u32)>),
    /// Of a field that is not indexed.
    None,
}

impl FieldColumn {
    /// The bytes that its values have allocated, about.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.column {
            Column::Terms { texts, rows } => {
                texts.iter().map(|text| text.len() as u64 + 16).sum::<u64>() + bytes(rows)
            }
            Column::Keys(pairs) => bytes(pairs),
            Column::Points(points) => bytes(points),
            Column::None => 0,
        }
    }
}

impl Column {
    /// With the pairs in their order, each once.
    pub(super) fn sorted(mut self) -> Self {
        match &mut self {
            Column::Terms { rows, .. } => sorted(rows),
            Column::Keys(pairs) => sorted(pairs),
            Column::Points(pairs) => sorted(pairs),
            Column::None => {}
        }
        self
    }

    fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        match self {
            Column::Terms { rows, .. } => rows.iter_mut().for_each(|(_, row)| *row = number(*row)),
            Column::Keys(pairs) => pairs.iter_mut().for_each(|(_, row)| *row = number(*row)),
            Column::Points(pairs) => pairs.iter_mut().for_each(|(_, row)| *row = number(*row)),
            Column::None => {}
        }
    }
}

/// Columns that name positions in place of rows. `order` has the row of each position, and every row once.
pub(crate) fn permuted(columns: Vec<FieldColumn>, order: &[u32]) -> Vec<FieldColumn> {
    let mut positions = vec![0; order.len()];
    order.iter().zip(0..).for_each(|(&row, position)| positions[row as usize] = position);
    let permuted = |mut field: FieldColumn| {
        field.column.renumber(|row| positions[row as usize]);
        FieldColumn { column: field.column.sorted(), ..field }
    };
    columns.into_iter().map(permuted).collect()
}

fn sorted<T: Ord>(pairs: &mut Vec<T>) {
    sort::by(pairs, Ord::cmp);
    pairs.dedup();
    pairs.shrink_to_fit();
}
