//! The stored fields of the live rows of several segments. A block is decompressed for each of its rows, which takes some
//! microseconds: rows that are neighbours in a segment are not always neighbours in the merged one.

use super::Live;
use super::rows::LiveRows;
use crate::build::FieldSource;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::segment::fields::{FieldDirectory, Lines};
use crate::segment::{SectionKind, Segment};
use crate::storage::Extent;

/// The stored fields of one segment, compared with their checksums.
#[derive(Clone, Copy)]
pub(super) struct StoredFields<'a> {
    segment: &'a Segment,
    directory: &'a [u8],
    fields: &'a [u8],
}

impl<'a> StoredFields<'a> {
    /// `None` if the segment has none.
    pub(super) fn open(live: &Live<'a>, ctx: &Ctx<'_>) -> Result<Option<Self>, Error> {
        if live.segment.fields().is_none() {
            return Ok(None);
        }
        let directory = live.section(SectionKind::FieldDirectory, ctx)?;
        let fields = live.section(SectionKind::Fields, ctx)?;
        Ok(Some(StoredFields { segment: live.segment, directory, fields }))
    }

    /// Appends the fields of a row.
    fn read(&self, position: u32, into: &mut Vec<u8>) -> Result<(), Error> {
        let Some(places) = self.segment.fields() else { return Ok(()) };
        let part = |extent: Extent| {
            let start = (extent.offset - places.fields.offset) as usize;
            self.fields.get(start..start + extent.length as usize).unwrap_or_default()
        };
        let directory = FieldDirectory::new(self.segment, places, self.directory)?;
        let group = directory.group_of(position)?;
        let block = directory.block_of(&group, part(group.read.extent), position)?;
        let mut lines = Lines::default();
        lines.read(&block, part(block.read.extent), directory.dictionary)?;
        into.extend_from_slice(lines.row(position)?.as_bytes());
        Ok(())
    }
}

impl FieldSource for LiveRows<'_> {
    fn count(&self) -> usize {
        crate::rows::RowSource::count(self)
    }

    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        let (fields, position) = self.fields_of(row);
        fields.map_or(Ok(()), |fields| fields.read(position, into))
    }
}
