//! A filter over all segments of an index. Each test becomes a set of rows by the indexes of its field; the sets are combined word
//! by word.

use super::test::TestRows;
use super::{Missing, kinds};
use crate::error::Error;
use crate::features::{Filters, filters};
use crate::memory::bytes;
use crate::payload::{FieldKind, Filter, Op};
use crate::row_set::{RowSet, SharedRows};
use crate::search::view::View;
use crate::storage::Read;

/// A filter under way.
pub(in crate::search) struct Evaluation {
    filter: Filter,
    /// One for each segment.
    segments: Vec<OfSegment>,
    _filters: Filters,
}

/// The rows of each segment that a filter matches, dead ones too, for the next operation under the same filter.
pub(in crate::search) struct Matches {
    filter: Filter,
    /// The ids of the segments' files, which do not change.
    files: Vec<[u8; 16]>,
    rows: Vec<SharedRows>,
    _filters: Filters,
}

impl Matches {
    fn are_of(&self, filter: &Filter, views: &[View<'_>]) -> bool {
        self.filter == *filter && self.files.iter().eq(files(views))
    }

    /// Those of a segment.
    pub(in crate::search) fn of(&self, segment: usize) -> Result<&SharedRows, Error> {
        self.rows.get(segment).ok_or_else(|| Error::internal("a filter of fewer segments"))
    }

    /// The bytes that they have allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        let sets = bytes(&self.rows) + self.rows.iter().map(|rows| rows.bytes()).sum::<u64>();
        self.filter.bytes() + bytes(&self.files) + sets
    }
}

fn files<'a>(views: &[View<'a>]) -> impl Iterator<Item = &'a [u8; 16]> {
    views.iter().map(|view| &view.segment.header.file_id)
}

struct OfSegment {
    ops: Vec<Op>,
    /// Those of the tests among `ops`, in their order.
    tests: Vec<TestRows>,
}

