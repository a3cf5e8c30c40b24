//! The clustered index's sections, both directions. FORMAT.md, "Clusters", is this room in prose.
//!
//! Each level holds the place and the sum of the next, so that bytes are known before they are asked for:
//! Cells (in the front) → a block of Leaves per cell → a block of Lists per leaf → rows.
//!
//! | file | duty |
//! |---|---|
//! | `encode` | trees in, sections out |
//! | `cells`  | the Cells section, checked and owned |
//! | `lists`  | blocks of Leaves and of Lists in place |

mod cells;
mod encode;
mod lists;

pub(crate) use cells::Cells;
pub(crate) use encode::{Parts, encode};
pub(crate) use lists::{Leaf, List};

use crate::error::Error;

/// How wide to look for a wanted recall: found when the segment was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Width {
    /// The recall that these reached, in parts of 10,000.
    pub(crate) recall: u32,
    /// Nearest cells whose leaves are looked at.
    pub(crate) cells: u32,
    /// Nearest leaves whose lists are scanned.
    pub(crate) probes: u32,
}

/// Widths for rising recall.
pub(crate) const WIDTHS: usize = 8;
pub(crate) type Curve = [Width; WIDTHS];

/// What the sums of the two sections' blocks are seeded with beside their offset.
const LEAVES: u64 = 0x4C45_4156;
const LISTS: u64 = 0x4C49_5354;

fn bad(section: &'static str, detail: &str) -> Error {
    Error::corrupt(section, detail)
}

/// Numbers one after another from the front of some bytes.
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

    fn u64s(&mut self, count: usize) -> Result<Vec<u64>, Error> {
        Ok(self.numbers(count)?.iter().map(|b| u64::from_le_bytes(*b)).collect())
    }
}
