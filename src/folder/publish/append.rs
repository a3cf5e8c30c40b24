//! Appends a segment to the index in a folder.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::replaced::Replaced;
use super::update::{Change, update};
use super::{PublishOptions, entry, files};
use crate::error::Error;
use crate::folder::manifest::{Entry, MAX_SEGMENTS, Manifest};
use crate::storage::{Dir, FsDir, PublishedFile};

/// What [`append`] has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// The path of the new segment, or of the folder of its parts if there is no file.
    pub path: PathBuf,
    /// The generation of the folder.
    pub generation: u64,
    /// How many rows of earlier segments are dead now and were not before: the new segment has their ids.
    pub replaced: u64,
}

/// Adds the finished segment file `segment` to the index in `folder`. A row whose id the new segment has is dead from
/// then on: no search finds it. Its segment does not change; which rows are dead stands in a file of their own.
///
/// A reader sees the index without the new rows or with all of them. What [`publish`](super::publish) says of errors,
/// syncs and other writers holds here too. If another writer changes the folder meanwhile, the segment is appended to
/// what that writer has published. A segment that the index has already becomes its last one; so to append again after
/// an error does no harm.
///
/// # Errors
/// `io`, also where no index is in the folder; `locked` if others write for more than five minutes; `changed` if the
/// folder has not the generation of the options; `argument` if the segment has another number of components, another
/// metric, another model or another kind of ids than the index, or if the index has 1,024 segments; those of opening an index for what
/// is in the folder, and those of [`Segment::open`](crate::Segment::open) if the bytes are no segment.
pub fn append(folder: impl AsRef<Path>, segment: &[u8], options: &PublishOptions) -> Result<Appended, Error> {
    append_in(Arc::new(FsDir), folder, segment, options)
}

/// [`append`] in a folder of any [`Dir`].
///
/// # Errors
/// As [`append`].
pub fn append_in(
    dir: Arc<dyn Dir>,
    folder: impl AsRef<Path>,
    segment: &[u8],
    options: &PublishOptions,
) -> Result<Appended, Error> {
    let folder = folder.as_ref();
    let (entry, opened) = entry(segment, options)?;
    let mut replaced = Replaced::by(&opened, segment, Arc::clone(&dir), folder)?;
    let mut rows = 0;
    let generation = update(&*dir, folder, options, &mut |before| {
        let (change, dead) = change(before?, &entry, segment, &mut replaced)?;
        rows = dead;
        Ok(change)
    })?;
    Ok(Appended { path: entry.place(folder), generation, replaced: rows })
}

/// The segments of `before` with their dead rows, and the new one; and how many rows are newly dead.
fn change<'a>(
    before: &Manifest,
    new: &Entry,
    segment: &'a [u8],
    replaced: &mut Replaced,
) -> Result<(Change<'a>, u64), Error> {
    let earlier: Vec<&Entry> = before.segments.iter().filter(|e| e.content_id != new.content_id).collect();
    if earlier.len() >= MAX_SEGMENTS {
        let detail = format!("the index has {MAX_SEGMENTS} segments, the most there are: merge them first");
        return Err(Error::argument("segment", detail));
    }
    for entry in &earlier {
        new.is_like(entry).map_err(|detail| {
            Error::argument("segment", format!("{detail}: build the new rows as those of the index"))
        })?;
    }
    let mut new = new.clone();
    if new.model.is_none() {
        new.model = earlier.iter().find_map(|entry| entry.model.clone());
    }
    let (mut segments, mut files, mut rows) = (Vec::new(), files(segment, &new), 0);
    for entry in earlier {
        let mut entry = entry.clone();
        if let Some((dead, bytes)) = replaced.dead_of(&entry)? {
            rows += dead.count - entry.dead.as_ref().map_or(0, |dead| dead.count);
            let (name, bytes) = (dead.file.clone(), Cow::Owned(bytes));
            files.push(PublishedFile { name, bytes, order: 0 });
            entry.dead = Some(dead);
        }
        segments.push(entry);
    }
    segments.push(new);
    Ok(((segments, files), rows))
}
