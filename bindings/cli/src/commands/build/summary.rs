//! The report of a build, as text or JSON.

use crate::failure::Failure;
use crate::output::{self, Step, field};
use crate::size;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) content_id: String,
    /// The number of part files; 0 without --parts.
    pub(super) parts: u64,
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
pub(super) struct Warning {
    pub(super) code: &'static str,
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct Old {
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
            let old = &self.old_segments;
            if old.is_empty() {
                return Ok(());
            }
            let bytes = size::show(old.iter().map(|old| old.bytes).sum());
            let what = if self.pruned { "removed" } else { "--prune removes them" };
            field(out, "earlier segments", format!("{}, {bytes}: {what}", old.len()))
        })
    }
}
