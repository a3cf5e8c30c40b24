//! `pagevec collection get` and `list`.

use super::folder::Folder;
use crate::commands::listing::{Listing, Row};
use crate::failure::Failure;
use crate::input::ids;
use crate::output;
use pagevec::{Error, Id};

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
    #[command(flatten)]
    listing: Listing,
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let snapshot = self.folder.read()?.snapshot();
        let query = self.listing.query()?;
        let mut lines = self.listing.lines()?;
        let mut add = |ids: &[Id]| {
            let rows = snapshot.get(ids, self.listing.vectors, true);
            lines.add(rows.map_err(|error| self.folder.failed(error))?.into_iter().flatten())
        };
        match query {
            None => {
                let mut from = Some(0);
                while let Some(next) = from {
                    let (ids, then) = snapshot.ids(next, PAGE).map_err(|error| self.folder.failed(error))?;
                    add(&ids)?;
                    from = then;
                }
            }
            Some(query) => {
                let page = snapshot.page(&query).map_err(|error| self.folder.failed(error))?;
                let ids: Vec<Id> = page.rows.into_iter().map(|row| row.id).collect();
                ids.chunks(PAGE).try_for_each(add)?;
            }
        }
        lines.finish()
    }
}
