//! Bytes that start on a cache line.

use crate::error::Error;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A fixed run of zeroed bytes whose address is a multiple of 64, so that u32 and f32 sections cast in place.
pub(crate) struct Buffer {
    lines: Vec<Line>,
    length: usize,
}

impl Buffer {
    /// Fails, instead of aborting, if there is not enough memory.
    pub(crate) fn zeroed(bytes: u64) -> Result<Self, Error> {
        let length = usize::try_from(bytes).map_err(|_| Error::OutOfMemory { bytes })?;
        let count = length.div_ceil(64);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
        lines.resize(count, Line([0; 64]));
        Ok(Buffer { lines, length })
    }

    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Self, Error> {
        let mut buffer = Self::zeroed(bytes.len() as u64)?;
        buffer.as_mut().copy_from_slice(bytes);
        Ok(buffer)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.length)
    }
}
