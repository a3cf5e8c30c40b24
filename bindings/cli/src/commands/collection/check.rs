//! `pagevec collection verify` and `repair`.

use super::folder::Folder;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use serde_json::json;
use std::time::Instant;

const VERIFY: &str = "\
Examples:
  pagevec collection verify notes
  pagevec collection verify notes --json";
const REPAIR: &str = "\
Examples:
  pagevec collection repair notes
  pagevec collection repair notes --json";

#[derive(clap::Args)]
#[command(after_help = VERIFY)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Verify {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let started = Instant::now();
        // Opening it reads the whole log.
        let collection = self.folder.read()?;
        let (snapshot, stats) = (collection.snapshot(), collection.stats());
        let progress = Progress::new();
        let checked = snapshot.verify(|done| {
            progress.tick("verify", done as u64, stats.count as u64);
            Ok(())
        });
        checked.map_err(|error| self.folder.failed(error))?;
        drop(progress);
        let (count, segments, seconds) = (stats.count, stats.segments.len(), started.elapsed().as_secs_f64());
        if self.folder.json {
            return output::json(&json!({
                "ok": true,
                "count": count,
                "segments": segments,
                "sequence": stats.sequence,
                "torn": stats.torn,
                "seconds": seconds,
            }));
        }
        output::text(|out| {
            let path = self.folder.path.display();
            writeln!(out, "{path}: sound, {count} rows, segments: {segments}, checked in {seconds:.2} s")
        })
    }
}

#[derive(clap::Args)]
#[command(after_help = REPAIR)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Repair {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let repaired =
            pagevec::Collection::repair(&self.folder.path).map_err(|error| self.folder.failed(error))?;
        if self.folder.json {
            return output::json(&json!({
                "count": repaired.count,
                "sequence": repaired.sequence,
                "given_up": repaired.segments,
                "kept": repaired.kept,
            }));
        }
        output::text(|out| {
            writeln!(
                out,
                "{}: {} rows, of {} operations",
                self.folder.path.display(),
                repaired.count,
                repaired.sequence
            )?;
            repaired.segments.iter().try_for_each(|why| writeln!(out, "given up: {why}"))?;
            repaired.kept.iter().try_for_each(|name| writeln!(out, "a copy was kept: {name}"))
        })
    }
}
