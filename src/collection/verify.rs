//! Checks all that a collection has stored.

use super::files::segments::find;
use super::state::Snapshot;
use super::state::scan;
use crate::error::Error;
use crate::id::Id;
use crate::index::Index;
use crate::search::RowPlace;

/// Rows that are looked up at once.
const PAGE: usize = 4096;

impl Snapshot {
    /// Checks every byte of the segments against its checksum, that each live row is found by its id where it is and nowhere
    /// else, and that there are as many as are counted. The log was checked when the collection was opened. Calls `tick` with the
    /// number of rows that are done.
    ///
    /// # Errors
    /// `checksum`, `corrupt`, `length`, `io`, which name the segment; those of `tick`.
    pub fn verify(&self, mut tick: impl FnMut(usize) -> Result<(), Error>) -> Result<(), Error> {
        let mut count = 0;
        if let Some(index) = self.0.index.as_deref() {
            for segment in 0..index.segments().len() {
                index.verify_segment(segment)?;
                for page in self.live_of(index, segment).chunks(PAGE) {
                    self.verify_page(index, segment, page)?;
                    count += page.len();
                    tick(count)?;
                }
            }
        }
        count += self.verify_memtable()?;
        tick(count)?;
        match self.count() {
            counted if counted == count => Ok(()),
            counted => {
                let detail = format!("there are {count} live rows, but {counted} are counted");
                Err(Error::corrupt("collection", detail))
            }
        }
    }

    /// The positions of the live rows of a segment.
    fn live_of(&self, index: &Index, segment: usize) -> Vec<u32> {
        let alive = index.alive(segment);
        let rows = self.0.entries.get(segment).map_or(0, |entry| entry.rows);
        (0..rows).filter(|&at| alive.as_ref().is_none_or(|alive| alive.contains(at))).collect()
    }

    fn verify_page(&self, index: &Index, segment: usize, page: &[u32]) -> Result<(), Error> {
        let ids = index.ids_at(segment, page)?;
        let places = index.find_all(&ids)?;
        let ids = ids.into_each();
        let in_memory = scan::find(&self.0.memtable, &ids);
        for (((id, place), slot), &position) in ids.iter().zip(places).zip(in_memory).zip(page) {
            let here = RowPlace { segment: segment as u32, position };
            if place != Some(here) || slot.is_some() {
                return Err(twice_or_lost(id));
            }
        }
        Ok(())
    }

    /// Returns how many rows are in memory.
    fn verify_memtable(&self) -> Result<usize, Error> {
        let memtable = &self.0.memtable;
        let rows = (0..memtable.count() as u32).map(|slot| (slot, memtable.place(slot)));
        let live = rows.filter(|(_, (chunk, row))| chunk.is_live(*row));
        let (slots, ids): (Vec<u32>, Vec<Id>) =
            live.map(|(slot, (chunk, row))| (slot, chunk.ids[row].clone())).unzip();
        let found = scan::find(memtable, &ids);
        let stored = match self.0.index.as_deref() {
            Some(index) => find(index, &ids.iter().collect::<Vec<_>>())?,
            None => vec![None; ids.len()],
        };
        for (((id, slot), found), stored) in ids.iter().zip(slots).zip(found).zip(stored) {
            if found != Some(slot) || stored.is_some() {
                return Err(twice_or_lost(id));
            }
        }
        Ok(ids.len())
    }
}

fn twice_or_lost(id: &Id) -> Error {
    Error::corrupt("ids", format!("the row {id} is there twice, or is not found by its id"))
}
