//! `pagevec collection count` and `facets`.

use super::folder::Folder;
use crate::commands::arguments::Filtered;
use crate::commands::facets::Of;
use crate::failure::Failure;
use crate::output;

const COUNT: &str = "\
Examples:
  pagevec collection count notes
  pagevec collection count notes --filter '{\"stars\":{\"$gte\":3}}' --json";
const FACETS: &str = "\
Examples:
  pagevec collection facets notes author
  pagevec collection facets notes author --filter '{\"stars\":{\"$gte\":3}}' --limit 20 --json";

#[derive(clap::Args)]
#[command(after_help = COUNT)]
pub(crate) struct Count {
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    filtered: Filtered,
}

impl Count {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (filter, collection) = (self.filtered.filter()?, self.folder.read()?);
        let count = match filter {
            Some(filter) => collection.count_matching(&filter).map_err(|error| self.folder.failed(error))?,
            None => collection.count() as u64,
        };
        if self.folder.json {
            return output::json(&serde_json::json!({ "count": count }));
        }
        output::text(|out| writeln!(out, "{count}"))
    }
}

#[derive(clap::Args)]
#[command(after_help = FACETS)]
pub(crate) struct Facets {
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    of: Of,
}

impl Facets {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Of { field, filtered, limit } = &self.of;
        let counts = self.folder.read()?.facets(field, filtered.filter()?, *limit);
        self.of.print(&counts.map_err(|error| self.folder.failed(error))?, self.folder.json)
    }
}
