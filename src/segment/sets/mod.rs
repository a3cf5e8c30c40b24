//! Sets of positions as bytes: a directory, then the chunks that hold positions. FORMAT.md describes them under
//! "Position sets".
//!
//! A chunk covers 65,536 positions and is written in the smallest of three kinds: gaps, a bitmap, or runs. The directory
//! says where each chunk is, and its checksum, so a reader may fetch chunks alone.
//!
//! | file | duty |
//! |---|---|
//! | `set`       | [`PositionSet`]; a whole set, both directions |
//! | `directory` | the entries of the chunks, both directions |
//! | `chunk`     | the positions of one chunk, both directions |

mod chunk;
mod directory;
mod set;

pub use set::PositionSet;
pub(super) use set::{add, encode_positions};

use crate::error::Error;
use crate::storage::checksum;

const SECTION: &str = "position set";
/// Bytes of a set without positions.
pub(super) const SHORTEST: u64 = 12;
/// The seed of the checksums of sets, beside that of the file.
const SEED: u64 = 0x5345_5453;

/// The file of a set, and where the set starts in its section: its checksums are seeded by both.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) file_seed: u64,
    pub(crate) offset: u64,
}

impl Place {
    /// The checksum of bytes that start `at` bytes behind the start of the set.
    fn sum(&self, at: usize, bytes: &[u8]) -> u64 {
        checksum::sum_at(self.file_seed ^ SEED, self.offset.wrapping_add(at as u64), bytes)
    }

    /// Compares bytes with their checksum.
    fn check(&self, at: usize, bytes: &[u8], sum: u64) -> Result<(), Error> {
        match self.sum(at, bytes) == sum {
            true => Ok(()),
            false => Err(Error::Checksum { section: SECTION, offset: self.offset.saturating_add(at as u64) }),
        }
    }
}

fn corrupt(detail: &str) -> Error {
    Error::corrupt(SECTION, detail)
}
