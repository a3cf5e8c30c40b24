//! Rows in the order of the values of a field, which comes from the index of the field: only blocks that may have rows of a page are
//! read, and no stored field.
//!
//! A row with several values stands where its least value does, or from the greatest on where its greatest does. Rows without a
//! value are last. Rows of equal values are in order of segment and position.

use super::Missing;
use crate::error::Error;
use crate::payload::{FieldKind, FieldType, as_float};
use crate::row_set::{RowSet, Selected};
use crate::search::answer::RowPlace;
use crate::search::step::Step;
use crate::search::view::View;
use crate::segment::payload::{IndexHead, SortedHead};
use crate::sort;
use crate::storage::{Read, each_once};

/// About so many pairs are in a block.
const BLOCK: usize = 1024;
/// At most so many blocks of a segment are asked for at once.
const AHEAD: usize = 16;

/// The first rows by the values of a field, of all segments and of rows beside them.
pub(crate) struct Order {
    field: String,
    descending: bool,
    most: usize,
    /// One for each segment, then those beside them.
    each: Vec<Ordered>,
}

/// The rows of one segment in the order of their values, as far as they are known.
#[derive(Default)]
struct Ordered {
    /// Rows that have no place yet.
    left: Vec<u64>,
    /// In the order of the page: pairs of a key and a position.
    found: Vec<(u64, u32)>,
    /// The next block of the index.
    next: usize,
    blocks: usize,
    /// Whether keys are those of whole numbers, and are to be those of floats.
    as_floats: bool,
}

/// The first `most` rows as they are stored.
pub(crate) fn stored(views: &[View<'_>], rows: &Selected, most: usize) -> Vec<RowPlace> {
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

impl Order {
    /// Of rows that may be in the order, those of each segment, by a field of this type. Reads nothing.
    pub(crate) fn new(
        views: &[View<'_>],
        rows: &Selected,
        (field, kind): (&str, FieldType),
        descending: bool,
        most: usize,
    ) -> Result<Self, Error> {
        let each = views.iter().zip(rows.iter());
        let each = each.map(|(view, rows)| Ordered::new(view, (field, kind), rows.as_deref()));
        let each = each.collect::<Result<_, _>>()?;
        Ok(Order { field: field.to_owned(), descending, most, each })
    }

    /// Adds rows that are in no segment: their places name the segment behind the last. `pairs` are keys and positions, rising.
    pub(crate) fn add(&mut self, rows: &RowSet, pairs: impl DoubleEndedIterator<Item = (u64, u32)>) {
        let mut of = Ordered { left: rows.words().to_vec(), ..Ordered::default() };
        match self.descending {
            true => pairs.rev().for_each(|(key, position)| of.take(key, position)),
            false => pairs.for_each(|(key, position)| of.take(key, position)),
        }
        self.each.push(of);
    }

    /// Goes as far as the available bytes allow.
    pub(crate) fn step(&mut self, views: &[View<'_>]) -> Result<Step<Vec<RowPlace>>, Error> {
        let mut reads = Vec::new();
        for (of, view) in self.each.iter_mut().zip(views) {
            of.step(view, &self.field, self.descending, self.most, &mut reads)?;
        }
        if !reads.is_empty() {
            each_once(&mut reads);
            return Ok(Step::Need(reads));
        }
        Ok(Step::Done(merged(&self.each, self.descending, self.most)))
    }

    /// The bytes that it has allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        let of = |of: &Ordered| crate::memory::bytes(&of.left) + crate::memory::bytes(&of.found);
        self.each.iter().map(of).sum::<u64>()
    }
}

impl Ordered {
    fn new(view: &View<'_>, (field, of): (&str, FieldType), rows: Option<&RowSet>) -> Result<Self, Error> {
        let count = view.segment.count();
        let left = match rows {
            Some(rows) => rows.words().to_vec(),
            None => RowSet::of_words(RowSet::no_words(count)?, count)?.complement()?.words().to_vec(),
        };
        let blocks = index(view, field).map_or(0, SortedHead::blocks);
        let own =
            view.segment.payload.as_ref().and_then(|payload| payload.get(field)).map(|field| field.kind);
        let as_floats = of == FieldType::Float && own == Some(FieldKind::Indexed(FieldType::Integer));
        Ok(Ordered { left, blocks, as_floats, ..Ordered::default() })
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
            head.decode(block, bytes)?.each(&mut |key, position| pairs.push((self.key(key), position)))?;
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
        head.keys(block).is_some_and(|(low, high)| (self.key(low)..=self.key(high)).contains(&last))
    }

    fn key(&self, key: u64) -> u64 {
        if self.as_floats { as_float(key) } else { key }
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
