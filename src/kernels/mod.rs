//! The SIMD kernels: the arithmetic of distances. They take slices and return numbers, and hold the only intrinsics in
//! the crate.
//!
//! | file | duty |
//! |---|---|
//! | `mod.rs` | the table of functions, chosen once for this machine; prefetch and insert, which depend on it as well |
//! | `table.rs` | the macro that writes the functions of a table |
//! | `generic.rs` | one query against rows, written once over blocks: tails, four rows at a time, gather |
//! | `matrix.rs` | all queries against all rows, written once over blocks |
//! | `lanes.rs` | the blocks of floats, and sums of columns, written once over sixteen lanes |
//! | `lookup.rs` | sums of table entries: the same scalar code on every machine |
//! | `scalar.rs` | the blocks in plain Rust; always compiled, and the definition of every result |
//! | `avx2.rs` | the blocks for x86-64 with AVX2 |
//! | `avx512.rs` | the blocks for x86-64 with AVX-512, VNNI and VPOPCNTDQ |
//! | `neon.rs` | the blocks for aarch64, which always has NEON |
//! | `neon_dotprod.rs` | the same for aarch64 with dot products of bytes |
//! | `simd128.rs` | the blocks for WebAssembly SIMD |
//! | `tests.rs` | every table against plain formulas, and against scalar bit for bit |
//!
//! A new instruction set is one more file of blocks and one more line in `SIMD`.
//!
//! # Results do not depend on the machine
//!
//! Integers are exact. Floats follow one order of summation everywhere: lane `j` of sixteen sums
//! the terms `j, 16 + j, 32 + j, …` from `+0.0`, the last block is padded with zeros, and the
//! lanes are folded 16 → 8 → 4 → 2 → 1, each time the upper half onto the lower. No fused
//! multiply-add. So an index built on one machine is the same, bit for bit, on another.
//!
//! # Limits
//!
//! Vectors have at most 65 535 dimensions; then no integer sum overflows. Longer input gives wrong
//! numbers, never a wrong memory access. Slices of unequal length panic.

use std::sync::LazyLock;

mod generic;
mod lanes;
mod lookup;
mod matrix;
mod scalar;
mod table;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_dotprod;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;

pub use lookup::gather_lookup;

const _: () = assert!(cfg!(target_endian = "little"), "rows are read in place and are little-endian");

/// Scores one query against one row.
pub type One<Q, R, T> = fn(query: &[Q], row: &[R]) -> T;

/// Scores one query against four rows, which is faster than four calls.
pub type Four<Q, R, T> = fn(query: &[Q], rows: [&[R]; 4]) -> [T; 4];

/// Scores one query against the rows named by `ids`: `out[i]` is the score of row `ids[i]`.
///
/// Row `id` starts at `rows[id * stride]`; what lies between the end of its elements and the next
/// row is not read. Panics if a row does not fit into `rows`, or if `ids` and `out` differ in
/// length.
pub type Gather<Q, T> = fn(query: &[Q], rows: &[u8], stride: usize, ids: &[u32], out: &mut [T]);

/// 256 values for each of several components.
pub type Columns<'a> = &'a [[i8; 256]];
/// A buffer of rows, and the numbers of those that are meant.
pub type Named<'a> = (&'a [u8], &'a [u32]);

/// Scores every query against every row: `out[i * rows + j]` is the score of query `i` and row `j`.
///
/// Query and row `id` start at `id * stride` of their buffers, and their first `elements` count. Panics if one does not
/// fit into its buffer, or if `out` is not as long as queries times rows.
pub type Matrix<T> = fn(queries: Named<'_>, rows: Named<'_>, stride: usize, elements: usize, out: &mut [T]);

