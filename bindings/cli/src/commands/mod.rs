//! The subcommands, one file each; a folder of the same name has what only that subcommand needs.

mod build;
mod eval;
mod inspect;
mod search;
mod serve;
mod verify;

use crate::failure::Failure;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Build an index folder from vectors
    Build(build::Build),
    /// Find the rows nearest to a row or to a vector
    Search(search::Search),
    /// Measure recall and speed against the true nearest rows
    Eval(eval::Eval),
    /// Show what an index holds and what each part weighs
    Inspect(inspect::Inspect),
    /// Check every byte of an index
    Verify(verify::Verify),
    /// Serve a folder over HTTP, with ranges, CORS and caching as pagevec wants them
    Serve(serve::Serve),
}

impl Command {
    /// Whether a program reads stdout.
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::Build(c) => c.json,
            Command::Search(c) => c.json,
            Command::Eval(c) => c.json,
            Command::Inspect(c) => c.json,
            Command::Verify(c) => c.json,
            Command::Serve(_) => false,
        }
    }

    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Build(c) => c.run(),
            Command::Search(c) => c.run(),
            Command::Eval(c) => c.run(),
            Command::Inspect(c) => c.run(),
            Command::Verify(c) => c.run(),
            Command::Serve(c) => c.run(),
        }
    }
}

/// The index a subcommand reads.
#[derive(clap::Args)]
struct Source {
    /// An index folder, or a segment file (seg-….bin)
    #[arg(value_name = "INDEX")]
    path: PathBuf,
    /// mmap opens at once; memory reads the file first, in huge pages, and then walks the graph fastest; pread survives a file that others truncate, and holds at most 1 GiB; parts reads the part files
    /// instead (a folder without a segment file always does)
    #[arg(long, value_enum, default_value = "mmap")]
    io: Io,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Io {
    Mmap,
    Memory,
    Pread,
    Parts,
}

impl Source {
    fn open(&self) -> Result<pagevec::Index, Failure> {
        self.open_by(match self.io {
            Io::Mmap => pagevec::Io::Mmap,
            Io::Memory => pagevec::Io::Memory,
            Io::Pread => pagevec::Io::Pread,
            Io::Parts => pagevec::Io::Parts,
        })
    }

    fn open_by(&self, io: pagevec::Io) -> Result<pagevec::Index, Failure> {
        let manifest = self.path.join("index.json");
        if self.path.is_dir() && manifest.symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound) {
            let message = "no index.json lies in this folder, so it is no index: `pagevec build` makes one";
            return Err(Failure::input(&self.path, message));
        }
        let options = pagevec::OpenOptions::new().io(io);
        pagevec::Index::open_with(&self.path, &options).map_err(|e| Failure::of_file(&self.path, e))
    }

    /// The part files of a folder that has any.
    fn parts(&self) -> Result<Option<pagevec::PartsInfo>, Failure> {
        match self.path.is_dir() {
            true => pagevec::parts(&self.path).map_err(|e| Failure::of_file(&self.path, e)),
            false => Ok(None),
        }
    }
}

/// Which index answers.
#[derive(Clone, Copy, clap::ValueEnum)]
enum IndexChoice {
    /// The graph if it is here (a mapped file always is), else the clusters
    Auto,
    /// Every row: exact on the codes, slow
    Flat,
    /// The graph
    Hnsw,
    /// The nearest lists of the clustered index
    Clusters,
}

impl From<IndexChoice> for pagevec::IndexChoice {
    fn from(choice: IndexChoice) -> Self {
        match choice {
            IndexChoice::Auto => pagevec::IndexChoice::Auto,
            IndexChoice::Flat => pagevec::IndexChoice::Flat,
            IndexChoice::Hnsw => pagevec::IndexChoice::Hnsw,
            IndexChoice::Clusters => pagevec::IndexChoice::Clusters,
        }
    }
}
