//! One test of one segment: the units of the field's index that it needs, and the rows that they give.

use std::ops::Range;

use super::{Missing, block};
use crate::error::Error;
use crate::memory::bytes;
use crate::payload::Test;
use crate::row_set::{RowSet, add};
use crate::search::view::View;
use crate::segment::payload::{IndexHead, PayloadField, PayloadHead, SetRef, SortedHead, TermsHead};
use crate::storage::Read;

/// The rows that pass a test, as far as they are known.
pub(super) struct TestRows {
    words: Vec<u64>,
    /// The rows that have a value, where `words` are those of them that do not pass.
    present: Option<Vec<u64>>,
    units: Vec<Unit>,
}

/// What must be read.
enum Unit {
    /// A block of terms, in which these of the test's are looked for.
    Terms {
        block: usize,
        terms: Range<usize>,
    },
    Set(Read),
    /// The set of the rows that have a value.
    Present(Read),
    /// A block of keys, of which those in this range are wanted, or those outside it.
    Keys {
        block: usize,
        read: Read,
        low: u64,
        high: u64,
        outside: bool,
    },
    /// A block of points; `whole`: all of them pass.
    Points {
        block: usize,
        read: Read,
        whole: bool,
    },
}

impl TestRows {
    /// Plans the reads.
    pub(super) fn new(count: usize, field: &PayloadField, test: &Test) -> Result<Self, Error> {
        let mut rows = TestRows { words: RowSet::no_words(count)?, present: None, units: Vec::new() };
        match (test, &field.index) {
            (Test::Exists, _) => match field.present() {
                _ if field.rows == 0 => {}
                Some(read) => rows.units.push(Unit::Set(read)),
                None => rows.words.fill(u64::MAX),
            },
            (Test::Terms(terms), IndexHead::Terms(head)) => rows.plan_terms(head, terms),
            (Test::Keys(ranges), IndexHead::Sorted(head)) => rows.plan_keys(count, field, head, ranges)?,
            (Test::Area(area), IndexHead::Geo(head)) => {
                let blocks = head.plan(area).into_iter();
                rows.units.extend(blocks.map(|(block, read, whole)| Unit::Points { block, read, whole }));
            }
            _ => return Err(Error::internal("a test that the index of its field cannot answer")),
        }
        Ok(rows)
    }

    fn plan_terms(&mut self, head: &TermsHead, terms: &[Box<str>]) {
        for (at, term) in terms.iter().enumerate() {
            match (head.block_of(term), self.units.last_mut()) {
                (Some(wanted), Some(Unit::Terms { block, terms })) if *block == wanted => terms.end = at + 1,
                (Some(block), _) => self.units.push(Unit::Terms { block, terms: at..at + 1 }),
                (None, _) => {}
            }
        }
    }

    fn plan_keys(
        &mut self,
        count: usize,
        field: &PayloadField,
        head: &SortedHead,
        ranges: &[(u64, u64)],
    ) -> Result<(), Error> {
        for &(low, high) in ranges {
            let plan = match ranges {
                [_] => head.plan(low, high),
                _ => head.plan_within(low, high),
            };
            self.units.extend(plan.sets.into_iter().map(Unit::Set));
            // Where the complement is taken, keys outside the range are wanted.
            let outside = plan.complement;
            let keys = |(block, read)| Unit::Keys { block, read, low, high, outside };
            self.units.extend(plan.blocks.into_iter().map(keys));
            if outside {
                let mut present = RowSet::no_words(count)?;
                match field.present() {
                    Some(read) => self.units.push(Unit::Present(read)),
                    None => present.fill(u64::MAX),
                }
                self.present = Some(present);
            }
        }
        Ok(())
    }

    /// Goes as far as the available bytes allow, and adds the units that it misses.
    pub(super) fn step(
        &mut self,
        view: &View<'_>,
        (payload, field): (&PayloadHead, &PayloadField),
        test: &Test,
        missing: &mut Missing,
    ) -> Result<(), Error> {
        let mut units = std::mem::take(&mut self.units);
        while let Some(unit) = units.pop() {
            match self.take(view, (payload, field), test, &unit, &mut units)? {
                Taken::Done => {}
                Taken::NoBytes(read) => {
                    match unit {
                        Unit::Terms { .. } => missing.terms.push(read),
                        Unit::Set(_) | Unit::Present(_) => missing.sets.push(read),
                        Unit::Keys { .. } | Unit::Points { .. } => missing.sorted.push(read),
                    }
                    self.units.push(unit);
                }
            }
        }
        // In the order of the file, so that what is read first is what fits.
        self.units.reverse();
        Ok(())
    }

    /// Takes what a unit has, if its bytes are available. Terms add the units of their sets to `more`.
    fn take(
        &mut self,
        view: &View<'_>,
        (payload, field): (&PayloadHead, &PayloadField),
        test: &Test,
        unit: &Unit,
        more: &mut Vec<Unit>,
    ) -> Result<Taken, Error> {
        let here = |read: &Read| view.source.get(read.extent);
        match (unit, &field.index, test) {
            (Unit::Terms { block: number, terms }, IndexHead::Terms(head), Test::Terms(wanted)) => {
                let bytes = match block(view, head, *number) {
                    Ok(bytes) => bytes,
                    Err(read) => return Ok(Taken::NoBytes(read)),
                };
                for wanted in wanted.get(terms.clone()).unwrap_or_default() {
                    let Some(term) = head.find(bytes, wanted)? else { continue };
                    match term.set {
                        SetRef::At(read) => more.push(Unit::Set(read)),
                        inline => drop(payload.add_set(inline, &[], &mut self.words)?),
                    }
                }
            }
            (Unit::Set(read) | Unit::Present(read), ..) => {
                let Some(bytes) = here(read) else { return Ok(Taken::NoBytes(*read)) };
                let words = match (unit, &mut self.present) {
                    (Unit::Present(_), Some(present)) => present,
                    _ => &mut self.words,
                };
                payload.add_set(SetRef::At(*read), bytes, words)?;
            }
            (&Unit::Keys { block, read, low, high, outside }, IndexHead::Sorted(head), _) => {
                let Some(bytes) = here(&read) else { return Ok(Taken::NoBytes(read)) };
                let words = &mut self.words;
                head.decode(block, bytes)?.each(&mut |key, position| {
                    if (low..=high).contains(&key) != outside {
                        add(words, position);
                    }
                })?;
            }
            (&Unit::Points { block, read, whole }, IndexHead::Geo(head), Test::Area(area)) => {
                let Some(bytes) = here(&read) else { return Ok(Taken::NoBytes(read)) };
                let words = &mut self.words;
                head.decode(block, bytes)?.each(&mut |point, position| {
                    if whole || area.contains(point) {
                        add(words, position);
                    }
                })?;
            }
            _ => return Err(Error::internal("a unit of another index")),
        }
        Ok(Taken::Done)
    }

    /// Whether it is done, and no row passes.
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty() && self.present.is_none() && self.words.iter().all(|&word| word == 0)
    }

    /// The words of the rows that pass; bits beyond the last row mean nothing. It must be done.
    pub(super) fn into_words(self) -> Vec<u64> {
        let mut words = self.words;
        if let Some(present) = self.present {
            words.iter_mut().zip(present).for_each(|(word, present)| *word = present & !*word);
        }
        words
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&self.words) + self.present.as_ref().map_or(0, bytes) + bytes(&self.units)
    }
}

/// Whether a unit was taken.
enum Taken {
    Done,
    /// These bytes are missing.
    NoBytes(Read),
}
