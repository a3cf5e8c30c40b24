//! `pagevec collection import`: the rows of an index, or of a file that build reads.

use super::folder::{Folder, settle};
use crate::failure::Failure;
use crate::input::fields::Store;
use crate::input::ids::{self, IdsType};
use crate::input::rows::Rows;
use crate::output;
use crate::progress::Progress;
use pagevec::{Collection, Ctx, FieldSource as _, Id, Index};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  pagevec collection import notes site/index
  pagevec collection import notes pages.jsonl
  pagevec collection import notes words.npy --ids words.txt";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(super) folder: Folder,
    /// An index folder, a segment file (seg-….bin), or a file that build reads: .npy, .fvecs, .jsonl, .json, or - for lines
    /// from stdin, whose other fields are stored
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// One id per line, in the order of the vectors of a file; without it they are named 0, 1, 2, …
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Whether these ids are text or numbers [default: as the collection has them, text in an empty one]
    #[arg(long, value_enum, requires = "ids")]
    ids_type: Option<IdsType>,
}

/// Rows of a batch.
const BATCH: usize = 1000;

impl Import {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let collection = self.folder.write()?;
        let rows = match self.source.is_dir() || self.source.extension().is_some_and(|ending| ending == "bin")
        {
            true => self.index(&collection)?,
            false => self.file(&collection)?,
        };
        settle(&self.folder, &collection)?;
        let count = collection.count();
        if self.folder.json {
            return output::json(&json!({ "imported": rows, "count": count }));
        }
        output::text(|out| writeln!(out, "{rows} rows imported; the collection has {count}"))
    }

    fn index(&self, collection: &Collection) -> Result<usize, Failure> {
        if self.ids.is_some() {
            return Err(Failure::usage("--ids: the rows of an index have ids already"));
        }
        if self.source.is_dir() && !self.source.join("index.json").exists() {
            return Err(Failure::input(&self.source, "this folder has no index.json, so it is not an index"));
        }
        let index = Index::open(&self.source).map_err(|error| Failure::of_file(&self.source, error))?;
        let progress = Progress::new();
        let report = |p: pagevec::Progress| progress.tick(p.phase, p.done, p.total);
        let ctx = Ctx { progress: Some(&report), ..Ctx::default() };
        collection.import(&index, &ctx).map_err(|error| self.folder.failed(error))
    }

    fn file(&self, collection: &Collection) -> Result<usize, Failure> {
        let (progress, mut store) = (Progress::new(), Store::of(None, false)?);
        let mut rows = Rows::open(&self.source, usize::MAX, &mut store, &self.folder.path, &progress)?;
        let (count, dim, fields) = (rows.count(), rows.dim(), rows.fields.take());
        let ids = match (rows.ids.take(), &self.ids) {
            (Some(_), Some(path)) => {
                let message = format!("--ids {}: the lines of the input have ids already", path.display());
                return Err(Failure::usage(message));
            }
            (None, Some(path)) => {
                let own =
                    if collection.info().ids() == Some("number") { IdsType::Number } else { IdsType::Text };
                ids::read(path, self.ids_type.unwrap_or(own), count, rows.total)?.into_each()
            }
            (Some(ids), None) => ids.into_each(),
            (None, None) => (0..count as u64).map(Id::Number).collect(),
        };
        let source = |error| Failure::of_file(&self.source, error);
        for (number, ids) in ids.chunks(BATCH).enumerate() {
            let first = number * BATCH;
            let mut vectors = vec![0.0; ids.len() * dim];
            rows.source().read(first, &mut vectors).map_err(source)?;
            let mut texts = Vec::new();
            for row in (first..first + ids.len()).filter(|_| fields.is_some()) {
                let mut line = Vec::new();
                fields.iter().try_for_each(|fields| fields.read(row, &mut line)).map_err(source)?;
                texts.push(String::from_utf8(line).map_err(|error| Failure::input(&self.source, error))?);
            }
            let written = collection.upsert_matrix(ids.to_vec(), vectors, texts, None);
            written.map_err(|error| self.refused(error, first))?;
            progress.tick("import", (first + ids.len()) as u64, count as u64);
        }
        rows.check_unchanged()?;
        Ok(count)
    }

    /// The failure of a batch, with the number that its row has in the file.
    fn refused(&self, mut error: pagevec::Error, first: usize) -> Failure {
        match &mut error {
            pagevec::Error::ZeroVector { row } | pagevec::Error::NotFinite { row, .. } => *row += first,
            pagevec::Error::Dimension { .. } => {}
            _ => return self.folder.failed(error),
        }
        Failure::of_file(&self.source, error)
    }
}
