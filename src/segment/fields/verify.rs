//! The complete check of the stored fields: every block directory and every block, in the order of the file.

use super::block::Lines;
use super::directory::FieldDirectory;
use super::{FieldPlaces, NAME};
use crate::error::Error;
use crate::segment::Segment;
use crate::segment::stream::Stream;

/// `directory` are the bytes of the field directory; the stream is before the fields.
pub(in crate::segment) fn verify(
    segment: &Segment,
    places: FieldPlaces,
    directory: &[u8],
    stream: &mut Stream<'_>,
) -> Result<(), Error> {
    let directory = FieldDirectory::new(segment, places, directory)?;
    let (mut lines, mut next, mut entries) = (Lines::default(), places.fields.offset, Vec::new());
    let gap = || Error::corrupt(NAME, "there are bytes between its blocks, or behind the last");
    for number in 0..directory.len() {
        let group = directory.group(number)?;
        if group.read.extent.offset != next {
            return Err(gap());
        }
        entries.clear();
        entries.extend_from_slice(stream.get(group.read.extent)?);
        segment.check(group.read, &entries)?;
        next = group.read.extent.end();
        let mut block = directory.before_blocks(&group);
        for number in 0..group.blocks {
            block = directory.next_block(&group, &entries, number, &block)?;
            let stored = stream.get(block.read.extent)?;
            segment.check(block.read, stored)?;
            lines.read(&block, stored, directory.dictionary)?;
            lines.check()?;
            next = block.read.extent.end();
        }
        let end = block.first + block.rows;
        if end != group.first + group.rows {
            return Err(Error::corrupt(NAME, format!("row {end} is in no block")));
        }
    }
    if next == places.fields.end() { Ok(()) } else { Err(gap()) }
}
