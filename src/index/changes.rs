//! The index after a change: another index that shares what did not change. So a collection publishes a new state after
//! every write, while searches go on in the states before.

use std::sync::{Arc, OnceLock};

use super::parts::{Held, Opened, PartFile};
use super::scratches::Scratches;
use super::{Bytes, Index, OpenOptions, OpenPart};
use crate::budget::{Ledger, Part};
use crate::error::Error;
use crate::row_set::SharedRows;

impl Index {
    /// The same segments and files, of which these segments have other live rows. It costs some pointers a segment:
    /// nothing is read, and neither files, arena nor scratch memory are copied.
    ///
    /// # Errors
    /// `argument` for a segment that is not there, and for rows of another number; `budget` where the working memory
    /// has a limit.
    pub(crate) fn with_alive(&self, changes: Vec<(usize, SharedRows)>) -> Result<Index, Error> {
        let numbers: Vec<usize> = changes.iter().map(|change| change.0).collect();
        let members = self.members().with_alive(changes)?;
        let places = self.ledger.reserve(Part::Places, members.bytes())?;
        let mut held = self.held.clone();
        for (number, member) in members.iter().enumerate().filter(|(number, _)| numbers.contains(number)) {
            let rows = member.alive.as_deref();
            held[number].alive = rows.map(|rows| Held::of_rows(rows, &self.ledger)).transpose()?;
        }
        let bytes = match &self.bytes {
            Bytes::Local { files, scratches, .. } => {
                Bytes::Local { files: files.clone(), members, scratches: Arc::clone(scratches) }
            }
            Bytes::Paged(reading) => Bytes::Paged(Box::new(reading.with_members(members))),
        };
        let mut index = Index {
            bytes,
            segments: self.segments.clone(),
            all: OnceLock::new(),
            ledger: self.ledger.clone(),
            meter: self.meter.clone(),
            admission: Arc::clone(&self.admission),
            held,
            _places: places,
            missing: Arc::clone(&self.missing),
        };
        index.count_dead();
        Ok(index)
    }

    /// The same files without those of the segments `remove`, and with `add` behind them. Segments that stay are not
    /// opened again: only the fronts of `add` are read.
    ///
    /// Files that are here as a whole stay where they are. For files that are read piece by piece the memory is divided
    /// anew, from a budget of its own: the first searches read again what they need.
    ///
    /// # Errors
    /// As `Index::from_parts`; `argument` if no segment is left.
    pub(crate) fn with_segments(
        &self,
        remove: &[usize],
        add: Vec<OpenPart>,
        options: &OpenOptions,
    ) -> Result<Index, Error> {
        let (ledger, scratches) = match &self.bytes {
            Bytes::Local { scratches, .. } => (self.ledger.clone(), Arc::clone(scratches)),
            Bytes::Paged(_) => {
                let ledger = Ledger::new(options.memory_budget);
                ledger.set_working(self.ledger.memory().working);
                let scratches = Arc::new(Scratches::new(&ledger));
                (ledger, scratches)
            }
        };
        let stays = |number: &usize| !remove.contains(number);
        let mut opened: Vec<Opened> =
            (0..self.segments.len()).filter(stays).filter_map(|number| self.opened(number)).collect();
        for part in add {
            opened.push(Opened::new(part)?);
        }
        let mut index = Index::of_opened(opened, ledger, scratches, options)?;
        index.missing = Arc::clone(&self.missing);
        index.meter = self.meter.clone();
        Ok(index)
    }

    /// A segment of this index, for another.
    fn opened(&self, number: usize) -> Option<Opened> {
        let (member, facts) = (self.members().iter().nth(number)?, self.segments.get(number)?.clone());
        let (file, held) = match &self.bytes {
            Bytes::Local { files, .. } => {
                let file = PartFile::Whole(Arc::clone(files.get(number)?), facts.info.file_length);
                (file, self.held.get(number).cloned())
            }
            // The other index has a ledger of its own.
            Bytes::Paged(reading) => (PartFile::Paged(Arc::clone(reading.files().get(number)?)), None),
        };
        Some(Opened { segment: member.segment.clone(), alive: member.alive.clone(), facts, file, held })
    }

    /// The rows of a segment that are not dead; `None` if all are alive, or there is no such segment.
    pub(crate) fn alive(&self, segment: usize) -> Option<SharedRows> {
        self.members().iter().nth(segment)?.alive.clone()
    }
}
