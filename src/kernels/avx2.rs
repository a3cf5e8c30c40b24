//! The blocks for x86-64 with AVX2 (and F16C and POPCNT, which every such CPU has).
//!
//! Long because one instruction set is one file: a block for each kind of element, each with its safety notes.

use super::Kernels;
use super::generic::Block;
use super::lanes::Lanes;
use super::table::table;
use std::arch::x86_64::*;

/// The table, if this CPU can run it.
pub(super) fn detect() -> Option<Kernels> {
    let able = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("popcnt");
    // SAFETY: all three features were detected.
    able.then(|| unsafe { table() })
}

table! {
    "avx2",
    #[target_feature(enable = "avx2,f16c,popcnt")]
    lanes: F32x16, u7_i8: U7I8, i8: I8I8, i8_u4: I8U4, hamming: Hamming,
}

/// Lanes 0 to 7, and 8 to 15.
#[derive(Clone, Copy)]
struct F32x16(__m256, __m256);

impl Lanes for F32x16 {
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { Self(_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { Self(_mm256_set1_ps(x), _mm256_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn load(from: &[f32; 16]) -> Self {
        let at = from.as_ptr();
        // SAFETY: the caller guarantees AVX2; the array holds both halves.
        unsafe { Self(_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; 16]) {
        let at = to.as_mut_ptr();
        // SAFETY: the caller guarantees AVX2; the array holds both halves.
        unsafe {
            _mm256_storeu_ps(at, self.0);
            _mm256_storeu_ps(at.add(8), self.1);
        }
    }

    #[inline(always)]
    unsafe fn load_f32(from: &[u8; 64]) -> Self {
        let at = from.as_ptr().cast::<f32>();
        // SAFETY: the caller guarantees AVX2; the array holds both halves; the loads need no alignment.
        unsafe { Self(_mm256_loadu_ps(at), _mm256_loadu_ps(at.byte_add(32))) }
    }

    #[inline(always)]
    unsafe fn load_f16(from: &[u8; 32]) -> Self {
        let at = from.as_ptr().cast::<__m128i>();
        // SAFETY: the caller guarantees F16C; the array holds both halves; the loads need no alignment.
        unsafe {
            Self(_mm256_cvtph_ps(_mm_loadu_si128(at)), _mm256_cvtph_ps(_mm_loadu_si128(at.byte_add(16))))
        }
    }

    #[inline(always)]
    unsafe fn load_i8(from: &[u8; 16]) -> Self {
        let at = from.as_ptr();
        // SAFETY: the caller guarantees AVX2; the array holds both halves; the loads need no alignment.
        unsafe {
            Self(
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at.cast()))),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at.add(8).cast()))),
            )
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller guarantees AVX2.
        unsafe {
            let l8 = _mm256_add_ps(self.0, self.1);
            let l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps::<1>(l8));
            let l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
            _mm_cvtss_f32(_mm_add_ss(l2, _mm_movehdup_ps(l2)))
        }
    }
}

/// The sum of the eight lanes.
///
/// # Safety
///
/// The CPU has AVX2.
#[inline(always)]
unsafe fn sum_i32(lanes: __m256i) -> i32 {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let l4 = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
        let l2 = _mm_add_epi32(l4, _mm_unpackhi_epi64(l4, l4));
        _mm_cvtsi128_si32(_mm_add_epi32(l2, _mm_shuffle_epi32::<1>(l2)))
    }
}

/// Adds the 32 products of unsigned and signed bytes to eight lanes. Pairs of products are summed
/// in 16 bits, which hold 127 * 127 * 2.
///
/// # Safety
///
/// The CPU has AVX2.
#[inline(always)]
unsafe fn add_products(sum: __m256i, unsigned: __m256i, signed: __m256i) -> __m256i {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let pairs = _mm256_maddubs_epi16(unsigned, signed);
        _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    }
}

struct U7I8;

