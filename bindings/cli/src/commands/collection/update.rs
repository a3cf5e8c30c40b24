//! `pagevec collection update`: fields of rows that are there.

use super::folder::{Folder, settle};
use crate::commands::search::JsonId;
use crate::failure::Failure;
use crate::input::{updates, upserts};
use crate::output;
use pagevec::Id;
use serde_json::json;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  pagevec collection update notes changes.jsonl
  pagevec collection update notes - --json";

/// So many ids that no row has are told to people.
const TOLD: usize = 10;

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// JSON lines of {"id": …, "fields": {…}}, or one array of those; - for stdin. A field takes the place of the row's, null removes
    /// it, and the others stay
    #[arg(value_name = "CHANGES")]
    changes: PathBuf,
    /// Changes of a batch: all of them are made, or none
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
}

impl Update {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let text_ids = collection.info().text_ids;
        let path = if self.changes.as_os_str() == "-" { Path::new("stdin") } else { &self.changes };
        let (mut updated, mut missing) = (0, Vec::<Id>::new());
        updates::read(&self.changes, text_ids, self.batch as usize, &mut |mut batch| {
            let lines = batch.take_lines();
            let done = collection.update(batch.ids, batch.fields, None);
            let done = done.map_err(|error| upserts::Batch::failure(path, &lines, error))?;
            updated += done.updated;
            missing.extend(done.missing);
            Ok(())
        })?;
        settle(&self.folder, &collection)?;
        if self.folder.json {
            let missing: Vec<JsonId> = missing.into_iter().map(JsonId::from).collect();
            return output::json(&json!({ "updated": updated, "missing": missing }));
        }
        output::text(|out| {
            writeln!(out, "{updated} rows updated")?;
            if missing.is_empty() {
                return Ok(());
            }
            let told: Vec<String> =
                missing.iter().take(TOLD).map(|id| output::printable(&id.to_string())).collect();
            let more = missing.len().saturating_sub(TOLD);
            let others = if more > 0 { format!(" and {more} others") } else { String::new() };
            writeln!(out, "no row has the ids {}{others}: nothing was changed for them", told.join(", "))
        })
    }
}
