//! Which collection a subcommand works on, and how it is opened.

use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::{Collection, CollectionOptions, Ctx, Error, MemoryMetrics};
use std::path::{Path, PathBuf};

/// Bytes of a log that are allocated ahead. A run may write few rows, and begins a log of its own.
const LOG: u64 = 4 << 20;

/// The collection.
#[derive(clap::Args)]
pub(super) struct Folder {
    /// The folder of the collection
    #[arg(value_name = "COLLECTION")]
    pub(super) path: PathBuf,
    /// Print JSON, errors too
    #[arg(long)]
    pub(super) json: bool,
}

impl Folder {
    /// Opens the collection to be read only, which is possible while another process writes it.
    pub(super) fn read(&self) -> Result<Collection, Failure> {
        open(&self.path, &CollectionOptions::default().read_only(true))
    }

    /// Opens the collection to be written, which one process at a time may do.
    pub(super) fn write(&self) -> Result<Collection, Failure> {
        open(&self.path, &CollectionOptions::default().create(false).log_bytes(LOG))
    }

    /// The failure of a call.
    pub(super) fn failed(&self, error: Error) -> Failure {
        failed(&self.path, error)
    }
}

/// Whether a folder has no index, and a collection may be there.
pub(in crate::commands) fn reads(path: &Path) -> bool {
    path.is_dir() && !path.join("index.json").exists()
}

/// What the collection of a folder holds in memory, opened to be read.
pub(in crate::commands) fn metrics(path: &Path, budget: Option<u64>) -> Result<MemoryMetrics, Failure> {
    let mut options = CollectionOptions::default().read_only(true);
    options.memory_budget = budget.unwrap_or(options.memory_budget);
    Ok(open(path, &options)?.metrics())
}

pub(super) fn open(path: &Path, options: &CollectionOptions) -> Result<Collection, Failure> {
    if path.is_file() {
        return Err(Failure::usage(format!("{} is a file: give the folder of a collection", path.display())));
    }
    Collection::open(path, options).map_err(|error| failed(path, error))
}

/// The failure of a call. The message names the folder, once.
fn failed(path: &Path, error: Error) -> Failure {
    let index = path.join("index.json");
    match &error {
        Error::NoCollection { .. } if index.exists() => Failure::usage(format!(
            "{} is an index, no collection: `pagevec collection import` takes its rows",
            path.display()
        )),
        Error::NoCollection { .. } => {
            let message = format!(
                "{}: there is no collection: check the path, or `pagevec collection create` one",
                path.display()
            );
            Failure::Told { exit: 1, code: error.code(), message }
        }
        Error::WalDamaged { .. } | Error::Poisoned { .. } | Error::CollectionLocked { .. } => error.into(),
        Error::Argument { .. } | Error::UnknownId { .. } => error.into(),
        _ => Failure::of_file(path, error),
    }
}

/// Does the merges that are due: other programs may write here but for moments, so who writes much does them.
pub(super) fn settle(folder: &Folder, collection: &Collection) -> Result<(), Failure> {
    let progress = Progress::new();
    let report = |p: pagevec::Progress| progress.tick(p.phase, p.done, p.total);
    let ctx = Ctx { progress: Some(&report), ..Ctx::default() };
    while collection.maintain(&ctx).map_err(|error| folder.failed(error))? {}
    Ok(())
}
