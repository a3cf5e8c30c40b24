//! From the options of a search to the sets of rows that may be hits, one for each segment: `among`, `exclude` and `filter`,
//! combined by *and*.

use super::answer::RowPlace;
use super::filter::{Evaluation, Matches};
use super::lookup::find;
use super::options::SearchOptions;
use super::scratch::Scratch;
use super::step::Step;
use super::view::View;
use crate::error::Error;
use crate::id::Id;
use crate::payload::Filter;
use crate::row_set::{RowSet, Selected, SharedRows};
use crate::storage::{Read, each_once};

/// A selection under way.
pub(crate) struct Selection {
    pub(super) among: Option<Lookups>,
    pub(super) exclude: Lookups,
    pub(super) filter: Option<Evaluation>,
    /// Rows that were selected before.
    rows: Option<Selected>,
}

/// The lookups of some ids.
#[derive(Default)]
pub(super) struct Lookups {
    pub(super) ids: Vec<Id>,
    /// The rows of the ids before these.
    pub(super) found: Vec<RowPlace>,
    pub(super) unknown: Vec<String>,
}

impl Selection {
    /// The selection of these options, if they select rows. Ids and filter are moved out of the options.
    ///
    /// # Errors
    /// `filter`.
    pub(super) fn of(views: &[View<'_>], o: &mut SearchOptions) -> Result<Option<Self>, Error> {
        let among = o.among.take().map(Lookups::of);
        let exclude = Lookups::of(std::mem::take(&mut o.exclude));
        let checked = o.filter_checked;
        let filter = o.filter.take().map(|filter| Evaluation::new(views, filter, checked)).transpose()?;
        let any = among.is_some() || !exclude.ids.is_empty() || filter.is_some();
        Ok(any.then(|| Selection { among, exclude, filter, rows: o.rows.take() }))
    }

    /// The selection of these rows (`None`: all).
    pub(super) fn new(rows: Option<Selected>) -> Self {
        Selection { among: None, exclude: Lookups::default(), filter: None, rows }
    }

    /// The rows that a filter matches.
    ///
    /// # Errors
    /// `filter`.
    pub(super) fn by(views: &[View<'_>], filter: Option<Filter>) -> Result<Self, Error> {
        let filter = filter.map(|filter| Evaluation::new(views, filter, false)).transpose()?;
        Ok(Selection { filter, ..Selection::new(None) })
    }

    /// The same without a row.
    pub(super) fn without(mut self, row: RowPlace) -> Self {
        self.exclude.found.push(row);
        self
    }

    /// Goes as far as the available bytes allow.
    ///
    /// # Errors
    /// `unknown-id`.
    pub(super) fn step(
        &mut self,
        views: &[View<'_>],
        scratch: &mut Scratch,
    ) -> Result<Step<Selected>, Error> {
        let mut reads = Vec::new();
        for lookups in self.among.iter_mut().chain([&mut self.exclude]) {
            lookups.step(views, &mut reads)?;
        }
        if let Some(filter) = &mut self.filter {
            filter.step(views, scratch.matches.as_ref(), &mut reads)?;
        }
        if !reads.is_empty() {
            each_once(&mut reads);
            return Ok(Step::Need(reads));
        }
        let among = self.among.iter().flat_map(|among| &among.unknown);
        let unknown: Vec<&String> = among.chain(&self.exclude.unknown).collect();
        if let Some(id) = unknown.first() {
            return Err(Error::UnknownId { id: id.to_string(), others: unknown.len() - 1 });
        }
        let matches = match &mut self.filter {
            None => None,
            Some(filter) => {
                filter.finish(views, &mut scratch.matches)?;
                scratch.matches.as_ref()
            }
        };
        let mut rows = Vec::with_capacity(views.len());
        for (view, segment) in views.iter().zip(0..) {
            rows.push(self.rows_of(view, segment, matches)?);
        }
        Ok(Step::Done(rows.into()))
    }

    /// The rows of a segment that are selected.
    fn rows_of(
        &self,
        view: &View<'_>,
        segment: u32,
        matches: Option<&Matches>,
    ) -> Result<Option<SharedRows>, Error> {
        let count = view.segment.count();
        let matches = matches.map(|matches| matches.of(segment as usize)).transpose()?;
        let before = self.rows.as_ref().and_then(|rows| rows.get(segment as usize)?.as_deref());
        let mut excluded = self.exclude.positions(segment).peekable();
        // The only set is shared, not copied.
        if let (Some(rows), None, None, None, None) =
            (matches, excluded.peek(), &self.among, before, view.rows)
        {
            return Ok((!rows.is_full()).then(|| SharedRows::clone(rows)));
        }
        let mut rows = RowSet::of(count, excluded)?.complement()?;
        if let Some(among) = &self.among {
            rows = rows.and(&RowSet::of(count, among.positions(segment))?)?;
        }
        if let Some(matches) = matches {
            rows = rows.and(matches)?;
        }
        for set in before.into_iter().chain(view.rows) {
            rows = rows.and(set)?;
        }
        Ok((!rows.is_full()).then(|| SharedRows::new(rows)))
    }
}

impl Lookups {
    fn of(ids: Vec<Id>) -> Self {
        Lookups { ids, ..Lookups::default() }
    }

    /// The rows that were found in a segment.
    fn positions(&self, segment: u32) -> impl Iterator<Item = u32> + '_ {
        self.found.iter().filter(move |row| row.segment == segment).map(|row| row.position)
    }

    /// Looks up the ids whose bytes are available; adds the reads of the others.
    fn step(&mut self, views: &[View<'_>], reads: &mut Vec<Read>) -> Result<(), Error> {
        let mut left = Vec::new();
        for id in self.ids.drain(..) {
            match find(views, &id)? {
                Step::Done(Some(row)) => self.found.push(row),
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
