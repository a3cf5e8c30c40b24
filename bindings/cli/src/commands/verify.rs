//! `pagevec verify`: checks every byte of an index, which opening it does not.

use super::arguments::Source;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::size;
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
        let path = index.path().unwrap_or(&self.source.path);
        let progress = Progress::new();
        progress.spin("verify", || index.verify()).map_err(|e| Failure::of_file(path, e))?;
        let parts = self.source.parts()?;
        if let Some(parts) = parts.as_ref().filter(|parts| parts.beside_file) {
            let joined = self.source.open_parts()?;
            let checked = progress.spin("verify parts", || joined.verify());
            checked.map_err(|e| Failure::of_file(&parts.folder, e))?;
        }
        drop(progress);
        let parts = parts.map_or(0, |parts| parts.count);

        let info = index.info();
        if self.json {
            return output::json(&serde_json::json!({
                "ok": true,
                "file": path,
                "bytes": info.file_length,
                "parts": parts,
                "count": info.count,
                "content_id": index.content_id(),
                "seconds": started.elapsed().as_secs_f64(),
            }));
        }
        output::text(|out| {
            let (size, seconds) = (size::show(info.file_length), started.elapsed().as_secs_f64());
            let parts = if parts > 0 { format!(", {parts} part files") } else { String::new() };
            writeln!(
                out,
                "{}: sound, {} vectors, {size}{parts}, checked in {seconds:.2} s",
                path.display(),
                info.count
            )
        })
    }
}
