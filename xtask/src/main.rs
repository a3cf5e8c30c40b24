//! `cargo xtask`: builds, checks, packs and shows pagevec. A machine needs rustup and Node 20 or newer; the rest is
//! installed here, pinned, or found.
//!
//! | file | command or duty |
//! |---|---|
//! | `wasm.rs` | `wasm`: the four modules of pkg/wasm: cargo, wasm-bindgen, wasm-opt |
//! | `panics.rs` | takes what writes the messages of panics out of them |
//! | `../test-runner/` | runs a wasm test file; a crate of its own, as only `test wasm` needs it |
//! | `size.rs` | what a page downloads to search, and the limit on it |
//! | `package.rs` | `pkg`: types checked and emitted, the npm package packed |
//! | `packaging.rs` | `packaging`: the package in the bundlers, frameworks and runtimes that people have |
//! | `test.rs`, `stages/` | `test`: every check |
//! | `demo.rs` | `demo`: an index of the dictionary, served with its page |
//! | `glove.rs` | the set glove of `bench` |
//! | `fuzz.rs` | `fuzz`: libFuzzer over a target of fuzz/, or its corpus made anew |
//! | `bench/` | `bench`: measurements that anyone can repeat; `crash`: publications and collections that end by a power cut |
//! | `browser.rs` | `browser`: finds or installs a Chromium |
//! | `model.rs`, `../model.py` | the embedding model of the tests, out of pinned Python packages |
//! | `node.rs`, `shell.rs` | Node and its pinned tools; processes, paths and stamps |
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod bench;
mod browser;
mod demo;
mod fuzz;
mod glove;
mod model;
mod node;
mod package;
mod packaging;
mod panics;
mod shell;
mod size;
mod stages;
mod test;
mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, checks, packs and shows pagevec.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the wasm modules into pkg/wasm and check their size
    Wasm,
    /// Build the npm package: wasm, types, and a tarball in target/pkg
    Pkg,
    /// Use the package in every stack of tests/packaging/matrix.json, or in those named
    Packaging(packaging::Options),
    /// Run the checks: all, or those named
    Test(test::Options),
    /// Build an index of the dictionary and serve the demo page
    Demo(demo::Options),
    /// Measure, and write the results to benches/results
    #[command(subcommand)]
    Bench(bench::Command),
    /// Fuzz one target, or make the corpus anew
    Fuzz(fuzz::Options),
    /// A million publications, or five million lives of a collection, that end by a power cut, to benches/results/<date>
    Crash(bench::crash::Options),
    /// Print the path of a Chromium; install one if there is none
    Browser,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Wasm => package::build_modules(),
        Command::Pkg => package::build(),
        Command::Packaging(options) => packaging::main(&options),
        Command::Test(options) => test::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(command) => bench::run(&command),
        Command::Fuzz(options) => fuzz::main(&options),
        Command::Crash(options) => bench::crash::measure(&options),
        Command::Browser => browser::find().map(|path| println!("{}", path.display())),
    }
}