impl Block for U7I8 {
    type Query = u8;
    type QueryBlock = [u8; 32];
    type RowBlock = [u8; 32];
    type Ready = __m256i;
    type Sum = __m256i;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: the caller guarantees AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 32]) -> __m256i {
        // SAFETY: the caller guarantees AVX2; the array is one register long; no alignment needed.
        unsafe { _mm256_loadu_si256(query.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, query: __m256i, row: &[u8; 32]) -> __m256i {
        // SAFETY: the caller guarantees AVX2; the array is one register long; no alignment needed.
        unsafe { add_products(sum, query, _mm256_loadu_si256(row.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> i32 {
        // SAFETY: the caller guarantees AVX2.
        unsafe { sum_i32(sum) }
    }
}

struct I8I8;

impl Block for I8I8 {
    type Query = i8;
    type QueryBlock = [i8; 32];
    type RowBlock = [u8; 32];
    /// The query, and its absolute values.
    type Ready = (__m256i, __m256i);
    type Sum = __m256i;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;
    const QUERIES: usize = 2;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: the caller guarantees AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[i8; 32]) -> (__m256i, __m256i) {
        // SAFETY: the caller guarantees AVX2; the array is one register long; no alignment needed.
        unsafe {
            let query = _mm256_loadu_si256(query.as_ptr().cast());
            (query, _mm256_abs_epi8(query))
        }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, (query, size): (__m256i, __m256i), row: &[u8; 32]) -> __m256i {
        // q * r = |q| * (r with the sign of q).
        // SAFETY: the caller guarantees AVX2; the array is one register long; no alignment needed.
        unsafe {
            let row = _mm256_loadu_si256(row.as_ptr().cast());
            add_products(sum, size, _mm256_sign_epi8(row, query))
        }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> i32 {
        // SAFETY: the caller guarantees AVX2.
        unsafe { sum_i32(sum) }
    }
}

struct I8U4;

impl Block for I8U4 {
    type Query = [i8; 2];
    type QueryBlock = [[i8; 2]; 16];
    type RowBlock = [u8; 16];
    type Ready = __m256i;
    type Sum = __m256i;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: the caller guarantees AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn ready(query: &[[i8; 2]; 16]) -> __m256i {
        // SAFETY: the caller guarantees AVX2; the array is one register long; no alignment needed.
        unsafe { _mm256_loadu_si256(query.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, query: __m256i, row: &[u8; 16]) -> __m256i {
        // A byte in 16 bits, and itself four bits higher: its halves are the low halves of both bytes, in order.
        // SAFETY: the caller guarantees AVX2; the array is half a register long; no alignment needed.
        unsafe {
            let wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(row.as_ptr().cast()));
            let halves = _mm256_or_si256(wide, _mm256_slli_epi16::<4>(wide));
            add_products(sum, _mm256_and_si256(halves, _mm256_set1_epi8(15)), query)
        }
    }

    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> i32 {
        // SAFETY: the caller guarantees AVX2.
        unsafe { sum_i32(sum) }
    }
}

/// One machine word at a time: POPCNT keeps up with loads at the lengths binary codes have.
struct Hamming;

impl Block for Hamming {
    type Query = u8;
    type QueryBlock = [u8; 8];
    type RowBlock = [u8; 8];
    type Ready = u64;
    type Sum = u32;
    type Out = u32;
    const ZERO_ABSORBS: bool = false;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> u32 {
        0
    }

    #[inline(always)]
    unsafe fn ready(query: &[u8; 8]) -> u64 {
        u64::from_le_bytes(*query)
    }

    #[inline(always)]
    unsafe fn add(sum: u32, query: u64, row: &[u8; 8]) -> u32 {
        sum + (query ^ u64::from_le_bytes(*row)).count_ones()
    }

    #[inline(always)]
    unsafe fn finish(sum: u32) -> u32 {
        sum
    }
}
