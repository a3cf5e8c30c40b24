//! `.npy` matrices of f16 and i32, little-endian, in row order.

use std::path::PathBuf;

/// The folder of the real data, if there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("PAGEVEC_DATA")?).join("wordnet");
    path.is_dir().then_some(path)
}

/// The first `limit` rows of an f16 matrix, and its width.
pub(crate) fn f16(path: &std::path::Path, limit: usize) -> (Vec<f32>, usize) {
    let (bytes, dim) = read(path, "<f2");
    let halves = bytes.chunks_exact(2).take(limit * dim);
    (halves.map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(), dim)
}

/// An i32 matrix, and its width.
pub(crate) fn i32(path: &std::path::Path) -> (Vec<i32>, usize) {
    let (bytes, dim) = read(path, "<i4");
    (bytes.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect(), dim)
}

fn read(path: &std::path::Path, kind: &str) -> (Vec<u8>, usize) {
    let bytes = std::fs::read(path).expect("the matrix is readable");
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\0", "a version 1 .npy");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).expect("the header is text");
    assert!(header.contains(kind) && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split(['(', ')']).nth(1).expect("a shape");
    let dim = shape.split(',').nth(1).and_then(|d| d.trim().parse().ok()).expect("two dimensions");
    (bytes[start..].to_vec(), dim)
}
