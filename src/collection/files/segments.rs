//! Opens the segments of a collection, and makes an index of them.

use std::sync::Arc;

use crate::collection::files::manifest::SegmentEntry;
use crate::collection::files::{Place, done, segment_name};
use crate::collection::options::CollectionOptions;
use crate::collection::state::State;
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::index::{Index, OpenOptions, OpenPart};
use crate::row_set::RowSet;
use crate::search::RowPlace;
use crate::segment::PositionSet;
use crate::storage::{Access, DirReader};

/// Facts of a segment file that was just written.
pub(crate) struct Written {
    pub(crate) length: u64,
    pub(crate) rows: u32,
    pub(crate) sequence: u64,
    pub(crate) merged: bool,
}

impl SegmentEntry {
    /// The entry of a file that was just written, and the file opened.
    pub(crate) fn of_file(place: &Place, number: u64, written: Written) -> Result<(Self, OpenPart), Error> {
        let Written { length, rows, sequence, merged } = written;
        let mut entry =
            SegmentEntry { number, length, file_id: [0; 16], rows, merged, sequence, dead: Vec::new() };
        let mut part = open(place, &entry)?;
        let header = &part.open()?.header;
        if header.count != rows as usize {
            return Err(Error::corrupt("segment", format!("{} rows, not {rows}", header.count)));
        }
        entry.file_id = header.file_id;
        Ok((entry, part))
    }

    /// Opens the file, which must be the one that was written, with its dead rows.
    pub(crate) fn part(&self, place: &Place) -> Result<OpenPart, Error> {
        let path = || place.path(&segment_name(self.number)).display().to_string();
        let opened = open(place, self).and_then(|mut part| {
            let header = &part.open()?.header;
            if header.file_id != self.file_id || header.count != self.rows as usize {
                return Err(Error::corrupt("segment", "it is another file than the manifest names"));
            }
            part.dead = self.dead_rows()?;
            Ok(part)
        });
        opened.map_err(|error| Error::InSegment { path: path(), error: Box::new(error) })
    }

    /// Its dead rows; `None`: there are none.
    pub(crate) fn dead_rows(&self) -> Result<Option<PositionSet>, Error> {
        let decode = |bytes: &[u8]| PositionSet::decode(bytes, self.rows as usize, &self.file_id, 0);
        (!self.dead.is_empty()).then(|| decode(&self.dead)).transpose()
    }

    /// Sets its dead rows by the live ones; `None`: they are as they were.
    pub(crate) fn set_dead(&mut self, alive: Option<&RowSet>) -> Result<(), Error> {
        if let Some(alive) = alive {
            let dead = PositionSet::of_row_set(alive.clone().complement()?)?;
            self.dead = dead.encode(&self.file_id, 0);
        }
        Ok(())
    }
}

impl State {
    /// The entries of the segments, with their dead rows.
    pub(crate) fn stored_entries(&self) -> Result<Vec<SegmentEntry>, Error> {
        let mut entries = self.entries.to_vec();
        for (number, entry) in entries.iter_mut().enumerate() {
            entry.set_dead(self.index.as_ref().and_then(|index| index.alive(number)).as_deref())?;
        }
        Ok(entries)
    }
}

/// Where the live rows of these ids are.
pub(crate) fn find(index: &Index, ids: &[&Id]) -> Result<Vec<Option<RowPlace>>, Error> {
    let texts = index.info().ids == "text";
    let mut wanted = if texts { Ids::Texts(Vec::new()) } else { Ids::Numbers(Vec::new()) };
    let mut at = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        match (&mut wanted, id) {
            (Ids::Numbers(numbers), Id::Number(id)) => numbers.push(*id),
            (Ids::Texts(texts), Id::Text(id)) => texts.push(id.clone()),
            // Of the other kind: no row has it.
            _ => continue,
        }
        at.push(number);
    }
    let mut found = vec![None; ids.len()];
    at.into_iter().zip(index.find_all(&wanted)?).for_each(|(number, place)| found[number] = place);
    Ok(found)
}

fn open(place: &Place, entry: &SegmentEntry) -> Result<OpenPart, Error> {
    let path = place.path(&segment_name(entry.number));
    let file = done(&path, place.dir.open(&path, Access::Read))?;
    let length = file.length()?;
    if length != entry.length {
        return Err(Error::Length { section: "segment", expected: entry.length, got: length });
    }
    Ok(match file.map()? {
        Some(whole) => OpenPart::whole(whole, length),
        None => OpenPart::paged(Box::new(DirReader::new(file)?)),
    })
}

/// The index of these segments without `remove`, and with `added` behind them; `None` if none is left.
pub(crate) fn with_segments(
    index: Option<&Index>,
    remove: &[usize],
    added: Vec<OpenPart>,
    options: &CollectionOptions,
) -> Result<Option<Arc<Index>>, Error> {
    let options = OpenOptions::new().memory_budget(options.memory_budget);
    let made = match index {
        Some(index) if index.segments().len() + added.len() > remove.len() => {
            index.with_segments(remove, added, &options)?
        }
        None if !added.is_empty() => Index::from_parts(added, &options)?,
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(made)))
}
