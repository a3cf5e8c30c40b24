//! Publication: first the segment or its parts are written, then the manifest that names them, so that a reader never
//! sees half of either.
//!
//! | file | duty |
//! |---|---|
//! | `steps` | the changes to a folder as a list: create, write, rename, sync |
//! | `lock`  | one writer at a time |
//! | `old`   | segments of earlier versions, and temporary files of killed writers |

mod lock;
mod old;
pub(super) mod steps;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::manifest::{Entry, FILE_NAME, Form, Manifest};
use crate::error::Error;
use crate::segment::Segment;
use lock::{Lock, PATIENCE};
pub use old::{OldSegment, old_segments, prune};
use steps::{OnError, Step, create_folders, replace};

/// How to publish a segment.
///
/// ```
/// use pagevec::{Form, PublishOptions};
/// let options = PublishOptions::new().form(Form::Both);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishOptions {
    /// One file unless told.
    pub form: Form,
}

setters!(PublishOptions { form: Form });

impl PublishOptions {
    /// The defaults: one file.
    pub fn new() -> Self {
        PublishOptions::default()
    }
}

/// Writes the finished segment file `segment` into `folder` under a name made of its content, and makes `index.json`
/// name it. Returns the segment's path, or the folder of its parts if they are all there is.
///
/// A reader sees the folder as it was or as it will be. After an error the folder is as it was (as it will be, if only
/// the last sync failed). When this returns, all of it is synced, folders that were created for it included. A file
/// that has the same bytes already is not written again.
///
/// Other writers of the folder, in this process or another, wait for their turn (`.lock`). On a file system without
/// locks they do not wait: the last to end wins, and temporary files of killed writers stay. Segments of earlier
/// versions stay, since somebody may be reading them: [`old_segments`] lists them, [`prune`] removes them.
///
/// # Errors
/// `io`; `locked` if others write for more than five minutes; those of [`Segment::open`] if the bytes are no segment.
pub fn publish(folder: impl AsRef<Path>, segment: &[u8], options: &PublishOptions) -> Result<PathBuf, Error> {
    let folder = folder.as_ref();
    let opened = Segment::open(segment, segment.len() as u64)?;
    let manifest = Manifest::of(&opened, segment, options.form);
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

/// The steps in a folder that exists, given which folders exist and which files hold which bytes.
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
    // All that the manifest names is synced before the manifest is.
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps.extend(replace(&folder.join(FILE_NAME), Cow::Owned(manifest)));
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps
}
