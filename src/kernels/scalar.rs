//! The blocks in plain Rust: the definition of every result, on every machine.

use super::generic::Block;
use super::lanes::Lanes;
use super::table::table;
use half::f16;

table! {
    "scalar",
    lanes: [f32; 16], u7_i8: U7I8, i8: I8I8, i8_u4: I8U4, hamming: Hamming,
}

/// `f` of each lane.
macro_rules! lanes {
    (|$j:ident| $f:expr) => {{
        let mut lanes = [0.0f32; 16];
        for $j in 0..16 {
            lanes[$j] = $f;
        }
        lanes
    }};
}

impl Lanes for [f32; 16] {
    const TOGETHER: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; 16]
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        [x; 16]
    }

    #[inline(always)]
    unsafe fn load(from: &[f32; 16]) -> Self {
        *from
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32; 16]) {
        *to = self;
    }

    #[inline(always)]
    unsafe fn load_f32(from: &[u8; 64]) -> Self {
        lanes!(|j| f32::from_le_bytes([from[4 * j], from[4 * j + 1], from[4 * j + 2], from[4 * j + 3]]))
    }

    #[inline(always)]
    unsafe fn load_f16(from: &[u8; 32]) -> Self {
        lanes!(|j| f16::from_le_bytes([from[2 * j], from[2 * j + 1]]).to_f32())
    }

    #[inline(always)]
    unsafe fn load_i8(from: &[u8; 16]) -> Self {
        lanes!(|j| f32::from(from[j] as i8))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        lanes!(|j| self[j] + other[j])
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        lanes!(|j| self[j] - other[j])
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        lanes!(|j| self[j] * other[j])
    }

    #[inline(always)]
    unsafe fn sum(mut self) -> f32 {
        for half in [8, 4, 2, 1] {
            for j in 0..half {
                self[j] += self[j + half];
            }
        }
        self[0]
    }
}

/// Blocks of sixteen bytes of query and row, whose `$term` is summed in a `$sum`.
macro_rules! byte_block {
    ($name:ident, $query:ty, $sum:ty, $zero_absorbs:literal, |$q:ident, $r:ident| $term:expr) => {
        struct $name;

        impl Block for $name {
            type Query = $query;
            type QueryBlock = [$query; 16];
            type RowBlock = [u8; 16];
            type Ready = [$query; 16];
            type Sum = $sum;
            type Out = $sum;
            const ZERO_ABSORBS: bool = $zero_absorbs;
            /// The compiler makes vectors of one row's loop, not of four.
            const TOGETHER: usize = 1;

            #[inline(always)]
            unsafe fn zero() -> $sum {
                0
            }

            #[inline(always)]
            unsafe fn ready(query: &[$query; 16]) -> [$query; 16] {
                *query
            }

            #[inline(always)]
            unsafe fn add(mut sum: $sum, query: [$query; 16], row: &[u8; 16]) -> $sum {
                for j in 0..16 {
                    let ($q, $r) = (query[j], row[j]);
                    sum += $term;
                }
                sum
            }

            #[inline(always)]
            unsafe fn finish(sum: $sum) -> $sum {
                sum
            }
        }
    };
}

byte_block!(U7I8, u8, i32, true, |q, r| i32::from(q) * i32::from(r as i8));
byte_block!(I8I8, i8, i32, true, |q, r| i32::from(q) * i32::from(r as i8));
byte_block!(I8U4, [i8; 2], i32, true, |q, r| i32::from(q[0]) * i32::from(r & 15)
    + i32::from(q[1]) * i32::from(r >> 4));
byte_block!(Hamming, u8, u32, false, |q, r| (q ^ r).count_ones());
