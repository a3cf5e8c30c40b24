//! `.fvecs`: every row is its length as i32, then that many f32, all little-endian.

use super::rows::Stored;
use super::{Vectors, open_regular, room};
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Numbers;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Reads at most `limit` rows.
pub(crate) fn read(path: &Path, limit: usize, progress: &Progress) -> Result<Vectors, Failure> {
    let (file, length) = open_regular(path)?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let fault = |message: String| Failure::input(path, message);
    let (dim, total) = shape(&mut reader, length).map_err(fault)?;

    let rows = total.min(limit);
    let mut data = room(rows * dim, path)?;
    let mut record = vec![0_u8; dim * 4];
    for row in 0..rows {
        check_row(&mut reader, path, row, dim)?;
        reader.read_exact(&mut record).map_err(|e| Failure::io(path, &e))?;
        data.extend(record.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
        if row % 4096 == 0 {
            progress.tick("read", row as u64, rows as u64);
        }
    }
    Ok(Vectors { data, dim, rows, total: Some(total), ids: None })
}

/// The file, and how the values of rows stand in it. The lengths of the first `limit` rows are checked.
pub(crate) fn stored(path: &Path, limit: usize, progress: &Progress) -> Result<(File, Stored), Failure> {
    let (file, length) = open_regular(path)?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (dim, total) = shape(&mut reader, length).map_err(|message| Failure::input(path, message))?;
    let rows = total.min(limit);
    for row in 0..rows {
        check_row(&mut reader, path, row, dim)?;
        reader.seek_relative(dim as i64 * 4).map_err(|e| Failure::io(path, &e))?;
        if row % 4096 == 0 {
            progress.tick("read", row as u64, rows as u64);
        }
    }
    let stored = Stored { numbers: Numbers::F32, rows: total, dim, first: 4, stride: dim * 4 + 4 };
    Ok((reader.into_inner(), stored))
}

/// Reads the length of a row, which must be that of the first. The length of the first was read to learn the shape.
fn check_row(reader: &mut impl Read, path: &Path, row: usize, dim: usize) -> Result<(), Failure> {
    if row == 0 {
        return Ok(());
    }
    let got = read_length(reader).map_err(|e| Failure::io(path, &e))?;
    if usize::try_from(got) == Ok(dim) {
        return Ok(());
    }
    Err(Failure::input(path, format!("row {row} has {got} components where row 0 has {dim}")))
}

/// Components and rows, from the first row's length and the file's.
fn shape(reader: &mut impl Read, length: u64) -> Result<(usize, usize), String> {
    let first = read_length(reader).map_err(|_| "too short to hold a row".to_owned())?;
    let dim = usize::try_from(first).ok().filter(|d| *d > 0);
    let dim = dim.ok_or_else(|| format!("row 0 says it has {first} components: not a .fvecs file"))?;
    let record = 4 * (dim as u64 + 1);
    if !length.is_multiple_of(record) {
        return Err(format!(
            "{length} bytes are no whole number of rows of {dim} components ({record} bytes each): the file is cut, or not a .fvecs file"
        ));
    }
    let rows = usize::try_from(length / record).map_err(|_| "too many rows for this machine".to_owned())?;
    Ok((dim, rows))
}

fn read_length(reader: &mut impl Read) -> std::io::Result<i32> {
    let mut bytes = [0_u8; 4];
    reader.read_exact(&mut bytes)?;
    Ok(i32::from_le_bytes(bytes))
}
