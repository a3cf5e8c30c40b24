//! RaBitQ (Gao and Long, 2024; with more bits Gao, Gou, Xu, Yang, Long, Wong 2025): a few bits a component of the
//! rotated residual, with a length correction that makes the estimate of an inner product with a float query unbiased.
//!
//! A row x = c + r around some centre c is stored as w = odd whole numbers that point where Rr does, in [`Rabitq::bits`]
//! planes of bits b, w = Σ 2^p·(2bₚ - 1), and two terms: `[planes: 1 bit × d each, high first][s: bf16][t: bf16]`, where
//! R is a rotation, s = ‖r‖² / (Rr·w), and t = mean·r (under L2: ‖r‖² + 2·(c - mean)·r). For a query, q' = q - mean,
//! and q'·r ≈ s · (Rq'·w); so one rotated query serves every centre, and the distance to x is the distance to c
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

/// Rows estimated at a time.
const GROUP: usize = 64;
/// Grids that a code is chosen from, as parts of the largest component.
const GRIDS: usize = 24;

/// See the head of this file.
pub(crate) struct Rabitq {
    metric: Metric,
    mean: Vec<f32>,
    rotation: Rotation,
    bits: usize,
}

impl Rabitq {
    /// `bits` a component, 1 to [`Rabitq::MAX_BITS`].
    pub(crate) const MAX_BITS: usize = 4;

    pub(crate) fn new(metric: Metric, mean: Vec<f32>, bits: usize) -> Self {
        let rotation = Rotation::new(mean.len());
        Rabitq { metric, mean, rotation, bits }
    }

    /// Bits a component that rank well. An estimate errs by about 1/√d: few components need more of them. On GloVe
    /// (341,000 words of 100 components, default options) recall@10 is 0.845 with 1 bit, however many lists are scanned,
    /// and 0.977 with 4.
    pub(crate) fn bits_for(dim: usize) -> usize {
        match dim {
            0..=128 => 4,
            129..=256 => 2,
            _ => 1,
        }
    }

    fn plane(&self) -> usize {
        self.mean.len().div_ceil(8)
    }

