//! Rows in the order of the values of a field, which comes from the index of the field: only blocks and sets that may have rows
//! of a page are read, and no stored field.
//!
//! | file | duty |
//! |---|---|
//! | `keys`  | the rows of a segment by numbers and times |
//! | `terms` | by texts and booleans |
//!
//! A row with several values stands where its least value does, or from the greatest on where its greatest does. Rows without a
//! value are last. Rows of equal values are in order of segment and position.

mod keys;
mod terms;

use std::collections::BTreeMap;

use super::Key;
use crate::error::Error;
use crate::memory::bytes;
use crate::payload::{FieldKind, FieldType};
use crate::row_set::{RowSet, Selected};
use crate::search::answer::RowPlace;
use crate::search::step::Step;
use crate::search::view::View;
use crate::segment::payload::IndexHead;
use crate::sort;
use crate::storage::{Read, each_once};
use terms::Waiting;

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
    /// Rows that have no place yet, and how many they are.
    left: Vec<u64>,
    count: usize,
    /// In the order of the page: pairs of a key and a position. The key of a text is its number in `texts`, until all segments
    /// are done.
    found: Vec<(u64, u32)>,
    texts: Vec<Box<str>>,
    /// The next block of the index.
    next: usize,
    blocks: usize,
    /// So many blocks were asked for the last time, from this one on.
    ahead: (usize, usize),
    /// Of texts: those of the blocks before the next one, of which the rows are found before the `first`.
    waiting: Vec<Waiting>,
    first: usize,
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
    for (of, segment) in order.iter().zip(0..).filter(|(of, _)| of.is_done()) {
        let wanted = most.saturating_sub(places.len());
        let positions = of.left.iter().zip(0..).flat_map(|(&bits, word)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit)
        });
        places.extend(positions.take(wanted).map(|position| RowPlace { segment, position }));
    }
    places
}

/// As many reads of one section as there are slots for, from the first one on, without which nothing goes on.
fn fitting(view: &View<'_>, mut reads: Vec<Read>) -> Vec<Read> {
    let section = reads.first().and_then(|read| view.segment.section_extent(read.extent));
    if let Some(section) = section {
        reads.truncate(view.source.slots(section).count.max(1));
    }
    reads
}

/// The numbers of texts as those of their order among the texts of all segments.
fn rank(order: &mut [Ordered]) {
    let mut all: BTreeMap<Key, u64> = BTreeMap::new();
    for text in order.iter().flat_map(|of| &of.texts) {
        *all.entry(Key::Text(text.clone())).or_default() += 1;
    }
    let all: Vec<(Key, u64)> = all.into_iter().collect();
    for of in order.iter_mut().filter(|of| !of.texts.is_empty()) {
        for (key, _) in &mut of.found {
            let text = of.texts.get(*key as usize).map_or("", |text| text);
            *key =
                all.partition_point(|(other, _)| matches!(other, Key::Text(other) if **other < *text)) as u64;
        }
        of.texts.clear();
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

    /// Adds rows that are in no segment: their places name the segment behind the last. `pairs` are keys and positions, rising;
    /// where there are `texts`, which rise, a key is the number of one.
    pub(crate) fn add(
        &mut self,
        rows: &RowSet,
        texts: &[Box<str>],
        pairs: impl DoubleEndedIterator<Item = (u64, u32)>,
    ) {
        let mut of = Ordered::of(rows.words().to_vec());
        of.texts = texts.to_vec();
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
        rank(&mut self.each);
        Ok(Step::Done(merged(&self.each, self.descending, self.most)))
    }

    /// The bytes that it has allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        self.each.iter().map(Ordered::bytes).sum::<u64>()
    }
}

impl Ordered {
    fn of(left: Vec<u64>) -> Self {
        let count = left.iter().map(|word| word.count_ones() as usize).sum();
        Ordered { left, count, ..Ordered::default() }
    }

    fn new(view: &View<'_>, (field, of): (&str, FieldType), rows: Option<&RowSet>) -> Result<Self, Error> {
        let count = view.segment.count();
        let left = match rows {
            Some(rows) => rows.words().to_vec(),
            None => RowSet::of_words(RowSet::no_words(count)?, count)?.complement()?.words().to_vec(),
        };
        let field = view.segment.payload.as_ref().and_then(|payload| payload.get(field));
        let blocks = field.map_or(0, |field| match &field.index {
            IndexHead::Sorted(head) => head.blocks(),
            IndexHead::Terms(head) => head.blocks(),
            IndexHead::Geo(_) | IndexHead::None => 0,
        });
        let own = field.map(|field| field.kind);
        let as_floats = of == FieldType::Float && own == Some(FieldKind::Indexed(FieldType::Integer));
        Ok(Ordered { blocks, as_floats, ..Ordered::of(left) })
    }

    /// Reads block after block, until `most` rows are found or none is left.
    fn step(
        &mut self,
        view: &View<'_>,
        name: &str,
        down: bool,
        most: usize,
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        let Some(payload) = &view.segment.payload else { return Ok(()) };
        match payload.get(name).map(|field| &field.index) {
            Some(IndexHead::Sorted(head)) => self.by_keys(view, head, down, most, reads),
            Some(IndexHead::Terms(head)) => self.by_terms(view, (payload, head), down, most, reads),
            _ => Ok(()),
        }
    }

    /// The number of the block that is `next`.
    fn block(&self, next: usize, down: bool) -> usize {
        if down { self.blocks - 1 - next } else { next }
    }

    /// The reads of the blocks to ask for: as many as have the rows that are missing if those that are left stand anywhere, but
    /// for one time in forty; and twice as many as the last time, as they may stand at the end.
    #[inline(never)]
    fn ahead(
        &mut self,
        view: &View<'_>,
        most: usize,
        down: bool,
        read: &dyn Fn(usize) -> Option<Read>,
    ) -> Vec<Read> {
        let blocks = self.blocks - self.next;
        let missing = (most - self.found.len().min(most)).min(self.count);
        let share = blocks as u64 * (missing + 2 * missing.isqrt()) as u64;
        let share = share.div_ceil(self.count.max(1) as u64) as usize + 1;
        if self.ahead.0 == 0 || self.ahead.1 < self.next {
            self.ahead = (share.max(2 * self.ahead.0), self.next);
        }
        let mut reads = Vec::new();
        for next in (self.next..self.blocks).take(self.ahead.0) {
            reads.extend(read(self.block(next, down)));
        }
        fitting(view, reads)
    }

    /// Whether all rows with a value are found.
    fn is_done(&self) -> bool {
        self.count == 0 || (self.next >= self.blocks && self.waiting.is_empty())
    }

    /// Finds a row that is left.
    fn take(&mut self, key: u64, position: u32) {
        let (word, bit) = (position as usize / 64, 1 << (position % 64));
        if let Some(word) = self.left.get_mut(word).filter(|word| **word & bit != 0) {
            *word &= !bit;
            self.count -= 1;
            self.found.push((key, position));
        }
    }

    fn bytes(&self) -> u64 {
        let texts: usize = self.texts.iter().map(|text| text.len()).sum();
        let waiting: u64 = self.waiting.iter().map(Waiting::bytes).sum();
        bytes(&self.left) + bytes(&self.found) + bytes(&self.texts) + texts as u64 + waiting
    }
}
