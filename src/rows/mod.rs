//! The rows of a build. They are in memory, or in a source that is read in blocks, as often as a stage needs them.
//!
//! | file | duty |
//! |---|---|
//! | `input` | where rows are; the first pass over them: their hash, checks, their mean |
//! | `reader` | the rows as every stage sees them: checked, under cosine of length 1, in any order |
//! | `encode` | all rows, encoded by one codec |
//! | `stored` | a source: rows that stand at equal distances in a file |

mod encode;
mod input;
mod reader;
mod stored;

pub(crate) use encode::{Encoded, encode_all};
pub use input::BuildInput;
pub(crate) use input::InputHash;
pub(crate) use reader::Reader;
pub use stored::{Numbers, StoredRows};

use crate::error::Error;

/// Rows that a build reads in blocks, so that they need not fit in memory.
///
/// A build with the default options reads all rows some 11 times in their order, and some 7 times row by row in another.
/// Several threads read at once. A row must have the same values each time: otherwise the file that is built matches
/// none of them.
pub trait RowSource: Send + Sync {
    /// The number of rows.
    fn count(&self) -> usize;

    /// Components of a row.
    fn dim(&self) -> usize;

    /// Fills `into` with the rows from number `first` on, row-major. Its length is a whole number of rows, and all of
    /// them exist.
    ///
    /// # Errors
    /// `io`, or what else keeps it from filling all of `into`.
    fn read(&self, first: usize, into: &mut [f32]) -> Result<(), Error>;
}
