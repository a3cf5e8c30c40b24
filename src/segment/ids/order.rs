//! The id order: a hash and a position for each row, in order of the hashes.

use std::ops::Range;

use super::view::{IdView, u32_at};
use crate::error::Error;
use crate::id::{Id, IdRef};
use crate::storage::checksum;

/// The seed of the hashes of ids, beside that of the file.
const HASH: u64 = 0x4944_4F52;
/// Bytes of an entry of the id order: the hash of an id, the position of its row.
pub(super) const ENTRY: u64 = 8;

/// The hash by which an id is looked up.
pub(super) fn hash(file_seed: u64, id: &Id) -> u32 {
    let seed = file_seed ^ HASH;
    match id {
        Id::Number(number) => checksum::sum_at(seed, 0, &number.to_le_bytes()) as u32,
        Id::Text(text) => checksum::sum_at(seed, 0, text.as_bytes()) as u32,
    }
}

/// As [`hash`], of an id where it lies.
pub(super) fn hash_of(file_seed: u64, id: IdRef<'_>) -> u32 {
    let seed = file_seed ^ HASH;
    match id {
        IdRef::Number(number) => checksum::sum_at(seed, 0, &number.to_le_bytes()) as u32,
        IdRef::Text(text) => checksum::sum_at(seed, 0, text.as_bytes()) as u32,
    }
}

/// The id order, or a run of its entries.
pub(in crate::segment) struct IdOrder<'a>(pub(in crate::segment) &'a [u8]);

impl IdOrder<'_> {
    pub(super) fn entry(&self, rank: usize) -> Result<(u32, u32), Error> {
        let at = rank.saturating_mul(ENTRY as usize);
        Ok((u32_at(self.0, at)?, u32_at(self.0, at.saturating_add(4))?))
    }

    /// The ranks of a hash among the first `count` entries.
    pub(super) fn run(&self, hash: u32, count: usize) -> Result<Range<usize>, Error> {
        let first = |enough: &dyn Fn(u32) -> bool| {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                if enough(self.entry(middle)?.0) { high = middle } else { low = middle + 1 }
            }
            Ok(low)
        };
        let start = first(&|stored| stored >= hash)?;
        Ok(start..first(&|stored| stored > hash)?.max(start))
    }

    /// Checks that every id of the file has its entry and that none stands twice: entries ascend by hash, then by id.
    pub(crate) fn verify(&self, ids: &IdView<'_>, file_seed: u64) -> Result<(), Error> {
        let mut before = None;
        for rank in 0..ids.count {
            let (stored, position) = self.entry(rank)?;
            if position as usize >= ids.count {
                return Err(Error::corrupt("id order", "a position beyond the last row"));
            }
            let id = ids.id(position)?;
            if stored != hash(file_seed, &id) {
                return Err(Error::corrupt("id order", format!("{id} has another hash")));
            }
            let entry = Some((stored, id));
            if before >= entry {
                let id = entry.map(|e| e.1.to_string()).unwrap_or_default();
                return Err(Error::corrupt("id order", format!("{id} is out of order or there twice")));
            }
            before = entry;
        }
        Ok(())
    }
}
