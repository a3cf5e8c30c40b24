//! Every row, scored in order: exact on the codes.

use crate::quant::{Codec, Prepared};
use crate::topk::TopK;

const GROUP: usize = 64;

/// Offers rows `first..first + count`; `rows` holds just those.
pub(crate) fn scan(
    codec: &dyn Codec,
    prepared: &mut Prepared,
    rows: &[u8],
    first: u32,
    count: usize,
    nearest: &mut TopK,
) {
    let mut distances = [0.0f32; GROUP];
    let mut ids = [0u32; GROUP];
    for start in (0..count).step_by(GROUP) {
        let length = GROUP.min(count - start);
        ids.iter_mut().enumerate().for_each(|(i, id)| *id = (start + i) as u32);
        codec.distances(prepared, rows, &ids[..length], &mut distances[..length]);
        for (&id, &distance) in ids.iter().zip(&distances[..length]) {
            nearest.offer(distance, first + id);
        }
    }
}
