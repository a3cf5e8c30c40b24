//! Reads input files: vectors, ids, queries and truths.
//!
//! | file | reads |
//! |---|---|
//! | `npy.rs` | NumPy arrays: f2, f4, f8 as f32, and i4, i8 |
//! | `fvecs.rs` | the row format of the ANN benchmarks |
//! | `jsonl.rs`, `json_row.rs` | JSON lines `{"id": …, "vector": […]}`, also from stdin, or an array of such objects |
//! | `ids.rs` | one id per line |
//!
//! A length in a file is compared with the file's size before memory of that length is allocated.

pub(crate) mod fvecs;
pub(crate) mod ids;
mod json_row;
pub(crate) mod jsonl;
pub(crate) mod npy;

use crate::failure::Failure;
use crate::progress::Progress;
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
    /// The names of other fields than id and vector; they are not read.
    pub(crate) extra: Vec<String>,
}

/// Reads at most `limit` rows of a file. The end of its name gives the format; `-` is JSON lines from stdin.
pub(crate) fn vectors(path: &Path, limit: usize, progress: &Progress) -> Result<Vectors, Failure> {
    if path.as_os_str() == "-" {
        return jsonl::read(std::io::stdin().lock(), Path::new("stdin"), limit, progress);
    }
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("npy") => npy::Array::open(path)?.vectors(limit, progress),
        Some("fvecs") => fvecs::read(path, limit, progress),
        Some("jsonl" | "ndjson" | "json") => {
            if path.is_dir() {
                return Err(Failure::input(path, "this is a folder: name a file in it"));
            }
            let file = File::open(path).map_err(|e| Failure::io(path, &e))?;
            jsonl::read(std::io::BufReader::new(file), path, limit, progress)
        }
        _ => Err(Failure::usage(format!(
            "{}: the name of the file gives its format: it must end in .npy, .fvecs, .jsonl, .ndjson or .json (or be - for JSON lines from stdin)",
            path.display()
        ))),
    }
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
