//! The clustered index's sections, both directions. FORMAT.md, "Clusters", is this room in prose.
//!
//! Each level has the places and the checksums of the next, so that they are known before its bytes are read:
//! Cells (in the front) → a block of Leaves per cell → a block of Lists per leaf → rows.
//!
//! | file | duty |
//! |---|---|
//! | `encode` | the sections, from the tree that a build made |
//! | `cells`  | the Cells section, decoded and checked |
//! | `lists`  | blocks of Leaves and of Lists, read where they are |
//! | `sizes`  | how many bytes the sections take |

mod cells;
mod encode;
mod lists;
mod sizes;

pub(crate) use cells::Cells;
pub(crate) use encode::{Parts, encode};
pub(crate) use lists::{Labels, Leaf, List};
pub(crate) use sizes::Counts;

use crate::error::Error;

/// How wide a search is for a wanted recall, as whole searches measured it when the segment was built.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CurvePoint {
    /// The recall that it is for, in parts of 10,000.
    pub(crate) wanted: u32,
    /// The recall that it reached, in parts of 10,000.
    pub(crate) reached: u32,
    /// Nearest cells whose leaves are ranked, counted as cells of average size.
    pub(crate) cells: u32,
    /// Nearest leaves whose lists are scanned, counted as leaves of average size.
    pub(crate) probes: u32,
    /// Candidates of the lists whose rows may be read.
    pub(crate) keep: u32,
    /// A candidate's row is read if its estimate may be wrong by so many standard deviations.
    pub(crate) doubt: f32,
    /// For a scan of leaves: the share of a leaf's spread in its bound; 0 if it was not measured.
    pub(crate) bound: f32,
}

/// Points of a curve, by ascending recall.
pub(crate) const WIDTHS: usize = 8;
/// The numbers of nearest rows that have a curve.
pub(crate) const NEIGHBOURS: [u32; 4] = [1, 10, 100, 1000];
/// One curve for each of [`NEIGHBOURS`].
pub(crate) type Curves = [[CurvePoint; WIDTHS]; NEIGHBOURS.len()];

/// The share of its spread by which the bound of a cell, or of a leaf, is below the distance to its centroid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    pub(crate) of_cells: f32,
    pub(crate) of_leaves: f32,
}

/// List codes are relative to the centroid of their leaf, as its codes give it: one code, or two if rows differ too
/// little for one. A reader refuses other numbers.
const MAX_CENTRES: u32 = 2;

/// The seeds of the checksums of the blocks of the two sections, beside that of the file.
const LEAVES: u64 = 0x4C45_4156;
const LISTS: u64 = 0x4C49_5354;

fn bad(section: &'static str, detail: &str) -> Error {
    Error::corrupt(section, detail)
}

/// Reads numbers from the front of some bytes.
struct Reader<'a> {
    section: &'static str,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) =
            self.bytes.split_at_checked(count).ok_or_else(|| bad(self.section, "it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// `count` numbers of `N` bytes, in place. Saturating: counts come from the file, and usize has 32 bits in wasm.
    fn numbers<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]], Error> {
        Ok(self.take(count.saturating_mul(N))?.as_chunks().0)
    }

    fn u32s(&mut self, count: usize) -> Result<Vec<u32>, Error> {
        Ok(self.numbers(count)?.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    fn f32s(&mut self, count: usize) -> Result<Vec<f32>, Error> {
        Ok(self.numbers(count)?.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    fn u64s(&mut self, count: usize) -> Result<Vec<u64>, Error> {
        Ok(self.numbers(count)?.iter().map(|b| u64::from_le_bytes(*b)).collect())
    }
}
