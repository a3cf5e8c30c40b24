//! `cargo xtask bench`: measurements that anyone can repeat.
//!
//! | file | duty |
//! |---|---|
//! | `sets.rs` | finds, fetches or makes vectors, queries and truths; builds their indexes |
//! | `remote.rs` | `bench remote`: bytes, requests and time over a shaped link, in Chromium and in Node |
//! | `memory.rs` | `bench memory`: less and less memory, and an edge worker under load |
//! | `race.rs` | `bench race`: speed at a recall against other engines, natively and in Chromium |
//! | `odd.rs` | `bench odd`: recall and cost over odd data, hnswlib and faiss beside it |
//! | `fuzz.rs` | `bench fuzz`: the tests' fuzz of hostile files, over more inputs |
//! | `crash.rs` | `crash`: the tests' crashes of a publication or a collection, over more images |

pub(crate) mod crash;
mod fuzz;
mod memory;
mod odd;
mod race;
mod remote;
mod sets;

use crate::shell::{command, output, root, target};
use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Bytes, requests, waves, time and memory over a shaped link, to benches/results/<date>/remote.md
    Remote(remote::Options),
    /// Time under less and less memory, and an edge worker under load, to benches/results/<date>/memory.md
    Memory(memory::Options),
    /// Speed, building and memory against other engines, to benches/results/<date>/race-<set>.md
    Race(race::Options),
    /// Recall and cost over odd data, beside hnswlib and faiss, to benches/results/<date>/odd.md
    Odd(odd::Options),
    /// A million hostile files, to benches/results/<date>/fuzz.md
    Fuzz(fuzz::Options),
}

pub(crate) fn run(command: &Command) -> Result<()> {
    match command {
        Command::Remote(options) => remote::measure(options),
        Command::Memory(options) => memory::measure(options),
        Command::Race(options) => race::measure(options),
        Command::Odd(options) => odd::measure(options),
        Command::Fuzz(options) => fuzz::measure(options),
    }
}

/// As the results are filed.
fn date() -> Result<String> {
    output(command("date").arg("+%F"))
}

/// Where sets, indexes and peers are kept unless told otherwise.
fn cache() -> Result<PathBuf> {
    Ok(std::path::absolute(target().join("bench"))?)
}

/// Today's folder of results.
fn results() -> Result<PathBuf> {
    Ok(root().join("benches/results").join(date()?))
}

/// What was measured; git may be missing.
fn commit() -> String {
    output(command("git").args(["describe", "--always", "--dirty"]))
        .unwrap_or_else(|_| "without git".to_owned())
}
