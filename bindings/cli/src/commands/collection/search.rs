//! `pagevec collection search`: the rows nearest to one row or vector.

use super::folder::open;
use crate::commands::search::{Query, Searched};
use crate::failure::Failure;
use pagevec::{Answer, CollectionOptions, Error, Id, SearchOptions, Snapshot};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  pagevec collection search notes --vector-file query.npy -k 10 --json
  pagevec collection search notes --id a1 --fields title";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Search {
    /// The folder of the collection
    #[arg(value_name = "COLLECTION")]
    path: PathBuf,
    #[command(flatten)]
    pub(super) query: Query,
}

impl Search {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = open(&self.path, &CollectionOptions::default().read_only(true))?;
        let ids = collection.info().ids().unwrap_or("text");
        self.query.run(&Rows { snapshot: collection.snapshot(), ids })
    }
}

struct Rows {
    snapshot: Snapshot,
    ids: &'static str,
}

impl Searched for Rows {
    fn ids(&self) -> &str {
        self.ids
    }

    fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        self.snapshot.search(query, options)
    }

    fn similar(&self, id: &Id, options: &SearchOptions) -> Result<Answer, Error> {
        self.snapshot.similar(id, options)
    }

    fn select(&self, options: &SearchOptions) -> Result<SearchOptions, Error> {
        Ok(options.clone())
    }
}
