//! Bit-packed whole numbers: `[least: u64][width: u8]`, then `number - least` for each, in `width` bits, from the low
//! bit of the first byte on, padded to a whole byte.

use std::ops::Range;

/// Enough for all numbers: ids are below 2^53, positions below 2^32.
const MAX_WIDTH: u32 = 56;
const HEAD: usize = 9;

/// Appends the packed numbers.
pub(crate) fn encode(numbers: impl Iterator<Item = u64> + Clone, out: &mut Vec<u8>) {
    let least = numbers.clone().min().unwrap_or(0);
    let width = u64::BITS - numbers.clone().map(|n| n - least).max().unwrap_or(0).leading_zeros();
    out.extend(least.to_le_bytes());
    out.push(width as u8);
    pack(numbers.map(|number| number - least), width, out);
}

/// Appends numbers of `width` bits each, padded to a whole byte.
pub(super) fn pack(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0u64, 0);
    for number in numbers {
        bits |= number << filled;
        filled += width;
        while filled >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(bits as u8);
    }
}

/// Packed numbers, read where they are.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    least: u64,
    width: usize,
    count: usize,
    bits: &'a [u8],
}

impl<'a> Packed<'a> {
    /// The numbers at the start of `bytes`, and what follows them.
    pub(crate) fn split(bytes: &'a [u8], count: usize) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let least = u64::from_le_bytes(*head.first_chunk()?);
        let width = head[HEAD - 1];
        if u32::from(width) > MAX_WIDTH {
            return None;
        }
        let (packed, rest) = Packed::without_head(rest, count, usize::from(width))?;
        Some((Packed { least, ..packed }, rest))
    }

    /// Numbers from 0 on of a width, at most 56 bits, that is known from elsewhere, and what follows them.
    pub(super) fn without_head(bytes: &'a [u8], count: usize, width: usize) -> Option<(Self, &'a [u8])> {
        // In u64: usize has 32 bits in wasm.
        let length = (count as u64).checked_mul(width as u64)?.div_ceil(8);
        let (bits, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        Some((Packed { least: 0, width, count, bits }, rest))
    }

    /// Bits of a number.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Number `at`; 0 beyond the last.
    pub(crate) fn get(&self, at: usize) -> u64 {
        if at >= self.count {
            return 0;
        }
        // In u64: usize has 32 bits in wasm. The byte is one of `bits`, whose length is a usize.
        let first = at as u64 * self.width as u64;
        self.least.wrapping_add(number(&self.bits[(first / 8) as usize..], first, self.width))
    }
}

/// The number of `width` bits that starts at bit `first`; `from` starts with the byte that holds this bit.
pub(super) fn number(from: &[u8], first: u64, width: usize) -> u64 {
    let window = match from.first_chunk() {
        Some(&eight) => u64::from_le_bytes(eight),
        None => from.iter().rev().fold(0, |window, &byte| window << 8 | u64::from(byte)),
    };
    window >> (first % 8) & ((1 << width) - 1)
}

/// One packed number, where only parts of the section may be available.
pub(super) struct One {
    least: u64,
    width: usize,
    first: u64,
}

impl One {
    /// Bytes before the numbers: they say how these are packed.
    pub(super) const HEAD: u64 = HEAD as u64;

    /// Number `at` of those that start with `head`.
    pub(super) fn of(head: &[u8], at: u32) -> Option<Self> {
        let (none, _) = Packed::split(head, 0)?;
        Some(One { least: none.least, width: none.width, first: u64::from(at) * none.width as u64 })
    }

    /// Where its bytes are, from the start of the section.
    pub(super) fn bytes(&self) -> Range<u64> {
        let end = (self.first + self.width as u64).div_ceil(8);
        Self::HEAD + self.first / 8..Self::HEAD + end.max(self.first / 8)
    }

    /// The number, from those bytes.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        self.least.wrapping_add(number(bytes, self.first, self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for numbers in [
            vec![],
            vec![7],
            vec![7, 7, 7],
            (0..100).collect(),
            (0..67).map(|i| (1 << 53) - 1 - i * i * 977).collect(),
            vec![0, (1 << 53) - 1, 3],
        ] {
            let mut bytes = Vec::new();
            encode(numbers.iter().copied(), &mut bytes);
            bytes.push(0xAA);
            let (packed, rest) = Packed::split(&bytes, numbers.len()).unwrap();
            assert_eq!(rest, [0xAA]);
            let back: Vec<u64> = (0..numbers.len()).map(|i| packed.get(i)).collect();
            assert_eq!(back, numbers);
            for (at, &number) in numbers.iter().enumerate() {
                let one = One::of(&bytes[..HEAD], at as u32).unwrap();
                let place = one.bytes();
                assert_eq!(one.number(&bytes[place.start as usize..place.end as usize]), number);
            }
            assert_eq!(packed.get(numbers.len()), 0);
        }
    }

    #[test]
    fn what_is_cut_or_too_wide_is_refused() {
        let mut bytes = Vec::new();
        encode([1, 2, 300].into_iter(), &mut bytes);
        (0..bytes.len()).for_each(|end| assert!(Packed::split(&bytes[..end], 3).is_none()));
        bytes[8] = 57;
        assert!(Packed::split(&[bytes, vec![0; 64]].concat(), 3).is_none());
    }
}
