//! `pagevec merge`: makes one segment of all rows of an index that are alive. If it fails, nothing is published.

use super::build::base::Base;
use super::build::kind;
use super::build::segment::{self, Built};
use super::build::summary::{Old, Warning, old, plural, print_old};
use crate::failure::Failure;
use crate::output::{self, field};
use crate::progress::Progress;
use crate::size;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  pagevec merge site/index
  pagevec merge site/index --prune --json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Merge {
    /// The index folder. The merged segment is published in the form of the last one: as a file, in parts, or both
    #[arg(value_name = "INDEX")]
    folder: PathBuf,
    /// Threads [default: one per core]; the file does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Remove the files that the index no longer has from the folder, also the segments that were merged. Pages that have one open will fail if a host serves it
    #[arg(long)]
    prune: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Summary {
    folder: PathBuf,
    /// The path of the one segment that the index has now.
    file: PathBuf,
    content_id: String,
    generation: u64,
    /// Segments that were merged: 0 where there was one without dead rows, which stays.
    merged: usize,
    /// Rows of theirs that were dead, and are left out.
    dropped: usize,
    rows: usize,
    bytes_before: u64,
    bytes: u64,
    seconds: f64,
    warnings: Vec<Warning>,
    old_segments: Vec<Old>,
    pruned: bool,
}

impl Merge {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let started = Instant::now();
        let base = Base::to_merge(&self.folder)?;
        let (segments, info) = (base.index.segments(), base.index.info());
        let dropped = segments.iter().map(|segment| segment.dead).sum();
        let is_one = segments.len() == 1 && dropped == 0;
        let mut warnings = Vec::new();
        if !is_one {
            warnings = self.merge(&base)?;
        }
        let old_segments = old(&self.folder, self.prune)?;
        for warning in &warnings {
            eprintln!("warning: {}", warning.message);
        }
        let folder = pagevec::folder_info(&self.folder)?;
        let Some(now) = folder.segments.into_iter().next() else {
            return Err(Failure::input(&self.folder, "the index names no segment"));
        };
        Summary {
            bytes: now.bytes,
            file: now.path,
            content_id: now.content_id,
            generation: folder.generation,
            merged: if is_one { 0 } else { segments.len() },
            dropped,
            rows: info.count,
            bytes_before: info.file_length,
            seconds: started.elapsed().as_secs_f64(),
            warnings,
            old_segments,
            pruned: self.prune,
            folder: self.folder,
        }
        .print(self.json)
    }

    /// Publishes one segment of the index, unless another writer has changed it meanwhile.
    fn merge(&self, base: &Base) -> Result<Vec<Warning>, Failure> {
        let progress = Progress::new();
        let threads = self.threads.map_or(0, usize::from);
        let options = kind::like(base.index.info());
        let Built { file, warnings } =
            segment::build(&self.folder, &self.folder, threads, &progress, |sink, ctx| {
                pagevec::merge_into(&[&base.index], &options, sink, ctx)
            })?;
        let publish = pagevec::PublishOptions::new().form(base.form).generation(base.generation);
        let publish = publish.model(base.model.clone());
        progress.spin("write", || pagevec::publish(&self.folder, file.as_ref(), &publish))?;
        Ok(warnings)
    }
}

impl Summary {
    fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return output::json(self);
        }
        output::text(|out| {
            if self.merged == 0 {
                field(out, "segments", "one without dead rows: there is nothing to merge")?;
                field(out, "rows", self.rows)?;
                field(out, "folder", self.folder.display())?;
                return print_old(out, &self.old_segments, self.pruned);
            }
            field(out, "segments", format!("{} merged into one", self.merged))?;
            field(
                out,
                "rows",
                format!("{}; {} left out", self.rows, plural(self.dropped as u64, "dead row")),
            )?;
            let (before, now) = (size::show(self.bytes_before), size::show(self.bytes));
            field(out, "file size", format!("{now}, before {before}"))?;
            field(out, "time", format!("{:.2} s", self.seconds))?;
            field(out, "folder", self.folder.display())?;
            field(out, "generation", self.generation)?;
            print_old(out, &self.old_segments, self.pruned)
        })
    }
}
