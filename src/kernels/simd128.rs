//! The blocks for WebAssembly SIMD. There is no runtime choice in WebAssembly: the module was
//! compiled with it or not.

use super::Kernels;
use super::generic::Block;
use super::lanes::Lanes;
use super::table::table;
use std::arch::wasm32::*;

/// The table: always, since this file was compiled.
pub(super) fn detect() -> Option<Kernels> {
    Some(table())
}

table! {
    "simd128",
    lanes: F32x16, u7_i8: Bytes<u8>, i8: Bytes<i8>, i8_u4: Halves, hamming: Hamming,
}

/// Lanes 0 to 3, 4 to 7, and so on.
#[derive(Clone, Copy)]
struct F32x16([v128; 4]);

impl F32x16 {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(v128, v128) -> v128) -> Self {
        let (a, b) = (self.0, other.0);
        Self([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
    }
}

/// Widens the four half floats in the low halves of the 32-bit lanes. Exact: moving exponent and
/// fraction to their places in an `f32` leaves the exponent 112 too small, subnormals included.
#[inline(always)]
fn widen_f16(half: v128) -> v128 {
    let magnitude = i32x4_shl(v128_and(half, i32x4_splat(0x7fff)), 13);
    let value = f32x4_mul(magnitude, f32x4_splat(f32::from_bits((127 + 112) << 23)));
    let special = i32x4_gt(magnitude, i32x4_splat(0x0f7f_ffff));
    let infinity = v128_and(special, i32x4_splat(0x7f80_0000));
    let sign = i32x4_shl(v128_and(half, i32x4_splat(0x8000)), 16);
    v128_or(v128_or(value, infinity), sign)
}

impl Lanes for F32x16 {
    /// Four sums of four registers would be spilled where there are sixteen, as on x86-64.
    const TOGETHER: usize = 2;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([f32x4_splat(0.0); 4])
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([f32x4_splat(x); 4])
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; 16]) {
        let at = to.as_mut_ptr().cast::<v128>();
        for i in 0..4 {
            // SAFETY: the array holds four registers; the stores need no alignment.
            unsafe { v128_store(at.add(i), self.0[i]) }
        }
    }

    #[inline(always)]
    unsafe fn load(from: &[f32; 16]) -> Self {
        // SAFETY: any 64 bytes are 64 bytes.
        unsafe { Self::load_f32(&*from.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn load_f32(from: &[u8; 64]) -> Self {
        let at = from.as_ptr().cast::<v128>();
        // SAFETY: the array holds four registers; the loads need no alignment.
        unsafe {
            Self([
                v128_load(at),
                v128_load(at.byte_add(16)),
                v128_load(at.byte_add(32)),
                v128_load(at.byte_add(48)),
            ])
        }
    }

    #[inline(always)]
    unsafe fn load_f16(from: &[u8; 32]) -> Self {
        let at = from.as_ptr();
        // SAFETY: the array holds four times eight bytes; the loads need no alignment.
        unsafe {
            Self([
                widen_f16(u32x4_load_extend_u16x4(at.cast())),
                widen_f16(u32x4_load_extend_u16x4(at.add(8).cast())),
                widen_f16(u32x4_load_extend_u16x4(at.add(16).cast())),
                widen_f16(u32x4_load_extend_u16x4(at.add(24).cast())),
            ])
        }
    }

    #[inline(always)]
    unsafe fn load_i8(from: &[u8; 16]) -> Self {
        let [low, high] = extend(from);
        Self([
            f32x4_convert_i32x4(i32x4_extend_low_i16x8(low)),
            f32x4_convert_i32x4(i32x4_extend_high_i16x8(low)),
            f32x4_convert_i32x4(i32x4_extend_low_i16x8(high)),
            f32x4_convert_i32x4(i32x4_extend_high_i16x8(high)),
        ])
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| f32x4_add(a, b))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| f32x4_sub(a, b))
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| f32x4_mul(a, b))
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d] = self.0;
        let l4 = f32x4_add(f32x4_add(a, c), f32x4_add(b, d));
        let l2 = f32x4_add(l4, i64x2_shuffle::<1, 1>(l4, l4));
        f32x4_extract_lane::<0>(l2) + f32x4_extract_lane::<1>(l2)
    }
}

/// Sixteen signed bytes as two times eight 16-bit lanes.
#[inline(always)]
fn extend(from: &[u8; 16]) -> [v128; 2] {
    let at = from.as_ptr().cast::<i8>();
    // SAFETY: the array holds two times eight bytes; the loads need no alignment.
    unsafe { [i16x8_load_extend_i8x8(at), i16x8_load_extend_i8x8(at.add(8))] }
}

