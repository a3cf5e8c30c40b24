//! The ids of a segment, read as a whole and compared with their checksums.

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::folder::manifest::Entry;
use crate::folder::open::reader;
use crate::index::open_segment;
use crate::memory::room_for;
use crate::segment::{IdView, SectionKind, Segment};
use crate::storage::{Dir, Expected, Read};

/// The ids of a segment in a folder.
pub(super) struct StoredIds {
    pub(super) segment: Segment,
    bytes: Vec<u8>,
}

impl StoredIds {
    /// Reads the front and the ids of the segment that a manifest has this entry of.
    pub(super) fn read(dir: &Arc<dyn Dir>, folder: &Path, entry: &Entry) -> Result<Self, Error> {
        let file = reader(dir, folder, entry)?;
        let segment = open_segment(&mut |extent, into| file.read(extent, into), file.length())?;
        if !entry.describes(&segment.info()) {
            let detail = format!("it describes another segment than {}", entry.name());
            return Err(Error::corrupt("manifest", detail));
        }
        let ids = segment.required(SectionKind::Ids)?;
        let length = usize::try_from(ids.length).map_err(|_| Error::OutOfMemory { bytes: ids.length })?;
        let mut bytes = room_for(length)?;
        bytes.resize(length, 0);
        file.read(ids, &mut bytes)?;
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