/// The functions of one instruction set. They all compute the same results.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    /// The instruction set: `scalar`, `avx2`, `avx512`, `neon`, `neon-dotprod`, `simd128`.
    pub name: &'static str,

    /// Sum of products.
    pub dot_f32: One<f32, f32, f32>,
    /// Sum of products, four rows.
    pub dot_f32x4: Four<f32, f32, f32>,
    /// Sum of squared differences.
    pub l2_f32: One<f32, f32, f32>,
    /// Sum of squared differences, four rows.
    pub l2_f32x4: Four<f32, f32, f32>,
    /// Sum of products with codes converted to `f32`.
    pub dot_f32_i8: One<f32, i8, f32>,
    /// Sum of products with codes converted to `f32`, four rows.
    pub dot_f32_i8x4: Four<f32, i8, f32>,
    /// Sum of products with little-endian half floats: a row has two bytes per element.
    pub dot_f32_f16: One<f32, u8, f32>,
    /// Sum of products; the query is in `0..=127`, the row in `-127..=127`.
    pub dot_u7_i8: One<u8, i8, i32>,
    /// As [`dot_u7_i8`](Self::dot_u7_i8), four rows.
    pub dot_u7_i8x4: Four<u8, i8, i32>,
    /// Sum of products; both sides are in `-127..=127`.
    pub dot_i8: One<i8, i8, i32>,
    /// As [`dot_i8`](Self::dot_i8), four rows.
    pub dot_i8x4: Four<i8, i8, i32>,
    /// Number of bits that differ.
    pub hamming: One<u8, u8, u32>,
    /// Number of bits that differ, four rows.
    pub hamming_x4: Four<u8, u8, u32>,

    /// [`dot_f32`](Self::dot_f32) with rows of little-endian floats, at any alignment.
    pub gather_f32: Gather<f32, f32>,
    /// [`l2_f32`](Self::l2_f32) with rows of little-endian floats, at any alignment.
    pub gather_l2_f32: Gather<f32, f32>,
    /// [`dot_u7_i8`](Self::dot_u7_i8) by row number.
    pub gather_u7_i8: Gather<u8, i32>,
    /// [`dot_i8`](Self::dot_i8) by row number.
    pub gather_i8: Gather<i8, i32>,
    /// [`hamming`](Self::hamming) by row number.
    pub gather_hamming: Gather<u8, u32>,
    /// Sum of products by row number; the query is in `-127..=127`, in pairs, and a row has one byte for each pair: its
    /// low half for the first, its high half for the second, both unsigned.
    pub gather_i8_u4: Gather<[i8; 2], i32>,

    /// `sums[j] += query[i] * columns[i][j]`, in order of `i`. Panics if there are fewer columns than the query is
    /// long.
    pub add_columns: fn(query: &[f32], columns: Columns<'_>, sums: &mut [f32; 256]),

    /// [`dot_i8`](Self::dot_i8) of all pairs.
    pub matrix_i8: Matrix<i32>,
}

/// Prefetches `soon` into the cache. A no-op in WebAssembly, which has no prefetch instruction.
#[inline(always)]
pub fn prefetch<T>(soon: &[T]) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        const LINE: usize = 64;
        let within = soon.as_ptr().addr() % LINE;
        let mut line = soon.as_ptr().cast::<i8>().wrapping_sub(within);
        // Not `step_by`, which takes more instructions: a walk took 3 % more.
        for _ in 0..(within + size_of_val(soon)).div_ceil(LINE) {
            // SAFETY: every x86-64 CPU has SSE, and a prefetch of any address is sound.
            #[cfg(target_arch = "x86_64")]
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T0>(line)
            }
            // SAFETY: a prefetch of any address is sound. The intrinsic is not stable yet (rust-lang/rust#117217).
            #[cfg(target_arch = "aarch64")]
            unsafe {
                std::arch::asm!("prfm pldl1keep, [{}]", in(reg) line.addr(), options(nomem, nostack, preserves_flags))
            }
            line = line.wrapping_add(LINE);
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = soon;
}

/// Puts `item` where it belongs among ascending items; returns that place.
#[inline]
pub(crate) fn insert<T: Copy + Ord>(items: &mut Vec<T>, item: T) -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    {
        let at = items.partition_point(|i| *i < item);
        items.insert(at, item);
        at
    }
    // One by one: `memmove` is a call out of the module, which takes longer for most lengths.
    #[cfg(target_arch = "wasm32")]
    {
        let mut at = items.len();
        items.push(item);
        while at > 0 && items[at - 1] > item {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
        at
    }
}

/// The choices beyond scalar, best first. `None` if this machine cannot run it.
const SIMD: &[fn() -> Option<Kernels>] = &[
    #[cfg(target_arch = "x86_64")]
    avx512::detect,
    #[cfg(target_arch = "x86_64")]
    avx2::detect,
    #[cfg(target_arch = "aarch64")]
    neon_dotprod::detect,
    #[cfg(target_arch = "aarch64")]
    neon::detect,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    simd128::detect,
];

/// The fastest functions this machine can run. Chosen at the first call; keep the reference.
pub fn kernels() -> &'static Kernels {
    // Not by `available`: a WebAssembly module with SIMD would then carry the scalar code.
    static BEST: LazyLock<Kernels> =
        LazyLock::new(|| SIMD.iter().find_map(|detect| detect()).unwrap_or_else(scalar::table));
    &BEST
}

/// Every implementation this machine can run, scalar first, so that tests can compare them.
pub fn available() -> Vec<&'static Kernels> {
    static ALL: LazyLock<Vec<Kernels>> = LazyLock::new(|| {
        let simd = SIMD.iter().rev().filter_map(|detect| detect());
        std::iter::once(scalar::table()).chain(simd).collect()
    });
    ALL.iter().collect()
}
