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

pub(crate) use evaluate::combine;
pub(super) use evaluate::{Evaluation, Matches};
pub(super) use facets::Facets;
pub use facets::{FieldValue, ValueCounts};
pub(crate) use sorted::Page;
pub use sorted::RowsQuery;

use super::view::View;
use crate::payload::FieldKind;
use crate::segment::payload::{PayloadHead, TermBlock, TermsHead};
use crate::storage::Read;

/// The fields of all segments, and whether they are indexed.
fn kinds<'a>(views: &[View<'a>]) -> impl Iterator<Item = (&'a str, FieldKind)> {
    views.iter().filter_map(|view| view.segment.payload.as_ref()).flat_map(PayloadHead::kinds)
}

/// A block of terms, or the read that it needs.
fn block<'a>(view: &View<'a>, head: &'a TermsHead, number: usize) -> Result<&'a [u8], Read> {
    match head.block(number) {
        TermBlock::Here(bytes) => Ok(bytes),
        TermBlock::At(read) => view.source.get(read.extent).ok_or(read),
    }
}

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
