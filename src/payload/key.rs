//! Numbers as whole numbers of the same order, so that one form of blocks holds all of them.

/// The sign of an `i64`, and of an `f64`.
const SIGN: u64 = 1 << 63;

/// The key of a whole number, or of milliseconds.
pub(crate) fn of_integer(number: i64) -> u64 {
    number as u64 ^ SIGN
}

/// The whole number of a key.
pub(crate) fn to_integer(key: u64) -> i64 {
    (key ^ SIGN) as i64
}

/// The key of a number that is no NaN. Both zeros have the same key.
pub(crate) fn of_float(number: f64) -> u64 {
    let bits = if number == 0.0 { 0 } else { number.to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The key of a whole number's key among floats.
pub(crate) fn as_float(key: u64) -> u64 {
    of_float(to_integer(key) as f64)
}

/// The number of a key.
pub(crate) fn to_float(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_their_numbers() {
        let floats = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            1.0,
            1.5,
            f64::MAX,
        ];
        assert!(floats.is_sorted_by(|&a, &b| of_float(a) < of_float(b)));
        assert!(floats.iter().all(|&number| to_float(of_float(number)) == number));
        assert_eq!(of_float(-0.0), of_float(0.0));
        let integers = [i64::MIN, -(1 << 53), -1, 0, 1, 1 << 53, i64::MAX];
        assert!(integers.is_sorted_by(|&a, &b| of_integer(a) < of_integer(b)));
        assert!(integers.iter().all(|&number| to_integer(of_integer(number)) == number));
    }
}