impl Evaluation {
    /// Checks the filter, unless its fields are `checked`; reads nothing.
    ///
    /// # Errors
    /// `filter` for a field that no segment has or has indexed, or for an operand of another type.
    pub(in crate::search) fn new(views: &[View<'_>], filter: Filter, checked: bool) -> Result<Self, Error> {
        let _filters = filters()?;
        if !checked {
            filter.check(kinds(views))?;
        }
        let segments = views.iter().map(|view| OfSegment::new(view, &filter)).collect::<Result<_, _>>()?;
        Ok(Evaluation { filter, segments, _filters })
    }

    /// Goes as far as the available bytes allow, and adds the reads that it misses. If there are none, it is done. Nothing is
    /// needed if its rows are `known`.
    pub(in crate::search) fn step(
        &mut self,
        views: &[View<'_>],
        known: Option<&Matches>,
        reads: &mut Vec<Read>,
    ) -> Result<(), Error> {
        if known.is_some_and(|known| known.are_of(&self.filter, views)) {
            return Ok(());
        }
        for (segment, view) in self.segments.iter_mut().zip(views) {
            segment.step(view, reads)?;
        }
        Ok(())
    }

    /// Makes its rows `known`, unless they are. It must be done.
    pub(in crate::search) fn finish(
        &mut self,
        views: &[View<'_>],
        known: &mut Option<Matches>,
    ) -> Result<(), Error> {
        if known.as_ref().is_some_and(|known| known.are_of(&self.filter, views)) {
            return Ok(());
        }
        // Those of another filter go first.
        *known = None;
        let each = self.segments.iter_mut().zip(views);
        let rows = each.map(|(of, view)| of.combine(view.segment.count()).map(SharedRows::new));
        let rows = rows.collect::<Result<_, _>>()?;
        let (filter, files) = (self.filter.clone(), files(views).copied().collect());
        *known = Some(Matches { filter, files, rows, _filters: self._filters });
        Ok(())
    }

    /// The bytes that it has allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        let tests = self.segments.iter().flat_map(|segment| &segment.tests);
        self.filter.bytes() + tests.map(TestRows::bytes).sum::<u64>()
    }
}

impl OfSegment {
    fn new(view: &View<'_>, filter: &Filter) -> Result<Self, Error> {
        let payload = view.segment.payload.as_ref();
        let fields = payload.map_or(&[][..], |payload| &payload.fields);
        let find = |name: &str| -> Option<(usize, FieldKind)> {
            let at = payload?.field(name)?;
            Some((at, fields.get(at)?.kind))
        };
        let ops = filter.compile(find)?.ops;
        let mut tests = Vec::new();
        for op in &ops {
            if let Op::Test(field, test) = op {
                let field = fields
                    .get(*field)
                    .ok_or_else(|| Error::internal("a test of a field that is not there"))?;
                tests.push(TestRows::new(view.segment.count(), field, test)?);
            }
        }
        Ok(OfSegment { ops, tests })
    }

    fn step(&mut self, view: &View<'_>, reads: &mut Vec<Read>) -> Result<(), Error> {
        if self.matches_none() {
            return Ok(());
        }
        let Some(payload) = &view.segment.payload else { return Ok(()) };
        let mut missing = Missing::default();
        let mut tests = self.tests.iter_mut();
        for op in &self.ops {
            let Op::Test(field, test) = op else { continue };
            if let (Some(field), Some(rows)) = (payload.fields.get(*field), tests.next()) {
                rows.step(view, (payload, field), test, &mut missing)?;
            }
        }
        // What is known by now may be enough.
        if !self.matches_none() {
            missing.into_reads(view, reads);
        }
        Ok(())
    }

    /// Whether no row can match, by the tests that are done. Then nothing else has to be read.
    fn matches_none(&self) -> bool {
        // `None` where it is not known.
        let mut stack: Vec<Option<bool>> = Vec::new();
        let mut tests = self.tests.iter();
        for op in &self.ops {
            let any = match *op {
                Op::Test(..) => tests.next().and_then(|test| test.is_empty().then_some(false)),
                Op::All(all) => Some(all),
                Op::And(count) => {
                    let of = stack.split_off(stack.len().saturating_sub(count));
                    let all = of.iter().all(|any| *any == Some(true)).then_some(true);
                    if of.contains(&Some(false)) { Some(false) } else { all }
                }
                Op::Or(count) => {
                    let of = stack.split_off(stack.len().saturating_sub(count));
                    let none = of.iter().all(|any| *any == Some(false)).then_some(false);
                    if of.contains(&Some(true)) { Some(true) } else { none }
                }
                Op::Not => stack.pop().flatten().map(|all| !all),
            };
            stack.push(any);
        }
        stack.pop() == Some(Some(false))
    }

    fn combine(&mut self, count: usize) -> Result<RowSet, Error> {
        if self.matches_none() {
            return RowSet::of_words(RowSet::no_words(count)?, count);
        }
        combine(&self.ops, self.tests.drain(..).map(TestRows::into_words), count)
    }
}

/// The set that the operations of a program leave; `tests` are the words of its tests, in order. Bits beyond the last row mean
/// nothing until the end.
pub(crate) fn combine(
    ops: &[Op],
    tests: impl IntoIterator<Item = Vec<u64>>,
    count: usize,
) -> Result<RowSet, Error> {
    let short = || Error::internal("an operation of a filter without its sets");
    let mut stack: Vec<Vec<u64>> = Vec::new();
    let mut tests = tests.into_iter();
    for op in ops {
        let words = match *op {
            Op::Test(..) => tests.next().ok_or_else(short)?,
            Op::All(all) => {
                let mut words = RowSet::no_words(count)?;
                words.fill(if all { u64::MAX } else { 0 });
                words
            }
            Op::And(sets) | Op::Or(sets) => {
                let mut of = stack.split_off(stack.len().saturating_sub(sets)).into_iter();
                let mut all = of.next().ok_or_else(short)?;
                for set in of {
                    let both = all.iter_mut().zip(set);
                    match op {
                        Op::And(_) => both.for_each(|(word, other)| *word &= other),
                        _ => both.for_each(|(word, other)| *word |= other),
                    }
                }
                all
            }
            Op::Not => {
                let mut words = stack.pop().ok_or_else(short)?;
                words.iter_mut().for_each(|word| *word = !*word);
                words
            }
        };
        stack.push(words);
    }
    RowSet::of_words(stack.pop().ok_or_else(short)?, count)
}
