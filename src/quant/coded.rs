//! Rows as SQ8 codes, measured among themselves: d(a, b) = add(a) + add(b) - 2·s(a)·s(b)·(a·b). The product is an exact
//! integer and the rest has one order, so a distance has the same bits on every target.

use super::Sq8;
use crate::exec;
use crate::kernels::kernels;
use crate::metric::Metric;
use std::borrow::Cow;

/// Coded rows, with what their distances need.
pub(crate) struct Coded<'a> {
    codes: Cow<'a, [u8]>,
    stride: usize,
    dim: usize,
    scale: Vec<f32>,
    /// ‖x - mean‖² under cosine and L2; -2·mean·(x - mean) under dot, where d = -2·x·y up to a constant.
    add: Vec<f32>,
}

/// What a matrix of distances is computed in, reused.
#[derive(Default)]
pub(crate) struct Scratch {
    dots: Vec<i32>,
    terms: Vec<(f32, f32)>,
}

impl<'a> Coded<'a> {
    /// `codes` are codes of `codec`.
    pub(crate) fn new(codec: &Sq8, metric: Metric, codes: Cow<'a, [u8]>) -> Self {
        let dim = codec.mean().len();
        let stride = super::CodecKind::Sq8.stride(dim, metric);
        let chunks = exec::map_chunks(codes.len() / stride, 1024, |range| {
            let rows = codes[range.start * stride..range.end * stride].chunks_exact(stride);
            let terms = rows.map(|row| {
                let scale = codec.scale(row);
                let code: &[i8] = bytemuck::cast_slice(&row[..dim]);
                let add = match metric {
                    Metric::Cosine | Metric::L2 => scale * scale * (kernels().dot_i8)(code, code) as f32,
                    Metric::Dot => -2.0 * scale * (kernels().dot_f32_i8)(codec.mean(), code),
                };
                (scale, add)
            });
            terms.collect::<Vec<_>>()
        });
        let (scale, add) = chunks.into_iter().flatten().unzip();
        Coded { codes, stride, dim, scale, add }
    }

    /// Codes of `rows` (row-major), whose distances are squares of Euclid's.
    pub(crate) fn euclidean(codec: &Sq8, rows: &[f32]) -> Coded<'static> {
        Self::encode(codec, Metric::Cosine, rows)
    }

    /// Codes of `rows` (row-major).
    pub(crate) fn encode(codec: &Sq8, metric: Metric, rows: &[f32]) -> Coded<'static> {
        const CHUNK: usize = 1024;
        let dim = codec.mean().len();
        let stride = super::CodecKind::Sq8.stride(dim, metric);
        let mut codes = vec![0; rows.len() / dim * stride];
        exec::for_each_chunk_mut(&mut codes, stride * CHUNK, |chunk, codes| {
            let rows = rows[chunk * CHUNK * dim..].chunks_exact(dim);
            rows.zip(codes.chunks_exact_mut(stride)).for_each(|(row, code)| codec.encode_row(row, code));
        });
        Coded::new(codec, metric, Cow::Owned(codes))
    }

    pub(crate) fn count(&self) -> usize {
        self.scale.len()
    }

    /// The code of a row, without its terms.
    pub(crate) fn code(&self, row: u32) -> &[u8] {
        &self.codes[row as usize * self.stride..][..self.dim]
    }

    /// `out[i]` = distance from row `from` to row `to[i]`.
    pub(crate) fn distances(&self, from: u32, to: &[u32], out: &mut [f32]) {
        const GROUP: usize = 64;
        let mut dots = [0i32; GROUP];
        let query: &[i8] = bytemuck::cast_slice(self.code(from));
        let (scale, add) = (-2.0 * self.scale[from as usize], self.add[from as usize]);
        for (ids, out) in to.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            (kernels().gather_i8)(query, &self.codes, self.stride, ids, &mut dots[..ids.len()]);
            for ((&id, &dot), o) in ids.iter().zip(&dots).zip(out) {
                *o = (add + self.add[id as usize]) + scale * self.scale[id as usize] * dot as f32;
            }
        }
    }

    /// `out[i * to.len() + j]` = distance from row `from[i]` to row `to[j]` of `others`, codes of the same codec.
    pub(crate) fn matrix(
        &self,
        from: &[u32],
        others: &Coded<'_>,
        to: &[u32],
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) {
        let length = from.len() * to.len();
        // Not emptied first: all of it is written.
        scratch.dots.resize(length, 0);
        out.resize(length, 0.0);
        scratch.terms.clear();
        scratch.terms.extend(to.iter().map(|&id| (others.scale[id as usize], others.add[id as usize])));
        let (queries, rows) = ((&*self.codes, from), (&*others.codes, to));
        (kernels().matrix_i8)(queries, rows, self.stride, self.dim, &mut scratch.dots);
        if to.is_empty() {
            return;
        }
        let lines = scratch.dots.chunks_exact(to.len()).zip(out.chunks_exact_mut(to.len()));
        for (&id, (dots, out)) in from.iter().zip(lines) {
            let (scale, add) = (-2.0 * self.scale[id as usize], self.add[id as usize]);
            for ((&(s, a), &dot), o) in scratch.terms.iter().zip(dots).zip(out) {
                *o = (add + a) + scale * s * dot as f32;
            }
        }
    }
}
