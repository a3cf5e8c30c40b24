//! Rules of thumb by size: which quantization, which buffers.

/// A kind of quantization, as texts on vector stores name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// Floats.
    None,
    /// A byte a component.
    Scalar,
    /// Some bytes a vector.
    Product,
    /// A bit a component.
    Binary,
}

impl Quantization {
    /// A stable short name.
    pub fn name(self) -> &'static str {
        match self {
            Quantization::None => "none",
            Quantization::Scalar => "scalar",
            Quantization::Product => "product",
            Quantization::Binary => "binary",
        }
    }
}

/// The bytes of vectors as floats.
pub fn float_bytes(rows: u64, dim: u64) -> u64 {
    rows.saturating_mul(dim).saturating_mul(4)
}

/// The quantization that the rule of thumb names for `rows` vectors of `dim` components where `available` bytes are free:
/// none if that is twice the bytes of the floats, scalar above half of them, product above a tenth, else binary.
///
/// ```
/// use pagevec::plan::{Quantization, suggest_quantization};
/// assert_eq!(suggest_quantization(1_000_000, 768, 100 << 20), Quantization::Binary);
/// ```
pub fn suggest_quantization(rows: u64, dim: u64, available: u64) -> Quantization {
    let floats = u128::from(rows).saturating_mul(u128::from(dim)).saturating_mul(4);
    let free = u128::from(available);
    match free {
        _ if free >= floats.saturating_mul(2) => Quantization::None,
        _ if 2 * free > floats => Quantization::Scalar,
        _ if 10 * free > floats => Quantization::Product,
        _ => Quantization::Binary,
    }
}

/// Rules of thumb for a collection of a size.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// `small`, `medium`, `large`, `extreme`.
    pub name: &'static str,
    /// Rows, less than so many.
    pub rows: u64,
    /// Bytes that its write-ahead log buffers, at least and at most.
    pub wal_buffer: [u64; 2],
    /// The shares of memory of its tiers, in hundredths: hot, warm and cold. The rest is spare.
    pub shares: [u8; 3],
}

/// The shares of memory: of what is used often, at times, and hardly ever.
const SHARES: [u8; 3] = [60, 30, 5];
const MIB: u64 = 1 << 20;

/// By ascending size.
pub const PROFILES: [Profile; 4] = [
    Profile { name: "small", rows: 1_000_000, wal_buffer: [32 * MIB, 32 * MIB], shares: SHARES },
    Profile { name: "medium", rows: 10_000_000, wal_buffer: [32 * MIB, 64 * MIB], shares: SHARES },
    Profile { name: "large", rows: 100_000_000, wal_buffer: [64 * MIB, 128 * MIB], shares: SHARES },
    Profile { name: "extreme", rows: u64::MAX, wal_buffer: [128 * MIB, 128 * MIB], shares: SHARES },
];

impl Profile {
    /// The profile of a collection of so many rows.
    pub fn of(rows: u64) -> Self {
        let [.., last] = PROFILES;
        PROFILES.into_iter().find(|profile| rows < profile.rows).unwrap_or(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thresholds_are_twice_half_and_a_tenth() {
        let floats = float_bytes(1000, 100);
        for (available, expected) in [
            (2 * floats, Quantization::None),
            (2 * floats - 1, Quantization::Scalar),
            (floats / 2 + 1, Quantization::Scalar),
            (floats / 2, Quantization::Product),
            (floats / 10 + 1, Quantization::Product),
            (floats / 10, Quantization::Binary),
            (0, Quantization::Binary),
            (u64::MAX, Quantization::None),
        ] {
            assert_eq!(suggest_quantization(1000, 100, available), expected, "{available}");
        }
        let most = suggest_quantization(u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(most, Quantization::Binary, "more floats than u64 can count");
        assert_eq!(suggest_quantization(u64::MAX, 1, u64::MAX), Quantization::Product);
    }

    #[test]
    fn profiles_go_by_rows() {
        let names = [1, 999_999, 1_000_000, 9_999_999, 10_000_000, 100_000_000, u64::MAX];
        let names = names.map(|rows| Profile::of(rows).name);
        assert_eq!(names, ["small", "small", "medium", "medium", "large", "extreme", "extreme"]);
    }
}
