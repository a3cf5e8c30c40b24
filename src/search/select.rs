//! From the options of a search to the set of rows that may be hits: `among` and `exclude`, combined by *and*.

use super::lookup::find;
use super::options::SearchOptions;
use super::step::Step;
use super::view::View;
use crate::error::Error;
use crate::id::Id;
use crate::row_set::{RowSet, SharedRows};
use crate::storage::{Read, in_order};

/// A selection under way.
pub(crate) struct Selection {
    among: Option<Lookups>,
    exclude: Lookups,
    /// Rows that were selected before.
    rows: Option<SharedRows>,
}

/// The lookups of some ids.
#[derive(Default)]
struct Lookups {
    ids: Vec<Id>,
    /// Of the first ids.
    positions: Vec<u32>,
    unknown: Vec<String>,
}

impl Selection {
    /// The selection of these options, if they select rows by id. The ids are moved out of the options.
    pub(super) fn of(o: &mut SearchOptions) -> Option<Self> {
        let among = o.among.take().map(Lookups::of);
        let exclude = Lookups::of(std::mem::take(&mut o.exclude));
        let any = among.is_some() || !exclude.ids.is_empty();
        any.then(|| Selection { among, exclude, ..Selection::new(o.rows.take()) })
    }

    /// The selection of these rows (`None`: all).
    pub(super) fn new(rows: Option<SharedRows>) -> Self {
        Selection { among: None, exclude: Lookups::default(), rows }
    }

    /// The same without a row.
    pub(super) fn without(mut self, position: u32) -> Self {
        self.exclude.positions.push(position);
        self
    }

    /// Goes as far as the available bytes allow. `None`: every row may be a hit.
    ///
    /// # Errors
    /// `unknown-id`.
    pub(super) fn step(&mut self, view: &View<'_>) -> Result<Step<Option<SharedRows>>, Error> {
        let mut reads = Vec::new();
        for lookups in self.among.iter_mut().chain([&mut self.exclude]) {
            lookups.step(view, &mut reads)?;
        }
        if !reads.is_empty() {
            in_order(&mut reads);
            reads.dedup();
            return Ok(Step::Need(reads));
        }
        let count = view.segment.count();
        let among = self.among.iter().flat_map(|among| &among.unknown);
        let unknown: Vec<&String> = among.chain(&self.exclude.unknown).collect();
        if let Some(id) = unknown.first() {
            return Err(Error::UnknownId { id: id.to_string(), others: unknown.len() - 1 });
        }
        let mut rows = RowSet::of(count, std::mem::take(&mut self.exclude.positions))?.complement()?;
        if let Some(among) = &mut self.among {
            rows = rows.and(&RowSet::of(count, std::mem::take(&mut among.positions))?)?;
        }
        if let Some(before) = &self.rows {
            rows = rows.and(before)?;
        }
        Ok(Step::Done((!rows.is_full()).then(|| SharedRows::new(rows))))
    }
}

impl Lookups {
    fn of(ids: Vec<Id>) -> Self {
        Lookups { ids, ..Lookups::default() }
    }

    /// Looks up the ids whose bytes are available; adds the reads of the others.
    fn step(&mut self, view: &View<'_>, reads: &mut Vec<Read>) -> Result<(), Error> {
        let mut left = Vec::new();
        for id in self.ids.drain(..) {
            match find(view, &id)? {
                Step::Done(Some(position)) => self.positions.push(position),
                Step::Done(None) => self.unknown.push(id.to_string()),
                Step::Need(more) => {
                    reads.extend(more);
                    left.push(id);
                }
            }
        }
        self.ids = left;
        Ok(())
    }
}
