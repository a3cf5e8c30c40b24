//! The rows of earlier segments whose ids a new segment has. The ids of each earlier segment are read once, as a whole,
//! and looked up among the new ones: what is held is a section of ids, and the ids of the new rows.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ids::{StoredIds, ids_in};
use crate::error::Error;
use crate::folder::manifest::{Dead, Entry};
use crate::id::Id;
use crate::segment::{PositionSet, Segment};
use crate::storage::Dir;

/// The ids of a new segment, and the rows that have them in earlier segments.
pub(super) struct Replaced {
    dir: Arc<dyn Dir>,
    folder: PathBuf,
    ids: HashSet<Id>,
    text: bool,
    /// By content id: another manifest may have the same segments.
    known: BTreeMap<String, Found>,
}

/// What was found in a segment.
struct Found {
    segment: Segment,
    rows: PositionSet,
}

impl Replaced {
    /// By the rows of the segment `new`, whose bytes are `file`, in a folder.
    pub(super) fn by(new: &Segment, file: &[u8], dir: Arc<dyn Dir>, folder: &Path) -> Result<Self, Error> {
        let view = ids_in(new, file)?;
        let ids = (0..new.count() as u32).map(|position| view.id(position)).collect::<Result<_, _>>()?;
        let text = new.header.text_ids;
        Ok(Replaced { dir, folder: folder.to_owned(), ids, text, known: BTreeMap::new() })
    }

    /// All dead rows of an earlier segment, if there are more than it has already.
    pub(super) fn dead_of(&mut self, entry: &Entry) -> Result<Option<(Dead, Vec<u8>)>, Error> {
        if !self.known.contains_key(&entry.content_id) {
            let found = self.find(entry)?;
            self.known.insert(entry.content_id.clone(), found);
        }
        let Some(found) = self.known.get(&entry.content_id) else { return Ok(None) };
        let rows = match &entry.dead {
            Some(dead) => {
                let bytes = dead.bytes(&*self.dir, &self.folder)?;
                found.rows.clone().or(&dead.rows(&bytes, &found.segment)?)?
            }
            None => found.rows.clone(),
        };
        let more = rows.len() as u64 > entry.dead.as_ref().map_or(0, |dead| dead.count);
        Ok(more.then(|| Dead::of(&rows, &found.segment.header.file_id)))
    }

    fn find(&self, entry: &Entry) -> Result<Found, Error> {
        let ids = StoredIds::read(&self.dir, &self.folder, entry)?;
        let segment = &ids.segment;
        if segment.header.text_ids != self.text {
            let kind = |text| if text { "text" } else { "numbers" };
            let (new, old) = (kind(self.text), kind(!self.text));
            let detail = format!("its ids are {new}, but those of {} are {old}: give {old}", entry.name());
            return Err(Error::argument("segment", detail));
        }
        let view = ids.view()?;
        let mut rows = Vec::new();
        for position in 0..segment.count() as u32 {
            if self.ids.contains(&view.id(position)?) {
                rows.push(position);
            }
        }
        let rows = PositionSet::from_positions(segment.count(), rows)?;
        Ok(Found { segment: ids.segment, rows })
    }
}
