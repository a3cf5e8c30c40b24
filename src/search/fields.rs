//! Reads the stored fields of rows, when these are known: block directories, then blocks, each in one wave for all rows of all
//! segments. [`ahead`] names what such a read will need before the rows are known, so that it can come with an earlier wave.

use super::answer::RowPlace;
use super::lookup::find;
use super::scratch::Scratch;
use super::step::Step;
use super::view::View;
use crate::error::Error;
use crate::id::Id;
use crate::segment::fields::{FieldBlock, FieldDirectory, Lines, NONE};
use crate::storage::{Expected, Extent, Read, each_once};

/// The fields of some rows, as far as they were read.
pub(super) struct FieldReads {
    pub(super) rows: Vec<Row>,
    /// So many of them, the first ones, are read.
    done: usize,
}

pub(super) struct Row {
    place: RowPlace,
    /// Kept, since the directory may be evicted before the block is here.
    block: Option<FieldBlock>,
    /// A JSON object.
    pub(super) fields: Option<Box<str>>,
}

/// Refuses an index in which no segment has stored fields.
pub(super) fn check(views: &[View<'_>]) -> Result<(), Error> {
    match views.iter().any(|view| view.segment.fields().is_some()) {
        true => Ok(()),
        false => Err(Error::argument(
            "fields",
            "the index has no stored fields: build it from rows that have some, or with `--payload` or the option `fields`",
        )),
    }
}

impl FieldReads {
    #[inline(never)]
    pub(super) fn new(places: impl Iterator<Item = RowPlace>) -> Self {
        let rows = places.map(|place| Row { place, block: None, fields: None }).collect();
        FieldReads { rows, done: 0 }
    }

    /// Goes as far as the available bytes allow.
    #[inline(never)]
    pub(super) fn step(&mut self, views: &[View<'_>], scratch: &mut Scratch) -> Result<Step<()>, Error> {
        let lines = &mut scratch.lines;
        let mut missing = Vec::new();
        let left = self.rows.get_mut(self.done..).unwrap_or_default();
        for (view, segment) in views.iter().zip(0..) {
            // Blocks are known by their first row, so only within a segment.
            lines.clear();
            let mut reads = Vec::new();
            for row in &mut *left {
                if row.place.segment == segment
                    && row.fields.is_none()
                    && let Some(read) = row.read(view, lines)?
                {
                    reads.push(read);
                }
            }
            add(view, reads, &mut missing);
        }
        self.done += left.iter().take_while(|row| row.fields.is_some()).count();
        Ok(if missing.is_empty() { Step::Done(()) } else { Step::Need(missing) })
    }

    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        let texts = self.rows.iter().filter_map(|row| row.fields.as_deref());
        crate::memory::bytes(&self.rows) + texts.map(|text| text.len() as u64).sum::<u64>()
    }
}

impl Row {
    /// Reads the fields, or names the next read on the way to them.
    #[inline(never)]
    fn read(&mut self, view: &View<'_>, lines: &mut Lines) -> Result<Option<Read>, Error> {
        let (directory, position) = match directory(view)? {
            Ok(Some(directory)) => (directory, self.place.position),
            Ok(None) => {
                self.fields = Some(NONE.into());
                return Ok(None);
            }
            Err(read) => return Ok(Some(read)),
        };
        let block = match self.block {
            Some(block) => block,
            None => {
                let group = directory.group_of(position)?;
                let Some(bytes) = view.source.get(group.read.extent) else { return Ok(Some(group.read)) };
                *self.block.insert(directory.block_of(&group, bytes, position)?)
            }
        };
        if !lines.holds(&block) {
            let Some(stored) = view.source.get(block.read.extent) else { return Ok(Some(block.read)) };
            lines.read(&block, stored, directory.dictionary)?;
        }
        self.fields = Some(lines.row(position)?.into());
        Ok(None)
    }
}

/// Adds the reads of a segment, each once: its field directory, or of others as many as there are slots for.
#[inline(never)]
fn add(view: &View<'_>, mut reads: Vec<Read>, all: &mut Vec<Read>) {
    if reads.first().is_some_and(|read| read.expected == Expected::Blocks) {
        reads.truncate(1);
    }
    all.extend(view.placed(view.fitting(reads)));
}

/// The field directory of a segment, or the read that it needs; `None` if the segment has no stored fields.
fn directory<'a>(view: &View<'a>) -> Result<Result<Option<FieldDirectory<'a>>, Read>, Error> {
    let Some(places) = view.segment.fields() else { return Ok(Ok(None)) };
    match view.source.get(places.directory) {
        Some(bytes) => FieldDirectory::new(view.segment, places, bytes).map(|directory| Ok(Some(directory))),
        None => Ok(Err(Read { extent: places.directory, expected: Expected::Blocks })),
    }
}

/// A lookup of the fields of ids, under way.
pub(crate) struct FieldsOfIds {
    /// Each with its row, once that is known: `None` if there is no such id.
    pub(super) ids: Vec<(Id, Option<Option<RowPlace>>)>,
    /// Of the ids that have a row, once all rows are known.
    pub(super) reads: Option<FieldReads>,
}

impl FieldsOfIds {
    pub(super) fn new(ids: Vec<Id>) -> Self {
        FieldsOfIds { ids: ids.into_iter().map(|id| (id, None)).collect(), reads: None }
    }

    /// Goes as far as the available bytes allow.
    #[inline(never)]
    pub(super) fn step(
        &mut self,
        views: &[View<'_>],
        scratch: &mut Scratch,
    ) -> Result<Step<Vec<Option<Box<str>>>>, Error> {
        let reads = match &mut self.reads {
            Some(reads) => reads,
            None => {
                let mut missing = Vec::new();
                for (id, row) in self.ids.iter_mut().filter(|(_, row)| row.is_none()) {
                    match find(views, id)? {
                        Step::Need(reads) => missing.extend(reads),
                        Step::Done(found) => *row = Some(found),
                    }
                }
                if !missing.is_empty() {
                    views.iter().try_for_each(|view| ahead(view, &mut std::iter::empty(), &mut missing))?;
                    each_once(&mut missing);
                    return Ok(Step::Need(missing));
                }
                self.reads.insert(FieldReads::new(self.ids.iter().filter_map(|(_, row)| row.flatten())))
            }
        };
        if let Step::Need(missing) = reads.step(views, scratch)? {
            return Ok(Step::Need(missing));
        }
        let mut fields = reads.rows.iter_mut().map(|row| row.fields.take());
        let of_id =
            |(_, row): &(Id, Option<Option<RowPlace>>)| row.flatten().and_then(|_| fields.next().flatten());
        Ok(Step::Done(self.ids.iter().map(of_id).collect()))
    }
}

/// Adds what the fields of rows at some of these positions will need: the field directory; if that is here, the directories of
/// their blocks.
#[inline(never)]
pub(super) fn ahead(
    view: &View<'_>,
    positions: &mut dyn Iterator<Item = u32>,
    reads: &mut Vec<Read>,
) -> Result<(), Error> {
    let mut own = Vec::new();
    match directory(view)? {
        Ok(None) => {}
        Err(read) => own.push(read),
        Ok(Some(directory)) => {
            let mut last = Extent { offset: 0, length: 0 };
            for position in positions {
                let group = directory.group_of(position)?.read;
                if group.extent != last && view.source.get(group.extent).is_none() {
                    own.push(group);
                }
                last = group.extent;
            }
        }
    }
    add(view, own, reads);
    Ok(())
}
