//! The code of a row: which levels, on which grid. Searches do not need it.

use super::Rabitq;
use crate::kernels::kernels;
use crate::metric::Metric;
use half::bf16;

/// How many grids are tried for a code; their largest point is so many parts of the largest component.
const GRIDS: usize = 24;

impl Rabitq {
    /// Writes the code of a rotated row around `centre`.
    pub(crate) fn encode(&self, row: &[f32], centre: &[f32], out: &mut [u8]) {
        let dot = kernels().dot_f32;
        let r: Vec<f32> = row.iter().zip(centre).map(|(x, c)| x - c).collect();
        let square = dot(&r, &r);
        let other = match self.metric {
            Metric::Cosine | Metric::Dot => dot(&self.turned_mean, &r) + dot(centre, &r),
            Metric::L2 => square,
        };
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
}
