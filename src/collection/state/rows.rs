//! Rows by their ids, and all ids: of the segments, then of memory.

use super::{Snapshot, scan};
use crate::collection::files::segments::find;
use crate::error::Error;
use crate::id::Id;
use crate::search::StoredRow;

/// The fields of a row that has none.
pub(super) const NO_FIELDS: &str = "{}";

impl Snapshot {
    /// The stored vector of `id`.
    ///
    /// # Errors
    /// `unknown-id`; those of [`Index::vector`](crate::Index::vector).
    pub fn vector(&self, id: &Id) -> Result<Vec<f32>, Error> {
        let row = self.get(std::slice::from_ref(id), true, false)?.pop().flatten();
        let vector = row.and_then(|row| row.vector);
        vector.ok_or_else(|| Error::UnknownId { id: id.to_string(), others: 0 })
    }

    /// Whether a live row has this id.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn has(&self, id: &Id) -> Result<bool, Error> {
        Ok(self.get(std::slice::from_ref(id), false, false)?.iter().any(Option::is_some))
    }

    /// The rows with these ids, with what is wanted of each; `None` for an id that no row has.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn get(&self, ids: &[Id], vectors: bool, fields: bool) -> Result<Vec<Option<StoredRow>>, Error> {
        let slots = scan::find(&self.0.memtable, ids);
        let row = |slot: Option<u32>| slot.map(|slot| self.row(slot, vectors, fields));
        let mut rows: Vec<Option<StoredRow>> = slots.into_iter().map(row).collect();
        let left: Vec<usize> = (0..ids.len()).filter(|&at| rows[at].is_none()).collect();
        let Some(index) = self.0.index.as_deref().filter(|_| !left.is_empty()) else { return Ok(rows) };
        let wanted: Vec<Id> = left.iter().map(|&at| ids[at].clone()).collect();
        let places = find(index, &wanted.iter().collect::<Vec<_>>())?;
        let stored = match fields && index.has_fields() {
            true => index.fields(&wanted)?,
            false => vec![None; wanted.len()],
        };
        for (((at, id), place), stored) in left.into_iter().zip(wanted).zip(places).zip(stored) {
            if place.is_none() {
                continue;
            }
            let vector = vectors.then(|| index.vector(&id)).transpose()?;
            let fields = fields.then(|| stored.unwrap_or_else(|| NO_FIELDS.into()));
            rows[at] = Some(StoredRow::new(id, vector, fields));
        }
        Ok(rows)
    }

    /// The ids of live rows in the order in which they are stored: at most `limit` of them, from row `from` on, dead rows
    /// counted; and the row to go on from, `None` at the end. Segments that are merged between two calls change the order:
    /// take all pages of one snapshot.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn ids(&self, from: u64, limit: usize) -> Result<(Vec<Id>, Option<u64>), Error> {
        let (mut ids, mut first) = (Vec::new(), 0u64);
        let segments = self.0.index.as_deref().map(|index| (index, index.segments()));
        for (number, facts) in segments.iter().flat_map(|(_, facts)| facts.iter().enumerate()) {
            let (count, index) = (facts.info.count as u64, segments.as_ref().map(|segments| segments.0));
            let start = from.max(first).min(first + count);
            let alive = index.and_then(|index| index.alive(number));
            let live = (start - first..count).map(|position| position as u32);
            let wanted = limit - ids.len();
            let live: Vec<u32> =
                live.filter(|&p| alive.as_ref().is_none_or(|rows| rows.contains(p))).take(wanted).collect();
            if let (Some(index), Some(&last)) = (index, live.last()) {
                ids.extend(index.ids_at(number, &live)?.into_each());
                if ids.len() == limit {
                    return Ok((ids, Some(first + u64::from(last) + 1)));
                }
            }
            first += count;
        }
        let memtable = &self.0.memtable;
        for slot in from.saturating_sub(first) as usize..memtable.count() {
            let (chunk, row) = memtable.place(slot as u32);
            if chunk.is_live(row) {
                ids.push(chunk.ids[row].clone());
            }
            if ids.len() == limit {
                return Ok((ids, Some(first + slot as u64 + 1)));
            }
        }
        Ok((ids, None))
    }

    /// A row in memory.
    fn row(&self, slot: u32, vectors: bool, fields: bool) -> StoredRow {
        let memtable = &self.0.memtable;
        let (chunk, row) = memtable.place(slot);
        let decode = |stage: usize| {
            let mut vector = vec![0.0; self.0.settings.dim];
            let finest = &memtable.epoch.0[stage];
            finest.codec.decode(chunk.code(stage, row, finest.stride), &mut vector);
            vector
        };
        let fields = fields.then(|| fields_of(&chunk.fields[row]));
        let vector = vectors.then(|| decode(memtable.epoch.0.len() - 1));
        StoredRow::new(chunk.ids[row].clone(), vector, fields)
    }
}

pub(super) fn fields_of(fields: &str) -> Box<str> {
    if fields.is_empty() { NO_FIELDS.into() } else { fields.into() }
}
