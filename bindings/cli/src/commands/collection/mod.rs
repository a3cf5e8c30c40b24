//! `pagevec collection`: vectors that change, in a folder.
//!
//! | file | duty |
//! |---|---|
//! | `folder` | which collection, and how it is opened |
//! | `write`, `update` | create, upsert, delete; update |
//! | `search`, `rows` | search; get, list |
//! | `fields` | count, facets |
//! | `upkeep` | flush, compact, stats |
//! | `check`  | verify, repair |
//! | `import`, `copy` | rows from an index or a file; backup, export |
//!
//! What reads opens the collection to be read only, so it works while another process writes.

mod check;
mod copy;
mod fields;
mod folder;
mod import;
mod rows;
mod search;
mod update;
mod upkeep;
mod write;

use crate::failure::Failure;
pub(super) use folder::{metrics, reads};

const EXAMPLES: &str = "\
Examples:
  pagevec collection create notes --dim 384 --metric cosine
  pagevec collection upsert notes rows.jsonl
  pagevec collection search notes --vector-file query.npy -k 10 --fields
  pagevec collection export notes -o site/index";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Collection {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Create a collection in a folder
    Create(write::Create),
    /// Add rows from JSON lines, each new or in place of the one with its id
    Upsert(write::Upsert),
    /// Change fields of rows that are there, without their vectors
    Update(update::Update),
    /// Delete rows by their ids
    Delete(write::Delete),
    /// Find the rows nearest to a row or to a vector
    Search(search::Search),
    /// Print rows by their ids
    Get(rows::Get),
    /// Print all rows, or those that match, a JSON line each
    List(rows::List),
    /// Print how many rows there are, or match
    Count(fields::Count),
    /// Count the rows of each value of a field
    Facets(fields::Facets),
    /// Write the rows that are in memory and in the log to a segment
    Flush(upkeep::Flush),
    /// Merge all segments, without the rows that were deleted or replaced
    Compact(upkeep::Compact),
    /// Show what the collection is made of
    Stats(upkeep::Stats),
    /// Check every byte, and that each row is there once
    Verify(check::Verify),
    /// Give up what is damaged, so that the collection can be opened again
    Repair(check::Repair),
    /// Add the rows of an index, or of a file that build reads
    Import(import::Import),
    /// Copy the collection into another folder
    Backup(copy::Backup),
    /// Publish all rows as an index folder, which search and any page can open
    Export(copy::Export),
}

impl Collection {
    /// Whether `--json` is given.
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            Command::Create(c) => c.folder.json,
            Command::Upsert(c) => c.folder.json,
            Command::Update(c) => c.folder.json,
            Command::Delete(c) => c.folder.json,
            Command::Search(c) => c.query.json,
            Command::Get(c) => c.folder.json,
            Command::List(c) => c.folder.json,
            Command::Count(c) => c.folder.json,
            Command::Facets(c) => c.folder.json,
            Command::Flush(c) => c.folder.json,
            Command::Compact(c) => c.folder.json,
            Command::Stats(c) => c.folder.json,
            Command::Verify(c) => c.folder.json,
            Command::Repair(c) => c.folder.json,
            Command::Import(c) => c.folder.json,
            Command::Backup(c) => c.folder.json,
            Command::Export(c) => c.folder.json,
        }
    }

    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Create(c) => c.run(),
            Command::Upsert(c) => c.run(),
            Command::Update(c) => c.run(),
            Command::Delete(c) => c.run(),
            Command::Search(c) => c.run(),
            Command::Get(c) => c.run(),
            Command::List(c) => c.run(),
            Command::Count(c) => c.run(),
            Command::Facets(c) => c.run(),
            Command::Flush(c) => c.run(),
            Command::Compact(c) => c.run(),
            Command::Stats(c) => c.run(),
            Command::Verify(c) => c.run(),
            Command::Repair(c) => c.run(),
            Command::Import(c) => c.run(),
            Command::Backup(c) => c.run(),
            Command::Export(c) => c.run(),
        }
    }
}
