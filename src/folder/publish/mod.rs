//! The steps of a publication: first the segment or its parts, then the manifest that names them.

mod lock;
mod old;
pub(super) mod steps;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::{Entry, FILE_NAME, Manifest};
use crate::error::Error;
use crate::segment::Segment;
use lock::Lock;
pub use old::{OldSegment, old_segments, prune};
use steps::{OnError, Step, create_folders, replace};

/// How long a writer waits for others: each may write many gigabytes.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// As what files a segment is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One file, of which readers ask for ranges.
    #[default]
    File,
    /// Small files, each read as a whole: for hosts that ignore `Range`.
    Parts,
    /// Both: readers take parts where the host turns out to ignore `Range`.
    Both,
}

/// [`publish_as`] one file.
///
/// # Errors
/// Those of [`publish_as`].
pub fn publish(folder: &Path, segment: &[u8]) -> Result<PathBuf, Error> {
    publish_as(folder, segment, Form::File)
}

/// Writes the finished segment file `segment` into `folder` under a name made of its content, and makes `index.json`
/// name it. Returns the segment's path, or the folder of its parts if they are all there is.
///
/// A reader sees the folder as it was or as it will be; after an error it is as it was (as it will be, where
/// only the last sync failed). When this returns, all of it is synced, the folders that were
/// created for it included. A file that is there already with the same bytes is not written again. Other writers of
/// the folder, in this process or another, wait for their turn (`.lock`); on a file system without locks they do not,
/// the last to end wins, and what killed writers left stays. Segments of earlier versions stay: somebody may be reading
/// them. [`old_segments`](crate::old_segments) lists them, [`prune`](crate::prune) removes them.
///
/// # Errors
/// `io`; `locked` if others write for more than five minutes; those of [`Segment::open`] if the bytes are no segment.
pub fn publish_as(folder: &Path, segment: &[u8], form: Form) -> Result<PathBuf, Error> {
    let opened = Segment::open(segment, segment.len() as u64)?;
    let manifest = Manifest::of(&opened, segment, form);
    let text = manifest.encode()?;
    let entry = manifest.entry()?;
    steps::run(&create_folders(folder, &Path::is_dir), OnError::Keep)?;
    let lock = Lock::take(folder, PATIENCE)?;
    if lock.holds {
        old::remove_leftovers(folder)?;
    }
    let steps = plan(folder, entry, segment, text, &Path::is_dir, &steps::holds);
    steps::run(&steps, if lock.holds { OnError::Undo } else { OnError::Keep })?;
    Ok(entry.place(folder))
}

/// What is to be done in a folder that is there, given which folders are there and which files hold which bytes.
fn plan<'a>(
    folder: &Path,
    entry: &Entry,
    segment: &'a [u8],
    manifest: Vec<u8>,
    is_folder: &dyn Fn(&Path) -> bool,
    holds: &dyn Fn(&Path, &[u8]) -> bool,
) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    let put = |steps: &mut Vec<Step<'a>>, path: PathBuf, bytes: &'a [u8]| match holds(&path, bytes) {
        true => steps.push(Step::SyncFile(path)),
        false => steps.extend(replace(&path, Cow::Borrowed(bytes))),
    };
    if let Some(parts) = &entry.parts {
        let place = folder.join(&parts.folder);
        if !is_folder(&place) {
            steps.push(Step::CreateFolder(place.clone()));
        }
        for part in parts.all(entry.length) {
            let bytes = &segment[part.offset as usize..part.end() as usize];
            put(&mut steps, parts.path(folder, part), bytes);
        }
        steps.push(Step::SyncFolder(place));
    }
    if let Some(file) = &entry.file {
        put(&mut steps, folder.join(file), segment);
    }
    // All that the manifest names lasts before it does.
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps.extend(replace(&folder.join(FILE_NAME), Cow::Owned(manifest)));
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps
}

#[cfg(test)]
mod tests;
