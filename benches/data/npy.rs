//! `.npy` matrices of version 1, little-endian, in row order: f16 and f32 in, f16, f32 and i32 out.

use half::f16;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

pub(crate) struct Matrix {
    pub(crate) data: Vec<f32>,
    pub(crate) dim: usize,
}

impl Matrix {
    pub(crate) fn rows(&self) -> usize {
        self.data.len() / self.dim
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.dim..][..self.dim]
    }

    /// Those rows, in that order.
    pub(crate) fn take(&self, rows: &[usize]) -> Matrix {
        Matrix { data: rows.iter().flat_map(|&row| self.row(row)).copied().collect(), dim: self.dim }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    F16,
    F32,
}

/// The first `limit` rows.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Matrix, Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let bad = || format!("{}: no .npy of halves or floats in two dimensions", path.display());
    let length = bytes.get(8..10).filter(|_| bytes.starts_with(b"\x93NUMPY\x01\x00")).ok_or_else(bad)?;
    let start = 10 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    let header = String::from_utf8_lossy(bytes.get(10..start).ok_or_else(bad)?);
    let shape = header.split(['(', ')']).nth(1).ok_or_else(bad)?;
    let dim: usize = shape.split(',').nth(1).and_then(|d| d.trim().parse().ok()).ok_or_else(bad)?;
    let values = &bytes[start..];
    let wanted = limit.saturating_mul(dim);
    let data = if header.contains("'<f2'") {
        values.chunks_exact(2).take(wanted).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
    } else if header.contains("'<f4'") {
        values.chunks_exact(4).take(wanted).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    } else {
        return Err(bad().into());
    };
    Ok(Matrix { data, dim })
}

pub(crate) fn write(path: &Path, matrix: &Matrix, kind: Kind) -> Result<(), Box<dyn Error>> {
    let name = match kind {
        Kind::F16 => "<f2",
        Kind::F32 => "<f4",
    };
    let mut out = create(path, name, matrix.rows(), matrix.dim)?;
    for &value in &matrix.data {
        match kind {
            Kind::F16 => out.write_all(&f16::from_f32(value).to_le_bytes())?,
            Kind::F32 => out.write_all(&value.to_le_bytes())?,
        }
    }
    Ok(out.flush()?)
}

/// Row numbers, `columns` for each query.
pub(crate) fn write_numbers(path: &Path, lists: &[Vec<usize>], columns: usize) -> Result<(), Box<dyn Error>> {
    let mut out = create(path, "<i4", lists.len(), columns)?;
    for &row in lists.iter().flatten() {
        out.write_all(&i32::try_from(row)?.to_le_bytes())?;
    }
    Ok(out.flush()?)
}

/// Magic and a header padded so that the rows begin at a multiple of 64.
fn create(path: &Path, kind: &str, rows: usize, columns: usize) -> Result<BufWriter<File>, Box<dyn Error>> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut out = BufWriter::new(File::create(path).map_err(|e| format!("{}: {e}", path.display()))?);
    out.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
    out.write_all(format!("{header:<117}\n").as_bytes())?;
    Ok(out)
}
