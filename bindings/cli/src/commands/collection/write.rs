//! `pagevec collection create`, `upsert` and `delete`.

use super::folder::{Folder, open, settle};
use crate::commands::arguments::read_schema;
use crate::commands::build::kind::{Refine, metric};
use crate::failure::Failure;
use crate::input::{ids, upserts};
use crate::output;
use pagevec::{CodecKind, CollectionOptions, Metric};
use serde_json::json;
use std::path::{Path, PathBuf};

const CREATE: &str = "\
Examples:
  pagevec collection create notes --dim 384
  pagevec collection create photos --dim 512 --metric dot --codec sq4 --refine f16
  pagevec collection create goods --dim 384 --schema schema.json";
const UPSERT: &str = "\
Examples:
  pagevec collection upsert notes rows.jsonl
  pagevec collection upsert notes - --batch 100 --json";
const DELETE: &str = "\
Examples:
  pagevec collection delete notes --ids old.txt
  pagevec collection delete notes --ids - --json";

#[derive(clap::Args)]
#[command(after_help = CREATE)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// Components of a vector
    #[arg(long, value_name = "N")]
    dim: usize,
    /// cosine, dot (or ip) or l2 (or euclidean) [default: cosine]
    #[arg(long, value_parser = metric)]
    metric: Option<Metric>,
    /// The codes that are searched: sq8, sq4, binary, f16 or f32 [default: sq8]
    #[arg(long)]
    codec: Option<CodecKind>,
    /// Finer rows, by which candidates are ranked again and which `get --vectors` prints: f16 or f32 [default: none, or sq8 for
    /// binary and sq4 codes]
    #[arg(long)]
    refine: Option<Refine>,
    /// A JSON file with the types of fields, like {"price": "float", "url": "stored"}: rows with values of other types are refused, and
    /// fields that it does not name are stored without an index [default: types are inferred]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
}

impl Create {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = &self.folder.path;
        if open(path, &CollectionOptions::default().read_only(true)).is_ok() {
            let message = format!(
                "{} is a collection already: `pagevec collection upsert` adds rows to it",
                path.display()
            );
            return Err(Failure::usage(message));
        }
        let schema = self.schema.as_deref().map(read_schema).transpose()?;
        let options = CollectionOptions::new(self.dim).metric(self.metric).codec(self.codec).schema(schema);
        let stats = open(path, &options.refine(self.refine.and_then(Refine::codec)))?.stats();
        let (metric, codec) = (stats.info.metric.name(), stats.info.codec.to_string());
        if self.folder.json {
            let refine = stats.info.refine.map(|codec| codec.to_string());
            return output::json(
                &json!({ "folder": path, "dim": stats.info.dim, "metric": metric, "codec": codec, "refine": refine }),
            );
        }
        output::text(|out| {
            writeln!(
                out,
                "{}: a collection for vectors of {} components, {metric}, {codec}",
                path.display(),
                stats.info.dim
            )
        })
    }
}

#[derive(clap::Args)]
#[command(after_help = UPSERT)]
pub(crate) struct Upsert {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// JSON lines of {"id": …, "vector": […], "fields": {…}}, or one array of those; - for stdin
    #[arg(value_name = "ROWS")]
    rows: PathBuf,
    /// Rows of a batch: all of them are written, or none
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
}

impl Upsert {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let stats = collection.stats();
        let shape = upserts::Shape { dim: stats.info.dim, text_ids: stats.info.text_ids };
        let path = if self.rows.as_os_str() == "-" { Path::new("stdin") } else { &self.rows };
        let mut acked = 0;
        upserts::read(&self.rows, shape, self.batch as usize, &mut |mut batch| {
            let (lines, rows) = (batch.take_lines(), batch.ids.len());
            let written = collection.upsert_matrix(batch.ids, batch.vectors, batch.fields, None);
            written.map_err(|error| upserts::Batch::failure(path, &lines, error))?;
            acked += rows;
            self.tell(acked)
        })?;
        settle(&self.folder, &collection)?;
        if acked == 0 {
            self.tell(acked)?;
        }
        if self.folder.json {
            return Ok(());
        }
        let count = collection.count();
        output::text(|out| writeln!(out, "{acked} rows written; the collection has {count}"))
    }

    /// Says how many rows of this run are durable. Who reads no further still has them written.
    fn tell(&self, acked: usize) -> Result<(), Failure> {
        match output::json(&json!({ "acked": acked })) {
            _ if !self.folder.json => Ok(()),
            Err(Failure::ClosedPipe) => Ok(()),
            told => told,
        }
    }
}

#[derive(clap::Args)]
#[command(after_help = DELETE)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// A file with one id per line (- is stdin). Ids that no row has are left out
    #[arg(long, value_name = "FILE")]
    ids: PathBuf,
}

/// Ids that are deleted together.
const BATCH: usize = 65_536;

impl Delete {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let ids = ids::list(&self.ids, collection.info().ids().unwrap_or("text"))?;
        let mut deleted = 0;
        for batch in ids.chunks(BATCH) {
            deleted += collection.delete(batch).map_err(|error| self.folder.failed(error))?.deleted;
        }
        settle(&self.folder, &collection)?;
        let count = collection.count();
        if self.folder.json {
            return output::json(&json!({ "deleted": deleted, "count": count }));
        }
        output::text(|out| writeln!(out, "{deleted} rows deleted; the collection has {count}"))
    }
}
