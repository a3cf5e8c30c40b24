//! `pagevec verify`: the complete check, which `open` leaves out to stay cheap.

use super::Source;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use std::time::Instant;

#[derive(clap::Args)]
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
        let checked = Progress::new().spin("verify", || index.verify());
        checked.map_err(|e| Failure::of_file(path, e))?;

        let info = index.info();
        if self.json {
            return output::json(&serde_json::json!({
                "ok": true,
                "file": path,
                "bytes": info.file_length,
                "count": info.count,
                "content_id": index.content_id(),
                "seconds": started.elapsed().as_secs_f64(),
            }));
        }
        output::text(|out| {
            let (size, seconds) = (output::size(info.file_length), started.elapsed().as_secs_f64());
            writeln!(
                out,
                "{}: sound, {} vectors, {size}, checked in {seconds:.2} s",
                path.display(),
                info.count
            )
        })
    }
}
