//! Filters, and what else the indexes of payload fields answer: from conditions on fields to sets of rows, exactly, as values
//! that are stepped.
//!
//! | file | duty |
//! |---|---|
//! | `evaluate` | a filter over all segments: tests, then their sets combined |
//! | `test`     | one test of one segment, by the units of an index |
//! | `facets`   | how many rows have each value of a field |
//! | `sorted`   | pages of the rows that match, as they are stored or sorted by a field |

mod evaluate;
mod facets;
mod sorted;
mod test;

pub(super) use evaluate::Evaluation;
pub(crate) use evaluate::combine;
pub(super) use facets::Facets;
pub use facets::{FieldValue, ValueCounts};
pub(crate) use sorted::Page;
pub use sorted::RowsQuery;

use super::view::View;
use crate::storage::Read;

/// The units that a step misses, by their section.
#[derive(Default)]
struct Missing {
    terms: Vec<Read>,
    sets: Vec<Read>,
    sorted: Vec<Read>,
}

impl Missing {
    /// As many of each section as there are slots for, in the address space of all segments.
    fn into_reads(self, view: &View<'_>, into: &mut Vec<Read>) {
        for reads in [self.terms, self.sets, self.sorted] {
            into.extend(view.placed(view.fitting(reads)));
        }
    }
}
