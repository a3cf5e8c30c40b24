//! Encodes all rows by one codec.

use super::reader::Reader;
use crate::error::Error;
use crate::exec;
use crate::memory::room_for;
use crate::metric::Metric;
use crate::quant::{self, CodecKind, Encode};

/// Rows that one task encodes.
const CHUNK: usize = 1024;

/// All rows, encoded by one codec.
pub(crate) struct Encoded {
    pub(crate) kind: CodecKind,
    pub(crate) stride: usize,
    pub(crate) codec: Box<dyn Encode>,
    pub(crate) bytes: Vec<u8>,
}

impl Encoded {
    /// Trains the codec on the rows, whose mean is given, and encodes them in the order of the reader.
    pub(crate) fn new(
        kind: CodecKind,
        metric: Metric,
        seed: u64,
        mean: &[f32],
        rows: Reader<'_>,
    ) -> Result<Self, Error> {
        let gather = |sample: &[u32]| rows.gather(sample);
        let codec = quant::train(kind, metric, mean.to_vec(), rows.count(), gather, seed)?;
        Encoded::by(kind, codec, metric, rows)
    }

    /// Encodes the rows by a codec that was trained before, in the order of the reader.
    pub(crate) fn by(
        kind: CodecKind,
        codec: Box<dyn Encode>,
        metric: Metric,
        rows: Reader<'_>,
    ) -> Result<Self, Error> {
        let stride = kind.stride(rows.dim(), metric);
        let bytes = encode_all(rows, stride, |row, code| codec.encode(row, code))?;
        Ok(Encoded { kind, stride, codec, bytes })
    }
}

/// The codes of all rows, `stride` bytes each.
pub(crate) fn encode_all(
    rows: Reader<'_>,
    stride: usize,
    encode: impl Fn(&[f32], &mut [u8]) -> Result<(), Error> + Sync,
) -> Result<Vec<u8>, Error> {
    let mut bytes = room_for(rows.count() * stride)?;
    bytes.resize(rows.count() * stride, 0u8);
    exec::try_for_each_chunk_mut(&mut bytes, stride * CHUNK, |chunk, codes| {
        let first = (chunk * CHUNK) as u32;
        let mut codes = codes.chunks_exact_mut(stride);
        rows.try_each(first..first + codes.len() as u32, |row| match codes.next() {
            Some(code) => encode(row, code),
            None => Ok(()),
        })
    })?;
    Ok(bytes)
}
