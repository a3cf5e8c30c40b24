//! Pages of the rows that match a filter, in the order in which they are stored or in that of the values of a field. The order comes
//! from the index of the field: only blocks that may have rows of the page are read, and no stored field.
//!
//! A row with several values stands where its least value does, or from the greatest on where its greatest does. Rows without a
//! value are last. Rows of equal values are in order of segment and position.

use super::{Missing, kinds};
use crate::error::Error;
use crate::payload::{Filter, check_sorted};
use crate::row_set::{RowSet, Selected};
use crate::search::answer::RowPlace;
use crate::search::rows::{RowPage, RowReads};
use crate::search::scratch::Scratch;
use crate::search::select::Selection;
use crate::search::step::Step;
use crate::search::view::View;
use crate::segment::payload::{IndexHead, SortedHead};
use crate::sort;
use crate::storage::{Read, each_once};

/// About so many pairs are in a block.
const BLOCK: usize = 1024;
/// At most so many blocks of a segment are asked for at once.
const AHEAD: usize = 16;

/// Which rows that match are wanted, and what of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RowsQuery {
    /// Only rows that match; `None`: all.
    pub filter: Option<Filter>,
    /// The field by whose values they are sorted: numbers or timestamps. `None`: they come as they are stored.
    pub sort_by: Option<String>,
    /// From the greatest value on.
    pub descending: bool,
    /// So many rows are left out.
    pub offset: usize,
    /// Then so many are read, at most.
    pub limit: usize,
    /// Whether rows have their vector.
    pub vectors: bool,
    /// Whether rows have their stored fields.
    pub fields: bool,
}

setters!(RowsQuery {
    filter: impl Into<Option<Filter>>,
    sort_by: impl Into<Option<String>>,
    descending: bool,
    offset: usize,
    vectors: bool,
    fields: bool,
});

impl RowsQuery {
    /// The first so many rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        RowsQuery { limit, ..RowsQuery::default() }
    }
}

/// A page under way.
pub(crate) struct Page {
    query: RowsQuery,
    selection: Selection,
    rows: Option<Selected>,
    /// Of a page that is sorted: for each segment the values that were read.
    order: Vec<Ordered>,
    reads: Option<RowReads>,
}

/// The rows of one segment in the order of their values, as far as they are known.
struct Ordered {
    /// Rows that have no place yet.
    left: Vec<u64>,
    /// In the order of the page: pairs of a key and a position.
    found: Vec<(u64, u32)>,
    /// The next block of the index.
    next: usize,
    blocks: usize,
}

impl Page {
    /// Checks the arguments; reads nothing.
    ///
    /// # Errors
    /// `filter`, of a filter or of a field by which rows cannot be sorted.
    pub(in crate::search) fn new(views: &[View<'_>], mut query: RowsQuery) -> Result<Self, Error> {
        let selection = Selection::by(views, query.filter.take())?;
        if let Some(name) = &query.sort_by {
            check_sorted(name, kinds(views))?;
        }
        Ok(Page { query, selection, rows: None, order: Vec::new(), reads: None })
    }

    /// Goes as far as the available bytes allow.
    pub(in crate::search) fn step(
        &mut self,
        views: &[View<'_>],
        scratch: &mut Scratch,
    ) -> Result<Step<RowPage>, Error> {
        if let Some(reads) = &mut self.reads {
            return reads.step(views, scratch);
        }
        let rows = match &self.rows {
            Some(rows) => rows,
            None => match self.selection.step(views, scratch)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(rows) => self.rows.insert(rows),
            },
        };
        let end = self.query.offset.saturating_add(self.query.limit);
        let places = match &self.query.sort_by {
            None => stored(views, rows, end.saturating_add(1)),
            Some(field) => {
                if self.order.is_empty() {
                    for (view, rows) in views.iter().zip(rows.iter()) {
                        self.order.push(Ordered::new(view, field, rows.as_deref())?);
                    }
                }
                let (mut reads, down) = (Vec::new(), self.query.descending);
                for (of, view) in self.order.iter_mut().zip(views) {
                    of.step(view, field, down, end.saturating_add(1), &mut reads)?;
                }
                if !reads.is_empty() {
                    each_once(&mut reads);
                    return Ok(Step::Need(reads));
                }
                merged(&self.order, down, end.saturating_add(1))
            }
        };
        let next = places.get(end).copied();
        let page = places.into_iter().take(end).skip(self.query.offset).collect();
        let reads = RowReads::new((page, next), self.query.vectors, self.query.fields);
        self.reads.insert(reads).step(views, scratch)
    }

    /// The bytes that it has allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        let of = |of: &Ordered| crate::memory::bytes(&of.left) + crate::memory::bytes(&of.found);
        let order = self.order.iter().map(of).sum::<u64>();
        self.selection.bytes() + order + self.reads.as_ref().map_or(0, RowReads::bytes)
    }
}

