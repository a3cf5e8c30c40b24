//! A batch of writes: it is applied as a whole, or not at all.

use std::sync::Arc;

use crate::build::check_line;
use crate::collection::options::Settings;
use crate::collection::wal::{Codes, Frame, Kinds, Op, Request, Shape};
use crate::error::Error;
use crate::id::{Id, IdRef, Ids};
use crate::payload::{Schema, members};
use crate::vectors::check_row;

/// The most rows of a batch.
const MOST_ROWS: usize = 1 << 20;

/// The changes of a batch.
#[derive(Clone, Debug)]
pub(crate) enum Changes {
    /// Rows, each new or in place of the one with its id; of an id that comes twice the last.
    Put { ids: Vec<Id>, vectors: Vec<f32>, dim: usize, fields: Vec<Arc<str>> },
    /// Ids whose rows go; one that no row has is no error.
    Delete(Vec<Id>),
    /// All rows go.
    Clear,
    /// Rows whose fields are others and whose codes are those that they had.
    Update { ids: Vec<Id>, rows: Vec<CodedRow> },
}

/// A row that is encoded.
#[derive(Clone, Debug)]
pub(crate) struct CodedRow {
    /// The codec of each stage.
    pub(crate) kinds: Kinds,
    /// The codes, stage by stage.
    pub(crate) codes: Vec<u8>,
    pub(crate) fields: Arc<str>,
}

/// One change.
pub(crate) enum Change<'a> {
    Put { id: &'a Id, vector: &'a [f32], fields: &'a Arc<str> },
    Delete { id: &'a Id },
    Update { id: &'a Id, row: &'a CodedRow },
}

impl Changes {
    /// No changes.
    pub(crate) fn none() -> Self {
        Changes::Delete(Vec::new())
    }

    /// Adds an operation of the log. Returns the changes before it if they are of another kind.
    pub(crate) fn push(&mut self, op: &Op<'_>, dim: usize) -> Option<Self> {
        match (&mut *self, op) {
            (Changes::Put { ids, vectors, fields, .. }, Op::Put { id, vector, fields: own }) => {
                ids.push(id.to_id());
                vectors.extend_from_slice(vector);
                // They were checked before they were logged.
                fields.push(String::from_utf8_lossy(own).into());
                return None;
            }
            (Changes::Delete(ids), Op::Delete { id }) => {
                ids.push(id.to_id());
                return None;
            }
            (Changes::Update { ids, rows }, Op::Update { id, codes, fields }) => {
                ids.push(id.to_id());
                let fields = String::from_utf8_lossy(fields).into();
                rows.push(CodedRow { kinds: codes.kinds, codes: codes.bytes.to_vec(), fields });
                return None;
            }
            _ => {}
        }
        let next = match op {
            Op::Put { .. } => Changes::Put { ids: Vec::new(), vectors: Vec::new(), dim, fields: Vec::new() },
            Op::Delete { .. } => Changes::none(),
            Op::Clear => Changes::Clear,
            Op::Update { .. } => Changes::Update { ids: Vec::new(), rows: Vec::new() },
        };
        let full = std::mem::replace(self, next);
        if !matches!(op, Op::Clear) {
            self.push(op, dim);
        }
        Some(full)
    }

    pub(crate) fn each(&self) -> Box<dyn Iterator<Item = Change<'_>> + '_> {
        match self {
            Changes::Put { ids, vectors, dim, fields } => Box::new(
                ids.iter()
                    .zip(vectors.chunks_exact(*dim))
                    .zip(fields)
                    .map(|((id, vector), fields)| Change::Put { id, vector, fields }),
            ),
            Changes::Delete(ids) => Box::new(ids.iter().map(|id| Change::Delete { id })),
            Changes::Clear => Box::new(std::iter::empty()),
            Changes::Update { ids, rows } => {
                Box::new(ids.iter().zip(rows).map(|(id, row)| Change::Update { id, row }))
            }
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &Id> {
        match self {
            Changes::Put { ids, .. } | Changes::Delete(ids) | Changes::Update { ids, .. } => ids.as_slice(),
            Changes::Clear => &[],
        }
        .iter()
    }

    /// Rows that it adds.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Changes::Put { ids, .. } | Changes::Update { ids, .. } => ids.len(),
            Changes::Delete(_) | Changes::Clear => 0,
        }
    }

    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        !matches!(self, Changes::Clear) && self.ids().next().is_none()
    }

    /// The kind of the ids, if there are any.
    pub(crate) fn are_texts(&self) -> Option<bool> {
        self.ids().next().map(|id| matches!(id, Id::Text(_)))
    }

    /// Refuses a batch of which a part cannot be applied.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`: all name the row.
    pub(crate) fn check(&self, settings: &Settings) -> Result<(), Error> {
        check_ids(self.ids())?;
        let Changes::Put { ids, vectors, .. } = self else { return Ok(()) };
        check_rows(ids.len())?;
        if vectors.len() != ids.len() * settings.dim {
            let got = vectors.len().checked_div(ids.len()).unwrap_or(vectors.len());
            return Err(Error::Dimension { expected: settings.dim, got });
        }
        let mut scaled = vec![0.0; settings.dim];
        for (row, vector) in vectors.chunks_exact(settings.dim).enumerate() {
            scaled.copy_from_slice(vector);
            check_row(&mut scaled, row, settings.metric)?;
        }
        Ok(())
    }

    /// The frame of the log that holds the batch; `None` if it changes nothing.
    pub(crate) fn frame(&self, dim: usize, request: Option<Request>) -> Result<Option<Frame>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let op = |change| match change {
            Change::Put { id, vector, fields } => {
                Op::Put { id: id_ref(id), vector, fields: str::as_bytes(fields) }
            }
            Change::Delete { id } => Op::Delete { id: id_ref(id) },
            Change::Update { id, row: CodedRow { kinds, codes, fields } } => {
                let codes = Codes { kinds: *kinds, bytes: codes };
                Op::Update { id: id_ref(id), codes, fields: str::as_bytes(fields) }
            }
        };
        let ops: Vec<Op<'_>> = match self {
            Changes::Clear => vec![Op::Clear],
            _ => self.each().map(op).collect(),
        };
        let shape = Shape { dim, text_ids: self.are_texts().unwrap_or(false) };
        Frame::encode(&ops, shape, request).map(Some)
    }
}

