//! Publishes a segment: the segment or its parts are written first, then the manifest that names them, so that a reader
//! always sees a complete index. What is written is a list, [`publication`]; how it is written so that it lasts is
//! [`Publication`]'s.
//!
//! | file | duty |
//! |---|---|
//! | `old` | segments of earlier versions, and which names in a folder are ours |

mod old;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::manifest::{Entry, FILE_NAME, Form, Manifest};
use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::segment::Segment;
use crate::storage::{Dir, FsDir, Publication, PublishedFile};
pub use old::{OldSegment, is_published_name, old_segments, prune, prune_in};

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
    publish_in(&FsDir, folder, segment, options)
}

/// [`publish`] into a folder of any [`Dir`]. One that answers later is asked again and again, and the thread sleeps
/// meanwhile; step a [`Publication`] where no thread may sleep.
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
    let manifest = manifest(segment, options)?;
    let mut publication = Publication::new(folder, files(segment, &manifest)?, is_published_name);
    wait(folder, PATIENCE, || publication.step(dir))?;
    Ok(manifest.entry()?.place(folder))
}

/// The files that publish the finished segment file `segment`: the segment, its parts or both, of order 0, then the
/// manifest, of order 1. Wherever they are copied, write the manifest last.
///
/// # Errors
/// Those of [`Segment::open`] if the bytes are no segment.
pub fn publication<'a>(segment: &'a [u8], options: &PublishOptions) -> Result<Vec<PublishedFile<'a>>, Error> {
    files(segment, &manifest(segment, options)?)
}

fn manifest(segment: &[u8], options: &PublishOptions) -> Result<Manifest, Error> {
    let opened = Segment::open(segment, segment.len() as u64)?;
    Ok(Manifest::of(&opened, segment, options.form))
}

fn files<'a>(segment: &'a [u8], manifest: &Manifest) -> Result<Vec<PublishedFile<'a>>, Error> {
    let Entry { file, parts, length, .. } = manifest.entry()?;
    let mut files = Vec::new();
    if let Some(parts) = parts {
        for part in parts.all(*length) {
            let bytes = Cow::Borrowed(&segment[part.offset as usize..part.end() as usize]);
            files.push(PublishedFile { name: parts.name(part), bytes, order: 0 });
        }
    }
    if let Some(name) = file {
        files.push(PublishedFile { name: name.clone(), bytes: Cow::Borrowed(segment), order: 0 });
    }
    let text = Cow::Owned(manifest.encode()?);
    files.push(PublishedFile { name: FILE_NAME.to_owned(), bytes: text, order: 1 });
    Ok(files)
}
