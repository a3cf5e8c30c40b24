//! What all codecs have in common: the traits, and a query prepared for one of them.

use crate::error::Error;
use crate::kernels::kernels;
use crate::memory::bytes;
use crate::metric::Metric;

/// A query as one codec scores it, and the memory that scoring needs. It is reused from query to query.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(super) floats: Vec<f32>,
    pub(super) bytes: Vec<u8>,
    /// Added to every distance.
    pub(super) base: f32,
    /// Multiplied with every product of codes.
    pub(super) factor: f32,
    /// Bit planes: the value of level 0.
    pub(super) low: f32,
    /// Short codes: the length of the query as its centre sees it.
    pub(super) length: f32,
    /// Short codes: the part of the centre that was taken from the query.
    pub(super) share: f32,
    /// Subtracted from every product of codes.
    pub(super) sum: i32,
    pub(super) scratch: Vec<f32>,
}

impl Prepared {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.floats) + bytes(&self.bytes) + bytes(&self.scratch)
    }

    /// The query as codes around `mean` see it, and its distance to the mean (under cosine and dot less a constant).
    pub(super) fn around(&mut self, metric: Metric, mean: &[f32], query: &[f32]) {
        let dot = kernels().dot_f32;
        self.floats.clear();
        match metric {
            Metric::Cosine | Metric::Dot => {
                self.floats.extend_from_slice(query);
                self.base = -dot(query, mean);
            }
            Metric::L2 => {
                self.floats.extend(query.iter().zip(mean).map(|(x, m)| x - m));
                self.base = dot(&self.floats, &self.floats);
            }
        }
    }
}

/// A trained codec.
pub(crate) trait Codec: Send + Sync {
    /// The bytes that it has allocated.
    fn bytes(&self) -> u64;

    /// The vector that `code` stands for.
    fn decode(&self, code: &[u8], out: &mut [f32]);

    /// Prepares `query` for [`Codec::distances`]. With `fine` scoring is as exact as the codes allow, for the last
    /// ranking; without it as fast, and the same integers on every target.
    fn prepare(&self, query: &[f32], fine: bool, prepared: &mut Prepared);

    /// `out[i]` = distance from the prepared query to row `ids[i]` of `rows` (a matrix of codes, one stride a row).
    /// Every id must be a row of the matrix.
    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]);
}

/// What a build needs beside [`Codec`]. A trait of its own, so that a wasm module that only searches does not carry it.
pub(crate) trait Encode: Codec {
    /// What [`super::load`] restores this codec from.
    fn parameters(&self) -> Vec<u8>;

    /// Writes the code of `row`; `out` is one stride long. Fails if the codec cannot hold the row.
    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error>;
}

/// Little-endian f32s.
pub(crate) fn floats(stored: &[u8]) -> Vec<f32> {
    stored.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

pub(super) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The f32 at byte `at` of a row; 0 where the row is too short, which a checked segment's never is.
#[inline]
pub(super) fn f32_at(code: &[u8], at: usize) -> f32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0.0, |b| f32::from_le_bytes(*b))
}
