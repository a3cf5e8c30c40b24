//! `cargo xtask bench`: measurements that anyone can repeat.
//!
//! | file | duty |
//! |---|---|
//! | `sets.rs` | vectors, queries and truths: found, fetched or made; their indexes |
//! | `remote.rs` | `bench remote`: what an index costs over a shaped link, in Chromium and in Node |

mod remote;
mod sets;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Bytes, requests, waves, time and memory over a shaped link, to benches/results/<date>/remote.md
    Remote(remote::Options),
}

pub(crate) fn run(command: &Command) -> Result<()> {
    match command {
        Command::Remote(options) => remote::measure(options),
    }
}
