//! The report of a build, as text or JSON.

use crate::failure::Failure;
use crate::output::{self, Step, field};
use crate::size;
use pagevec::OldSegment;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) content_id: String,
    /// The number of part files; 0 without --parts.
    pub(super) parts: u64,
    /// The generation of the folder, and how many segments it has.
    pub(super) generation: u64,
    pub(super) segments: usize,
    /// With --append: earlier rows that those of this segment replace.
    pub(super) replaced: u64,
    pub(super) rows: usize,
    pub(super) dim: usize,
    pub(super) bytes: usize,
    pub(super) bytes_per_vector: f64,
    pub(super) read_seconds: f64,
    pub(super) build_seconds: f64,
    pub(super) vectors_per_second: f64,
    /// The recall that the clustered index reached for each recall that may be wanted.
    pub(super) curve: Vec<Step>,
    /// Warnings of the build, and of fields of the input that are not stored.
    pub(super) warnings: Vec<Warning>,
    /// Segments of earlier versions: those in the folder, or with --prune those that were removed.
    pub(super) old_segments: Vec<Old>,
    pub(super) pruned: bool,
}

#[derive(Serialize)]
pub(in crate::commands) struct Warning {
    pub(in crate::commands) code: &'static str,
    pub(in crate::commands) message: String,
}

#[derive(Serialize)]
pub(in crate::commands) struct Old {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

impl Summary {
    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return output::json(self);
        }
        output::text(|out| {
            field(out, "rows", format!("{} of {} components", self.rows, self.dim))?;
            field(out, "file size", size::show(self.bytes as u64))?;
            if self.parts > 0 {
                field(out, "part files", self.parts)?;
            }
            field(out, "bytes per vector", format!("{:.1}", self.bytes_per_vector))?;
            let time = format!("{:.2} s reading, {:.2} s building", self.read_seconds, self.build_seconds);
            field(out, "time", time)?;
            field(out, "vectors/s", format!("{:.0}", self.vectors_per_second))?;
            output::print_curve(out, &self.curve)?;
            field(out, "folder", self.folder.display())?;
            if self.segments > 1 {
                let told =
                    format!("{} in the index; {} earlier rows are replaced", self.segments, self.replaced);
                field(out, "segments", told)?;
            }
            print_old(out, &self.old_segments, self.pruned)
        })
    }
}

/// The segments that the index no longer has: those in the folder, or with `prune` those that were removed.
pub(in crate::commands) fn old(folder: &Path, prune: bool) -> Result<Vec<Old>, pagevec::Error> {
    let old = if prune { pagevec::prune(folder) } else { pagevec::old_segments(folder) }?;
    Ok(old.into_iter().map(|OldSegment { path, bytes, .. }| Old { path, bytes }).collect())
}

pub(in crate::commands) fn print_old(out: &mut dyn Write, old: &[Old], pruned: bool) -> std::io::Result<()> {
    if old.is_empty() {
        return Ok(());
    }
    let bytes = size::show(old.iter().map(|old| old.bytes).sum());
    let what = if pruned { "removed" } else { "--prune removes them" };
    field(out, "earlier segments", format!("{}, {bytes}: {what}", old.len()))
}
