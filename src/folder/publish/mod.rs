//! Publishes a segment: the segment or its parts are written first, then the manifest that names them, so that a reader
//! always sees a complete index. What is written is a list of files; how it is written so that it lasts is
//! [`Publication`](crate::Publication)'s.
//!
//! | file | duty |
//! |---|---|
//! | `append`   | one more segment, and the dead rows that it makes |
//! | `numbers`  | the first number above all ids of an index |
//! | `ids`      | the ids of a segment in a folder, read as a whole |
//! | `replaced` | the rows of earlier segments whose ids a new segment has |
//! | `update`   | reads the manifest, writes the next one, and begins again if another writer was faster |
//! | `old`      | files of earlier versions, and which names in a folder are ours |

mod append;
mod ids;
mod numbers;
mod old;
mod replaced;
mod update;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::manifest::{Entry, Form, MAX_MODEL_NAME, Manifest, is_model_name};
use crate::error::Error;
use crate::segment::Segment;
use crate::storage::{Dir, FsDir, PublishedFile};
pub use append::{Appended, append, append_in};
pub use numbers::next_number;
pub use old::{OldSegment, is_published_name, old_segments, prune, prune_in};
use update::{manifest_file, update};

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
    /// Publish only where the folder still has this generation, which is 0 where nothing is published yet. Without it,
    /// [`publish`] replaces whatever is there, and [`append()`] appends to it.
    pub generation: Option<u64>,
    /// The name of the model that made the vectors, such as `all-MiniLM-L6-v2`: 1 to 200 characters. It stands in the
    /// manifest, so that a program that embeds queries can tell whether it has the same model. [`append()`] keeps the
    /// index's, and refuses another.
    pub model: Option<String>,
}

setters!(PublishOptions {
    form: Form,
    generation: impl Into<Option<u64>>,
    model: impl Into<Option<String>>,
});

impl PublishOptions {
    /// The defaults: one file, whatever is there.
    pub fn new() -> Self {
        PublishOptions::default()
    }
}

/// Writes the finished segment file `segment` into `folder` under a name made of its content, and makes `index.json`
/// name it, and no other segment. Returns the path of the segment, or of the folder of its parts if there is no file.
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
/// `io`; `locked` if others write for more than five minutes; `changed` if the folder has not the generation of the
/// options; `argument` for a name of a model that is too long; those of [`Segment::open`] if the bytes are no segment.
pub fn publish(folder: impl AsRef<Path>, segment: &[u8], options: &PublishOptions) -> Result<PathBuf, Error> {
    publish_in(&FsDir, folder, segment, options)
}

/// [`publish`] into a folder of any [`Dir`]. One that answers later is asked again and again, and the thread sleeps
/// meanwhile; step a [`Publication`](crate::Publication) where no thread may sleep.
///
/// # Errors
/// As [`publish`].
pub fn publish_in(
    dir: &dyn Dir,
    folder: impl AsRef<Path>,
    segment: &[u8],
    options: &PublishOptions,
) -> Result<PathBuf, Error> {
    let folder = folder.as_ref();
    let (entry, _) = entry(segment, options)?;
    // A manifest that cannot be read is replaced as well.
    update(dir, folder, options, &mut |_| Ok((vec![entry.clone()], files(segment, &entry))))?;
    Ok(entry.place(folder))
}

/// The files that publish the finished segment file `segment` where nothing was: the segment, its parts or both, of
/// order 0, then the manifest, of order 1. Wherever they are copied, write the manifest last.
///
/// # Errors
/// Those of [`Segment::open`] if the bytes are no segment.
pub fn publication<'a>(segment: &'a [u8], options: &PublishOptions) -> Result<Vec<PublishedFile<'a>>, Error> {
    let (entry, _) = entry(segment, options)?;
    let mut files = files(segment, &entry);
    files.push(manifest_file(&Manifest::after(None, vec![entry]))?);
    Ok(files)
}

/// The entry of a segment file, which is opened.
fn entry(segment: &[u8], options: &PublishOptions) -> Result<(Entry, Segment), Error> {
    let opened = Segment::open(segment, segment.len() as u64)?;
    let mut entry = Entry::of(&opened, segment, options.form);
    entry.model = options.model.clone();
    if let Some(model) = entry.model.as_deref().filter(|model| !is_model_name(model)) {
        let detail = format!("{model:?} is not 1 to {MAX_MODEL_NAME} characters without control characters");
        return Err(Error::argument("model", detail));
    }
    Ok((entry, opened))
}

/// The files of the segment that `entry` describes.
fn files<'a>(segment: &'a [u8], entry: &Entry) -> Vec<PublishedFile<'a>> {
    let mut files = Vec::new();
    if let Some(parts) = &entry.parts {
        for part in parts.all(entry.length) {
            let bytes = Cow::Borrowed(&segment[part.offset as usize..part.end() as usize]);
            files.push(PublishedFile { name: parts.name(part), bytes, order: 0 });
        }
    }
    if let Some(name) = &entry.file {
        files.push(PublishedFile { name: name.clone(), bytes: Cow::Borrowed(segment), order: 0 });
    }
    files
}
