//! The functions of a table, written once. A macro, since target features cannot be a generic
//! parameter.

/// Writes the functions of one instruction set, and `table()`, which names them all.
macro_rules! table {
    (
        $name:literal,
        $(#[$features:meta])?
        lanes: $lanes:ty, u7_i8: $u7_i8:ty, i8: $i8:ty, i8_u4: $i8_u4:ty, hamming: $hamming:ty,
    ) => {
        /// All functions of this file. With features, only callable once they were detected.
        $(#[$features])?
        pub(super) fn table() -> $crate::kernels::Kernels {
            use $crate::kernels::lanes::{DotF16, DotF32, DotI8, L2F32};
            use $crate::kernels::{Named, generic, lanes, matrix};

            macro_rules! one {
                ($f:ident, $block:ty, $q:ty, $r:ty, $t:ty) => {
                    $(#[$features])?
                    fn $f(query: &[$q], row: &[$r]) -> $t {
                        // SAFETY: this function has the features of its block, so its caller does.
                        unsafe { generic::one::<$block, $r>(query, row) }
                    }
                };
            }
            macro_rules! four {
                ($f:ident, $block:ty, $q:ty, $r:ty, $t:ty) => {
                    $(#[$features])?
                    fn $f(query: &[$q], rows: [&[$r]; 4]) -> [$t; 4] {
                        // SAFETY: this function has the features of its block, so its caller does.
                        unsafe { generic::four::<$block, $r>(query, rows) }
                    }
                };
            }
            macro_rules! gather {
                ($f:ident, $block:ty, $q:ty, $t:ty) => {
                    $(#[$features])?
                    fn $f(query: &[$q], rows: &[u8], stride: usize, ids: &[u32], out: &mut [$t]) {
                        // SAFETY: this function has the features of its block, so its caller does.
                        unsafe { generic::gather::<$block>(query, rows, stride, ids, out) }
                    }
                };
            }

            $(#[$features])?
            fn matrix_i8(queries: Named<'_>, rows: Named<'_>, stride: usize, elements: usize, out: &mut [i32]) {
                // SAFETY: this function has the features of its block, so its caller does.
                unsafe { matrix::matrix::<$i8>(queries, rows, stride, elements, out) }
            }

            one!(dot_f32, DotF32<$lanes>, f32, f32, f32);
            four!(dot_f32x4, DotF32<$lanes>, f32, f32, f32);
            one!(l2_f32, L2F32<$lanes>, f32, f32, f32);
            four!(l2_f32x4, L2F32<$lanes>, f32, f32, f32);
            one!(dot_f32_i8, DotI8<$lanes>, f32, i8, f32);
            four!(dot_f32_i8x4, DotI8<$lanes>, f32, i8, f32);
            one!(dot_f32_f16, DotF16<$lanes>, f32, u8, f32);
            one!(dot_u7_i8, $u7_i8, u8, i8, i32);
            four!(dot_u7_i8x4, $u7_i8, u8, i8, i32);
            one!(dot_i8, $i8, i8, i8, i32);
            four!(dot_i8x4, $i8, i8, i8, i32);
            one!(hamming, $hamming, u8, u8, u32);
            four!(hamming_x4, $hamming, u8, u8, u32);
            gather!(gather_f32, DotF32<$lanes>, f32, f32);
            gather!(gather_l2_f32, L2F32<$lanes>, f32, f32);
            gather!(gather_u7_i8, $u7_i8, u8, i32);
            gather!(gather_i8, $i8, i8, i32);
            gather!(gather_hamming, $hamming, u8, u32);
            gather!(gather_i8_u4, $i8_u4, [i8; 2], i32);

            $(#[$features])?
            fn add_columns(query: &[f32], columns: $crate::kernels::Columns<'_>, sums: &mut [f32; 256]) {
                // SAFETY: this function has the features of its lanes, so its caller does.
                unsafe { lanes::add_columns::<$lanes>(query, columns, sums) }
            }

            $crate::kernels::Kernels {
                name: $name,
                dot_f32, dot_f32x4, l2_f32, l2_f32x4,
                dot_f32_i8, dot_f32_i8x4, dot_f32_f16,
                dot_u7_i8, dot_u7_i8x4, dot_i8, dot_i8x4, hamming, hamming_x4,
                gather_f32, gather_l2_f32, gather_u7_i8, gather_i8, gather_hamming, gather_i8_u4,
                add_columns,
                matrix_i8,
            }
        }
    };
}
pub(super) use table;