/// The first `most` rows as they are stored.
fn stored(views: &[View<'_>], rows: &Selected, most: usize) -> Vec<RowPlace> {
    let mut places = Vec::new();
    for ((view, rows), segment) in views.iter().zip(rows.iter()).zip(0..) {
        let view = view.of_rows(rows.as_deref());
        let left = most - places.len();
        let positions = view.positions(0..view.segment.count() as u32).take(left);
        places.extend(positions.map(|position| RowPlace { segment, position }));
    }
    places
}

/// The first `most` rows of all segments, by value, then segment, then position; then those without a value.
fn merged(order: &[Ordered], down: bool, most: usize) -> Vec<RowPlace> {
    let of = |(of, segment): (&Ordered, u32)| {
        let place = move |&(key, position): &(u64, u32)| {
            (if down { u64::MAX - key } else { key }, RowPlace { segment, position })
        };
        of.found.iter().map(place).collect::<Vec<_>>()
    };
    let mut found: Vec<(u64, RowPlace)> = order.iter().zip(0..).flat_map(of).collect();
    sort::by(&mut found, Ord::cmp);
    let mut places: Vec<RowPlace> = found.into_iter().take(most).map(|(_, place)| place).collect();
    for (of, segment) in order.iter().zip(0..).filter(|(of, _)| of.next >= of.blocks) {
        let wanted = most.saturating_sub(places.len());
        let positions = of.left.iter().zip(0..).flat_map(|(&bits, word)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit)
        });
        places.extend(positions.take(wanted).map(|position| RowPlace { segment, position }));
    }
    places
}

/// The index of a field, if the segment has one by which rows are sorted.
fn index<'a>(view: &View<'a>, field: &str) -> Option<&'a SortedHead> {
    match &view.segment.payload.as_ref()?.get(field)?.index {
        IndexHead::Sorted(head) => Some(head),
        _ => None,
    }
}

impl Ordered {
    fn new(view: &View<'_>, field: &str, rows: Option<&RowSet>) -> Result<Self, Error> {
        let count = view.segment.count();
        let left = match rows {
            Some(rows) => rows.words().to_vec(),
            None => RowSet::of_words(RowSet::no_words(count)?, count)?.complement()?.words().to_vec(),
        };
        let blocks = index(view, field).map_or(0, SortedHead::blocks);
        Ok(Ordered { left, found: Vec::new(), next: 0, blocks })
    }

    /// Reads block after block, until `most` rows are found.
    fn step(
        &mut self,
        view: &View<'_>,
        name: &str,
        down: bool,
        most: usize,
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        let Some(head) = index(view, name) else { return Ok(()) };
        let mut pairs = Vec::new();
        // No row that is left may be missed: a key that ends a block may go on in the next one.
        while self.next < self.blocks && (self.found.len() < most || self.goes_on(head, down)) {
            let block = if down { self.blocks - 1 - self.next } else { self.next };
            let Some(read) = head.block(block) else { break };
            let Some(bytes) = view.source.get(read.extent) else {
                // As many as may be needed, in one wave.
                let wanted = (most - self.found.len().min(most)).div_ceil(BLOCK) + 1;
                let ahead = (self.next..self.blocks).take(wanted.min(AHEAD));
                let number = |next: usize| if down { self.blocks - 1 - next } else { next };
                let sorted = ahead.filter_map(|next| head.block(number(next))).collect();
                Missing { sorted, ..Missing::default() }.into_reads(view, reads);
                return Ok(());
            };
            pairs.clear();
            head.decode(block, bytes)?.each(&mut |key, position| pairs.push((key, position)))?;
            if down {
                pairs.reverse();
            }
            pairs.iter().for_each(|&(key, position)| self.take(key, position));
            self.next += 1;
        }
        Ok(())
    }

    /// Whether the next block may have the key that was found last.
    fn goes_on(&self, head: &SortedHead, down: bool) -> bool {
        let Some(&(last, _)) = self.found.last() else { return true };
        let block = if down { self.blocks - 1 - self.next } else { self.next };
        head.keys(block).is_some_and(|(low, high)| (low..=high).contains(&last))
    }

    /// Finds a row that is left.
    fn take(&mut self, key: u64, position: u32) {
        let (word, bit) = (position as usize / 64, 1 << (position % 64));
        if let Some(word) = self.left.get_mut(word).filter(|word| **word & bit != 0) {
            *word &= !bit;
            self.found.push((key, position));
        }
    }
}
