//! The checksums: XXH3-64, seeded by the file and the offset. So a block of another file, or of another offset of this
//! one, is found as surely as a flipped bit. They find accidents, not attackers.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The seed of the file whose id is `file_id`.
pub(crate) fn file_seed(file_id: &[u8; 16]) -> u64 {
    xxh3_64_with_seed(file_id, 0)
}

/// The checksum of `bytes`, which are at `offset` in the file with this seed.
pub(crate) fn sum_at(file_seed: u64, offset: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, file_seed.wrapping_add(offset.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// The checksum of the row at `position`. It has 32 bits only, because every row has one.
pub(crate) fn row_checksum(file_seed: u64, position: usize, row: &[u8]) -> u32 {
    sum_at(file_seed, !(position as u64), row) as u32
}
