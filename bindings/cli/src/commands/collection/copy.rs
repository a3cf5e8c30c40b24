//! `pagevec collection backup` and `export`.

use super::folder::Folder;
use crate::commands::build::segment::{self, Built, nearest_folder};
use crate::failure::Failure;
use crate::output::{self, field};
use crate::progress::Progress;
use crate::size;
use pagevec::{BuildOptions, PublishOptions};
use serde_json::json;
use std::path::PathBuf;

const BACKUP: &str = "\
Examples:
  pagevec collection backup notes -o notes-backup
  pagevec collection backup notes -o /mnt/disk/notes --json";
const EXPORT: &str = "\
Examples:
  pagevec collection export notes -o site/index
  pagevec collection export notes -o site/index --threads 2 --json";

#[derive(clap::Args)]
#[command(after_help = BACKUP)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// The folder of the copy, in which there is no collection yet
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let progress = Progress::new();
        let copied = progress.spin("backup", || collection.backup(&self.output));
        copied.map_err(|error| self.folder.failed(error))?;
        drop(progress);
        let (count, copy) = (collection.count(), &self.output);
        if self.folder.json {
            return output::json(&json!({ "folder": copy, "count": count }));
        }
        output::text(|out| writeln!(out, "{}: a copy of {count} rows", copy.display()))
    }
}

#[derive(clap::Args)]
#[command(after_help = EXPORT)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// The index folder: index.json and one seg-….bin are written into it
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Threads [default: one per core]; the file does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Export {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.read()?;
        let there = nearest_folder(&self.output)?;
        let options = BuildOptions::new(collection.info().metric);
        let progress = Progress::new();
        let Built { file, warnings } = segment::build(
            &self.output,
            there,
            self.threads.map_or(0, usize::from),
            &progress,
            |sink, ctx| collection.export_into(&options, sink, ctx),
        )?;
        let publish = PublishOptions::new();
        let path = progress.spin("write", || pagevec::publish(&self.output, file.as_ref(), &publish))?;
        drop(progress);
        let bytes = file.as_ref().len();
        let rows = pagevec::Segment::open(file.as_ref(), bytes as u64)?.info().count;
        warnings.iter().for_each(|warning| eprintln!("warning: {}", warning.message));
        if self.folder.json {
            return output::json(&json!({
                "folder": self.output,
                "file": path,
                "rows": rows,
                "bytes": bytes,
                "warnings": warnings,
            }));
        }
        output::text(|out| {
            field(out, "rows", rows)?;
            field(out, "file size", size::show(bytes as u64))?;
            field(out, "folder", self.output.display())
        })
    }
}
