//! Takes the values of a manifest from its bytes.

use crate::collection::files::manifest::corrupt;
use crate::error::Error;

/// Bytes from which values are taken.
pub(crate) struct Take<'a>(pub(crate) &'a [u8]);

impl<'a> Take<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| corrupt("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N)?.try_into().map_err(|_| corrupt("it ends too early"))
    }

    pub(crate) fn four(&mut self) -> Result<[u8; 4], Error> {
        self.array()
    }

    pub(crate) fn id(&mut self) -> Result<[u8; 16], Error> {
        self.array()
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}
