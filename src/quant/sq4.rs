//! SQ4: half a byte a component around the data's mean, one scale per row. Distances are computed from integers.
//!
//! A row x is stored as levels v from 0 to 15 that stand for the odd numbers w = 2v - 15, two to a byte (the first in
//! its low half), followed by its terms: `[v: 4 bits × d][s: f32]` and under L2 `[‖s·w‖²: f32]`. x - mean points about
//! where w does: of several grids the one whose w is nearest is taken, since a grid up to the largest component would
//! waste levels. The code stands for mean + s·w, where s makes that nearest to x, or under cosine of length 1 (see
//! `scale`). A query becomes signed bytes u with a step t: q·(x - mean) ≈ s · t · (2·(u·v) - 15·Σu).

use super::codec::{Codec, Encode, Prepared, f32_at, f32_bytes};
use super::scale::{self, Sums};
use super::sq8::round;
use crate::error::Error;
use crate::kernels::kernels;
use crate::memory::bytes;
use crate::metric::Metric;

/// Bytes after the components of a row.
pub(crate) fn terms(metric: Metric) -> usize {
    if metric == Metric::L2 { 8 } else { 4 }
}

/// The largest level, and the largest w.
const TOP: f32 = 15.0;
/// Grids that a code is chosen from: the largest component is from `FIRST` to `GRIDS` parts of the largest w's share.
const GRIDS: usize = 16;
const FIRST: usize = 6;

/// See the head of this file.
pub(crate) struct Sq4 {
    metric: Metric,
    mean: Vec<f32>,
    /// ‖mean‖² - 1.
    beyond: f64,
}

/// The level of a component on the grid of odd numbers times a step: `by` is half of one over the step.
fn level(x: f32, by: f32) -> u8 {
    // Cut off below 0 first, so that the conversion rounds down.
    (x * by + 8.0).clamp(0.0, TOP) as u8
}

/// The odd number that a level stands for.
fn odd(level: u8) -> f32 {
    f32::from(level) * 2.0 - TOP
}

impl Sq4 {
    pub(crate) fn new(metric: Metric, mean: Vec<f32>) -> Self {
        Sq4 { metric, beyond: scale::beyond(&mean), mean }
    }

    /// Half of one over the step of the grid whose points lie most nearly where `r` does; 0 for a row that is the mean.
    fn grid(r: &[f32], largest: f32) -> f32 {
        let mut best = (f32::MIN, 0.0);
        for part in FIRST..=GRIDS {
            let by = 0.5 * TOP * (GRIDS as f32 / part as f32) / largest;
            let (mut product, mut square) = (0.0f32, 0.0f32);
            for &x in r {
                let w = odd(level(x, by));
                product += x * w;
                square += w * w;
            }
            let cosine = product / square.sqrt();
            if by.is_finite() && cosine > best.0 {
                best = (cosine, by);
            }
        }
        best.1
    }

    fn codes(&self) -> usize {
        self.mean.len().div_ceil(2)
    }
}

impl Encode for Sq4 {
    fn parameters(&self) -> Vec<u8> {
        f32_bytes(&self.mean)
    }

    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error> {
        let r: Vec<f32> = row.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        let largest = r.iter().fold(0.0f32, |a, x| a.max(x.abs()));
        let by = Self::grid(&r, largest);
        let mut sums = Sums::default();
        let (codes, terms) = out.split_at_mut(self.codes());
        codes.fill(0);
        for (i, (&x, &m)) in r.iter().zip(&self.mean).enumerate() {
            let level = level(x, by);
            sums.add(x, m, f64::from(odd(level)));
            codes[i / 2] |= level << (i % 2 * 4);
        }
        let scale = scale::of_row(self.metric, &sums, self.beyond) as f32;
        terms[..4].copy_from_slice(&scale.to_le_bytes());
        if self.metric == Metric::L2 {
            let norm = f64::from(scale) * f64::from(scale) * sums.square;
            terms[4..8].copy_from_slice(&(norm as f32).to_le_bytes());
        }
        Ok(())
    }
}

impl Codec for Sq4 {
    fn bytes(&self) -> u64 {
        bytes(&self.mean)
    }

    fn decode(&self, code: &[u8], out: &mut [f32]) {
        let scale = f32_at(code, self.codes());
        for (i, (o, m)) in out.iter_mut().zip(&self.mean).enumerate() {
            let level = code.get(i / 2).map_or(0, |b| b >> (i % 2 * 4) & 15);
            *o = m + scale * odd(level);
        }
    }

    fn prepare(&self, query: &[f32], _fine: bool, prepared: &mut Prepared) {
        prepared.around(self.metric, &self.mean, query);
        let largest = prepared.floats.iter().fold(0.0f32, |a, x| a.max(x.abs()));
        let step = largest / 127.0;
        let code = |x: &f32| if step > 0.0 { round(x / step).clamp(-127.0, 127.0) as i8 } else { 0 };
        prepared.bytes.clear();
        prepared.bytes.extend(prepared.floats.iter().map(|x| code(x) as u8));
        prepared.sum = prepared.bytes.iter().map(|&u| i32::from(u as i8)).sum::<i32>() * TOP as i32;
        // Pairs, as the codes are.
        prepared.bytes.resize(self.codes() * 2, 0);
        prepared.factor = step;
    }

    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        const GROUP: usize = 64;
        let stride = self.codes() + terms(self.metric);
        let mut dots = [0i32; GROUP];
        for (ids, out) in ids.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            let query = bytemuck::cast_slice(&prepared.bytes);
            (kernels().gather_i8_u4)(query, rows, stride, ids, &mut dots[..ids.len()]);
            for ((&id, &dot), o) in ids.iter().zip(&dots).zip(out) {
                let code = &rows[id as usize * stride..][..stride];
                let product =
                    prepared.factor * (f32_at(code, self.codes()) * (2 * dot - prepared.sum) as f32);
                *o = match self.metric {
                    Metric::Cosine | Metric::Dot => prepared.base - product,
                    Metric::L2 => (prepared.base - (product + product)) + f32_at(code, self.codes() + 4),
                };
            }
        }
    }
}
