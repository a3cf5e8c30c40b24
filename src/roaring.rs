//! Sets of positions to and from the portable Roaring format, which other programs read.

use roaring::RoaringBitmap;

use crate::error::Error;
use crate::segment::PositionSet;

const SECTION: &str = "Roaring bitmap";

impl PositionSet {
    /// The set in the portable [Roaring format](https://github.com/RoaringBitmap/RoaringFormatSpec), with runs where they
    /// are smaller. Needs the feature `native`.
    ///
    /// # Errors
    /// `internal`: the memory that is written to fails.
    pub fn to_roaring(&self) -> Result<Vec<u8>, Error> {
        let fault = |error: String| Error::internal(format!("a Roaring bitmap was not written: {error}"));
        let mut bitmap = RoaringBitmap::from_sorted_iter(self.iter()).map_err(|e| fault(e.to_string()))?;
        bitmap.optimize();
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        bitmap.serialize_into(&mut bytes).map_err(|e| fault(e.to_string()))?;
        Ok(bytes)
    }

    /// The set of a segment with so many rows, from the portable Roaring format. Needs the feature `native`.
    ///
    /// # Errors
    /// `corrupt` for bytes that are no such bitmap or go on after it; `argument` for a position that no row has, or more
    /// rows than 2³¹ − 1; `out-of-memory`.
    pub fn from_roaring(bytes: &[u8], rows: usize) -> Result<Self, Error> {
        let mut rest = bytes;
        let bitmap = RoaringBitmap::deserialize_from(&mut rest)
            .map_err(|error| Error::corrupt(SECTION, error.to_string()))?;
        if !rest.is_empty() {
            return Err(Error::corrupt(SECTION, format!("{} bytes follow it", rest.len())));
        }
        // A few bytes may stand for 2^32 positions: they are looked at only where there are as many rows.
        PositionSet::from_positions(rows, bitmap.max())?;
        PositionSet::from_positions(rows, bitmap)
    }
}
