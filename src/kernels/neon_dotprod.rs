//! The table for aarch64 with dot products of bytes (Armv8.4, and many CPUs since Armv8.2): the blocks of `neon.rs`,
//! with one instruction for the products.

use super::Kernels;
use super::neon::{Bytes, F32x16, Halves, Hamming, Products};
use super::table::table;
use std::arch::{aarch64::*, asm, is_aarch64_feature_detected};

/// The table, if this CPU can run it.
pub(super) fn detect() -> Option<Kernels> {
    // SAFETY: the feature was detected.
    is_aarch64_feature_detected!("dotprod").then(|| unsafe { table() })
}

table! {
    "neon-dotprod",
    #[target_feature(enable = "dotprod")]
    lanes: F32x16, u7_i8: Bytes<u8, Sdot>, i8: Bytes<i8, Sdot>, i8_u4: Halves<Sdot>, hamming: Hamming,
}

struct Sdot;

impl Products for Sdot {
    #[inline(always)]
    unsafe fn add(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        // SAFETY: the caller guarantees the feature.
        unsafe { sdot(sum, a, b) }
    }
}

/// What `vdotq_s32` is, which is not stable yet (rust-lang/rust#117224). A function, as only one with the feature may
/// hold the instruction.
#[inline]
#[target_feature(enable = "dotprod")]
fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: this function has the feature; the instruction touches nothing but its operands.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
