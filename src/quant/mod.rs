//! The codecs: how a vector is stored, and how a query is scored against what is stored.
//!
//! | file | codec | bytes per row |
//! |---|---|---|
//! | `float`  | f32, f16 | 4·d, 2·d |
//! | `sq8`    | one signed byte a component, a scale per row | d + 8, under L2 d + 12 |
//! | `sq4`    | half a byte a component, a scale per row | ⌈d/2⌉ + 4, under L2 ⌈d/2⌉ + 8 |
//! | `pq`     | the nearest of 256 centroids for each of m parts | m |
//! | `binary` | one bit a component | ⌈d/8⌉ |
//! | `rabitq/` | (of lists only) 1 to 4 bits a component of the rotated residual, length-corrected | Z·⌈d/8⌉ + 4 |
//! | `centroid` | (of clusters only) one signed byte a component, one scale | d + 4 |
//! | `kind`, `codec` | (no codecs) the codecs by name; the traits they implement | |
//! | `scale`  | (no codec) the scale of a code, for sq8 and sq4 | |
//!
//! A codec is trained once and encodes each row once. A search prepares its query for the codec and scores rows where
//! they lie: [`Codec::distances`] takes the numbers of rows in a matrix of codes. The smaller a distance, the nearer
//! the row; the score that users see is the negative distance.

mod binary;
pub(crate) mod centroid;
mod codec;
mod float;
mod kind;
mod pq;
mod rabitq;
mod scale;
mod sq4;
mod sq8;

use crate::error::Error;
use crate::features::CLUSTERS;
use crate::metric::Metric;

pub(crate) use codec::{Codec, Encode, Prepared, floats};
pub use kind::CodecKind;
pub(crate) use rabitq::{Rabitq, Turned};
pub(crate) use sq8::Sq8;

/// A codec for rows of this mean. `seed` starts the k-means of `pq`, which also needs a sample of the rows: it calls
/// `gather` with their numbers.
pub(crate) fn train(
    kind: CodecKind,
    metric: Metric,
    mean: Vec<f32>,
    count: usize,
    gather: impl FnOnce(&[u32]) -> Result<Vec<f32>, Error>,
    seed: u64,
) -> Result<Box<dyn Encode>, Error> {
    Ok(match kind {
        CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new(kind, metric, mean.len())),
        CodecKind::Sq8 => Box::new(Sq8::new(metric, mean)),
        CodecKind::Binary => Box::new(binary::Binary::new(mean)),
        CodecKind::Sq4 => Box::new(sq4::Sq4::new(metric, mean)),
        CodecKind::Pq(_) if !CLUSTERS => {
            let detail = "this build of pagevec does not train pq: turn the crate's feature `clusters` on";
            return Err(Error::argument("codec", detail));
        }
        CodecKind::Pq(parts) => {
            let sample = gather(&pq::sample(count))?;
            let rows = crate::vectors::Rows { data: &sample, dim: mean.len() };
            Box::new(pq::train(metric, parts as usize, mean.clone(), rows, seed))
        }
    })
}

/// The codec whose parameters are `stored`, in a box of the trait that is wanted. The two traits are apart so that a
/// module that only searches does not carry what encodes.
macro_rules! restored {
    ($kind:expr, $metric:expr, $dim:expr, $stored:expr) => {{
        let (values, centroids) = split($kind, $dim, $stored)?;
        Ok(match $kind {
            CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new($kind, $metric, $dim)),
            CodecKind::Sq8 => Box::new(Sq8::new($metric, values)),
            CodecKind::Binary => Box::new(binary::Binary::new(values)),
            CodecKind::Sq4 => Box::new(sq4::Sq4::new($metric, values)),
            CodecKind::Pq(parts) => Box::new(pq::Pq::load($metric, parts as usize, &values, centroids)),
        })
    }};
}

/// Restores the codec whose parameters are `stored`. Their length is [`CodecKind::parameter_bytes`].
pub(crate) fn load(
    kind: CodecKind,
    metric: Metric,
    dim: usize,
    stored: &[u8],
) -> Result<Box<dyn Codec>, Error> {
    restored!(kind, metric, dim, stored)
}

/// As [`load`], to encode more rows by the same codec.
pub(crate) fn load_encoder(
    kind: CodecKind,
    metric: Metric,
    dim: usize,
    stored: &[u8],
) -> Result<Box<dyn Encode>, Error> {
    restored!(kind, metric, dim, stored)
}

/// The floats of stored parameters, and the centroids of `pq`.
fn split(kind: CodecKind, dim: usize, stored: &[u8]) -> Result<(Vec<f32>, &[u8]), Error> {
    let (values, centroids) = match kind {
        CodecKind::Pq(_) => stored.split_at(stored.len().min(dim * 8 + 4)),
        _ => (stored, &[][..]),
    };
    let values = floats(values);
    match stored.len() == kind.parameter_bytes(dim) && values.iter().all(|v| v.is_finite()) {
        true => Ok((values, centroids)),
        false => Err(Error::corrupt("codec parameters", "a parameter is missing or not finite")),
    }
}

/// Sums rows for their mean: in f64, over fixed runs of rows, in order. So the mean is the same on every target and
/// however the rows are cut into blocks.
pub(crate) struct MeanSum {
    total: Vec<f64>,
    run: Vec<f64>,
    count: usize,
}

impl MeanSum {
    const RUN: usize = 4096;

    pub(crate) fn new(dim: usize) -> Self {
        MeanSum { total: vec![0.0; dim], run: vec![0.0; dim], count: 0 }
    }

    pub(crate) fn add(&mut self, row: &[f32]) {
        self.run.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        self.count += 1;
        if self.count.is_multiple_of(Self::RUN) {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        for (total, run) in self.total.iter_mut().zip(&mut self.run) {
            *total += *run;
            *run = 0.0;
        }
    }

    pub(crate) fn mean(mut self) -> Vec<f32> {
        self.end_run();
        let count = self.count.max(1) as f64;
        self.total.into_iter().map(|total| (total / count) as f32).collect()
    }
}

/// SQ8 for rows in memory, which are row-major.
#[cfg(test)]
pub(crate) fn train_sq8(metric: Metric, dim: usize, rows: &[f32]) -> Sq8 {
    let mut sum = MeanSum::new(dim);
    rows.chunks_exact(dim).for_each(|row| sum.add(row));
    Sq8::new(metric, sum.mean())
}
