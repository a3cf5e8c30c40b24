//! RaBitQ (Gao and Long, 2024; with more bits Gao, Gou, Xu, Yang, Long, Wong 2025): a few bits a component of the
//! rotated residual, with a length correction that makes the estimate of an inner product with a float query unbiased.
//!
//! Rows and queries are rotated first: x̃ = R(x - mean). A row x̃ = c + r around some centre c is
//! stored as w = odd whole numbers that point where r does, in [`Rabitq::bits`] planes of bits b, w = Σ 2^p·(2bₚ - 1),
//! and two terms: `[planes: 1 bit × d each, high first][s: bf16][t: bf16]`, where s = ‖r‖² / (r·w), and t = ‖r‖² under
//! L2, else a·r with a = R·mean + c, the centre as seen from the origin. Then v·r ≈ s · (v·w) for any v, with an error
//! that grows with ‖v‖. So the query is centred as well: under L2 v = q̃ - c; else v = Rq - α·a, where α makes v the
//! shortest, and q·r = α·t + v·r. v is rounded to [`PLANES`] bits: the sum is a few popcounts.

mod encode;
mod rotation;

use super::codec::Prepared;
use super::sq8::round;
use crate::kernels::kernels;
use crate::memory::bytes;
use crate::metric::Metric;
use half::bf16;
use rotation::Rotation;

/// Bits of a component of v.
const PLANES: usize = 6;
const LEVELS: f32 = ((1 << PLANES) - 1) as f32;
/// Bytes after the bits of a row.
/// (Their rounding, 1 part in 512, is a tenth of the estimate's own error.)
const TERMS: usize = 4;

/// Rows estimated at a time.
const GROUP: usize = 64;

/// See the head of this file.
pub(crate) struct Rabitq {
    metric: Metric,
    mean: Vec<f32>,
    /// R·mean.
    turned_mean: Vec<f32>,
    rotation: Rotation,
    bits: usize,
}

/// A rotated query, before it is prepared for one centre.
#[derive(Default)]
pub(crate) struct Turned {
    /// Under L2 q̃, else Rq.
    floats: Vec<f32>,
    /// The distance to the mean; under cosine and dot -q·mean.
    base: f32,
    /// The query's distance from the mean.
    pub(crate) length: f32,
}

impl Turned {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.floats)
    }
}

impl Rabitq {
    /// `bits` a component, 1 to [`Rabitq::MAX_BITS`].
    pub(crate) const MAX_BITS: usize = 4;