    /// Bytes of a code.
    pub(crate) fn stride(&self) -> usize {
        self.plane() * self.bits + TERMS
    }

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
        let (planes, terms) = out.split_at_mut(self.plane() * self.bits);
        let step = self.grid(&r);
        let mut product = 0.0f64;
        planes.fill(0);
        for (i, &x) in r.iter().enumerate() {
            let level = self.level(x, step);
            product += f64::from(x) * f64::from(2 * level - self.top());
            for (plane, bytes) in planes.chunks_exact_mut(self.plane()).enumerate() {
                bytes[i / 8] |= ((level >> (self.bits - 1 - plane) & 1) as u8) << (i % 8);
            }
        }
        let scale = if product > 0.0 { (f64::from(square) / product) as f32 } else { 0.0 };
        terms[..2].copy_from_slice(&bf16::from_f32(scale).to_le_bytes());
        terms[2..4].copy_from_slice(&bf16::from_f32(other).to_le_bytes());
    }

    /// The largest level, and the largest w.
    fn top(&self) -> i32 {
        (1 << self.bits) - 1
    }

    /// The level of a component on the grid of odd numbers times `step`.
    fn level(&self, x: f32, step: f32) -> i32 {
        if self.bits == 1 {
            return i32::from(x > 0.0);
        }
        let level = (x / (step + step) + (self.top() + 1) as f32 * 0.5).floor();
        level.clamp(0.0, self.top() as f32) as i32
    }

    /// The step whose grid points most nearly where `r` does.
    fn grid(&self, r: &[f32]) -> f32 {
        let largest = r.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        if self.bits == 1 || largest == 0.0 {
            return 1.0;
        }
        let mut best = (f64::MIN, 1.0);
        for part in 1..=GRIDS {
            let step = largest * (part as f32 / GRIDS as f32) / self.top() as f32;
            let (mut product, mut square) = (0.0f64, 0.0f64);
            for &x in r {
                let w = f64::from(2 * self.level(x, step) - self.top());
                product += f64::from(x) * w;
                square += w * w;
            }
            let cosine = product / square.sqrt();
            if cosine > best.0 {
                best = (cosine, step);
            }
        }
        best.1
    }

    /// The length of the query that codes estimate products with: its distance from the mean.
    pub(crate) fn length(&self, query: &[f32], prepared: &mut Prepared) -> f32 {
        let floats = &mut prepared.floats;
        floats.clear();
        floats.extend(query.iter().zip(&self.mean).map(|(x, m)| x - m));
        (kernels().dot_f32)(floats, floats).sqrt()
    }

    /// Leaves in `prepared.bytes` a plane of zeros, then the bit planes of the rotated query from low to high.
    pub(crate) fn prepare(&self, query: &[f32], prepared: &mut Prepared) {
        prepared.length = self.length(query, prepared);
        let floats = &mut prepared.floats;
        self.rotation.apply(floats);
        let (low, high) = floats.iter().fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let step = (high - low) / LEVELS;
        let size = self.plane();
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
        let stride = self.stride();
        let terms = stride - TERMS;
        let dim = self.mean.len() as i32;
        for (group, out) in out.chunks_mut(GROUP).enumerate() {
            let ids: [u32; GROUP] = std::array::from_fn(|i| (group * GROUP + i) as u32);
            let ids = &ids[..out.len()];
            // Σ uᵢwᵢ and Σ wᵢ = 2·(Σ of bits by weight) - d·top.
            let mut products = [0i32; GROUP];
            let mut weights = [0i32; GROUP];
            for plane in 0..self.bits {
                let shift = self.bits - 1 - plane;
                let (plane_products, set) = self.plane_sums(prepared, &rows[plane * self.plane()..], ids);
                for i in 0..ids.len() {
                    products[i] += plane_products[i] << shift;
                    weights[i] += set[i] << shift;
                }
            }
            for (((&id, o), product), weight) in ids.iter().zip(out).zip(products).zip(weights) {
                let code = &rows[id as usize * stride..][..stride];
                // Σ qᵢwᵢ with qᵢ = low + step·uᵢ.
                let dot =
                    prepared.low * (2 * weight - dim * self.top()) as f32 + prepared.factor * product as f32;
                let estimate = bf16_at(code, terms) * dot;
                *o = match self.metric {
                    Metric::Cosine | Metric::Dot => -(estimate + bf16_at(code, terms + 2)),
                    Metric::L2 => bf16_at(code, terms + 2) - (estimate + estimate),
                };
            }
        }
    }

    /// Σ uᵢ(2bᵢ - 1) and Σ bᵢ for one plane of bits b that starts each row of `rows`.
    fn plane_sums(&self, prepared: &Prepared, rows: &[u8], ids: &[u32]) -> ([i32; GROUP], [i32; GROUP]) {
        let (mut products, mut set) = ([0i32; GROUP], [0i32; GROUP]);
        let mut counts = [0u32; GROUP];
        // For each plane of u: |u AND b| = (|u| + |b| - |u XOR b|) / 2, weighed by 2^plane; |u| itself cancels.
        for (plane, bits) in prepared.bytes.chunks_exact(self.plane()).enumerate() {
            (kernels().gather_hamming)(bits, rows, self.stride(), ids, &mut counts[..ids.len()]);
            for ((product, set), &count) in products.iter_mut().zip(&mut set).zip(&counts[..ids.len()]) {
                match plane {
                    0 => *set = count as i32,
                    _ => *product += (*set - count as i32) << (plane - 1),
                }
            }
        }
        (products, set)
    }

    /// About how far (one standard deviation) an offset is from the true one.
    ///
    /// With α = the cosine of Rr and w, the error of q'·r has the standard deviation ‖q'‖·‖r‖·√((1 - α²) / (α²·(d - 1))),
    /// and ‖r‖ = s·α·‖w‖. ‖w‖·√(1 - α²) is the rounding to odd numbers, about 0.6·√d for any number of bits.
    pub(crate) fn error(&self, prepared: &Prepared, code: &[u8]) -> f32 {
        let spread = if self.metric == Metric::L2 { 1.2 } else { 0.6 };
        spread * prepared.length * bf16_at(code, self.stride() - TERMS)
    }
}

/// The term at byte `at` of a code; 0 where the code is too short, which one of a checked segment never is.
fn bf16_at(code: &[u8], at: usize) -> f32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0.0, |b| bf16::from_le_bytes(*b).to_f32())
}
