//! Many ids at once: the rows of ids, and the ids of rows.

use super::{Bytes, Index};
use crate::error::Error;
use crate::id::{Id, IdRef, Ids};
use crate::memory::room_for;
use crate::search::{RowPlace, Step, View};
use crate::storage::{Extent, Read, each_once};

impl Index {
    /// The ids of the rows at these positions of a segment, dead ones too, in this order.
    ///
    /// # Errors
    /// `argument` for a segment or a position that is not there; `io`, `checksum`, `corrupt`.
    pub(crate) fn ids_at(&self, segment: usize, positions: &[u32]) -> Result<Ids, Error> {
        self.step_views(|views| {
            let none = || Error::argument("segment", format!("there is no segment {segment}"));
            let view = views.get(segment).ok_or_else(none)?;
            let count = view.segment.count();
            if let Some(position) = positions.iter().find(|&&position| position as usize >= count) {
                let detail = format!("{position} is no position of a segment of {count} rows");
                return Err(Error::argument("positions", detail));
            }
            ids_of(view, positions)
        })
    }

    /// Where the live row of each of these ids is: of several segments, in the last that has it.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub(crate) fn find_all(&self, ids: &Ids) -> Result<Vec<Option<RowPlace>>, Error> {
        self.step_views(|views| {
            let mut found = room_for(ids.len())?;
            found.resize(ids.len(), None);
            let mut reads = Vec::new();
            for (segment, view) in views.iter().enumerate().rev() {
                find_in(view, segment as u32, ids, &mut found, &mut reads)?;
            }
            Ok(done(found, reads))
        })
    }

    /// Calls `step` with views of the segments until it is done: once, if the files are here as a whole.
    pub(crate) fn step_views<T>(
        &self,
        mut step: impl FnMut(&[View<'_>]) -> Result<Step<T>, Error>,
    ) -> Result<T, Error> {
        match &self.bytes {
            Bytes::Local { members, files, .. } => members.with_files(files, |views| step(views)?.whole()),
            Bytes::Paged(reading) => reading.drive(step).map(|(value, _)| value),
        }
    }
}

fn done<T>(value: T, mut reads: Vec<Read>) -> Step<T> {
    each_once(&mut reads);
    if reads.is_empty() { Step::Done(value) } else { Step::Need(reads) }
}

/// The blocks of a segment around extents that are not available.
fn blocks(view: &View<'_>, absent: Vec<Extent>) -> Vec<Read> {
    view.placed(absent.into_iter().map(|extent| view.segment.block_around(extent)).collect())
}

fn ids_of(view: &View<'_>, positions: &[u32]) -> Result<Step<Ids>, Error> {
    let whole = view.segment.whole_ids(view.source)?;
    let (mut numbers, mut texts, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for &position in positions {
        let id = match &whole {
            Some(whole) => Ok(whole.id(position)?),
            None => view.segment.id(view.source, position)?,
        };
        match id {
            Ok(Id::Number(number)) => numbers.push(number),
            Ok(Id::Text(text)) => texts.push(text),
            Err(absent) => reads.extend(blocks(view, absent)),
        }
    }
    let ids = if view.segment.header.text_ids { Ids::Texts(texts) } else { Ids::Numbers(numbers) };
    Ok(done(ids, reads))
}

/// Looks up the ids of which no row was found yet.
fn find_in(
    view: &View<'_>,
    segment: u32,
    ids: &Ids,
    found: &mut [Option<RowPlace>],
    reads: &mut Vec<Read>,
) -> Result<(), Error> {
    if view.count() == 0 || view.segment.header.text_ids != matches!(ids, Ids::Texts(_)) {
        return Ok(());
    }
    let whole = view.segment.whole_ids(view.source)?;
    let mut find = |id: IdRef<'_>| match &whole {
        Some(whole) => whole.find(id),
        None => match view.segment.find(view.source, &id.to_id())? {
            Ok(position) => Ok(position),
            Err(absent) => {
                reads.extend(blocks(view, absent));
                Ok(None)
            }
        },
    };
    for (id, place) in ids.iter().zip(found).filter(|(_, place)| place.is_none()) {
        let lives = |&position: &u32| view.rows.is_none_or(|rows| rows.contains(position));
        *place = find(id)?.filter(lives).map(|position| RowPlace { segment, position });
    }
    Ok(())
}
