//! The fields of rows from another file, in the order of the rows: JSON lines, an array of objects, CSV
//! or Parquet.

use super::fields::{Object, Spool, Spooled, Store};
use super::json_row::{FIELDS, complaint};
use super::{csv, jsonl, parquet};
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::{Fields, Schema};
use serde_json::Value;
use std::path::Path;

/// Rows whose fields are read.
pub(crate) struct Rows {
    /// How many, and how many the input has, if that is known.
    pub(crate) count: usize,
    pub(crate) total: Option<usize>,
    /// The fields that came with them.
    pub(crate) own: Option<Spooled>,
}

/// The fields of rows: those that came with them, and those of the file. Where both have one of the same name, that of the
/// file counts. The name of the file gives its format.
pub(crate) fn read(
    path: &Path,
    rows: &Rows,
    schema: &Schema,
    store: &mut Store,
    folder: &Path,
    progress: &Progress,
) -> Result<Spooled, Failure> {
    let mut joined = Joined { rows, store, progress, spool: Spool::new(folder)?, row: 0 };
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let count = match ending.as_deref() {
        Some("csv" | "tsv") => {
            Some(csv::objects(path, &|name| schema.field_type(name), &mut |object, number| {
                let fault = |why| Failure::input(path, format!("record {number}: {why}"));
                joined.add(|| Ok(object), fault)
            })?)
        }
        Some("parquet") => {
            let wanted =
                &mut |name: &str| joined.store.is_id(name) || (!is_own(name) && joined.store.takes(name));
            let table = parquet::Table::open(path, wanted)?;
            let mut row = 0;
            Some(table.rows(usize::MAX, &mut |parquet::Record { fields: object, .. }| {
                let fault = |why| Failure::input(path, format!("row {row}: {why}"));
                joined.add(|| Ok(object), fault)?;
                row += 1;
                Ok(())
            })?)
        }
        _ => jsonl::objects(path, usize::MAX, &mut |text, line| {
            joined.add(
                || serde_json::from_slice(text).map(opened).map_err(|e| not_an_object(text, &e)),
                |why| line.fault(why),
            )
        })?,
    };
    let fits = count == Some(rows.count) || (count.is_some() && count == rows.total);
    if !fits {
        let (lines, wanted) = (count.unwrap_or(joined.row), rows.total.unwrap_or(rows.count));
        let message =
            format!("{lines} lines for {wanted} rows: give one object for each row, in the same order");
        return Err(Failure::input(path, message));
    }
    joined.spool.finish()
}

/// The fields of the rows so far.
struct Joined<'a> {
    rows: &'a Rows,
    store: &'a mut Store,
    progress: &'a Progress,
    spool: Spool,
    row: usize,
}

impl Joined<'_> {
    /// Adds those of the next row, if it is one of those that are built.
    fn add(
        &mut self,
        read: impl FnOnce() -> Result<Object, String>,
        fault: impl Fn(String) -> Failure,
    ) -> Result<(), Failure> {
        self.row += 1;
        if self.row > self.rows.count {
            return Ok(());
        }
        let mut object = match &self.rows.own {
            Some(own) => own.object(self.row - 1)?,
            None => Object::new(),
        };
        let mut more = read().map_err(&fault)?;
        if let Some(field) = &mut self.store.id_field {
            field.push(more.get(&field.name), more.keys()).map_err(&fault)?;
        }
        more.retain(|name, _| !is_own(name) && self.store.takes(name));
        object.extend(more);
        self.spool.push(&object)?;
        check_length(self.spool.last()).map_err(&fault)?;
        self.progress.tick("read", self.row as u64, self.rows.count as u64);
        Ok(())
    }
}

/// The fields of a row of JSON lines. They may stand in an object of their own, as `list` writes them.
fn opened(mut object: Object) -> Object {
    let alone = object.keys().all(|name| is_own(name) || name == FIELDS);
    match object.get_mut(FIELDS) {
        Some(Value::Object(fields)) if alone => {
            let fields = std::mem::take(fields);
            object.retain(|name, _| is_own(name));
            object.extend(fields);
            object
        }
        _ => object,
    }
}

/// Whether it is the name of what an index has anyway.
fn is_own(name: &str) -> bool {
    matches!(name, "id" | "vector")
}

fn not_an_object(text: &[u8], error: &serde_json::Error) -> String {
    match text.trim_ascii_start().first() {
        Some(b'{') | None => complaint(text, error),
        _ => "no JSON object: write {\"title\": \"A title\"}, one a line".to_owned(),
    }
}

/// Refuses fields that are longer than a row's may be.
pub(crate) fn check_length(bytes: usize) -> Result<(), String> {
    match bytes > Fields::MAX_ROW {
        true => Err(format!(
            "its fields have {bytes} bytes, the limit is {}: store fewer of them (--store), or cut the row in several",
            Fields::MAX_ROW
        )),
        false => Ok(()),
    }
}
