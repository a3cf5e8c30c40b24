//! Centroids of the clustered index: signed bytes and one scale, `[c: i8 × d][s: f32]`. A code stands for s·c. Rows
//! are stored relative to that and not to the exact centroid, so its rounding costs no recall.

use super::codec::f32_at;
use super::sq8::round;
use crate::kernels::kernels;

/// Bytes of a code of `dim` components.
pub(crate) fn stride(dim: usize) -> usize {
    dim + 4
}

/// Writes the code of a centroid (or of its residual around another).
pub(crate) fn encode(x: &[f32], out: &mut [u8]) {
    let scale = x.iter().fold(0.0f32, |a, x| a.max(x.abs())) / 127.0;
    for (o, x) in out.iter_mut().zip(x) {
        // A subnormal largest has scale 0: the centroid is the origin.
        *o = if scale > 0.0 { round(x / scale).clamp(-127.0, 127.0) as i8 as u8 } else { 0 };
    }
    out[x.len()..].copy_from_slice(&scale.to_le_bytes());
}

/// Scale and components of a code.
pub(crate) fn parts(code: &[u8]) -> (f32, &[i8]) {
    let dim = code.len().saturating_sub(4);
    (f32_at(code, dim), bytemuck::cast_slice(&code[..dim]))
}

/// The vector that the code stands for.
pub(crate) fn decode(code: &[u8], out: &mut Vec<f32>) {
    out.clear();
    out.resize(code.len().saturating_sub(4), 0.0);
    add(code, out);
}

/// Adds the vector that the code stands for to `onto`.
pub(crate) fn add(code: &[u8], onto: &mut [f32]) {
    let (scale, components) = parts(code);
    onto.iter_mut().zip(components).for_each(|(o, &c)| *o += scale * f32::from(c));
}

/// The squared length of the vector that the code stands for.
pub(crate) fn square(code: &[u8]) -> f32 {
    let (scale, components) = parts(code);
    scale * scale * (kernels().dot_i8)(components, components) as f32
}
