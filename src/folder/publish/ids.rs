//! The ids of a segment, read as a whole and compared with their checksums.

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::folder::manifest::Entry;
use crate::folder::open::reader;
use crate::memory::room_for;
use crate::segment::{HEAD, IdView, SectionKind, Segment, front_length};
use crate::storage::{Dir, Expected, Extent, Read, ReadAt};

/// The ids of a segment in a folder.
pub(super) struct StoredIds {
    pub(super) segment: Segment,
    bytes: Vec<u8>,
}

impl StoredIds {
    /// Reads the front and the ids of the segment that a manifest has this entry of.
    pub(super) fn read(dir: &Arc<dyn Dir>, folder: &Path, entry: &Entry) -> Result<Self, Error> {
        let file = reader(dir, folder, entry)?;
        let segment = open_segment(&*file)?;
        if !entry.describes(&segment.info()) {
            let detail = format!("it describes another segment than {}", entry.name());
            return Err(Error::corrupt("manifest", detail));
        }
        let bytes = read(&*file, segment.required(SectionKind::Ids)?)?;
        Ok(StoredIds { segment, bytes })
    }

    pub(super) fn view(&self) -> Result<IdView<'_>, Error> {
        view(&self.segment, &self.bytes)
    }
}

/// The ids of a segment whose bytes are `file`.
pub(super) fn ids_in<'a>(segment: &Segment, file: &'a [u8]) -> Result<IdView<'a>, Error> {
    let extent = segment.required(SectionKind::Ids)?;
    view(segment, file.get(extent.offset as usize..extent.end() as usize).unwrap_or_default())
}

fn view<'a>(segment: &Segment, bytes: &'a [u8]) -> Result<IdView<'a>, Error> {
    let extent = segment.required(SectionKind::Ids)?;
    if extent.length > 0 {
        segment.check(Read { extent, expected: Expected::Blocks }, bytes)?;
    }
    IdView::new(bytes, segment.count(), segment.header.text_ids)
}

fn open_segment(file: &dyn ReadAt) -> Result<Segment, Error> {
    let length = file.length();
    let head = read(file, Extent { offset: 0, length: length.min(HEAD) })?;
    let front = read(file, Extent { offset: 0, length: front_length(&head, length)? })?;
    Segment::open(&front, length)
}

fn read(file: &dyn ReadAt, extent: Extent) -> Result<Vec<u8>, Error> {
    let length = usize::try_from(extent.length).map_err(|_| Error::OutOfMemory { bytes: extent.length })?;
    let mut bytes = room_for(length)?;
    bytes.resize(length, 0);
    file.read(extent, &mut bytes)?;
    Ok(bytes)
}
