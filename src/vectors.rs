//! Rows and queries as users give them: f32, row-major.

use crate::error::Error;
use crate::kernels::kernels;
use crate::metric::Metric;

/// Rows of a matrix by number.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) dim: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn row(self, number: u32) -> &'a [f32] {
        &self.data[number as usize * self.dim..][..self.dim]
    }

    pub(crate) fn count(self) -> usize {
        self.data.len() / self.dim
    }
}

/// Checks one row or query, and normalises it under cosine. An error names it by `number`.
pub(crate) fn check_row(row: &mut [f32], number: usize, metric: Metric) -> Result<(), Error> {
    if let Some(column) = row.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { row: number, column });
    }
    let square = (kernels().dot_f32)(row, row);
    match metric {
        // In this range f32 is precise enough: no component that matters has a square that underflows.
        Metric::Cosine if (1e-30..1e30).contains(&square) => {
            let norm = square.sqrt();
            row.iter_mut().for_each(|x| *x /= norm);
            Ok(())
        }
        Metric::Cosine => {
            let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            if norm == 0.0 {
                return Err(Error::ZeroVector { row: number });
            }
            row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
            Ok(())
        }
        // Distances of rows this long would overflow to infinity and rank by chance.
        _ if square > f32::MAX / 8.0 => Err(Error::argument(
            "vectors",
            format!("row {number} is so long that its distances overflow f32: scale the rows down"),
        )),
        _ => Ok(()),
    }
}
