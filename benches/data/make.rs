//! Sets of vectors for benches, each a folder of base, queries and truth (exact cosine top 100, int32), all `.npy`.
//!
//! ```text
//! cargo run --release --example data -- split WORDS.npy OUT [QUERIES]        holds queries out (1,000)
//! cargo run --release --example data -- mix BASE.npy QUERIES.npy OUT [ROWS]  more rows like those of BASE (1,000,000)
//! cargo run --release --example data -- look BASE.npy QUERIES.npy MIXED.npy  whether they are like them
//! ```

mod exact;
mod look;
mod mix;
mod npy;

use npy::{Kind, Matrix};
use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::Path;

/// Queries whose truth is computed.
const QUERIES: usize = 1000;
const NEAREST: usize = 100;
const SEED: u64 = 7;
const USAGE: &str = "split WORDS.npy OUT [QUERIES] | mix BASE.npy QUERIES.npy OUT [ROWS] | \
                     look BASE.npy QUERIES.npy MIXED.npy";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["split", words, out] => split(words.as_ref(), out.as_ref(), QUERIES),
        ["split", words, out, queries] => split(words.as_ref(), out.as_ref(), queries.parse()?),
        ["mix", base, queries, out] => more(base.as_ref(), queries.as_ref(), out.as_ref(), 1_000_000),
        ["mix", base, queries, out, rows] => {
            more(base.as_ref(), queries.as_ref(), out.as_ref(), rows.parse()?)
        }
        ["look", base, queries, mixed] => {
            let read = |path: &str, limit| npy::read(path.as_ref(), limit);
            look::compare(&read(base, usize::MAX)?, &read(queries, QUERIES)?, read(mixed, usize::MAX)?)
        }
        _ => Err(USAGE.into()),
    }
}

/// The rows of `words`, some of them taken out to be queries.
fn split(words: &Path, out: &Path, queries: usize) -> Result<(), Box<dyn Error>> {
    let words = npy::read(words, usize::MAX)?;
    if queries >= words.rows() {
        return Err(format!("{queries} queries of {} rows leave none", words.rows()).into());
    }
    let mut random = mix::Random(SEED);
    let mut chosen = HashSet::new();
    while chosen.len() < queries {
        chosen.insert(random.below(words.rows()));
    }
    let (mut held, mut base) =
        (Matrix { data: Vec::new(), dim: words.dim }, Matrix { data: Vec::new(), dim: words.dim });
    for row in 0..words.rows() {
        let to = if chosen.contains(&row) { &mut held } else { &mut base };
        to.data.extend_from_slice(words.row(row));
    }
    write(out, &base, &held, Kind::F32)
}

/// The rows of `base`, then mixes of them, in halves.
fn more(base: &Path, queries: &Path, out: &Path, rows: usize) -> Result<(), Box<dyn Error>> {
    let base = npy::read(base, usize::MAX)?;
    let queries = npy::read(queries, QUERIES)?;
    let mut mixed = mix::mix(base, rows, SEED)?;
    // The truth is that of the rows as they are written.
    mixed.data.iter_mut().for_each(|x| *x = half::f16::from_f32(*x).to_f32());
    write(out, &mixed, &queries, Kind::F16)
}

fn write(out: &Path, base: &Matrix, queries: &Matrix, kind: Kind) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(out)?;
    npy::write(&out.join("base.npy"), base, kind)?;
    npy::write(&out.join("queries.npy"), queries, kind)?;
    let truth = exact::nearest(base, queries, NEAREST);
    let rows: Vec<Vec<usize>> = truth.iter().map(|near| near.iter().map(|n| n.row).collect()).collect();
    // Last: a folder with a truth is whole.
    npy::write_numbers(&out.join("truth.npy"), &rows, NEAREST)
}
