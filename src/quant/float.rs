//! Rows as floats: f32, as they were given, or f16 (11 significant bits, up to 65504).

use half::f16;

use super::codec::{Codec, Encode, Prepared};
use super::kind::CodecKind;
use crate::error::Error;
use crate::kernels::kernels;
use crate::metric::Metric;

/// See the head of this file.
pub(crate) struct Float {
    half: bool,
    metric: Metric,
    dim: usize,
}

impl Float {
    pub(crate) fn new(kind: CodecKind, metric: Metric, dim: usize) -> Self {
        Float { half: kind == CodecKind::F16, metric, dim }
    }

    fn width(&self) -> usize {
        if self.half { 2 } else { 4 }
    }
}

impl Encode for Float {
    fn parameters(&self) -> Vec<u8> {
        Vec::new()
    }

    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error> {
        if !self.half {
            out.chunks_exact_mut(4).zip(row).for_each(|(o, x)| o.copy_from_slice(&x.to_le_bytes()));
            return Ok(());
        }
        for (at, (o, &x)) in out.chunks_exact_mut(2).zip(row).enumerate() {
            let h = f16::from_f32(x);
            if !h.is_finite() {
                // The number itself would cost 14 kB of a module, for the digits of floats.
                let detail = format!(
                    "component {at} of a row is beyond 65504, the most that f16 holds: store rows as f32 or sq8"
                );
                return Err(Error::argument("rows", detail));
            }
            o.copy_from_slice(&h.to_le_bytes());
        }
        Ok(())
    }
}

impl Codec for Float {
    fn bytes(&self) -> u64 {
        0
    }

    fn decode(&self, code: &[u8], out: &mut [f32]) {
        if self.half {
            let halves = code.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32());
            out.iter_mut().zip(halves).for_each(|(o, x)| *o = x);
        } else {
            let floats = code.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            out.iter_mut().zip(floats).for_each(|(o, x)| *o = x);
        }
    }

    fn prepare(&self, query: &[f32], _fine: bool, prepared: &mut Prepared) {
        prepared.floats.clear();
        prepared.floats.extend_from_slice(query);
        prepared.scratch.clear();
        prepared.scratch.resize(self.dim, 0.0);
    }

    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        let stride = self.dim * self.width();
        match (self.half, self.metric) {
            (false, Metric::L2) => {
                return (kernels().gather_l2_f32)(&prepared.floats, rows, stride, ids, out);
            }
            (false, _) => {
                (kernels().gather_f32)(&prepared.floats, rows, stride, ids, out);
                return out.iter_mut().for_each(|o| *o = -*o);
            }
            (true, _) => {}
        }
        for (&id, o) in ids.iter().zip(out) {
            let row = &rows[id as usize * stride..][..stride];
            *o = match self.metric {
                Metric::Cosine | Metric::Dot => -(kernels().dot_f32_f16)(&prepared.floats, row),
                Metric::L2 => {
                    self.decode(row, &mut prepared.scratch);
                    (kernels().l2_f32)(&prepared.floats, &prepared.scratch)
                }
            };
        }
    }
}
