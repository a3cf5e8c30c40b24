//! From the bytes of a block to the lines of its rows.

use super::NAME;
use super::directory::FieldBlock;
use crate::error::Error;
use crate::memory::grow;

/// The decompressed block that was read last; its memory serves for the next one.
#[derive(Default)]
pub(crate) struct Lines {
    /// Of the block in it; `None`: it holds none.
    first: Option<u32>,
    text: Vec<u8>,
}

impl Lines {
    /// Decompresses a block, whose checksum was compared.
    ///
    /// # Errors
    /// `corrupt`; `out-of-memory`.
    #[inline(never)]
    pub(crate) fn read(&mut self, block: &FieldBlock, stored: &[u8], dictionary: &[u8]) -> Result<(), Error> {
        let bad = |detail: &str| Error::corrupt(NAME, format!("the block of row {} {detail}", block.first));
        self.first = None;
        self.text.clear();
        grow(&mut self.text, block.raw)?;
        match stored.len() == block.raw {
            true => self.text.extend_from_slice(stored),
            false => {
                self.text.resize(block.raw, 0);
                let length = lz4_flex::block::decompress_into_with_dict(stored, &mut self.text, dictionary);
                if length.ok() != Some(block.raw) {
                    return Err(bad("does not decompress to its length"));
                }
            }
        }
        let lines = self.text.iter().filter(|&&byte| byte == b'\n').count();
        if lines != block.rows as usize || self.text.last() != Some(&b'\n') {
            return Err(bad("has not a line for each row"));
        }
        self.first = Some(block.first);
        Ok(())
    }

    /// Whether it holds this block.
    pub(crate) fn holds(&self, block: &FieldBlock) -> bool {
        self.first == Some(block.first)
    }

    /// The JSON object of a row of the block that it holds.
    ///
    /// # Errors
    /// `corrupt`.
    #[inline(never)]
    pub(crate) fn row(&self, position: u32) -> Result<&str, Error> {
        let at = position.wrapping_sub(self.first.unwrap_or(position));
        let line = self.text.split(|&byte| byte == b'\n').nth(at as usize).unwrap_or_default();
        match std::str::from_utf8(line) {
            Ok("") => Ok(NONE),
            Ok(line) => Ok(line),
            Err(_) => Err(Error::corrupt(NAME, format!("the fields of row {position} are not UTF-8"))),
        }
    }

    /// Checks all lines.
    pub(super) fn check(&self) -> Result<(), Error> {
        let first = self.first.unwrap_or(0);
        let wrong = |_| Error::corrupt(NAME, format!("the fields in the block of row {first} are not UTF-8"));
        std::str::from_utf8(&self.text).map(drop).map_err(wrong)
    }

    /// Forgets the block, which may be of another segment than the next one.
    pub(crate) fn clear(&mut self) {
        self.first = None;
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        crate::memory::bytes(&self.text)
    }
}

/// The fields of a row that has none.
pub(crate) const NONE: &str = "{}";
