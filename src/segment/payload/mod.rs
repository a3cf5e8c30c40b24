//! The indexes of payload fields: for each value, or range of values, the rows that have it. FORMAT.md, "Payload indexes",
//! is this room in prose.
//!
//! ```text
//! payload, in the front: fields → the heads of their indexes
//!   keyword, boolean:   → terms: blocks of texts, each with its set of rows, or its place
//!   numbers, time:      → sorted: blocks of (key, row); runs of blocks have a set of rows
//!   points:             → sorted: blocks of (point, row), each with its box
//!                           → sets: sets of rows
//! ```
//!
//! What is read alone is a *unit*: a block, or a set. Its place and checksum stand in the head, or in a block of terms.
//!
//! | file | duty |
//! |---|---|
//! | `head`   | the fields and the heads of their indexes, from the front |
//! | `terms`  | blocks of texts, both directions |
//! | `sorted` | blocks of keys, both directions; which units a range needs |
//! | `geo`    | blocks of points, both directions; which of them an area needs |
//! | `encode` | the sections, from the values of all rows |
//! | `verify` | the complete check |
//! | `cursor` | numbers of few bytes, both directions |
//! | `units`  | where units are |

mod cursor;
mod encode;
mod geo;
mod head;
mod sorted;
mod terms;
mod units;
mod verify;

pub(crate) use encode::encode;
pub(crate) use head::{IndexHead, PayloadField, PayloadHead};
pub(crate) use sorted::SortedHead;
pub(crate) use terms::{SetRef, Term, TermBlock, TermsHead};
pub(super) use verify::Check;

use super::format::{Header, SectionKind};
use crate::error::Error;
use crate::storage::Extent;

const NAME: &str = "payload";
const TERMS_NAME: &str = "terms";
const SORTED_NAME: &str = "sorted";

/// A text has at most so many bytes.
const MAX_TERM: usize = 64;
/// A set that takes at most so many bytes as gaps stands beside its text.
const MAX_INLINE: usize = 256;

/// The sections of units.
const SECTIONS: [SectionKind; 3] = [SectionKind::Terms, SectionKind::Sets, SectionKind::Sorted];
/// The seeds of the checksums of their units, beside that of the file.
const SEEDS: [u64; 3] = [0x5445_524D, 0x5345_5455, 0x534F_5254];

/// Where the sections of units are; of a section that is missing an empty extent.
fn extents(header: &Header) -> [Extent; 3] {
    SECTIONS.map(|kind| header.section(kind).map_or(Extent { offset: 0, length: 0 }, |s| s.extent))
}

/// Decodes the head, and compares it with the lengths of the sections. `bytes` are those of the payload section, if
/// there is one.
pub(super) fn open(header: &Header, bytes: &[u8], seed: u64) -> Result<Option<PayloadHead>, Error> {
    if header.section(SectionKind::Payload).is_some() {
        return PayloadHead::decode(bytes, extents(header), header.count, seed).map(Some);
    }
    match SECTIONS.into_iter().find(|&kind| header.section(kind).is_some()) {
        None => Ok(None),
        Some(kind) => Err(Error::corrupt(kind.name(), "there is no payload section that says what it holds")),
    }
}

#[cfg(test)]
mod tests;
