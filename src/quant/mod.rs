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
use crate::metric::Metric;

pub(crate) use codec::{Codec, Encode, Prepared, floats};
pub use kind::CodecKind;
pub(crate) use rabitq::{Rabitq, Turned};
pub(crate) use sq8::Sq8;

/// SQ8 trained on the rows.
pub(crate) fn train_sq8(metric: Metric, dim: usize, rows: &[f32]) -> Sq8 {
    Sq8::new(metric, means(dim, rows))
}

/// Trains a codec on the rows, which are row-major. `seed` starts the k-means of `pq`.
pub(crate) fn train(kind: CodecKind, metric: Metric, dim: usize, rows: &[f32], seed: u64) -> Box<dyn Encode> {
    match kind {
        CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new(kind, metric, dim)),
        CodecKind::Sq8 => Box::new(train_sq8(metric, dim, rows)),
        CodecKind::Binary => Box::new(binary::Binary::new(means(dim, rows))),
        CodecKind::Sq4 => Box::new(sq4::Sq4::new(metric, means(dim, rows))),
        CodecKind::Pq(parts) => Box::new(pq::train(
            metric,
            parts as usize,
            means(dim, rows),
            crate::vectors::Rows { data: rows, dim },
            seed,
        )),
    }
}

/// Restores the codec whose parameters are `stored`. Their length is [`CodecKind::parameter_bytes`].
pub(crate) fn load(
    kind: CodecKind,
    metric: Metric,
    dim: usize,
    stored: &[u8],
) -> Result<Box<dyn Codec>, Error> {
    let (values, centroids) = match kind {
        CodecKind::Pq(_) => stored.split_at(stored.len().min(dim * 8 + 4)),
        _ => (stored, &[][..]),
    };
    let values = floats(values);
    if stored.len() != kind.parameter_bytes(dim) || values.iter().any(|v| !v.is_finite()) {
        return Err(Error::corrupt("codec parameters", "a parameter is missing or not finite"));
    }
    Ok(match kind {
        CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new(kind, metric, dim)),
        CodecKind::Sq8 => Box::new(Sq8::new(metric, values)),
        CodecKind::Binary => Box::new(binary::Binary::new(values)),
        CodecKind::Sq4 => Box::new(sq4::Sq4::new(metric, values)),
        CodecKind::Pq(parts) => Box::new(pq::Pq::load(metric, parts as usize, &values, centroids)),
    })
}

/// The mean of each component, summed in f64 over fixed chunks of rows, in order: the same on every target.
pub(crate) fn means(dim: usize, rows: &[f32]) -> Vec<f32> {
    const CHUNK: usize = 4096;
    let count = rows.len() / dim.max(1);
    let sums = crate::exec::map_chunks(count, CHUNK, |range| {
        let mut sum = vec![0.0f64; dim];
        for row in rows[range.start * dim..range.end * dim].chunks_exact(dim) {
            sum.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        }
        sum
    });
    let mut total = vec![0.0f64; dim];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    total.into_iter().map(|t| (t / count.max(1) as f64) as f32).collect()
}
