//! The rows of a build. They stay in their file, and are read by position as often as the build needs them. JSON lines
//! and Parquet, which can be read only once, are first written as f32 to a temporary file. That file has no name, so that it is gone
//! however the program ends.

use super::fields::{Spool, Spooled, Store};
use super::payload::check_length;
use super::{Format, fvecs, jsonl, npy};
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::{Ids, Numbers, PositionedFile, RowSource, StoredRows};
use std::fs::{File, Metadata};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// How the values of rows stand in a file.
pub(crate) struct Stored {
    pub(crate) numbers: Numbers,
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    /// The offset of the first value of the first row.
    pub(crate) first: u64,
    /// Bytes from one row to the next.
    pub(crate) stride: usize,
}

/// The rows of a build.
pub(crate) struct Rows {
    source: StoredRows<PositionedFile>,
    /// Rows in the file, of which `--limit` may have taken fewer. `None` if the file was not read to its end.
    pub(crate) total: Option<usize>,
    /// The ids that came with the vectors.
    pub(crate) ids: Option<Ids>,
    /// The fields that came with the vectors.
    pub(crate) fields: Option<Spooled>,
    /// The file that the rows are read from during the build, as it was before; `None` for a temporary one.
    before: Option<(PathBuf, Metadata)>,
}

impl Rows {
    /// Opens at most `limit` rows of a file. A temporary file is written into `folder`, if one is needed.
    pub(crate) fn open(
        path: &Path,
        limit: usize,
        store: &mut Store,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let (file, stored) = match Format::of(path)? {
            Format::Npy => npy::Array::open(path)?.stored()?,
            Format::Fvecs => fvecs::stored(path, limit, progress)?,
            format @ (Format::Stdin | Format::Json | Format::Parquet) => {
                return Rows::spool(format, path, limit, store, folder, progress);
            }
        };
        let metadata = file.metadata().map_err(|e| Failure::io(path, &e))?;
        let (total, before) = (Some(stored.rows), Some((path.to_owned(), metadata)));
        let source = source(file, path, stored, limit)?;
        Ok(Rows { source, total, ids: None, fields: None, before })
    }

    /// Writes the vectors of JSON lines or Parquet to a temporary file, and their fields to another.
    fn spool(
        format: Format,
        path: &Path,
        limit: usize,
        store: &mut Store,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let io = |e| Failure::io(folder, &e);
        let mut file = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder).map_err(io)?);
        let (mut fields, mut row) = (Spool::new(folder)?, 0);
        let lines = format.lines(path, limit, store, progress, &mut |vector, object| {
            vector.iter().try_for_each(|x| file.write_all(&x.to_le_bytes())).map_err(io)?;
            fields.push(object)?;
            row += 1;
            check_length(fields.last()).map_err(|why| Failure::input(path, format!("row {}: {why}", row - 1)))
        })?;
        let (jsonl::Lines { dim, rows, total, ids }, fields) = (lines, Some(fields.finish()?));
        let file = file.into_inner().map_err(|e| io(e.into_error()))?;
        let stored = Stored { numbers: Numbers::F32, rows, dim, first: 0, stride: dim * 4 };
        let source = source(file, folder, stored, limit)?;
        Ok(Rows { source, total, ids, fields, before: None })
    }

    pub(crate) fn count(&self) -> usize {
        self.source.count()
    }

    pub(crate) fn dim(&self) -> usize {
        self.source.dim()
    }

    /// What the build reads.
    pub(crate) fn source(&self) -> &dyn RowSource {
        &self.source
    }

    /// Fails if the file was changed since it was opened: the build may have read some rows before and some after.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        let Some((path, before)) = &self.before else { return Ok(()) };
        let now = std::fs::metadata(path).map_err(|e| Failure::io(path, &e))?;
        let same = now.len() == before.len() && now.modified().ok() == before.modified().ok();
        match same {
            true => Ok(()),
            false => Err(Failure::input(
                path,
                "it was changed while it was read: build again when nothing writes it",
            )),
        }
    }
}

fn source(
    file: File,
    path: &Path,
    stored: Stored,
    limit: usize,
) -> Result<StoredRows<PositionedFile>, Failure> {
    let Stored { numbers, rows, dim, first, stride } = stored;
    let reader = PositionedFile::new(file, path)?;
    let made = StoredRows::new(reader, numbers, rows.min(limit), dim, first, stride);
    made.map_err(|e| Failure::of_file(path, e))
}
