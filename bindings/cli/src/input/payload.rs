//! The fields of rows from another file: JSON lines, or an array of objects, in the order of the rows.

use super::fields::{Object, Spool, Spooled, Store};
use super::json_row::complaint;
use super::jsonl;
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Fields;
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
/// file counts.
pub(crate) fn read(
    path: &Path,
    rows: &Rows,
    store: &mut Store,
    folder: &Path,
    progress: &Progress,
) -> Result<Spooled, Failure> {
    let mut spool = Spool::new(folder)?;
    let mut row = 0;
    let lines = jsonl::objects(path, usize::MAX, &mut |text, line| {
        row += 1;
        if row > rows.count {
            return Ok(());
        }
        let mut object = match &rows.own {
            Some(own) => own.object(row - 1)?,
            None => Object::new(),
        };
        let mut more: Object =
            serde_json::from_slice(text).map_err(|e| line.fault(not_an_object(text, &e)))?;
        // An index has ids and vectors anyway.
        more.retain(|name, _| !matches!(name.as_str(), "id" | "vector") && store.takes(name));
        object.extend(more);
        spool.push(&object)?;
        check_length(spool.last()).map_err(|why| line.fault(why))?;
        progress.tick("read", row as u64, rows.count as u64);
        Ok(())
    })?;
    let fits = lines == Some(rows.count) || (lines.is_some() && lines == rows.total);
    if !fits {
        let (lines, wanted) = (lines.unwrap_or(row), rows.total.unwrap_or(rows.count));
        let message =
            format!("{lines} lines for {wanted} rows: give one object for each row, in the same order");
        return Err(Failure::input(path, message));
    }
    spool.finish()
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
