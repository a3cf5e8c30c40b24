//! The subcommands, one file each. A folder of the same name holds the parts of one subcommand; `arguments` holds the
//! arguments that several share, `listing` what prints rows.

mod arguments;
mod build;
mod collection;
mod count;
mod eval;
mod facets;
mod inspect;
mod list;
mod listing;
mod merge;
mod plan;
mod search;
mod serve;
mod stats;
mod verify;

use crate::failure::Failure;

/// The subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Build an index folder from vectors, or append vectors to one
    Build(build::Build),
    /// Choose codes and index for a budget of memory, before anything is built
    Plan(plan::Plan),
    /// Make one segment of all segments of an index, without dead rows
    Merge(merge::Merge),
    /// Find the rows nearest to a row or to a vector
    Search(search::Search),
    /// Count the rows that match a filter
    Count(count::Count),
    /// Count the rows that have each value of a field
    Facets(facets::Facets),
    /// Print all rows, or those that match, a JSON line each
    List(list::List),
    /// Measure recall and speed against the true nearest rows
    Eval(eval::Eval),
    /// Show what an index holds and the size of each part
    Inspect(inspect::Inspect),
    /// Show what an index or a collection holds in memory
    Stats(stats::Stats),
    /// Check every byte of an index
    Verify(verify::Verify),
    /// Keep vectors that change in a folder: upsert, delete, search, export
    Collection(collection::Collection),
    /// Serve a folder over HTTP, with the ranges, CORS and caching that pagevec needs
    Serve(serve::Serve),
}

impl Command {
    /// Whether `--json` is given.
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::Build(c) => c.json,
            Command::Search(c) => c.query.json,
            Command::Count(c) => c.json,
            Command::Facets(c) => c.json,
            Command::Eval(c) => c.json,
            Command::Plan(c) => c.json,
            Command::Merge(c) => c.json,
            Command::Inspect(c) => c.json,
            Command::Stats(c) => c.json,
            Command::Verify(c) => c.json,
            Command::Collection(c) => c.json(),
            Command::List(_) | Command::Serve(_) => false,
        }
    }

    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Build(c) => c.run(),
            Command::Search(c) => c.run(),
            Command::Count(c) => c.run(),
            Command::Facets(c) => c.run(),
            Command::List(c) => c.run(),
            Command::Eval(c) => c.run(),
            Command::Plan(c) => c.run(),
            Command::Merge(c) => c.run(),
            Command::Inspect(c) => c.run(),
            Command::Stats(c) => c.run(),
            Command::Verify(c) => c.run(),
            Command::Collection(c) => c.run(),
            Command::Serve(c) => c.run(),
        }
    }
}
