//! Publishes a segment: the segment or its parts are written first, then the manifest that names them, so that a reader
//! always sees a complete index.
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
    /// The form; one file by default.
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
/// name it. Returns the path of the segment, or of the folder of its parts if there is no file.
///
/// A reader sees either the old index or the new one. After an error the folder holds the old index, or the new one if
/// only the last sync failed. After success everything is synced, including folders that were created. A file that
/// already has the same bytes is not written again.
///
/// Other writers of the folder, in this process or another, wait for the lock (`.lock`). On a file system without locks
/// they do not wait: the manifest of the last one stays, and temporary files of killed writers stay too. Segments of
/// earlier versions stay, since they may be open elsewhere: [`old_segments`] lists them, [`prune`] removes them.
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

/// The steps of a publication into a folder that exists. `is_folder` and `holds` describe the files there.
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
    // Everything that the manifest names must be synced before the manifest is written.
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps.extend(replace(&folder.join(FILE_NAME), Cow::Owned(manifest)));
    steps.push(Step::SyncFolder(folder.to_owned()));
    steps
}
