//! Where units are, from the start of their section, and the checksums they must have.

use super::SEEDS;
use super::cursor::{Cursor, put};
use crate::error::Error;
use crate::storage::{Expected, Extent, Read, checksum};

/// A unit, from the start of its section.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    pub(super) at: u64,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl Unit {
    pub(super) fn end(self) -> u64 {
        self.at.saturating_add(u64::from(self.length))
    }

    /// What the head says of a unit whose place is known from the one before it.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        put(out, u64::from(self.length));
        out.extend(self.checksum.to_le_bytes());
    }

    /// The unit that starts at `at`, which is moved behind it.
    pub(super) fn read(cursor: &mut Cursor<'_>, at: &mut u64) -> Result<Self, Error> {
        let unit = Unit { at: *at, length: cursor.short()?, checksum: cursor.u32()? };
        *at = unit.end();
        Ok(unit)
    }
}

/// A section of units.
#[derive(Clone, Copy)]
pub(super) struct Units {
    pub(super) section: Extent,
    pub(super) seed: u64,
    /// Bytes of its longest unit.
    pub(super) largest: u32,
}

impl Units {
    /// Those of section `number` of [`SECTIONS`](super::SECTIONS).
    pub(super) fn new(number: usize, section: Extent, largest: u32, file_seed: u64) -> Self {
        Units { section, seed: file_seed ^ SEEDS[number], largest }
    }

    pub(super) fn read(&self, unit: Unit) -> Read {
        let extent =
            Extent { offset: self.section.offset.saturating_add(unit.at), length: u64::from(unit.length) };
        Read { extent, expected: Expected::Short { seed: self.seed, at: unit.at, checksum: unit.checksum } }
    }

    /// Whether a unit is in the section, and has room.
    pub(super) fn hold(&self, unit: Unit) -> bool {
        unit.length > 0 && unit.length <= self.largest && unit.end() <= self.section.length
    }
}

/// A section that is written unit by unit.
pub(super) struct Written {
    seed: u64,
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) length: u64,
    pub(super) largest: u32,
}

impl Written {
    pub(super) fn new(number: usize, file_seed: u64) -> Self {
        Written { seed: file_seed ^ SEEDS[number], pieces: Vec::new(), length: 0, largest: 0 }
    }

    /// Adds a unit.
    ///
    /// # Errors
    /// `internal`, of one of 4 GiB.
    pub(super) fn push(&mut self, unit: Vec<u8>) -> Result<Unit, Error> {
        let length = u32::try_from(unit.len()).map_err(|_| Error::internal("a unit of 4 GiB"))?;
        let checksum = checksum::sum_at(self.seed, self.length, &unit) as u32;
        let place = Unit { at: self.length, length, checksum };
        self.largest = self.largest.max(length);
        self.length = place.end();
        self.pieces.push(unit);
        Ok(place)
    }
}
