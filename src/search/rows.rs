//! Rows in the order in which they are stored, page by page: [`page`] chooses the places of a page, [`RowReads`] reads what is
//! wanted of the rows at these places. Neither knows how the other does it.

use super::answer::RowPlace;
use super::fields::FieldReads;
use super::lookup::VectorRead;
use super::scratch::Scratch;
use super::step::Step;
use super::view::View;
use crate::error::Error;
use crate::id::Id;
use crate::memory::bytes;
use crate::storage::{Read, each_once, in_order};

/// A row, as it is stored.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredRow {
    /// Its id.
    pub id: Id,
    /// Its vector, decoded from the finest codes, where it was asked for. Under cosine it has about unit length.
    pub vector: Option<Vec<f32>>,
    /// A JSON object, where it was asked for: `{}` for a row without fields.
    pub fields: Option<Box<str>>,
}

impl StoredRow {
    pub(crate) fn new(id: Id, vector: Option<Vec<f32>>, fields: Option<Box<str>>) -> Self {
        StoredRow { id, vector, fields }
    }
}

/// Some rows in a row, by segment and position.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RowPage {
    /// At most as many as were asked for.
    pub rows: Vec<StoredRow>,
    /// The row with which the next page begins; `None` after the last.
    pub next: Option<RowPlace>,
}

/// The places of at most `count` rows that may be hits, from `from` on, and that of the row behind them.
pub(super) fn page(views: &[View<'_>], from: RowPlace, count: usize) -> (Vec<RowPlace>, Option<RowPlace>) {
    let mut places = Vec::new();
    for (view, segment) in views.iter().zip(0..).skip(from.segment as usize) {
        let first = if segment == from.segment { from.position } else { 0 };
        for position in view.positions(first..view.segment.count() as u32) {
            let place = RowPlace { segment, position };
            if places.len() >= count {
                return (places, Some(place));
            }
            places.push(place);
        }
    }
    (places, None)
}

/// The most bytes that a row of a page takes beside its fields, with `dim` components of its vector: two reads lead to its id,
/// one to its vector, and a vector that grows is taken three times.
pub(super) fn most_of_row(dim: usize) -> u64 {
    const TEXT: usize = 64;
    let once = size_of::<Row>() + size_of::<StoredRow>() + TEXT + dim * size_of::<f32>();
    (once + 3 * (size_of::<RowPlace>() + 3 * size_of::<Read>())) as u64
}

/// What is wanted of some rows, as far as it was read.
pub(crate) struct RowReads {
    pub(super) rows: Vec<Row>,
    pub(super) fields: Option<FieldReads>,
    next: Option<RowPlace>,
}

pub(super) struct Row {
    place: RowPlace,
    id: Option<Id>,
    /// Where it is wanted and not read yet.
    read: Option<VectorRead>,
    vector: Option<Vec<f32>>,
}

impl RowReads {
    pub(super) fn new(
        (places, next): (Vec<RowPlace>, Option<RowPlace>),
        vectors: bool,
        fields: bool,
    ) -> Self {
        let fields = fields.then(|| FieldReads::new(places.iter().copied()));
        let read = || vectors.then(VectorRead::default);
        let rows = places.into_iter().map(|place| Row { place, id: None, read: read(), vector: None });
        RowReads { rows: rows.collect(), fields, next }
    }

    /// Goes as far as the available bytes allow. Ids, vectors and fields are read in the same waves.
    #[inline(never)]
    pub(super) fn step(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Result<Step<RowPage>, Error> {
        let mut missing = Vec::new();
        for (view, segment) in views.iter().zip(0..) {
            let (mut ids, mut vectors) = (Vec::new(), Vec::new());
            for row in self.rows.iter_mut().filter(|row| row.place.segment == segment) {
                row.step(view, &mut ids, &mut vectors)?;
            }
            missing.extend(view.placed(joined(ids)));
            missing.extend(view.placed(view.fitting(vectors)));
        }
        if let Some(fields) = &mut self.fields
            && let Step::Need(reads) = fields.step(views, scratch)?
        {
            missing.extend(reads);
        }
        if !missing.is_empty() {
            each_once(&mut missing);
            return Ok(Step::Need(missing));
        }
        let mut rows = Vec::with_capacity(self.rows.len());
        let mut fields = self.fields.iter_mut().flat_map(|fields| &mut fields.rows);
        for row in &mut self.rows {
            let id = row.id.take().ok_or_else(|| Error::internal("a row without an id"))?;
            let fields = fields.next().and_then(|row| row.fields.take());
            rows.push(StoredRow::new(id, row.vector.take(), fields));
        }
        Ok(Step::Done(RowPage { rows, next: self.next }))
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        let of = |row: &Row| row.vector.as_ref().map_or(0, bytes) + row.id.as_ref().map_or(0, Id::bytes);
        let fields = self.fields.as_ref().map_or(0, FieldReads::bytes);
        bytes(&self.rows) + self.rows.iter().map(of).sum::<u64>() + fields
    }
}

/// Blocks of one section, of which a read has one or two, as runs that do not overlap.
fn joined(mut reads: Vec<Read>) -> Vec<Read> {
    in_order(&mut reads);
    let mut runs: Vec<Read> = Vec::new();
    for read in reads {
        match runs.last_mut().map(|run| &mut run.extent) {
            Some(run) if read.extent.offset <= run.end() => {
                run.length = run.length.max(read.extent.end() - run.offset);
            }
            _ => runs.push(read),
        }
    }
    runs
}

impl Row {
    /// Reads the id and the vector, or adds the next reads on the way to them.
    fn step(&mut self, view: &View<'_>, ids: &mut Vec<Read>, vectors: &mut Vec<Read>) -> Result<(), Error> {
        let position = self.place.position;
        if self.id.is_none() {
            match view.segment.id(view.source, position)? {
                Ok(id) => self.id = Some(id),
                Err(absent) => ids.extend(absent.into_iter().map(|extent| view.segment.block_around(extent))),
            }
        }
        if let Some(read) = &mut self.read {
            match read.step(view, position)? {
                Step::Need(reads) => vectors.extend(reads),
                Step::Done(vector) => (self.vector, self.read) = (Some(vector), None),
            }
        }
        Ok(())
    }
}
