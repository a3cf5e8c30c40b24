//! The blocks for aarch64, which always has NEON. Those of integers are generic over [`Products`]: `neon_dotprod.rs`
//! has an instruction for them that not every CPU has.

use super::Kernels;
use super::generic::Block;
use super::lanes::Lanes;
use super::table::table;
use std::arch::aarch64::*;

/// The table: always, since NEON is part of the architecture.
pub(super) fn detect() -> Option<Kernels> {
    Some(table())
}

table! {
    "neon",
    lanes: F32x16, u7_i8: Bytes<u8, Pairs>, i8: Bytes<i8, Pairs>, i8_u4: Halves<Pairs>, hamming: Hamming,
}

/// Lanes 0 to 3, 4 to 7, and so on.
pub(super) type F32x16 = [float32x4_t; 4];

/// The four registers that `$f` makes of `$i`.
macro_rules! registers {
    (|$i:ident| $f:expr) => {{
        // SAFETY: every aarch64 CPU has NEON; loads stay inside of their arrays and need no alignment.
        unsafe {
            let mut registers = [vdupq_n_f32(0.0); 4];
            for $i in 0..4 {
                registers[$i] = $f;
            }
            registers
        }
    }};
}

impl Lanes for F32x16 {
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        registers!(|_i| vdupq_n_f32(0.0))
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        registers!(|_i| vdupq_n_f32(x))
    }

    #[inline(always)]
    unsafe fn load(from: &[f32; 16]) -> Self {
        registers!(|i| vld1q_f32(from.as_ptr().add(4 * i)))
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; 16]) {
        for (i, register) in self.into_iter().enumerate() {
            // SAFETY: every aarch64 CPU has NEON; the array holds four registers; the stores need no alignment.
            unsafe { vst1q_f32(to.as_mut_ptr().add(4 * i), register) }
        }
    }

    #[inline(always)]
    unsafe fn load_f32(from: &[u8; 64]) -> Self {
        registers!(|i| vreinterpretq_f32_u8(vld1q_u8(from.as_ptr().add(16 * i))))
    }

    #[inline(always)]
    unsafe fn load_f16(from: &[u8; 32]) -> Self {
        registers!(|i| vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(from.as_ptr().add(8 * i)))))
    }

    #[inline(always)]
    unsafe fn load_i8(from: &[u8; 16]) -> Self {
        // SAFETY: every aarch64 CPU has NEON; the array is one register long; the load needs no alignment.
        unsafe {
            let bytes = vreinterpretq_s8_u8(vld1q_u8(from.as_ptr()));
            let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
            [
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                vcvtq_f32_s32(vmovl_high_s16(low)),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                vcvtq_f32_s32(vmovl_high_s16(high)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        registers!(|i| vaddq_f32(self[i], other[i]))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        registers!(|i| vsubq_f32(self[i], other[i]))
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        registers!(|i| vmulq_f32(self[i], other[i]))
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe {
            let l4 = vaddq_f32(vaddq_f32(self[0], self[2]), vaddq_f32(self[1], self[3]));
            vpadds_f32(vadd_f32(vget_low_f32(l4), vget_high_f32(l4)))
        }
    }
}

/// Sixteen products, added to four lanes.
pub(super) trait Products {
    /// # Safety
    ///
    /// The CPU has the features that the implementing file is written for.
    unsafe fn add(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t;
}

/// Pairs of products are summed in 16 bits, which hold 127 * 127 * 2.
struct Pairs;

impl Products for Pairs {
    #[inline(always)]
    unsafe fn add(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vpadalq_s16(sum, vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b)) }
    }
}

/// Products of a query of `Q` (unsigned up to 127, or signed: the same bits) and signed bytes.
pub(super) struct Bytes<Q, P>(Q, P);

impl<Q: bytemuck::Pod, P: Products> Block for Bytes<Q, P>
where
    [Q; 16]: bytemuck::Pod,
{
    type Query = Q;
    type QueryBlock = [Q; 16];
    type RowBlock = [u8; 16];
    type Ready = int8x16_t;
    type Sum = int32x4_t;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;
    const QUERIES: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn ready(query: &[Q; 16]) -> int8x16_t {
        // SAFETY: every aarch64 CPU has NEON; the array is one register long; the load needs no alignment.
        unsafe { vld1q_s8(query.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn add(sum: int32x4_t, query: int8x16_t, row: &[u8; 16]) -> int32x4_t {
        // SAFETY: the caller guarantees the features; the array is one register long; no alignment needed.
        unsafe { P::add(sum, query, vld1q_s8(row.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn finish(sum: int32x4_t) -> i32 {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vaddvq_s32(sum) }
    }
}

/// Products of pairs of signed bytes and the unsigned halves of bytes.
pub(super) struct Halves<P>(P);

impl<P: Products> Block for Halves<P> {
    type Query = [i8; 2];
    type QueryBlock = [[i8; 2]; 16];
    type RowBlock = [u8; 16];
    /// The first of each pair, and the second.
    type Ready = int8x16x2_t;
    type Sum = int32x4_t;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn ready(query: &[[i8; 2]; 16]) -> int8x16x2_t {
        // SAFETY: every aarch64 CPU has NEON; the array is two registers long; the load needs no alignment.
        unsafe { vld2q_s8(query.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn add(sum: int32x4_t, query: int8x16x2_t, row: &[u8; 16]) -> int32x4_t {
        // SAFETY: the caller guarantees the features; the array is one register long; no alignment needed.
        unsafe {
            let row = vld1q_u8(row.as_ptr());
            let sum = P::add(sum, query.0, vreinterpretq_s8_u8(vandq_u8(row, vdupq_n_u8(15))));
            P::add(sum, query.1, vreinterpretq_s8_u8(vshrq_n_u8::<4>(row)))
        }
    }

    #[inline(always)]
    unsafe fn finish(sum: int32x4_t) -> i32 {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vaddvq_s32(sum) }
    }
}

/// Counts in 16-bit lanes, each at most 16 more per block: room for 65 520 bytes, where the most
/// dimensions allowed take 8 192.
pub(super) struct Hamming;

impl Block for Hamming {
    type Query = u8;
    type QueryBlock = [u8; 16];
    type RowBlock = [u8; 16];
    type Ready = uint8x16_t;
    type Sum = uint16x8_t;
    type Out = u32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> uint16x8_t {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vdupq_n_u16(0) }
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 16]) -> uint8x16_t {
        // SAFETY: every aarch64 CPU has NEON; the array is one register long; the load needs no alignment.
        unsafe { vld1q_u8(query.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn add(sum: uint16x8_t, query: uint8x16_t, row: &[u8; 16]) -> uint16x8_t {
        // SAFETY: every aarch64 CPU has NEON; the array is one register long; the load needs no alignment.
        unsafe { vpadalq_u8(sum, vcntq_u8(veorq_u8(query, vld1q_u8(row.as_ptr())))) }
    }

    #[inline(always)]
    unsafe fn finish(sum: uint16x8_t) -> u32 {
        // SAFETY: every aarch64 CPU has NEON.
        unsafe { vaddlvq_u16(sum) }
    }
}
