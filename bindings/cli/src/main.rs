//! `pagevec`: build, search, evaluate, inspect, verify and serve an index.
//!
//! | file | duty |
//! |---|---|
//! | `commands/` | one file per subcommand: its arguments, its work, what it prints |
//! | `input/` | vectors, ids and truths from files; hostile bytes end in an error that names the place |
//! | `output.rs` | stdout: text for people, JSON for programs, quiet when the reader has gone |
//! | `failure.rs` | what went wrong, and the exit code |
//! | `progress.rs` | a bar on stderr for work longer than a second |
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage.

mod commands;
mod failure;
mod input;
mod output;
mod progress;

use clap::Parser as _;
use commands::Command;
use failure::Failure;
use std::process::ExitCode;

/// A vector index that a page can search where it lies, on any static host.
#[derive(clap::Parser)]
#[command(name = "pagevec", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let json = cli.command.json();
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// Help and version come this way too, as errors that belong on stdout.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|a| a == "--json") {
        // The first paragraph says what is wrong, the rest repeats the usage.
        let text = error.to_string();
        let message: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        return Failure::usage(message.join(" ").trim_start_matches("error: ")).report(true);
    }
    // A closed pipe is the only way this fails, and there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
