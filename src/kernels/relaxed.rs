//! WebAssembly's relaxed SIMD, for a module of its own: one instruction multiplies and adds 16 bytes.
//!
//! Relaxed instructions may differ between hosts, this one only where an i7 is above 127 or a sum of two products
//! overflows 16 bits. A query is in 0..=127 and 127·127·2 fits, so the results are the same everywhere. Floats keep to
//! the plain instructions.

use super::Kernels;
use super::generic::Block;
use super::simd128::{Bytes, F32x16, Hamming, sum_i32};
use super::table::table;
use std::arch::wasm32::*;

/// The table: always, since this file was compiled.
pub(super) fn detect() -> Option<Kernels> {
    Some(table())
}

table! {
    "relaxed",
    lanes: F32x16, u7_i8: U7I8, i8: Bytes<i8>, hamming: Hamming,
}

struct U7I8;

impl Block for U7I8 {
    type Query = u8;
    type QueryBlock = [u8; 16];
    type RowBlock = [u8; 16];
    type Ready = v128;
    type Sum = v128;
    type Out = i32;
    const ZERO_ABSORBS: bool = true;
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> v128 {
        i32x4_splat(0)
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
        i32x4_relaxed_dot_i8x16_i7x16_add(row, query, sum)
    }

    #[inline(always)]
    unsafe fn finish(sum: v128) -> i32 {
        sum_i32(sum)
    }
}
