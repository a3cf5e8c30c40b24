//! `pagevec`: plan, build, merge, search, count, list, evaluate, inspect, measure, verify and serve an index; keep a collection.
//!
//! | file | duty |
//! |---|---|
//! | `commands/` | one file per subcommand: its arguments, its work, what it prints |
//! | `input/` | vectors, ids and truths from files; hostile bytes end in an error that names the place |
//! | `output.rs` | stdout: text for people, JSON for programs, quiet when the reader has gone |
//! | `failure.rs` | failures: their code, message and exit code |
//! | `progress.rs` | a bar on stderr for work longer than a second |
//! | `size.rs` | sizes in bytes: `64MB`, `1 GiB` |
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage.

mod commands;
mod failure;
mod input;
mod output;
mod progress;
mod size;

use clap::Parser as _;
use commands::Command;
use failure::Failure;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  pagevec build words.npy --ids words.txt -o site/index
  pagevec search site/index --id apple
  pagevec build more.npy --ids more.txt --append -o site/index
  pagevec merge site/index
  pagevec serve site";

/// A vector index that a page can search where it lies, on any static host.
#[derive(clap::Parser)]
#[command(name = "pagevec", version, arg_required_else_help = true, after_help = EXAMPLES)]
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
        Err(failure) => report(failure, json),
    }
}

/// Prints a failure to stderr, and with `--json` to stdout too.
fn report(failure: Failure, json: bool) -> ExitCode {
    let Failure::Told { exit, code, message } = failure else {
        return ExitCode::SUCCESS;
    };
    if json {
        let body = serde_json::json!({ "error": { "code": code, "message": message } });
        // If stdout is closed, the exit code still shows the failure.
        let _ = output::json(&body);
    }
    eprintln!("pagevec: {message}");
    ExitCode::from(exit)
}

/// Prints an error of clap. Help and version are such errors too, and belong on stdout.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|a| a == "--json") {
        // The error and, if there is one, the nearest name. The usage that follows is left out.
        let text = error.to_string();
        let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
        let message: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let failure = Failure::usage(message.join(" ").trim_start_matches("error: "));
        return report(failure, true);
    }
    // Printing fails only if the pipe is closed; then no report is possible.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory as _, Parser as _};

    /// The example calls in a help text.
    fn examples(help: &str) -> Vec<&str> {
        let shown = help.split_once("Examples:\n").expect("a heading of examples").1;
        shown.lines().map(str::trim).filter(|line| line.starts_with("pagevec ")).collect()
    }

    /// The names and help texts of a command and of all below it.
    fn helps(command: &mut clap::Command, name: &str, into: &mut Vec<(String, String)>) {
        into.push((name.to_owned(), command.render_long_help().to_string()));
        for subcommand in command.get_subcommands_mut().filter(|c| c.get_name() != "help") {
            let name = format!("{name} {}", subcommand.get_name());
            helps(subcommand, &name, into);
        }
    }

    #[test]
    fn every_example_is_a_call_that_is_understood() {
        let mut command = Cli::command();
        command.build();
        let mut all = Vec::new();
        helps(&mut command, "pagevec", &mut all);
        assert_eq!(all.len(), 31);
        for (name, help) in all {
            let examples = examples(&help);
            assert!(examples.len() >= 2, "{name}: {} examples", examples.len());
            for example in examples {
                assert!(example.starts_with(&format!("{name} ")), "{example}");
                if let Err(error) =
                    Cli::try_parse_from(example.split_whitespace().map(|word| word.trim_matches('\'')))
                {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}
