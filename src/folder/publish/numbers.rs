//! The first number above all ids of an index, by which rows without ids are numbered on.

use std::path::Path;
use std::sync::Arc;

use super::ids::StoredIds;
use crate::error::Error;
use crate::folder::manifest::Manifest;
use crate::id::Id;
use crate::storage::{Dir, FsDir};

/// The first number above all ids of the index in `folder`, also above those of dead rows; 0 where it has no rows;
/// `None` where its ids are texts. The ids of all segments are read.
///
/// Another writer may take the same number meanwhile, so append with the
/// [generation](super::PublishOptions::generation) of which this was asked.
///
/// # Errors
/// `io`, `corrupt`, `version`, and those of [`Segment::open`](crate::Segment::open).
pub fn next_number(folder: impl AsRef<Path>) -> Result<Option<u64>, Error> {
    let (dir, folder): (Arc<dyn Dir>, _) = (Arc::new(FsDir), folder.as_ref());
    let mut next = 0;
    for entry in &Manifest::read(&*dir, folder)?.segments {
        let ids = StoredIds::read(&dir, folder, entry)?;
        if ids.segment.header.text_ids {
            return Ok(None);
        }
        let view = ids.view()?;
        for position in 0..ids.segment.count() as u32 {
            if let Id::Number(number) = view.id(position)? {
                next = next.max(number + 1);
            }
        }
    }
    Ok(Some(next))
}
