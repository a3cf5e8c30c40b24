//! Arguments that several subcommands share: which index is read, and how it is searched.

use crate::failure::Failure;
use crate::size;
use pagevec::{Filter, FolderInfo, Index, OpenOptions, Schema, SearchOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The index that a subcommand reads.
#[derive(clap::Args)]
pub(super) struct Source {
    /// An index folder, or a segment file (seg-….bin)
    #[arg(value_name = "INDEX")]
    pub(super) path: PathBuf,
    /// How the file is read
    #[arg(long, value_enum, default_value = "mmap")]
    io: Io,
    /// With --io pread or parts: the most bytes of the file to hold in memory, like 64MB or 1GiB [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    memory_budget: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Io {
    /// Map the file: it opens at once
    Mmap,
    /// Read the file into memory first, in huge pages: searches by the graph are fastest
    Memory,
    /// Read by position, within --memory-budget: for files that others may truncate, or larger than memory
    Pread,
    /// As pread, from the part files; with mmap too, segments that have no file are read this way
    Parts,
}

impl Source {
    /// Opens the index for the searches that `auto` chooses.
    pub(super) fn open(&self) -> Result<Index, Failure> {
        self.open_for(IndexChoice::Auto)
    }

    /// Opens the index with the memory budget divided for searches by `index`.
    pub(super) fn open_for(&self, index: IndexChoice) -> Result<Index, Failure> {
        self.open_with(&self.options()?.index(index.into()))
    }

    /// Opens the index without a budget, to read every row: mapped, unless it is read in parts.
    pub(super) fn open_whole(&self) -> Result<Index, Failure> {
        let io = if self.io == Io::Parts { pagevec::Io::Parts } else { pagevec::Io::Mmap };
        self.open_with(&OpenOptions::new().io(io))
    }

    /// Opens the part files of the index.
    pub(super) fn open_parts(&self) -> Result<Index, Failure> {
        self.open_with(&self.options()?.io(pagevec::Io::Parts))
    }

    /// The memory budget, where the folder is a collection.
    pub(super) fn of_collection(&self) -> Result<Option<u64>, Failure> {
        match self.io {
            Io::Mmap => Ok(self.memory_budget),
            _ => Err(Failure::usage("--io applies only to an index, and this is a collection: leave it out")),
        }
    }

    fn options(&self) -> Result<OpenOptions, Failure> {
        let options = OpenOptions::new().io(match self.io {
            Io::Mmap => pagevec::Io::Mmap,
            Io::Memory => pagevec::Io::Memory,
            Io::Pread => pagevec::Io::Pread,
            Io::Parts => pagevec::Io::Parts,
        });
        match self.memory_budget {
            Some(_) if matches!(self.io, Io::Mmap | Io::Memory) => Err(Failure::usage(
                "--memory-budget applies only to --io pread and --io parts: add one of them, or leave it out",
            )),
            Some(budget) => Ok(options.memory_budget(budget)),
            None => Ok(options),
        }
    }

    fn open_with(&self, options: &OpenOptions) -> Result<Index, Failure> {
        let manifest = self.path.join("index.json");
        if self.path.is_dir() && manifest.symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound) {
            let message = "this folder has no index.json, so it is not an index: `pagevec build` makes one";
            return Err(Failure::input(&self.path, message));
        }
        Index::open_with(&self.path, options).map_err(|e| Failure::of_file(&self.path, e))
    }

    /// What the manifest of a folder says; nothing of a file.
    pub(super) fn folder(&self) -> Result<Option<FolderInfo>, Failure> {
        match self.path.is_dir() {
            true => pagevec::folder_info(&self.path).map(Some).map_err(|e| Failure::of_file(&self.path, e)),
            false => Ok(None),
        }
    }
}

/// Which rows count.
#[derive(clap::Args)]
pub(super) struct Filtered {
    /// Only rows that match count, like '{"pos": "n", "price": {"$lt": 50}}' (docs/filters.md)
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
}

impl Filtered {
    pub(super) fn filter(&self) -> Result<Option<Filter>, Failure> {
        self.filter.as_deref().map(Filter::parse).transpose().map_err(Failure::from)
    }
}

/// The schema in a file.
pub(super) fn read_schema(path: &Path) -> Result<Schema, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    Schema::parse(&text).map_err(|error| Failure::of_file(path, error))
}

/// How the index is searched.
#[derive(clap::Args)]
pub(super) struct Wanted {
    /// The number of hits
    #[arg(short, default_value_t = 10)]
    pub(super) k: usize,
    /// Which index is searched; with --io pread or parts the memory is divided for it
    #[arg(long, value_enum, value_name = "WHICH", default_value = "auto")]
    pub(super) index: IndexChoice,
    /// Lists that the clustered index scans: with more it finds more and reads more [default: calibrated by the build]
    #[arg(long, value_name = "N")]
    probes: Option<usize>,
    /// The part of the true nearest rows that the clustered index should find [default: 0.95]
    #[arg(long, value_name = "PART")]
    recall: Option<f32>,
    /// Candidates that are ranked again by finer rows: with more, more are found [default: enough for the codes]
    #[arg(long, value_name = "N")]
    rescore: Option<usize>,
    #[command(flatten)]
    pub(super) filtered: Filtered,
}

impl Wanted {
    pub(super) fn options(&self) -> Result<SearchOptions, Failure> {
        let options = SearchOptions::new(self.k)
            .index(self.index.into())
            .probes(self.probes)
            .recall(self.recall)
            .rescore(self.rescore);
        Ok(options.filter(self.filtered.filter()?))
    }
}

/// The index that is searched.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum IndexChoice {
    /// The graph if it is in memory (a mapped file counts as that), else the clusters
    Auto,
    /// Every row: exact as far as the codes are, slow
    Flat,
    /// The graph; one that does not fit --memory-budget is walked from disk
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
