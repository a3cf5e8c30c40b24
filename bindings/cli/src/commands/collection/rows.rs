//! `pagevec collection get`, `list` and `count`.

use super::folder::Folder;
use crate::commands::search::JsonId;
use crate::failure::Failure;
use crate::input::ids;
use crate::output;
use pagevec::{Error, Id, StoredRow};
use serde::Serialize;
use serde_json::value::RawValue;

const GET: &str = "\
Examples:
  pagevec collection get notes a1 a2
  pagevec collection get notes a1 --vectors";
const LIST: &str = "\
Examples:
  pagevec collection list notes
  pagevec collection list notes --vectors";
const COUNT: &str = "\
Examples:
  pagevec collection count notes
  pagevec collection count notes --json";

/// Rows that are read at once.
const PAGE: usize = 1000;

#[derive(Serialize)]
struct Row {
    id: JsonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<Vec<f32>>,
    fields: Box<RawValue>,
}

impl TryFrom<StoredRow> for Row {
    type Error = Failure;

    fn try_from(row: StoredRow) -> Result<Self, Failure> {
        let fields = RawValue::from_string(row.fields.map_or_else(|| "{}".to_owned(), String::from));
        let fields = fields.map_err(|error| {
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
            output::json(&Row::try_from(row)?)?;
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
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let snapshot = self.folder.read()?.snapshot();
        let failed = |error| self.folder.failed(error);
        let mut from = Some(0);
        while let Some(next) = from {
            let (ids, then) = snapshot.ids(next, PAGE).map_err(failed)?;
            let rows = snapshot.get(&ids, self.vectors, true).map_err(failed)?;
            let rows =
                rows.into_iter().flatten().map(Row::try_from).collect::<Result<Vec<Row>, Failure>>()?;
            output::text(|out| {
                for row in &rows {
                    serde_json::to_writer(&mut *out, row)?;
                    writeln!(out)?;
                }
                Ok(())
            })?;
            from = then;
        }
        Ok(())
    }
}

#[derive(clap::Args)]
#[command(after_help = COUNT)]
pub(crate) struct Count {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Count {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let count = self.folder.read()?.count();
        if self.folder.json {
            return output::json(&serde_json::json!({ "count": count }));
        }
        output::text(|out| writeln!(out, "{count}"))
    }
}
