//! The values of the fields of the rows in memory, for filters: they are collected when a filter asks for them first, and kept as
//! long as the state.

use std::sync::{Arc, OnceLock};

use crate::collection::state::memtable::{CHUNK, Memtable};
use crate::error::Error;
use crate::payload::{Collector, Column, FieldColumn, FieldKind, Filter, Op, Schema, Test};
use crate::row_set::{RowSet, add};
use crate::search::combine;

/// See the head of this file. A copy has none: it is made to be changed.
#[derive(Default)]
pub(crate) struct Columns(OnceLock<Arc<[FieldColumn]>>);

impl Clone for Columns {
    fn clone(&self) -> Self {
        Columns::default()
    }
}

impl Columns {
    /// Those of the rows of `memtable`, which is always the same one.
    ///
    /// # Errors
    /// `argument` for fields that are no JSON.
    pub(crate) fn of(&self, memtable: &Memtable, schema: &Schema) -> Result<Arc<[FieldColumn]>, Error> {
        if let Some(columns) = self.0.get() {
            return Ok(Arc::clone(columns));
        }
        let mut collector = Collector::new(schema, memtable.count())?;
        for (at, chunk) in memtable.chunks.iter().enumerate() {
            for row in chunk.live() {
                collector.add((at * CHUNK + row) as u32, chunk.fields[row].as_bytes())?;
            }
        }
        let columns: Arc<[FieldColumn]> = collector.finish().into();
        Ok(Arc::clone(self.0.get_or_init(|| columns)))
    }
}

/// The rows in memory that match: one bit for each number.
pub(crate) fn matching(columns: &[FieldColumn], filter: &Filter, rows: usize) -> Result<RowSet, Error> {
    let find = |name: &str| -> Option<(usize, FieldKind)> {
        let at = columns.iter().position(|column| *column.name == *name)?;
        Some((at, columns[at].kind))
    };
    let program = filter.compile(find)?;
    let mut sets = Vec::new();
    for op in &program.ops {
        if let Op::Test(field, test) = op {
            let mut words = RowSet::no_words(rows)?;
            if let Some(column) = columns.get(*field) {
                passing(&column.column, test, &mut |row| add(&mut words, row));
            }
            sets.push(words);
        }
    }
    combine(&program.ops, sets, rows)
}

/// Calls `add` with each row that has a value which passes.
fn passing(column: &Column, test: &Test, add: &mut dyn FnMut(u32)) {
    match (column, test) {
        (Column::Terms { rows, .. }, Test::Exists) => rows.iter().for_each(|pair| add(pair.1)),
        (Column::Keys(keys), Test::Exists) => keys.iter().for_each(|pair| add(pair.1)),
        (Column::Points(points), Test::Exists) => points.iter().for_each(|pair| add(pair.1)),
        (Column::Terms { texts, rows }, Test::Terms(wanted)) => {
            for text in wanted {
                let Ok(number) = texts.binary_search(text) else { continue };
                let number = number as u32;
                let from = rows.partition_point(|pair| pair.0 < number);
                rows[from..].iter().take_while(|pair| pair.0 == number).for_each(|pair| add(pair.1));
            }
        }
        (Column::Keys(keys), Test::Keys(ranges)) => {
            for &(low, high) in ranges {
                let from = keys.partition_point(|pair| pair.0 < low);
                keys[from..].iter().take_while(|pair| pair.0 <= high).for_each(|pair| add(pair.1));
            }
        }
        (Column::Points(points), Test::Area(area)) => {
            points.iter().filter(|pair| area.contains(pair.0)).for_each(|pair| add(pair.1));
        }
        // A program is compiled by the kinds of these columns.
        _ => {}
    }
}
