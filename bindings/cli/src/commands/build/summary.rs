//! The report of a build, as text or JSON.

use crate::failure::Failure;
use crate::output::{self, Step, field};
use crate::size;
use pagevec::{FolderInfo, OldSegment, SectionInfo};
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
    /// The generation of the folder, how many segments the index has, and rows that are not dead.
    pub(super) generation: u64,
    pub(super) segments: usize,
    pub(super) index_rows: u64,
    /// With --append: earlier rows that those of this segment replace.
    pub(super) replaced: u64,
    /// What an append tells people besides.
    #[serde(skip)]
    pub(super) added: Option<Added>,
    /// Rows of this segment.
    pub(super) rows: usize,
    pub(super) dim: usize,
    pub(super) bytes: usize,
    pub(super) bytes_per_vector: f64,
    pub(super) read_seconds: f64,
    pub(super) build_seconds: f64,
    pub(super) vectors_per_second: f64,
    /// The names of the fields that are stored, and their bytes in the file.
    pub(super) fields: Vec<String>,
    pub(super) field_bytes: u64,
    /// The recall that the clustered index reached for each recall that may be wanted.
    pub(super) curve: Vec<Step>,
    /// Warnings of the build, and of parts.
    pub(super) warnings: Vec<Warning>,
    /// Segments and dead rows of earlier versions: those in the folder, or with --prune those that were removed.
    pub(super) old_segments: Vec<Old>,
    pub(super) pruned: bool,
}

pub(super) struct Added {
    /// Whether the index had this very segment before.
    pub(super) again: bool,
    pub(super) hint: Option<String>,
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
            field(out, "rows", format!("{} of {} components{}", self.rows, self.dim, self.effect()))?;
            field(out, "file size", size::show(self.bytes as u64))?;
            if self.parts > 0 {
                field(out, "part files", self.parts)?;
            }
            field(out, "bytes per vector", format!("{:.1}", self.bytes_per_vector))?;
            if !self.fields.is_empty() {
                let names: Vec<&str> = self.fields.iter().take(SHOWN).map(String::as_str).collect();
                let more = if self.fields.len() > SHOWN { ", …" } else { "" };
                field(
                    out,
                    "fields",
                    format!("{}{more}: {}", names.join(", "), size::show(self.field_bytes)),
                )?;
            }
            let time = format!("{:.2} s reading, {:.2} s building", self.read_seconds, self.build_seconds);
            field(out, "time", time)?;
            field(out, "vectors/s", format!("{:.0}", self.vectors_per_second))?;
            output::print_curve(out, &self.curve)?;
            field(out, "folder", self.folder.display())?;
            if let Some(added) = &self.added {
                let (rows, generation) = (self.index_rows, self.generation);
                let segments = plural(self.segments as u64, "segment");
                field(out, "index", format!("{rows} rows in {segments}, generation {generation}"))?;
                added.hint.as_ref().map_or(Ok(()), |hint| field(out, "hint", hint))?;
            }
            print_old(out, &self.old_segments, self.pruned)
        })
    }

    /// What became of the rows that were appended.
    fn effect(&self) -> String {
        match &self.added {
            None => String::new(),
            Some(Added { again: true, .. }) => {
                ": the index had this very segment, which is its last one now".to_owned()
            }
            Some(_) => {
                let new = (self.rows as u64).saturating_sub(self.replaced);
                format!(": {new} new, {} in place of earlier ones", self.replaced)
            }
        }
    }
}

/// Names of fields that are shown.
const SHOWN: usize = 8;

/// Bytes of the stored fields in a segment.
pub(super) fn field_bytes(sections: &[SectionInfo]) -> u64 {
    let of_fields = |section: &&SectionInfo| matches!(section.name, "field directory" | "fields");
    sections.iter().filter(of_fields).map(|section| section.length).sum()
}

pub(in crate::commands) fn plural(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Rows of an index that are not dead.
pub(super) fn live_rows(folder: &FolderInfo) -> u64 {
    folder.segments.iter().map(|segment| segment.count - segment.dead).sum()
}

/// From so many segments on, a merge is worth a hint: a search asks each of them.
const MANY_SEGMENTS: usize = 8;

/// Why the segments of an index should be merged, and how; `None` where they are few and have few dead rows.
pub(in crate::commands) fn merge_hint(path: &Path, folder: &FolderInfo) -> Option<String> {
    let (segments, path) = (folder.segments.len(), path.display());
    let dead: u64 = folder.segments.iter().map(|segment| segment.dead).sum();
    let rows = live_rows(folder) + dead;
    match (segments >= MANY_SEGMENTS, dead > rows / 4) {
        (true, _) => Some(format!(
            "a search asks each of the {segments} segments: `pagevec merge {path}` makes one of them"
        )),
        (_, true) => {
            Some(format!("{dead} of the {rows} rows stored are dead: `pagevec merge {path}` leaves them out"))
        }
        _ => None,
    }
}

/// Warns of an index whose last segment is in parts and others are not.
pub(super) fn not_in_parts(path: &Path, folder: &FolderInfo) -> Option<Warning> {
    folder.segments.last().filter(|last| last.parts.is_some())?;
    let files = folder.segments.iter().filter(|segment| segment.parts.is_none()).count() as u64;
    (files > 0).then(|| Warning {
        code: "not-in-parts",
        message: format!(
            "{} not in parts, so hosts that ignore the Range header cannot read the index: `pagevec merge {}` \
             publishes all rows in parts",
            if files == 1 { "1 segment is".to_owned() } else { format!("{files} segments are") },
            path.display()
        ),
    })
}

/// The files that the index no longer has: those in the folder, or with `prune` those that were removed.
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
    field(out, "earlier files", format!("{}, {bytes}: {what}", old.len()))
}
