//! `pagevec verify`: checks every byte of an index, which opening it does not.

use super::arguments::Source;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::size;
use pagevec::{Form, PublishedSegment};
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  pagevec verify site/index
  pagevec verify site/index --io pread --memory-budget 64MB";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    #[command(flatten)]
    source: Source,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let started = Instant::now();
        let index = self.source.open()?;
        let published = self.source.folder()?.map(|folder| folder.segments).unwrap_or_default();
        let progress = Progress::new();
        for (number, segment) in index.segments().iter().enumerate() {
            // A segment without a file is named by the folder of its parts.
            let parts = published.iter().find(|one| Some(&one.content_id) == segment.content_id.as_ref());
            let path = segment.path.as_ref().or(parts.map(|parts| &parts.path)).unwrap_or(&self.source.path);
            let checked = progress.spin("verify", || index.verify_segment(number));
            checked.map_err(|e| Failure::of_file(path, e))?;
        }
        let parts = self.parts(&published, &progress)?;
        drop(progress);

        let path = index.path().unwrap_or(&self.source.path);
        let info = index.info();
        if self.json {
            return output::json(&serde_json::json!({
                "ok": true,
                "file": path,
                "bytes": info.file_length,
                "parts": parts,
                "segments": index.segments().len(),
                "count": info.count,
                "content_id": index.content_id(),
                "seconds": started.elapsed().as_secs_f64(),
            }));
        }
        output::text(|out| {
            let (size, seconds) = (size::show(info.file_length), started.elapsed().as_secs_f64());
            let several = match index.segments().len() {
                1 => String::new(),
                count => format!("{count} segments, "),
            };
            let parts = if parts > 0 { format!(", {parts} part files") } else { String::new() };
            writeln!(
                out,
                "{}: sound, {several}{} vectors, {size}{parts}, checked in {seconds:.2} s",
                path.display(),
                info.count
            )
        })
    }

    /// Checks the part files of segments that are published also as one file. Returns how many part files there are.
    fn parts(&self, segments: &[PublishedSegment], progress: &Progress) -> Result<u64, Failure> {
        if segments.iter().any(|segment| segment.form == Form::Both) {
            let joined = self.source.open_parts()?;
            for (number, segment) in segments.iter().enumerate() {
                let Some(parts) = segment.parts.as_ref().filter(|_| segment.form == Form::Both) else {
                    continue;
                };
                let checked = progress.spin("verify parts", || joined.verify_segment(number));
                checked.map_err(|e| Failure::of_file(&parts.folder, e))?;
            }
        }
        Ok(segments.iter().filter_map(|segment| segment.parts.as_ref()).map(|parts| parts.count).sum())
    }
}