    pub(crate) fn new(metric: Metric, mean: Vec<f32>, bits: usize) -> Self {
        let rotation = Rotation::new(mean.len());
        let mut turned_mean = mean.clone();
        rotation.apply(&mut turned_mean);
        Rabitq { metric, mean, turned_mean, rotation, bits }
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.mean) + bytes(&self.turned_mean) + self.rotation.bytes()
    }

    /// Bits a component that rank well. An estimate errs by about 1/√d: few components need more of them. On GloVe
    /// (341,000 words of 100 components, default options) recall@10 is 0.845 with 1 bit, however many lists are
    /// scanned, and 0.977 with 4.
    pub(crate) fn bits_for(dim: usize) -> usize {
        match dim {
            0..=128 => 4,
            129..=256 => 2,
            _ => 1,
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.mean.len()
    }

    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    fn plane(&self) -> usize {
        self.mean.len().div_ceil(8)
    }

    /// Bytes of a code.
    pub(crate) fn stride(&self) -> usize {
        Rabitq::code_bytes(self.mean.len(), self.bits)
    }

    /// Bytes of a code of `dim` components.
    pub(crate) fn code_bytes(dim: usize, bits: usize) -> usize {
        dim.div_ceil(8) * bits + TERMS
    }

    /// Rotates a row.
    pub(crate) fn turn(&self, row: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend(row.iter().zip(&self.mean).map(|(x, m)| x - m));
        self.rotation.apply(out);
    }

    /// The largest level, and the largest w.
    fn top(&self) -> i32 {
        (1 << self.bits) - 1
    }

    /// Rotates a query, once for all centres.
    pub(crate) fn ask(&self, query: &[f32], turned: &mut Turned) {
        let dot = kernels().dot_f32;
        self.turn(query, &mut turned.floats);
        let square = dot(&turned.floats, &turned.floats);
        turned.length = square.sqrt();
        turned.base = square;
        if self.metric != Metric::L2 {
            turned.base = -dot(query, &self.mean);
            turned.floats.iter_mut().zip(&self.turned_mean).for_each(|(x, m)| *x += m);
        }
    }

    /// The distance to a centre, which is `scale` times `code` and has the square `norm`. Under cosine and dot as for
    /// rows, minus the inner product.
    pub(crate) fn distance(&self, turned: &Turned, (scale, code): (f32, &[i8]), norm: f32) -> f32 {
        let product = scale * (kernels().dot_f32_i8)(&turned.floats, code);
        match self.metric {
            Metric::Cosine | Metric::Dot => turned.base - product,
            Metric::L2 => ((turned.base - (product + product)) + norm).max(0.0),
        }
    }

    /// Prepares the query for rows around `centre`; returns the distance to it. It leaves a plane of
    /// zeros in `prepared.bytes`, then the bit planes of v from low to high.
    pub(crate) fn prepare(&self, turned: &Turned, centre: &[f32], prepared: &mut Prepared) -> f32 {
        let dot = kernels().dot_f32;
        let v = &mut prepared.floats;
        v.clear();
        let distance = match self.metric {
            Metric::L2 => {
                v.extend(turned.floats.iter().zip(centre).map(|(q, c)| q - c));
                dot(v, v)
            }
            Metric::Cosine | Metric::Dot => {
                let q = &turned.floats;
                let from_mean = dot(q, centre);
                // v holds a until α is known.
                v.extend(self.turned_mean.iter().zip(centre).map(|(m, c)| m + c));
                let square = dot(v, v);
                prepared.share = if square > 0.0 { dot(q, v) / square } else { 0.0 };
                let share = prepared.share;
                v.iter_mut().zip(q).for_each(|(a, q)| *a = q - share * *a);
                turned.base - from_mean
            }
        };
        prepared.length = dot(v, v).sqrt();
        let (low, high) = range(v);
        let step = (high - low) / LEVELS;
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        let size = self.plane();
        prepared.bytes.clear();
        prepared.bytes.resize(size * (PLANES + 1), 0);
        for (at, eight) in v.chunks(8).enumerate() {
            let mut levels = [0u8; 8];
            for (level, x) in levels.iter_mut().zip(eight) {
                *level = round((x - low) * inverse).clamp(0.0, LEVELS) as u8;
            }
            let levels = u64::from_le_bytes(levels);
            for plane in 0..PLANES {
                // Bit `plane` of each of the eight bytes, gathered in the highest byte.
                let bits =
                    (levels >> plane & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                if let Some(byte) = prepared.bytes.get_mut((plane + 1) * size + at) {
                    *byte = bits as u8;
                }
            }
        }
        (prepared.factor, prepared.low) = (step, low);
        distance
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
                // Σ vᵢwᵢ with vᵢ = low + step·uᵢ.
                let dot =
                    prepared.low * (2 * weight - dim * self.top()) as f32 + prepared.factor * product as f32;
                let estimate = bf16_at(code, terms) * dot;
                *o = match self.metric {
                    Metric::Cosine | Metric::Dot => -(estimate + prepared.share * bf16_at(code, terms + 2)),
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
    /// With α = the cosine of r and w, the error of v·r has the standard deviation ‖v‖·‖r‖·√((1 - α²) / (α²·(d - 1))),
    /// and ‖r‖ = s·α·‖w‖. ‖w‖·√(1 - α²) is the rounding to odd numbers, about 0.6·√d for any number of bits.
    pub(crate) fn error(&self, prepared: &Prepared, code: &[u8]) -> f32 {
        let spread = if self.metric == Metric::L2 { 1.2 } else { 0.6 };
        spread * prepared.length * bf16_at(code, self.stride() - TERMS)
    }
}

/// The least and the largest, lane by lane; the order does not matter to either.
fn range(v: &[f32]) -> (f32, f32) {
    const LANES: usize = 8;
    let (lines, rest) = v.as_chunks::<LANES>();
    let (mut low, mut high) = ([f32::MAX; LANES], [f32::MIN; LANES]);
    for line in lines {
        low.iter_mut().zip(line).for_each(|(l, &x)| *l = if x < *l { x } else { *l });
        high.iter_mut().zip(line).for_each(|(h, &x)| *h = if x > *h { x } else { *h });
    }
    let low = low.iter().chain(rest).fold(f32::MAX, |l, &x| if x < l { x } else { l });
    let high = high.iter().chain(rest).fold(f32::MIN, |h, &x| if x > h { x } else { h });
    (low, high)
}

/// The term at byte `at` of a code; 0 where the code is too short, which one of a checked segment never is.
fn bf16_at(code: &[u8], at: usize) -> f32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0.0, |b| bf16::from_le_bytes(*b).to_f32())
}
