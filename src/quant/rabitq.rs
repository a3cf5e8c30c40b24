//! RaBitQ (Gao and Long, 2024): one bit a component of the rotated residual, with a length correction that makes the
//! estimate of an inner product with a float query unbiased.
//!
//! A row x = c + r around some centre c is stored as b = the signs of Rr and two terms: `[b: 1 bit × d][s: bf16][t: bf16]`,
//! where R is a rotation, s = ‖r‖² / ‖Rr‖₁, and t = mean·r (under L2: ‖r‖² + 2·(c - mean)·r). For a query, q' = q - mean,
//! and q'·r ≈ s · Σ (Rq')ᵢ·(±1)ᵢ; so one rotated query serves every centre, and the distance to x is the distance to c
//! plus what [`Rabitq::offsets`] gives. The rotated query is rounded to [`PLANES`] bits: the sum is a few popcounts.

use super::Prepared;
use super::rotation::Rotation;
use crate::kernels::kernels;
use crate::metric::Metric;
use half::bf16;

/// Bits of a rotated query component.
const PLANES: usize = 6;
const LEVELS: f32 = ((1 << PLANES) - 1) as f32;
/// Bytes after the bits of a row.
/// (Their rounding, 1 part in 512, is a tenth of the estimate's own error.)
const TERMS: usize = 4;

/// See the head of this file.
pub(crate) struct Rabitq {
    metric: Metric,
    mean: Vec<f32>,
    rotation: Rotation,
}

impl Rabitq {
    pub(crate) fn new(metric: Metric, mean: Vec<f32>) -> Self {
        let rotation = Rotation::new(mean.len());
        Rabitq { metric, mean, rotation }
    }

    fn bits(&self) -> usize {
        self.mean.len().div_ceil(8)
    }

    pub(crate) fn stride(dim: usize) -> usize {
        dim.div_ceil(8) + TERMS
    }
}

impl Rabitq {
    /// Writes the code of `row` around `centre`.
    pub(crate) fn encode(&self, row: &[f32], centre: &[f32], out: &mut [u8]) {
        let dot = kernels().dot_f32;
        let mut r: Vec<f32> = row.iter().zip(centre).map(|(x, c)| x - c).collect();
        let square = dot(&r, &r);
        let other = match self.metric {
            Metric::Cosine | Metric::Dot => dot(&self.mean, &r),
            Metric::L2 => square + 2.0 * (dot(centre, &r) - dot(&self.mean, &r)),
        };
        self.rotation.apply(&mut r);
        let (bits, terms) = out.split_at_mut(self.bits());
        for (byte, group) in bits.iter_mut().zip(r.chunks(8)) {
            *byte = group.iter().enumerate().fold(0, |b, (i, x)| b | u8::from(*x > 0.0) << i);
        }
        let length: f64 = r.iter().map(|x| f64::from(x.abs())).sum();
        let scale = if length > 0.0 { (f64::from(square) / length) as f32 } else { 0.0 };
        terms[..2].copy_from_slice(&bf16::from_f32(scale).to_le_bytes());
        terms[2..4].copy_from_slice(&bf16::from_f32(other).to_le_bytes());
    }

    /// Leaves in `prepared.bytes` a plane of zeros, then the bit planes of the rotated query from low to high.
    pub(crate) fn prepare(&self, query: &[f32], prepared: &mut Prepared) {
        let floats = &mut prepared.floats;
        floats.clear();
        floats.extend(query.iter().zip(&self.mean).map(|(x, m)| x - m));
        prepared.length = (kernels().dot_f32)(floats, floats).sqrt();
        self.rotation.apply(floats);
        let (low, high) = floats.iter().fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let step = (high - low) / LEVELS;
        let size = self.bits();
        prepared.bytes.clear();
        prepared.bytes.resize(size * (PLANES + 1), 0);
        for (i, x) in floats.iter().enumerate() {
            let level =
                if step > 0.0 { ((x - low) / step).round_ties_even().clamp(0.0, LEVELS) as i32 } else { 0 };
            for plane in 0..PLANES {
                prepared.bytes[(plane + 1) * size + i / 8] |= ((level >> plane & 1) as u8) << (i % 8);
            }
        }
        (prepared.factor, prepared.low) = (step, low);
    }

    /// `out[i]` = distance to row i of `rows` (a matrix of codes) less the distance to its centre.
    pub(crate) fn offsets(&self, prepared: &Prepared, rows: &[u8], out: &mut [f32]) {
        const GROUP: usize = 64;
        let size = self.bits();
        let stride = size + TERMS;
        let dim = self.mean.len() as i32;
        let mut counts = [0u32; GROUP];
        for (group, out) in out.chunks_mut(GROUP).enumerate() {
            let ids: [u32; GROUP] = std::array::from_fn(|i| (group * GROUP + i) as u32);
            let ids = &ids[..out.len()];
            // Σ uᵢbᵢ, twice: |u AND b| = (|u| + |b| - |u XOR b|) / 2 for each plane, weighed by 2^plane.
            let mut products = [0i32; GROUP];
            let mut set = [0i32; GROUP];
            for (plane, bits) in prepared.bytes.chunks_exact(size).enumerate() {
                (kernels().gather_hamming)(bits, rows, stride, ids, &mut counts[..ids.len()]);
                for ((product, set), &count) in products.iter_mut().zip(&mut set).zip(&counts[..ids.len()]) {
                    match plane {
                        0 => *set = count as i32,
                        _ => *product += (*set - count as i32) << (plane - 1),
                    }
                }
            }
            for (((&id, o), product), set) in ids.iter().zip(out).zip(products).zip(set) {
                let code = &rows[id as usize * stride..][..stride];
                // Σ qᵢ(2bᵢ - 1) with qᵢ = low + step·uᵢ; the planes' own Σ uᵢ cancels one of the two.
                let dot = prepared.low * (2 * set - dim) as f32 + prepared.factor * product as f32;
                let estimate = bf16_at(code, size) * dot;
                *o = match self.metric {
                    Metric::Cosine | Metric::Dot => -(estimate + bf16_at(code, size + 2)),
                    Metric::L2 => bf16_at(code, size + 2) - (estimate + estimate),
                };
            }
        }
    }

    /// About how far (one standard deviation) an offset is from the true one.
    ///
    /// With α = ‖Rr‖₁ / (√d·‖r‖), about 0.8 in high dimensions, the error of q'·r has the standard deviation
    /// ‖q'‖·‖r‖·√((1 - α²) / (α²·(d - 1))), and ‖r‖ = s·α·√d.
    pub(crate) fn error(&self, prepared: &Prepared, code: &[u8]) -> f32 {
        let spread = if self.metric == Metric::L2 { 1.2 } else { 0.6 };
        spread * prepared.length * bf16_at(code, self.bits())
    }
}

/// The term at byte `at` of a code; 0 where the code is too short, which one of a checked segment never is.
fn bf16_at(code: &[u8], at: usize) -> f32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0.0, |b| bf16::from_le_bytes(*b).to_f32())
}
