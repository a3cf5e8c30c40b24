//! Rows that stand at equal distances in a file, as those of `.npy` and `.fvecs` files do.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::RowSource;
use crate::error::Error;
use crate::storage::{Extent, ReadAt};

/// Bytes read at a time, at most, unless a row is longer.
const PIECE: usize = 1 << 18;

/// How components are stored: little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Two bytes each.
    F16,
    /// Four bytes each.
    F32,
    /// Eight bytes each; they are rounded to f32.
    F64,
}

impl Numbers {
    /// Bytes of one component.
    pub fn bytes(self) -> usize {
        match self {
            Numbers::F16 => 2,
            Numbers::F32 => 4,
            Numbers::F64 => 8,
        }
    }

    /// Decodes the components of one row.
    fn decode(self, bytes: &[u8], into: &mut [f32], halves: &mut Vec<f16>) {
        match self {
            Numbers::F16 => {
                halves.clear();
                halves.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b)));
                halves.convert_to_f32_slice(into);
            }
            Numbers::F32 => {
                into.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, b)| *x = f32::from_le_bytes(*b));
            }
            Numbers::F64 => {
                into.iter_mut()
                    .zip(bytes.as_chunks().0)
                    .for_each(|(x, b)| *x = f64::from_le_bytes(*b) as f32);
            }
        }
    }
}

/// A source over a file whose rows stand at equal distances.
///
/// ```
/// use pagevec::{BuildOptions, Ctx, Extent, Numbers, ReadAt, StoredRows};
/// struct Bytes(Vec<u8>);
/// impl ReadAt for Bytes {
///     fn length(&self) -> u64 { self.0.len() as u64 }
///     fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), pagevec::Error> {
///         into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
///         Ok(())
///     }
/// }
/// let bytes = [1.0f32, 0.0, 0.6, 0.8].iter().flat_map(|x| x.to_le_bytes()).collect();
/// let rows = StoredRows::new(Bytes(bytes), Numbers::F32, 2, 2, 0, 8)?;
/// let mut file = Vec::new();
/// let input = pagevec::BuildInput::Source(&rows);
/// pagevec::build_into(input, None, &BuildOptions::default(), &mut file, &Ctx::default())?;
/// # Ok::<(), pagevec::Error>(())
/// ```
pub struct StoredRows<R> {
    reader: R,
    numbers: Numbers,
    count: usize,
    dim: usize,
    /// The offset of the first component of the first row.
    first: u64,
    /// Bytes from one row to the next.
    stride: usize,
}

impl<R: ReadAt> StoredRows<R> {
    /// `count` rows of `dim` components. The first component of the first row is at byte `first`, and a row begins
    /// `stride` bytes after the one before it.
    ///
    /// # Errors
    /// `argument` if rows would overlap; `length` if the file ends before the last row does.
    pub fn new(
        reader: R,
        numbers: Numbers,
        count: usize,
        dim: usize,
        first: u64,
        stride: usize,
    ) -> Result<Self, Error> {
        let row = (dim as u64).saturating_mul(numbers.bytes() as u64);
        if dim == 0 {
            return Err(Error::argument("dim", "a row has at least one component"));
        }
        if row > stride as u64 {
            let detail = format!("{stride} bytes hold no row of {dim} components, which has {row}");
            return Err(Error::argument("stride", detail));
        }
        let before = (count as u64).saturating_sub(1).saturating_mul(stride as u64);
        let needed = if count == 0 { 0 } else { first.saturating_add(before).saturating_add(row) };
        match reader.length() {
            length if length < needed => {
                Err(Error::Length { section: "rows", expected: needed, got: length })
            }
            _ => Ok(StoredRows { reader, numbers, count, dim, first, stride }),
        }
    }
}

impl<R: ReadAt> RowSource for StoredRows<R> {
    fn count(&self) -> usize {
        self.count
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn read(&self, first: usize, into: &mut [f32]) -> Result<(), Error> {
        if self.numbers == Numbers::F32 && self.stride == self.dim * 4 {
            let offset = self.first + first as u64 * self.stride as u64;
            // Little-endian in memory: kernels/mod.rs refuses to compile elsewhere.
            let bytes = bytemuck::cast_slice_mut(into);
            return self.reader.read(Extent { offset, length: bytes.len() as u64 }, bytes);
        }
        let row = self.dim * self.numbers.bytes();
        let at_once = (PIECE / self.stride).max(1);
        let (mut bytes, mut halves) = (Vec::new(), Vec::new());
        for (piece, into) in into.chunks_mut(at_once * self.dim).enumerate() {
            let rows = into.len() / self.dim;
            // The last row ends with its last component, since the file may end there.
            bytes.resize((rows - 1) * self.stride + row, 0);
            let offset = self.first + (first + piece * at_once) as u64 * self.stride as u64;
            self.reader.read(Extent { offset, length: bytes.len() as u64 }, &mut bytes)?;
            let stored = bytes.chunks(self.stride);
            stored
                .zip(into.chunks_exact_mut(self.dim))
                .for_each(|(bytes, into)| self.numbers.decode(&bytes[..row], into, &mut halves));
        }
        Ok(())
    }
}
