//! SQ8: signed bytes in ±127 around the data's mean, one scale per row. Distances are computed from integers.
//!
//! A row x is stored as c = round((x - mean) / (max|x - mean| / 127)), followed by its terms: `[c: i8 × d][s: f32][Σc:
//! i32]` and under L2 `[‖s·c‖²: f32]`. The code stands for mean + s·c, where s makes that nearest to x, or under cosine
//! of length 1 (see `scale`). A query q becomes u = round(q / t) + 64 with t = max|q| / 63, unsigned 7-bit, so that no
//! target's 8-bit multiply-add can saturate (127·127·2 < 2^15): q·(x - mean) ≈ s · t · (u·c - 64·Σc). Per-row scales
//! keep 2-8 points of recall on skewed embeddings that one global scale loses, and unlike per-dimension scales leave
//! row-to-row distances integer.

use super::codec::{Codec, Encode, Prepared, f32_at, f32_bytes};
use super::scale::{self, Sums};
use crate::error::Error;
use crate::kernels::kernels;
use crate::memory::bytes;
use crate::metric::Metric;
use crate::sort;

/// Bytes after the components of a row.
pub(crate) fn terms(metric: Metric) -> usize {
    if metric == Metric::L2 { 12 } else { 8 }
}

const OFFSET: i32 = 64;

/// See the head of this file.
pub(crate) struct Sq8 {
    metric: Metric,
    mean: Vec<f32>,
    /// ‖mean‖² - 1.
    beyond: f64,
}

impl Sq8 {
    pub(crate) fn new(metric: Metric, mean: Vec<f32>) -> Self {
        Sq8 { metric, beyond: scale::beyond(&mean), mean }
    }

    pub(crate) fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The scale of a row.
    #[inline]
    pub(crate) fn scale(&self, code: &[u8]) -> f32 {
        f32_at(code, self.mean.len())
    }

    /// Writes the code of a point: a row for comparison with others, or a centroid, which under cosine has any length.
    pub(crate) fn encode_row(&self, row: &[f32], out: &mut [u8]) {
        let (codes, terms) = out.split_at_mut(self.mean.len());
        let scale = self.round(row, codes);
        self.finish(codes, scale, terms);
    }

    /// Rounds to the integers of a grid, and returns its step.
    fn round(&self, row: &[f32], codes: &mut [u8]) -> f32 {
        let centred = |(x, m): (&f32, &f32)| x - m;
        let largest = row.iter().zip(&self.mean).map(centred).fold(0.0f32, |a, x| a.max(x.abs()));
        let step = largest / 127.0;
        for (code, x) in codes.iter_mut().zip(row.iter().zip(&self.mean).map(centred)) {
            // A subnormal largest has step 0: the row is its mean.
            *code = if step > 0.0 { round(x / step).clamp(-127.0, 127.0) as i8 as u8 } else { 0 };
        }
        step
    }

    fn sums(&self, row: &[f32], codes: &[u8]) -> Sums {
        let mut sums = Sums::default();
        for ((x, &m), &c) in row.iter().zip(&self.mean).zip(codes) {
            sums.add(x - m, m, f64::from(c as i8));
        }
        sums
    }

    /// Writes the terms of a code.
    fn finish(&self, codes: &[u8], scale: f32, terms: &mut [u8]) {
        let codes: &[i8] = bytemuck::cast_slice(codes);
        terms[..4].copy_from_slice(&scale.to_le_bytes());
        terms[4..8].copy_from_slice(&codes.iter().map(|&c| i32::from(c)).sum::<i32>().to_le_bytes());
        if self.metric == Metric::L2 {
            let square = (kernels().dot_i8)(codes, codes);
            let norm = f64::from(scale) * f64::from(scale) * f64::from(square);
            terms[8..12].copy_from_slice(&(norm as f32).to_le_bytes());
        }
    }

    /// Rounds components the other way until mean + s·c is about of length 1: where rows are in a narrow cone, the
    /// scale alone would move a row by more than its code is off. The components that lose least come first.
    fn balance(&self, row: &[f32], codes: &mut [u8], s: f64, mut excess: f64) {
        let mut turns = Vec::new();
        for (i, ((x, &m), &c)) in row.iter().zip(&self.mean).zip(&*codes).enumerate() {
            let c = f64::from(c as i8);
            let off = f64::from(x - m) / s - c;
            let by = off.signum();
            let change = s * (2.0 * by * (f64::from(m) + s * c) + s);
            if off.abs() > 0.25 && change * excess < 0.0 && (c + by).abs() <= 127.0 {
                turns.push(((1.0 - 2.0 * off.abs()) / change.abs(), i, by, change));
            }
        }
        sort::by(&mut turns, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, i, by, change) in turns {
            if (excess + change).abs() < excess.abs() {
                codes[i] = (codes[i] as i8 + by as i8) as u8;
                excess += change;
            }
        }
    }

