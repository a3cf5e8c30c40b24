//! JSON lines `{"id": "a1", "fields": {"stars": 3, "draft": null}}`, which become batches of changes of rows of a collection. A line
//! that is wrong is named, and nothing of its batch is handed on.

use super::fields::{Object, write_row};
use super::json_row::{LineId, complaint};
use super::jsonl;
use super::payload::check_length;
use super::upserts::{Batch, id_of};
use crate::failure::Failure;
use pagevec::Id;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object like {\"id\": \"a1\", \"fields\": {\"stars\": 3}}")]
struct Change {
    id: Option<LineId>,
    fields: Object,
}

/// Hands all changes of a file to `take`, `-` for stdin, in batches of `most`, without vectors.
pub(crate) fn read(
    path: &Path,
    mut text_ids: Option<bool>,
    most: usize,
    take: &mut dyn FnMut(Batch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut batch = Batch::default();
    jsonl::objects(path, usize::MAX, &mut |text, line| {
        let change: Change = serde_json::from_slice(text).map_err(|e| line.fault(complaint(text, &e)))?;
        let id = id_of(change.id, text_ids).map_err(|why| line.fault(why))?;
        text_ids = Some(matches!(id, Id::Text(_)));
        let mut fields = Vec::new();
        write_row(&change.fields, &mut fields);
        check_length(fields.len()).map_err(|why| line.fault(why))?;
        batch.push(id, String::from_utf8(fields).map_err(|why| line.fault(why))?, line.number);
        match batch.ids.len() == most {
            true => take(std::mem::take(&mut batch)),
            false => Ok(()),
        }
    })?;
    if batch.ids.is_empty() { Ok(()) } else { take(batch) }
}