fn id_ref(id: &Id) -> IdRef<'_> {
    match id {
        Id::Number(number) => IdRef::Number(*number),
        Id::Text(text) => IdRef::Text(text),
    }
}

/// Checks the fields of the rows with these ids as a build does: JSON objects, or empty texts, whose values are of the types of the
/// schema.
///
/// # Errors
/// `argument`, which names the row; `field`.
pub(crate) fn check_fields(fields: Vec<String>, ids: &[Id], schema: &Schema) -> Result<Vec<Arc<str>>, Error> {
    if fields.len() != ids.len() {
        let (given, rows) = (fields.len(), ids.len());
        let detail = format!("there are fields of {given} rows, but {rows} rows: give each row an object");
        return Err(Error::argument("fields", detail));
    }
    let check = |((row, fields), id): ((usize, String), &Id)| {
        let text = check_text(fields, row)?;
        schema.check_row(row, id, &members(row as u32, text.as_bytes())?)?;
        Ok(text)
    };
    fields.into_iter().enumerate().zip(ids).map(check).collect()
}

/// The fields of a row as they are stored: on one line, empty for a row without fields. Whether they are JSON is not looked at.
///
/// # Errors
/// `argument`, which names the row.
pub(crate) fn check_text(fields: String, row: usize) -> Result<Arc<str>, Error> {
    let mut line = fields.into_bytes();
    let line = if check_line(&mut line, row)? { &line[..] } else { &[] };
    let text = std::str::from_utf8(line).map_err(|_| Error::internal("checked fields are not UTF-8"))?;
    Ok(Arc::from(text))
}

/// Refuses more rows than a batch may have.
///
/// # Errors
/// `argument`.
pub(crate) fn check_rows(rows: usize) -> Result<(), Error> {
    if rows > MOST_ROWS {
        let detail = format!("{rows} rows in one batch: give at most {MOST_ROWS}");
        return Err(Error::argument("rows", detail));
    }
    Ok(())
}

/// Refuses ids of two kinds, and such that no row has.
///
/// # Errors
/// `argument`, which names the row.
pub(crate) fn check_ids<'a>(ids: impl Iterator<Item = &'a Id>) -> Result<(), Error> {
    let mut texts = None;
    for (row, id) in ids.enumerate() {
        check_id(id, row, *texts.get_or_insert(matches!(id, Id::Text(_))))?;
    }
    Ok(())
}

fn check_id(id: &Id, row: usize, texts: bool) -> Result<(), Error> {
    let detail = match id {
        Id::Number(_) if texts => {
            format!("row {row} has a number, those before it have texts: ids are of one kind")
        }
        Id::Text(_) if !texts => {
            format!("row {row} has a text, those before it have numbers: ids are of one kind")
        }
        Id::Number(number) if *number > Ids::MAX_NUMBER => {
            format!("row {row} has the id {number}: at most {} is possible", Ids::MAX_NUMBER)
        }
        Id::Text(text) if text.len() > Ids::MAX_TEXT => {
            format!("row {row} has an id of {} bytes: at most {} are possible", text.len(), Ids::MAX_TEXT)
        }
        _ => return Ok(()),
    };
    Err(Error::argument("ids", detail))
}
