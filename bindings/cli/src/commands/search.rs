//! `pagevec search`: the rows nearest to one row or vector.
//!
//! | file | duty |
//! |---|---|
//! | `query`  | what is searched for, and how |
//! | `report` | what is printed |

mod query;
mod report;

use super::arguments::Source;
use crate::failure::Failure;
use pagevec::{Answer, Error, Id, Index, SearchOptions};
pub(super) use query::{Query, fields_of};
pub(super) use report::JsonId;

const EXAMPLES: &str = "\
Examples:
  pagevec search site/index --id apple -k 5
  pagevec search site/index --id apple --fields title,url
  pagevec search site/index --id apple --filter '{\"price\":{\"$lt\":50}}'
  pagevec search site/index --vector 0.1,0.2,0.3 --explain
  pagevec search site/index --id apple --among fruit.txt --exclude seen.txt
  pagevec search site/index --vector-file query.npy --io pread --memory-budget 64MB --index hnsw";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Search {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    pub(super) query: Query,
}

impl Search {
    pub(crate) fn run(self) -> Result<(), Failure> {
        self.query.run(&self.source.open_for(self.query.wanted.index)?)
    }
}

/// What can be searched.
pub(super) trait Searched {
    /// `"number"` or `"text"`.
    fn ids(&self) -> &str;
    fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error>;
    fn similar(&self, id: &Id, options: &SearchOptions) -> Result<Answer, Error>;
    /// The options with their ids looked up, for several searches.
    fn select(&self, options: &SearchOptions) -> Result<SearchOptions, Error>;
}

impl Searched for Index {
    fn ids(&self) -> &str {
        self.info().ids
    }

    fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        Index::search(self, query, options)
    }

    fn similar(&self, id: &Id, options: &SearchOptions) -> Result<Answer, Error> {
        Index::similar(self, id, options)
    }

    fn select(&self, options: &SearchOptions) -> Result<SearchOptions, Error> {
        Index::select(self, options)
    }
}
