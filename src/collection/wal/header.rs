//! The header of a log: which log of which collection it is, and which frame it goes on from.

use super::frame::{u32_at, u64_at};
use super::op::Shape;
use super::planted::{Fault, planted};
use crate::error::Error;
use crate::storage::checksum::{file_seed, sum_at};

/// The bytes of a header.
pub(super) const HEADER: usize = 72;
/// Where the first frame is. A write that is torn damages the block of storage it is in, so the header has its own.
pub(super) const START: u64 = BLOCK;
/// Storage is written in blocks of so many bytes. What is written after a sync starts in a new one, so that it cannot
/// damage what was acknowledged. That costs room only: a write of 1.6 kB and its sync take 4.0 ms either way (median
/// of 120, ext4).
pub(super) const BLOCK: u64 = 4096;

const MAGIC: [u8; 8] = *b"PVECWAL\0";
const VERSION: u32 = 1;
const TEXT_IDS: u32 = 1;

/// The header of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogHead {
    /// The id of the collection.
    pub(crate) collection: [u8; 16],
    /// Its number, from 1; it rises, and none is used twice.
    pub(crate) number: u64,
    /// The number of its first operation. All operations before it were synced before this log was begun.
    pub(crate) first_sequence: u64,
    /// The sum of the last frame before, or 0 if there was none.
    pub(crate) before: u64,
    /// That of its operations.
    pub(crate) shape: Shape,
}

impl LogHead {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&if self.shape.text_ids { TEXT_IDS } else { 0 }.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.collection);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.before.to_le_bytes());
        bytes[56..60].copy_from_slice(&(self.shape.dim as u32).to_le_bytes());
        let sum = sum_at(file_seed(&self.collection), self.number, &bytes[..64]);
        bytes[64..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The header, or `None` if these bytes are none.
    ///
    /// # Errors
    /// `version`: all versions have these bytes and this sum, so it was written so.
    pub(super) fn decode(bytes: &[u8; HEADER]) -> Result<Option<Self>, Error> {
        let mut collection = [0; 16];
        collection.copy_from_slice(&bytes[16..32]);
        let number = u64_at(bytes, 32);
        let sum = sum_at(file_seed(&collection), number, &bytes[..64]);
        if bytes[..8] != MAGIC || number == 0 || sum != u64_at(bytes, 64) {
            return Ok(None);
        }
        let (version, flags) = (u32_at(bytes, 8), u32_at(bytes, 12));
        if version != VERSION || flags & !TEXT_IDS != 0 || u32_at(bytes, 60) != 0 {
            return Err(Error::Version { found: version.into(), supported: VERSION.into() });
        }
        let shape = Shape { dim: u32_at(bytes, 56) as usize, text_ids: flags & TEXT_IDS != 0 };
        let (first_sequence, before) = (u64_at(bytes, 40), u64_at(bytes, 48));
        Ok(Some(LogHead { collection, number, first_sequence, before, shape }))
    }

    pub(super) fn seed(&self) -> u64 {
        log_seed(&self.collection, self.number)
    }
}

/// The seed of the sums of a log's frames: another log has no frame at the same place.
pub(super) fn log_seed(collection: &[u8; 16], number: u64) -> u64 {
    let number = if planted(Fault::SeedWithoutLog) { 0 } else { number };
    sum_at(file_seed(collection), number, &[])
}