/// The sum of the four lanes.
#[inline(always)]
fn sum_i32(lanes: v128) -> i32 {
    let l2 = i32x4_add(lanes, i64x2_shuffle::<1, 1>(lanes, lanes));
    i32x4_extract_lane::<0>(l2) + i32x4_extract_lane::<1>(l2)
}

/// Products of a query of `Q` (unsigned up to 127, or signed: the same bits) and signed bytes.
struct Bytes<Q>(Q);

impl<Q: bytemuck::Pod> Block for Bytes<Q>
where
    [Q; 16]: bytemuck::Pod,
{
    type Query = Q;
    type QueryBlock = [Q; 16];
    type RowBlock = [u8; 16];
    type Ready = [v128; 2];
    type Sum = v128;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;
    const QUERIES: usize = 2;

    #[inline(always)]
    unsafe fn zero() -> v128 {
        i32x4_splat(0)
    }

    #[inline(always)]
    unsafe fn ready(query: &[Q; 16]) -> [v128; 2] {
        extend(bytemuck::cast_ref(query))
    }

    #[inline(always)]
    unsafe fn add(sum: v128, query: [v128; 2], row: &[u8; 16]) -> v128 {
        let row = extend(row);
        let sum = i32x4_add(sum, i32x4_dot_i16x8(query[0], row[0]));
        i32x4_add(sum, i32x4_dot_i16x8(query[1], row[1]))
    }

    #[inline(always)]
    unsafe fn finish(sum: v128) -> i32 {
        sum_i32(sum)
    }
}

/// Products of pairs of signed bytes and the unsigned halves of bytes.
struct Halves;

impl Block for Halves {
    type Query = [i8; 2];
    type QueryBlock = [[i8; 2]; 16];
    type RowBlock = [u8; 16];
    /// The first of eight pairs in 16-bit lanes, the second; then those of the other eight.
    type Ready = [v128; 4];
    type Sum = v128;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> v128 {
        i32x4_splat(0)
    }

    #[inline(always)]
    unsafe fn ready(query: &[[i8; 2]; 16]) -> [v128; 4] {
        let at = query.as_ptr().cast::<v128>();
        // SAFETY: the array holds two registers; the loads need no alignment.
        let [a, b] = unsafe { [v128_load(at), v128_load(at.add(1))] };
        [i16x8_shr(i16x8_shl(a, 8), 8), i16x8_shr(a, 8), i16x8_shr(i16x8_shl(b, 8), 8), i16x8_shr(b, 8)]
    }

    #[inline(always)]
    unsafe fn add(mut sum: v128, query: [v128; 4], row: &[u8; 16]) -> v128 {
        let at = row.as_ptr();
        // SAFETY: the array holds two times eight bytes; the loads need no alignment.
        let row = unsafe { [u16x8_load_extend_u8x8(at), u16x8_load_extend_u8x8(at.add(8))] };
        for half in 0..2 {
            let low = v128_and(row[half], u16x8_splat(15));
            sum = i32x4_add(sum, i32x4_dot_i16x8(query[2 * half], low));
            sum = i32x4_add(sum, i32x4_dot_i16x8(query[2 * half + 1], u16x8_shr(row[half], 4)));
        }
        sum
    }

    #[inline(always)]
    unsafe fn finish(sum: v128) -> i32 {
        sum_i32(sum)
    }
}

/// Counts in 16-bit lanes, each at most 16 more per block: room for 65 520 bytes, where the most
/// dimensions allowed take 8 192.
struct Hamming;

impl Block for Hamming {
    type Query = u8;
    type QueryBlock = [u8; 16];
    type RowBlock = [u8; 16];
    type Ready = v128;
    type Sum = v128;
    type Out = u32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> v128 {
        u16x8_splat(0)
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 16]) -> v128 {
        // SAFETY: the array is one register long; the load needs no alignment.
        unsafe { v128_load(query.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn add(sum: v128, query: v128, row: &[u8; 16]) -> v128 {
        // SAFETY: the array is one register long; the load needs no alignment.
        let row = unsafe { v128_load(row.as_ptr().cast()) };
        u16x8_add(sum, u16x8_extadd_pairwise_u8x16(u8x16_popcnt(v128_xor(query, row))))
    }

    #[inline(always)]
    unsafe fn finish(sum: v128) -> u32 {
        sum_i32(u32x4_extadd_pairwise_u16x8(sum)) as u32
    }
}
