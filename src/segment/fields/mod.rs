//! The stored fields: for each row one JSON object, in compressed blocks of rows. FORMAT.md, "Stored fields", is this room
//! in prose.
//!
//! ```text
//! field directory, held whole: groups of rows → place and checksum of the group's block directory; the dictionary
//!   fields: a block directory → place and checksum of each block of the group
//!     fields: a block, which decompresses to lines of JSON
//! ```
//!
//! | file | duty |
//! |---|---|
//! | `directory` | from a position to the place of its block |
//! | `block`  | from the bytes of a block to the lines of its rows |
//! | `encode` | the sections, from compressed blocks |
//! | `verify` | the complete check |

mod block;
mod directory;
mod encode;
mod verify;

pub(crate) use block::{Lines, NONE};
pub(crate) use directory::{FieldBlock, FieldDirectory};
pub(crate) use encode::{Encoded, FieldGroup, encode};
pub(super) use verify::verify;

use super::format::{Header, SectionKind};
use super::reader::Segment;
use crate::error::Error;
use crate::storage::Extent;

/// A block decompresses to at most so many bytes.
pub(crate) const MAX_BLOCK: usize = 64 << 10;
/// So many rows are in a group at most.
pub(crate) const MAX_GROUP: usize = 1 << 15;
/// A dictionary has at most so many bytes.
const MAX_DICTIONARY: usize = 65_535;

/// Bytes of the head of the field directory, of an entry of it, and of an entry of a block directory.
const HEAD: usize = 16;
const GROUP_ENTRY: usize = 16;
const BLOCK_ENTRY: usize = 10;

/// The seed of the checksums of blocks and block directories, beside that of the file.
const FIELDS: u64 = 0x4649_454C;

const DIRECTORY_NAME: &str = "field directory";
const NAME: &str = "fields";

/// Where the stored fields of a segment are.
#[derive(Clone, Copy)]
pub(crate) struct FieldPlaces {
    pub(crate) directory: Extent,
    pub(crate) fields: Extent,
}

impl Segment {
    /// Where its stored fields are, if it has some.
    pub(crate) fn fields(&self) -> Option<FieldPlaces> {
        let [directory, fields] =
            [SectionKind::FieldDirectory, SectionKind::Fields].map(|kind| self.extent(kind));
        Some(FieldPlaces { directory: directory?, fields: fields? })
    }
}

/// Compares what the header says of the stored fields with the sections.
pub(super) fn check(h: &Header) -> Result<(), Error> {
    let [directory, fields] =
        [SectionKind::FieldDirectory, SectionKind::Fields].map(|kind| h.section(kind).map(|s| s.extent));
    match (directory, fields) {
        (None, None) => Ok(()),
        (Some(directory), _) if directory.length < HEAD as u64 => {
            Err(Error::corrupt(DIRECTORY_NAME, "it ends too early"))
        }
        (Some(_), Some(fields)) => {
            let unit = u64::from(h.fields.unit);
            let longest = (MAX_GROUP * BLOCK_ENTRY) as u64;
            match unit <= fields.length.min(longest) && h.fields.block as usize <= MAX_BLOCK {
                true => Ok(()),
                false => Err(Error::corrupt(NAME, "the header says that a block is longer than one may be")),
            }
        }
        _ => Err(Error::corrupt(NAME, "fields and their directory are not there together")),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}
