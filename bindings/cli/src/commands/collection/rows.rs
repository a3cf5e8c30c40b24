//! `pagevec collection get` and `list`.

use super::folder::Folder;
use crate::commands::arguments::Filtered;
use crate::commands::search::{JsonId, fields_of};
use crate::failure::Failure;
use crate::input::ids;
use crate::output;
use pagevec::{Error, Id, RowsQuery, Snapshot, StoredRow};
use serde::Serialize;
use serde_json::value::RawValue;

const GET: &str = "\
Examples:
  pagevec collection get notes a1 a2
  pagevec collection get notes a1 --vectors";
const LIST: &str = "\
Examples:
  pagevec collection list notes
  pagevec collection list notes --vectors
  pagevec collection list notes --filter '{\"stars\":3}' --sort-by stars --limit 20";

/// Rows that are read at once.
const PAGE: usize = 1000;

#[derive(Serialize)]
struct Row {
    id: JsonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<Vec<f32>>,
    fields: Box<RawValue>,
}

impl Row {
    /// With the fields that are named, or all.
    fn of(row: StoredRow, names: &[String]) -> Result<Self, Failure> {
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

#[derive(clap::Args)]
#[command(after_help = GET)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// The ids of the rows, which are printed as a JSON line each
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Print the vectors too, as they are stored: of unit length under cosine
    #[arg(long)]
    vectors: bool,
}

impl Get {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.read()?;
        let kind = collection.info().ids().unwrap_or("text");
        let parse = |id: &String| {
            ids::parse(id, kind)
                .ok_or_else(|| Failure::usage(format!("{id}: the ids of this collection are numbers")))
        };
        let ids = self.ids.iter().map(parse).collect::<Result<Vec<Id>, Failure>>()?;
        let rows =
            collection.snapshot().get(&ids, self.vectors, true).map_err(|error| self.folder.failed(error))?;
        let missing: Vec<&Id> =
            ids.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id).collect();
        let first = missing.first().map(|id| (id.to_string(), missing.len() - 1));
        for row in rows.into_iter().flatten() {
            output::json(&Row::of(row, &[])?)?;
        }
        match first {
            None => Ok(()),
            Some((id, others)) => Err(Error::UnknownId { id, others }.into()),
        }
    }
}

#[derive(clap::Args)]
#[command(after_help = LIST)]
pub(crate) struct List {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// Print the vectors too, as they are stored: of unit length under cosine
    #[arg(long)]
    vectors: bool,
    #[command(flatten)]
    filtered: Filtered,
    /// A field of numbers or times by which rows are sorted; rows without a value are last
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
    fields: Vec<String>,
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let snapshot = self.folder.read()?.snapshot();
        let filter = self.filtered.filter()?;
        if filter.is_none() && self.sort_by.is_none() && self.offset == 0 && self.limit == usize::MAX {
            let mut from = Some(0);
            while let Some(next) = from {
                let (ids, then) = snapshot.ids(next, PAGE).map_err(|error| self.folder.failed(error))?;
                self.print(&snapshot, &ids)?;
                from = then;
            }
            return Ok(());
        }
        let query = RowsQuery::new(self.limit).filter(filter).sort_by(self.sort_by.clone());
        let query = query.descending(self.descending).offset(self.offset);
        let page = snapshot.page(&query).map_err(|error| self.folder.failed(error))?;
        let ids: Vec<Id> = page.rows.into_iter().map(|row| row.id).collect();
        ids.chunks(PAGE).try_for_each(|ids| self.print(&snapshot, ids))
    }

    fn print(&self, snapshot: &Snapshot, ids: &[Id]) -> Result<(), Failure> {
        let rows = snapshot.get(ids, self.vectors, true).map_err(|error| self.folder.failed(error))?;
        let rows = rows.into_iter().flatten().map(|row| Row::of(row, &self.fields));
        let rows = rows.collect::<Result<Vec<Row>, Failure>>()?;
        output::text(|out| {
            for row in &rows {
                serde_json::to_writer(&mut *out, row)?;
                writeln!(out)?;
            }
            Ok(())
        })
    }
}
