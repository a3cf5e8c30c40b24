//! JSON lines `{"id": "a1", "vector": [0.1, 0.2], "fields": {"title": "…"}}`, which become batches of rows of a collection. A line
//! that is wrong is named, and nothing of its batch is handed on.

use super::fields::{Object, Store, write_row};
use super::json_row::{LineId, Row, complaint};
use super::jsonl::{self, Line};
use super::payload::check_length;
use crate::failure::Failure;
use pagevec::{Id, Ids};
use serde_json::Value;
use std::path::Path;

/// What all lines must agree with.
pub(crate) struct Shape {
    pub(crate) dim: usize,
    /// Whether ids are texts; `None` until the first row.
    pub(crate) text_ids: Option<bool>,
}

/// Rows that are written together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) ids: Vec<Id>,
    pub(crate) vectors: Vec<f32>,
    /// Empty texts for rows without fields.
    pub(crate) fields: Vec<String>,
    /// The line of each row.
    lines: Vec<u64>,
}

/// Hands all rows of a file to `take`, `-` for stdin, in batches of `most`.
pub(crate) fn read(
    path: &Path,
    mut shape: Shape,
    most: usize,
    take: &mut dyn FnMut(Batch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut batch = Batch::default();
    let mut store = Store::of(None, false)?;
    jsonl::objects(path, usize::MAX, &mut |text, line| {
        let row = Row::parse_closed(text, &mut store).map_err(|e| line.fault(complaint(text, &e)))?;
        batch.add(row, &mut shape, line)?;
        match batch.ids.len() == most {
            true => take(std::mem::take(&mut batch)),
            false => Ok(()),
        }
    })?;
    if batch.ids.is_empty() { Ok(()) } else { take(batch) }
}

impl Batch {
    fn add(&mut self, row: Row, shape: &mut Shape, line: &Line<'_>) -> Result<(), Failure> {
        let id = id_of(row.id, shape.text_ids).map_err(|why| line.fault(why))?;
        shape.text_ids = Some(matches!(id, Id::Text(_)));
        if row.vector.len() != shape.dim {
            let message = format!("{} components, where the collection has {}", row.vector.len(), shape.dim);
            return Err(line.fault(message));
        }
        if let Some(column) = row.vector.iter().position(|x| x.is_infinite()) {
            return Err(
                line.fault(format!("component {column} is beyond f32: scale the vectors, or remove the row"))
            );
        }
        let mut fields = Vec::new();
        write_row(&fields_of(row.fields).map_err(|why| line.fault(why))?, &mut fields);
        check_length(fields.len()).map_err(|why| line.fault(why))?;
        self.push(id, String::from_utf8(fields).map_err(|why| line.fault(why))?, line.number);
        self.vectors.extend(row.vector);
        Ok(())
    }

    /// Adds a row, without its vector.
    pub(super) fn push(&mut self, id: Id, fields: String, line: u64) {
        self.ids.push(id);
        self.fields.push(fields);
        self.lines.push(line);
    }

    /// The failure of a batch that was refused, with the line of the row that it is about.
    pub(crate) fn failure(path: &Path, lines: &[u64], error: pagevec::Error) -> Failure {
        let line = |row: usize| lines.get(row).copied().unwrap_or_default();
        let row = match &error {
            pagevec::Error::ZeroVector { row } | pagevec::Error::NotFinite { row, .. } => *row,
            pagevec::Error::Field { row, field, detail, .. } => {
                let message = format!("{}: line {}: field {field:?}: {detail}", path.display(), line(*row));
                return Failure::Told { exit: 1, code: error.code(), message };
            }
            _ => return error.into(),
        };
        let line = line(row);
        let why = "its vector is zero, or too long for f32, so it has no direction: remove the row";
        Failure::input(path, format!("line {line}: {why}"))
    }

    /// The line of each row, which is kept for [`Batch::failure`].
    pub(crate) fn take_lines(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.lines)
    }
}

pub(super) fn id_of(id: Option<LineId>, texts: Option<bool>) -> Result<Id, String> {
    match (id, texts) {
        (None, _) => {
            Err("no field \"id\": each row of a collection has one, a text or a whole number".into())
        }
        (Some(LineId::Number(_)), Some(true)) => {
            Err("its id is a number, those of other rows are texts".into())
        }
        (Some(LineId::Text(_)), Some(false)) => {
            Err("its id is a text, those of other rows are numbers".into())
        }
        (Some(LineId::Number(number)), _) if number > Ids::MAX_NUMBER => {
            Err(format!("its id is beyond {}: use a text", Ids::MAX_NUMBER))
        }
        (Some(LineId::Text(text)), _) if text.len() > Ids::MAX_TEXT => {
            Err(format!("its id has {} bytes, the limit is {}", text.len(), Ids::MAX_TEXT))
        }
        (Some(LineId::Number(number)), _) => Ok(Id::Number(number)),
        (Some(LineId::Text(text)), _) => Ok(Id::Text(text)),
    }
}

/// The fields of a row, which are in an object of their own.
fn fields_of(mut others: Object) -> Result<Object, String> {
    let fields = match others.shift_remove("fields") {
        None | Some(Value::Null) => Object::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err("its \"fields\" are no object: write \"fields\": {\"title\": \"…\"}".into()),
    };
    match others.keys().next() {
        None => Ok(fields),
        Some(name) => Err(format!(
            "{name:?} beside id, vector and fields: write \"fields\": {{{name:?}: …}}, or use `collection import`"
        )),
    }
}
