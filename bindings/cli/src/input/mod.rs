//! Reads input files: vectors, ids, queries and truths.
//!
//! | file | reads |
//! |---|---|
//! | `npy.rs` | NumPy arrays: f2, f4, f8 as f32, and i4, i8 |
//! | `fvecs.rs` | the row format of the ANN benchmarks |
//! | `jsonl.rs`, `json_row.rs` | JSON lines `{"id": …, "vector": […]}`, also from stdin, or an array of such objects |
//! | `csv.rs` | CSV with the names of fields in its first line |
//! | `parquet/` | Parquet, a column for each field, and one for vectors |
//! | `ids.rs`, `id_field.rs` | one id per line; ids out of a field of the rows |
//! | `fields.rs` | which fields of rows are stored; keeps them until the build reads them |
//! | `payload.rs` | the fields of rows from another file |
//! | `upserts.rs` | the lines of `collection upsert`, in batches |
//! | `updates.rs` | those of `collection update` |
//! | `rows.rs` | the rows of a build: read by position from the file, JSON lines from a temporary file |
//!
//! A length in a file is compared with the file's size before memory of that length is allocated.

mod csv;
pub(crate) mod fields;
pub(crate) mod fvecs;
pub(crate) mod id_field;
pub(crate) mod ids;
mod json_row;
pub(crate) mod jsonl;
pub(crate) mod npy;
mod parquet;
pub(crate) mod payload;
pub(crate) mod rows;
pub(crate) mod updates;
pub(crate) mod upserts;

use crate::failure::Failure;
use crate::progress::Progress;
use fields::Store;
use std::fs::File;
use std::path::Path;

/// Rows of equal length, row-major.
pub(crate) struct Vectors {
    pub(crate) data: Vec<f32>,
    pub(crate) dim: usize,
    pub(crate) rows: usize,
    /// Rows in the file, of which `--limit` may have taken fewer. `None` if the file was not read to its end.
    pub(crate) total: Option<usize>,
    /// The ids that came with the vectors.
    pub(crate) ids: Option<pagevec::Ids>,
}

/// The formats of vectors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Stdin,
    Npy,
    Fvecs,
    Json,
    Parquet,
}

impl Format {
    /// The end of its name gives the format of a file; `-` is JSON lines from stdin.
    fn of(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Format::Stdin);
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("npy") => Ok(Format::Npy),
            Some("fvecs") => Ok(Format::Fvecs),
            Some("jsonl" | "ndjson" | "json") => Ok(Format::Json),
            Some("parquet") => Ok(Format::Parquet),
            _ => Err(Failure::usage(format!(
                "{}: the name of the file gives its format: it must end in .npy, .fvecs, .jsonl, .ndjson, .json or .parquet (or be - for JSON lines from stdin)",
                path.display()
            ))),
        }
    }
}

impl Format {
    /// Reads at most `limit` rows of JSON lines or Parquet, which can be read only once, and hands each to `take`.
    fn lines(
        self,
        path: &Path,
        limit: usize,
        store: &mut Store,
        progress: &Progress,
        take: &mut jsonl::Take<'_>,
    ) -> Result<jsonl::Lines, Failure> {
        let open = if self == Format::Parquet { parquet::open } else { jsonl::open };
        open(path, limit, store, progress, take)
    }
}

/// Reads at most `limit` rows of a file into memory.
pub(crate) fn vectors(path: &Path, limit: usize, progress: &Progress) -> Result<Vectors, Failure> {
    match Format::of(path)? {
        Format::Npy => npy::Array::open(path)?.vectors(limit, progress),
        Format::Fvecs => fvecs::read(path, limit, progress),
        format @ (Format::Stdin | Format::Json | Format::Parquet) => {
            let mut data = Vec::new();
            let lines = format.lines(path, limit, &mut Store::default(), progress, &mut |row, _| {
                data.extend_from_slice(row);
                Ok(())
            })?;
            let jsonl::Lines { dim, rows, total, ids, .. } = lines;
            Ok(Vectors { data, dim, rows, total, ids })
        }
    }
}

/// Whether the name of a file says that it is Parquet.
pub(crate) fn is_parquet(path: &Path) -> bool {
    matches!(Format::of(path), Ok(Format::Parquet))
}

/// Opens a regular file, whose length is known.
fn open_regular(path: &Path) -> Result<(File, u64), Failure> {
    // The check comes before opening, since opening a FIFO would wait for its writer.
    let meta = std::fs::metadata(path).map_err(|e| Failure::io(path, &e))?;
    if !meta.is_file() {
        return Err(Failure::input(path, "not a regular file: write the vectors to a file first"));
    }
    let file = File::open(path).map_err(|e| Failure::io(path, &e))?;
    Ok((file, meta.len()))
}

/// Allocates memory for `count` values; returns an error if that fails.
fn room<T>(count: usize, path: &Path) -> Result<Vec<T>, Failure> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| {
        Failure::input(path, format!("there is not enough memory for {count} values: use --limit"))
    })?;
    Ok(values)
}