    /// Scores one row against integers (`dot` = u·c) or floats (`dot` = q·c).
    #[inline]
    fn distance(&self, prepared: &Prepared, code: &[u8], dot: f32) -> f32 {
        let product = prepared.factor * (self.scale(code) * dot);
        match self.metric {
            Metric::Cosine | Metric::Dot => prepared.base - product,
            Metric::L2 => (prepared.base - (product + product)) + f32_at(code, self.mean.len() + 8),
        }
    }
}

/// Rounds a number below 2^22 to the nearest integer, ties to even: at 2^23 an f32 has no bits after the point. The
/// method of f32 would be a function call per number, because not every CPU has the instruction.
#[inline]
pub(super) fn round(x: f32) -> f32 {
    const UP: f32 = 12_582_912.0;
    (x + UP) - UP
}

#[inline]
fn i32_at(code: &[u8], at: usize) -> i32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0, |b| i32::from_le_bytes(*b))
}

impl Encode for Sq8 {
    fn parameters(&self) -> Vec<u8> {
        f32_bytes(&self.mean)
    }

    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error> {
        let (codes, terms) = out.split_at_mut(self.mean.len());
        self.round(row, codes);
        let mut sums = self.sums(row, codes);
        if self.metric == Metric::Cosine && !sums.is_balanced(self.beyond) {
            let nearest = sums.nearest();
            self.balance(row, codes, nearest, sums.excess(nearest, self.beyond));
            sums = self.sums(row, codes);
        }
        self.finish(codes, scale::of_row(self.metric, &sums, self.beyond) as f32, terms);
        Ok(())
    }
}

impl Codec for Sq8 {
    fn bytes(&self) -> u64 {
        bytes(&self.mean)
    }

    fn decode(&self, code: &[u8], out: &mut [f32]) {
        let scale = self.scale(code);
        for ((o, &c), m) in out.iter_mut().zip(code).zip(&self.mean) {
            *o = m + scale * f32::from(c as i8);
        }
    }

    fn prepare(&self, query: &[f32], fine: bool, prepared: &mut Prepared) {
        prepared.around(self.metric, &self.mean, query);
        prepared.bytes.clear();
        prepared.factor = 1.0;
        if !fine {
            let largest = prepared.floats.iter().fold(0.0f32, |a, x| a.max(x.abs()));
            let step = largest / 63.0;
            let code = |x: &f32| if step > 0.0 { round(x / step).clamp(-63.0, 63.0) as i32 } else { 0 };
            prepared.bytes.extend(prepared.floats.iter().map(|x| (code(x) + OFFSET) as u8));
            prepared.factor = step;
        }
    }

    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        const GROUP: usize = 64;
        let dim = self.mean.len();
        let stride = dim + terms(self.metric);
        let row = |id: u32| &rows[id as usize * stride..][..stride];
        if prepared.bytes.is_empty() {
            for (&id, o) in ids.iter().zip(out) {
                let code = row(id);
                let dot = (kernels().dot_f32_i8)(&prepared.floats, bytemuck::cast_slice(&code[..dim]));
                *o = self.distance(prepared, code, dot);
            }
            return;
        }
        let mut dots = [0i32; GROUP];
        for (ids, out) in ids.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            (kernels().gather_u7_i8)(&prepared.bytes, rows, stride, ids, &mut dots[..ids.len()]);
            for ((&id, &dot), o) in ids.iter().zip(&dots).zip(out) {
                let code = row(id);
                // Wrapping: the sum comes from the file, and a hostile one must not panic.
                *o = self.distance(
                    prepared,
                    code,
                    dot.wrapping_sub(i32_at(code, dim + 4).wrapping_mul(OFFSET)) as f32,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn rounds_as_the_standard_library_does() {
        for i in -5_000_000..=5_000_000 {
            let x = i as f32 / 32_768.0;
            assert_eq!(round(x), x.round_ties_even(), "{x}");
        }
        for x in [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -126.5, 126.5, f32::MIN_POSITIVE, 1e-45, 62.499_996] {
            assert_eq!(round(x), x.round_ties_even(), "{x}");
        }
    }
}
