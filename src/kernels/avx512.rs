//! The blocks for x86-64 with AVX-512, VNNI and VPOPCNTDQ (Ice Lake, Zen 4 and later): one register is sixteen floats
//! or 64 bytes, and the last elements of a row are loaded under a mask.
//!
//! Long because one instruction set is one file: a block for each kind of element, each with its safety notes.

use super::Kernels;
use super::generic::Block;
use super::lanes::Lanes;
use super::table::table;
use std::arch::x86_64::*;

/// The table, if this CPU can run it.
pub(super) fn detect() -> Option<Kernels> {
    let able = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vpopcntdq");
    // SAFETY: all four features were detected; the first implies AVX2, F16C and POPCNT.
    able.then(|| unsafe { table() })
}

table! {
    "avx512",
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vpopcntdq")]
    lanes: F32x16, u7_i8: U7I8, i8: I8I8, i8_u4: I8U4, hamming: Hamming,
}

/// Lane j is lane j.
#[derive(Clone, Copy)]
struct F32x16(__m512);

impl Lanes for F32x16 {
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { Self(_mm512_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { Self(_mm512_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; 16]) {
        // SAFETY: the caller guarantees AVX-512; the array is one register long; no alignment needed.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    unsafe fn load(from: &[f32; 16]) -> Self {
        // SAFETY: the caller guarantees AVX-512; the array is one register long; no alignment needed.
        unsafe { Self(_mm512_loadu_ps(from.as_ptr())) }
    }

    #[inline(always)]
    unsafe fn load_f32(from: &[u8; 64]) -> Self {
        // SAFETY: the caller guarantees AVX-512; the array is one register long; no alignment needed.
        unsafe { Self(_mm512_loadu_ps(from.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn load_f16(from: &[u8; 32]) -> Self {
        // SAFETY: the caller guarantees AVX-512; the array is half a register long; no alignment needed.
        unsafe { Self(_mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    unsafe fn load_i8(from: &[u8; 16]) -> Self {
        // SAFETY: the caller guarantees AVX-512; the array is 16 bytes long; no alignment needed.
        unsafe { Self(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast())))) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller guarantees AVX-512.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
            let l8 = _mm256_add_ps(_mm512_castps512_ps256(self.0), high);
            let l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps::<1>(l8));
            let l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
            _mm_cvtss_f32(_mm_add_ss(l2, _mm_movehdup_ps(l2)))
        }
    }
}

/// One register from an array of its length.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn load(from: &[u8; 64]) -> __m512i {
    // SAFETY: the caller guarantees AVX-512; the array is one register long; no alignment needed.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// The first `n` bytes, then zeros.
///
/// # Safety
///
/// The CPU has AVX-512BW; `n` bytes can be read, and `n` is at most 63.
#[inline(always)]
unsafe fn load_first(from: *const u8, n: usize) -> [u8; 64] {
    // SAFETY: the caller guarantees the features; bytes outside of the mask are not touched.
    unsafe { std::mem::transmute(_mm512_maskz_loadu_epi8((1u64 << n) - 1, from.cast())) }
}

struct U7I8;

impl Block for U7I8 {
    type Query = u8;
    type QueryBlock = [u8; 64];
    type RowBlock = [u8; 64];
    type Ready = __m512i;
    type Sum = __m512i;
    type Out = i32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 64]) -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { load(query) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, query: __m512i, row: &[u8; 64]) -> __m512i {
        // SAFETY: the caller guarantees VNNI.
        unsafe { _mm512_dpbusd_epi32(sum, query, load(row)) }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m512i) -> i32 {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_reduce_add_epi32(sum) }
    }

    #[inline(always)]
    unsafe fn first(row: *const u8, n: usize) -> [u8; 64] {
        // SAFETY: the caller guarantees it.
        unsafe { load_first(row, n) }
    }
}

struct I8I8;

impl Block for I8I8 {
    type Query = i8;
    type QueryBlock = [i8; 64];
    type RowBlock = [u8; 64];
    /// The query's absolute values, and where it is negative.
    type Ready = (__m512i, __mmask64);
    type Sum = __m512i;
    type Out = i32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;
    const QUERIES: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[i8; 64]) -> (__m512i, __mmask64) {
        // SAFETY: the caller guarantees AVX-512BW.
        unsafe {
            let query = load(bytemuck::cast_ref(query));
            (_mm512_abs_epi8(query), _mm512_movepi8_mask(query))
        }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, (size, negative): (__m512i, __mmask64), row: &[u8; 64]) -> __m512i {
        // q * r = |q| * (r with the sign of q).
        // SAFETY: the caller guarantees AVX-512BW and VNNI.
        unsafe {
            let row = load(row);
            let signed = _mm512_mask_sub_epi8(row, negative, _mm512_setzero_si512(), row);
            _mm512_dpbusd_epi32(sum, size, signed)
        }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m512i) -> i32 {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_reduce_add_epi32(sum) }
    }

    #[inline(always)]
    unsafe fn first(row: *const u8, n: usize) -> [u8; 64] {
        // SAFETY: the caller guarantees it.
        unsafe { load_first(row, n) }
    }
}

struct I8U4;

impl Block for I8U4 {
    type Query = [i8; 2];
    type QueryBlock = [[i8; 2]; 32];
    type RowBlock = [u8; 32];
    type Ready = __m512i;
    type Sum = __m512i;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[[i8; 2]; 32]) -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { load(bytemuck::cast_ref(query)) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, query: __m512i, row: &[u8; 32]) -> __m512i {
        // A byte in 16 bits, and itself four bits higher: its halves are the low halves of both bytes, in order.
        // SAFETY: the caller guarantees AVX-512BW and VNNI; the array is half a register long; no alignment needed.
        unsafe {
            let wide = _mm512_cvtepu8_epi16(_mm256_loadu_si256(row.as_ptr().cast()));
            let halves = _mm512_or_si512(wide, _mm512_slli_epi16::<4>(wide));
            _mm512_dpbusd_epi32(sum, _mm512_and_si512(halves, _mm512_set1_epi8(15)), query)
        }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m512i) -> i32 {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_reduce_add_epi32(sum) }
    }
}

struct Hamming;

impl Block for Hamming {
    type Query = u8;
    type QueryBlock = [u8; 64];
    type RowBlock = [u8; 64];
    type Ready = __m512i;
    type Sum = __m512i;
    type Out = u32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 64]) -> __m512i {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { load(query) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, query: __m512i, row: &[u8; 64]) -> __m512i {
        // SAFETY: the caller guarantees AVX-512 and VPOPCNTDQ.
        unsafe { _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(query, load(row)))) }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m512i) -> u32 {
        // SAFETY: the caller guarantees AVX-512.
        unsafe { _mm512_reduce_add_epi64(sum) as u32 }
    }

    #[inline(always)]
    unsafe fn first(row: *const u8, n: usize) -> [u8; 64] {
        // SAFETY: the caller guarantees it.
        unsafe { load_first(row, n) }
    }
}
