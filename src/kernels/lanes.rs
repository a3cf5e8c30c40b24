//! Blocks of sixteen floats, written once over [`Lanes`]: what one instruction set calls them.

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
                // SAFETY: the features are the caller's promise.
                unsafe { L::zero() }
            }

            #[inline(always)]
            unsafe fn ready(query: &[f32; 16]) -> L {
                // SAFETY: the features are the caller's promise.
                unsafe { L::load(query) }
            }

            #[inline(always)]
            unsafe fn add(sum: L, $q: L, row: &$row) -> L {
                // SAFETY: the features are the caller's promise.
                unsafe {
                    let $r = L::$load(row);
                    sum.add($term)
                }
            }

            #[inline(always)]
            unsafe fn finish(sum: L) -> f32 {
                // SAFETY: the features are the caller's promise.
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
