//! Numbers of few bytes, both directions. A *varint* has 7 bits of a number in each byte, the lowest first; all bytes but
//! the last have their highest bit set.

use crate::error::Error;

/// Bytes of the longest varint.
const LONGEST: usize = 10;

/// Appends a number.
pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What is left of some bytes.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) left: &'a [u8],
    /// The section, for errors.
    pub(super) section: &'static str,
}

impl<'a> Cursor<'a> {
    fn cut(&self) -> Error {
        Error::corrupt(self.section, "it ends too early")
    }

    /// A varint.
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let mut number = 0u64;
        for (at, &byte) in self.left.iter().enumerate().take(LONGEST) {
            // The last byte of the longest has one bit.
            if at == LONGEST - 1 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7F) << (7 * at);
            if byte < 0x80 {
                self.left = &self.left[at + 1..];
                return Ok(number);
            }
        }
        match self.left.len() < LONGEST {
            true => Err(self.cut()),
            false => Err(Error::corrupt(self.section, "a number of more than 64 bits")),
        }
    }

    /// A varint below 2^32.
    pub(super) fn short(&mut self) -> Result<u32, Error> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| Error::corrupt(self.section, "a number of more than 32 bits"))
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, left) = self.left.split_at_checked(length).ok_or_else(|| self.cut())?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, left) = self.left.split_first_chunk().ok_or_else(|| self.cut())?;
        self.left = left;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            let mut cursor = Cursor { left: &bytes, section: "test" };
            assert_eq!((cursor.number().unwrap(), cursor.left.len()), (number, 0));
            for end in 0..bytes.len() {
                assert!(Cursor { left: &bytes[..end], section: "test" }.number().is_err());
            }
            let short = Cursor { left: &bytes, section: "test" }.short();
            assert_eq!(short.ok(), u32::try_from(number).ok());
        }
        let long = |last: u8| [[0xFF; 9].as_slice(), &[last, 0]].concat();
        assert!(Cursor { left: &long(1), section: "test" }.number().is_ok());
        for last in [2, 0x80, 0x81] {
            assert!(Cursor { left: &long(last), section: "test" }.number().is_err());
        }
    }
}
