//! One bit a component: whether it is above the data's mean. Rows are compared by Hamming distance.
//!
//! It is for candidates only. Without finer rows to rescore by, the score is the agreement of signs, 1 - 2·Hamming/d.

use super::codec::{Codec, Encode, Prepared, f32_bytes};
use crate::error::Error;
use crate::kernels::kernels;
use crate::memory::bytes;

/// See the head of this file.
pub(crate) struct Binary {
    thresholds: Vec<f32>,
}

impl Binary {
    pub(crate) fn new(thresholds: Vec<f32>) -> Self {
        Binary { thresholds }
    }

    fn bits(&self, row: &[f32]) -> impl Iterator<Item = u8> {
        row.chunks(8).zip(self.thresholds.chunks(8)).map(|(xs, ts)| {
            xs.iter().zip(ts).enumerate().fold(0, |byte, (i, (x, t))| byte | u8::from(x > t) << i)
        })
    }
}

impl Encode for Binary {
    fn parameters(&self) -> Vec<u8> {
        f32_bytes(&self.thresholds)
    }

    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error> {
        out.iter_mut().zip(self.bits(row)).for_each(|(o, b)| *o = b);
        Ok(())
    }
}

impl Codec for Binary {
    fn bytes(&self) -> u64 {
        bytes(&self.thresholds)
    }

    /// The corner of the cube around the thresholds, at unit distance from them.
    fn decode(&self, code: &[u8], out: &mut [f32]) {
        let step = 1.0 / (self.thresholds.len() as f32).sqrt();
        for (i, (o, t)) in out.iter_mut().zip(&self.thresholds).enumerate() {
            let set = code.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1);
            *o = if set { t + step } else { t - step };
        }
    }

    fn prepare(&self, query: &[f32], _fine: bool, prepared: &mut Prepared) {
        prepared.bytes.clear();
        prepared.bytes.extend(self.bits(query));
        prepared.base = -1.0;
        prepared.factor = 2.0 / self.thresholds.len() as f32;
    }

    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        const GROUP: usize = 64;
        let mut counts = [0u32; GROUP];
        for (ids, out) in ids.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            (kernels().gather_hamming)(
                &prepared.bytes,
                rows,
                prepared.bytes.len(),
                ids,
                &mut counts[..ids.len()],
            );
            for (&count, o) in counts.iter().zip(out) {
                *o = prepared.base + prepared.factor * count as f32;
            }
        }
    }
}
