//! Sixteen floats at a time, written once over [`Lanes`]: the blocks that `generic.rs` sums up, and sums of columns.

use super::generic::Block;
use std::marker::PhantomData;

/// Sixteen floats, as many registers as that takes.
///
/// # Safety
///
/// All functions: the CPU has the features that the implementing file is written for.
pub(super) trait Lanes: Copy {
    /// See [`Block::TOGETHER`].
    const TOGETHER: usize;

    unsafe fn zero() -> Self;
    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(from: &[f32; 16]) -> Self;
    unsafe fn store(self, to: &mut [f32; 16]);
    unsafe fn load_f32(from: &[u8; 64]) -> Self;
    unsafe fn load_f16(from: &[u8; 32]) -> Self;
    unsafe fn load_i8(from: &[u8; 16]) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// Folds the upper half onto the lower until one lane is left.
    unsafe fn sum(self) -> f32;
}

/// Blocks of sixteen floats of the query: `$term` of a lane `q` of the query and `r` of the row.
macro_rules! float_block {
    ($name:ident, $row:ty, $load:ident, |$q:ident, $r:ident| $term:expr) => {
        pub(super) struct $name<L>(PhantomData<L>);

        impl<L: Lanes> Block for $name<L> {
            type Query = f32;
            type QueryBlock = [f32; 16];
            type RowBlock = $row;
            type Ready = L;
            type Sum = L;
            type Out = f32;
            const ZERO_ABSORBS: bool = false;
            const TOGETHER: usize = L::TOGETHER;

            #[inline(always)]
            unsafe fn zero() -> L {
                // SAFETY: the caller guarantees the features.
                unsafe { L::zero() }
            }

            #[inline(always)]
            unsafe fn ready(query: &[f32; 16]) -> L {
                // SAFETY: the caller guarantees the features.
                unsafe { L::load(query) }
            }

            #[inline(always)]
            unsafe fn add(sum: L, $q: L, row: &$row) -> L {
                // SAFETY: the caller guarantees the features.
                unsafe {
                    let $r = L::$load(row);
                    sum.add($term)
                }
            }

            #[inline(always)]
            unsafe fn finish(sum: L) -> f32 {
                // SAFETY: the caller guarantees the features.
                unsafe { sum.sum() }
            }
        }
    };
}

float_block!(DotF32, [u8; 64], load_f32, |q, r| q.mul(r));
float_block!(DotF16, [u8; 32], load_f16, |q, r| q.mul(r));
float_block!(DotI8, [u8; 16], load_i8, |q, r| q.mul(r));
float_block!(L2F32, [u8; 64], load_f32, |q, r| {
    let difference = q.sub(r);
    difference.mul(difference)
});

/// Adds columns weighed by the query. See [`Kernels::add_columns`](super::Kernels::add_columns).
///
/// # Safety
///
/// The CPU has the features of `L`.
#[inline(always)]
pub(super) unsafe fn add_columns<L: Lanes>(query: &[f32], columns: &[[i8; 256]], sums: &mut [f32; 256]) {
    /// Registers' worth of sums that stay in registers.
    const TOGETHER: usize = 2;
    let columns = &columns[..query.len()];
    let (sums, _) = sums.as_chunks_mut::<16>();
    for (block, sums) in sums.chunks_exact_mut(TOGETHER).enumerate() {
        // SAFETY: the caller guarantees the features.
        unsafe {
            let mut totals = [L::zero(); TOGETHER];
            for t in 0..TOGETHER {
                totals[t] = L::load(&sums[t]);
            }
            for i in 0..query.len() {
                let weight = L::splat(query[i]);
                let (values, _) = bytemuck::cast_slice::<i8, u8>(&columns[i]).as_chunks::<16>();
                for t in 0..TOGETHER {
                    totals[t] = totals[t].add(weight.mul(L::load_i8(&values[block * TOGETHER + t])));
                }
            }
            for t in 0..TOGETHER {
                totals[t].store(&mut sums[t]);
            }
        }
    }
}
