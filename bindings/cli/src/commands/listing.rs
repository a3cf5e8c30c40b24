//! Rows that are printed, or written to a file: of an index by `list`, of a collection by `get` and `list`.

use super::arguments::Filtered;
use super::search::{JsonId, fields_of};
use crate::failure::Failure;
use crate::output;
use pagevec::{RowsQuery, StoredRow};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Which rows are listed, and where to.
#[derive(clap::Args)]
pub(super) struct Listing {
    /// Print the vectors too, as they are stored: quantized unless finer rows are kept, and of unit length under cosine
    #[arg(long)]
    pub(super) vectors: bool,
    #[command(flatten)]
    filtered: Filtered,
    /// An indexed field by which rows are sorted; rows without a value are last
    #[arg(long, value_name = "FIELD")]
    sort_by: Option<String>,
    /// From the greatest value on
    #[arg(long, requires = "sort_by")]
    descending: bool,
    /// Leave out so many rows
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Print at most so many rows
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// Print only these fields [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) fields: Vec<String>,
    /// The file that the lines are written to [default: they are printed]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Listing {
    /// The rows that are asked for; `None`: all, as they are stored.
    pub(super) fn query(&self) -> Result<Option<RowsQuery>, Failure> {
        let filter = self.filtered.filter()?;
        if filter.is_none() && self.sort_by.is_none() && self.offset == 0 && self.limit == usize::MAX {
            return Ok(None);
        }
        let query = RowsQuery::new(self.limit).filter(filter).sort_by(self.sort_by.clone());
        Ok(Some(query.descending(self.descending).offset(self.offset)))
    }

    pub(super) fn lines(&self) -> Result<Lines<'_>, Failure> {
        let file = self.output.as_ref().map(|path| {
            let file = File::create(path).map_err(|error| Failure::io(path, &error))?;
            Ok::<_, Failure>((path, BufWriter::new(file)))
        });
        Ok(Lines { file: file.transpose()?, names: &self.fields, is_done: false })
    }
}

/// A line of JSON for each row. A file whose writing failed is removed.
pub(super) struct Lines<'a> {
    file: Option<(&'a PathBuf, BufWriter<File>)>,
    names: &'a [String],
    is_done: bool,
}

impl Lines<'_> {
    /// Writes some rows.
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = StoredRow>) -> Result<(), Failure> {
        let rows = rows.into_iter().map(|row| Row::of(row, self.names));
        let rows = rows.collect::<Result<Vec<Row>, Failure>>()?;
        let write = |out: &mut dyn Write| -> io::Result<()> {
            for row in &rows {
                serde_json::to_writer(&mut *out, row)?;
                writeln!(out)?;
            }
            Ok(())
        };
        match &mut self.file {
            Some((path, file)) => write(file).map_err(|error| Failure::io(path, &error)),
            None => output::text(|out| write(out)),
        }
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if let Some((path, file)) = &mut self.file {
            file.flush().map_err(|error| Failure::io(path, &error))?;
        }
        self.is_done = true;
        Ok(())
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if let Some((path, _)) = self.file.as_ref().filter(|_| !self.is_done) {
            // What is left of a failure is told by the failure.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[derive(Serialize)]
pub(super) struct Row {
    id: JsonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<Vec<f32>>,
    fields: Box<RawValue>,
}

impl Row {
    /// With the fields that are named, or all.
    pub(super) fn of(row: StoredRow, names: &[String]) -> Result<Self, Failure> {
        let mut fields = row.fields.map_or_else(|| "{}".to_owned(), String::from);
        if !names.is_empty() {
            fields = serde_json::Value::Object(fields_of(&fields, names)?).to_string();
        }
        let fields = RawValue::from_string(fields).map_err(|error| {
            let message =
                format!("the fields of the row {} are no JSON: {error}; write the row again", row.id);
            Failure::Told { exit: 1, code: "corrupt", message }
        })?;
        Ok(Row { id: row.id.into(), vector: row.vector, fields })
    }
}
