//! Lookups: the place of an id's row, and the vector of an id.

use super::answer::RowPlace;
use super::step::Step;
use super::view::View;
use crate::error::Error;
use crate::id::Id;
use crate::segment::Segment;
use crate::segment::clusters::{Labels, Leaf};
use crate::storage::{Expected, Read, each_once};

/// Where the row of an id is: in the last segment that has it, of whose rows it must be one that may be a hit. Not
/// inlined: that would cost 4 kB in wasm for each caller.
#[inline(never)]
pub(super) fn find(views: &[View<'_>], id: &Id) -> Result<Step<Option<RowPlace>>, Error> {
    let (mut reads, mut found) = (Vec::new(), None);
    for (view, segment) in views.iter().zip(0..) {
        match view.segment.find(view.source, id)? {
            Ok(Some(position)) if view.rows.is_none_or(|rows| rows.contains(position)) => {
                found = Some(RowPlace { segment, position });
            }
            Ok(_) => {}
            Err(absent) => {
                let blocks = absent.into_iter().map(|extent| view.segment.block_around(extent));
                reads.extend(view.placed(blocks.collect()));
            }
        }
    }
    if reads.is_empty() {
        return Ok(Step::Done(found));
    }
    each_once(&mut reads);
    Ok(Step::Need(reads))
}

/// A lookup of the vector of an id, under way.
pub(crate) struct Vector {
    id: Id,
    place: Option<RowPlace>,
    read: VectorRead,
}

/// The way to the vector of a row, under way. It is kept, since what led to the row may be evicted before the row is here.
#[derive(Default)]
pub(super) struct VectorRead {
    leaf: Option<Leaf>,
    checksum: Option<u32>,
}

impl Vector {
    pub(super) fn new(id: Id) -> Self {
        Vector { id, place: None, read: VectorRead::default() }
    }

    /// The vector as stored, and the place of its row.
    pub(super) fn step(&mut self, views: &[View<'_>]) -> Result<Step<(Vec<f32>, RowPlace)>, Error> {
        let place = match self.place {
            Some(place) => place,
            None => match find(views, &self.id)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(None) => return Err(Error::UnknownId { id: self.id.to_string(), others: 0 }),
                Step::Done(Some(place)) => *self.place.insert(place),
            },
        };
        let view = views.get(place.segment as usize);
        let view = view.ok_or_else(|| Error::internal("a segment that was searched is gone"))?;
        Ok(self.read.step(view, place.position)?.of(view).map(|vector| (vector, place)))
    }
}

impl VectorRead {
    /// The vector of the row at `position`. Reads are in the addresses of its segment. Not inlined, as [`find`].
    #[inline(never)]
    pub(super) fn step(&mut self, view: &View<'_>, position: u32) -> Result<Step<Vec<f32>>, Error> {
        let View { segment, source, .. } = *view;
        let rows = segment.finest();
        let extent = rows.row(position);
        if let Some(code) = source.get(extent) {
            let mut vector = vec![0.0; segment.dim()];
            rows.codec.decode(code, &mut vector);
            return Ok(Step::Done(vector));
        }
        let checksum = match self.checksum {
            Some(checksum) => checksum,
            None => match self.row_checksum(view, position)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(checksum) => *self.checksum.insert(checksum),
            },
        };
        Ok(Step::Need(vec![Read { extent, expected: Expected::Row { position, checksum } }]))
    }

    /// The checksum of the finest row at `position`, from the section of checksums, or else from its list. If the
    /// file has neither, the step asks for the row's block, which is checked as a whole.
    fn row_checksum(&mut self, view: &View<'_>, position: u32) -> Result<Step<u32>, Error> {
        let View { segment, source, .. } = *view;
        if let Some(checksums) = segment.finest().checksums.and_then(|kind| segment.extent(kind)) {
            let stored =
                source.get(checksums).and_then(|checksums| Segment::stored_row_checksum(checksums, position));
            return Ok(stored.map_or(
                Step::Need(vec![Read { extent: checksums, expected: Expected::Blocks }]),
                Step::Done,
            ));
        }
        if segment.clusters.is_none() {
            return Ok(Step::Need(vec![segment.block_around(segment.finest().row(position))]));
        }
        let leaf = match self.leaf {
            Some(leaf) => leaf,
            None => match leaf_of(view, position)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(leaf) => *self.leaf.insert(leaf),
            },
        };
        let read = leaf.labels_read();
        let Some(bytes) = source.get(read.extent) else { return Ok(Step::Need(vec![read])) };
        let labels = Labels::new(bytes, &leaf, segment.header.text_ids, segment.count())?;
        Ok(Step::Done(labels.row_checksum((position - leaf.start) as usize)))
    }
}

/// The leaf that holds the row at `position`.
fn leaf_of(view: &View<'_>, position: u32) -> Result<Step<Leaf>, Error> {
    let View { segment, source, .. } = *view;
    let clusters = segment.clusters.as_ref().ok_or_else(|| Error::corrupt("cells", "there are none"))?;
    let cells = &clusters.cells;
    let cell = cells.cell_of(position).ok_or_else(|| Error::corrupt("cells", "a row is in no cell"))?;
    let block = cells.block(cell);
    let Some(bytes) = source.get(block.extent) else { return Ok(Step::Need(vec![block])) };
    for leaf in cells.leaves(cell, bytes, clusters.list_codec.stride())?.leaves(segment.count()) {
        let leaf = leaf?;
        if (leaf.start..leaf.end).contains(&position) {
            return Ok(Step::Done(leaf));
        }
    }
    Err(Error::corrupt("leaves", "a row is in no leaf"))
}
