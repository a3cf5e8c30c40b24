//! The hash that a build uses in place of random numbers. It gives the same result on every target.

/// A pseudo-random u64 of `x`: SplitMix64's finaliser (Steele, Lea, Flood 2014).
pub(crate) fn hash(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
