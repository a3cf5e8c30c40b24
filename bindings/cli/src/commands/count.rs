//! `pagevec count`: how many rows match a filter. No vector and no stored field is read.

use super::arguments::{Filtered, Source};
use crate::failure::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pagevec count site/index
  pagevec count site/index --filter '{\"price\":{\"$lt\":50}}' --json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Count {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    filtered: Filtered,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Count {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let filter = self.filtered.filter()?;
        let count = self.source.open()?.count(filter)?;
        match self.json {
            true => output::json(&serde_json::json!({ "count": count })),
            false => output::text(|out| writeln!(out, "{count}")),
        }
    }
}
