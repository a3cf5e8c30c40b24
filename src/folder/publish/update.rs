//! The change of a manifest: read, changed, written. The manifest that is replaced must still be the one that was read,
//! so no writer loses what another has published meanwhile.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use super::{PublishOptions, is_published_name};
use crate::error::Error;
use crate::folder::manifest::{Entry, FILE_NAME, Manifest};
use crate::folder::wait::{PATIENCE, wait};
use crate::storage::{Dir, Publication, PublishedFile, io_error, is_missing};

/// The segments of the next manifest, and the files that must be there before it.
pub(super) type Change<'a> = (Vec<Entry>, Vec<PublishedFile<'a>>);
/// Makes the change, from the manifest or from the error why it cannot be read.
type MakeChange<'c, 'a> = dyn FnMut(Result<&Manifest, Error>) -> Result<Change<'a>, Error> + 'c;

/// Replaces the manifest of `folder` by one of the segments that `change` gives. Returns its generation. If another
/// writer was faster, `change` is asked again; not if the options demand a generation.
pub(super) fn update<'a>(
    dir: &dyn Dir,
    folder: &Path,
    options: &PublishOptions,
    change: &mut MakeChange<'_, 'a>,
) -> Result<u64, Error> {
    let started = Instant::now();
    loop {
        let text = text(dir, folder)?;
        match attempt(dir, folder, options, text.clone(), change) {
            // A segment that another writer replaced may have been removed while it was read.
            Err(Error::Changed { .. } | Error::Io { .. })
                if options.generation.is_none()
                    && started.elapsed() < PATIENCE
                    && self::text(dir, folder)? != text => {}
            done => return done,
        }
    }
}

/// The text of the manifest, if there is one.
fn text(dir: &dyn Dir, folder: &Path) -> Result<Option<Vec<u8>>, Error> {
    match Manifest::text(dir, folder) {
        Err(error) if is_missing(&error) => Ok(None),
        text => text.map(Some),
    }
}

fn attempt<'a>(
    dir: &dyn Dir,
    folder: &Path,
    options: &PublishOptions,
    text: Option<Vec<u8>>,
    change: &mut MakeChange<'_, 'a>,
) -> Result<u64, Error> {
    let path = folder.join(FILE_NAME);
    let before = match &text {
        Some(text) => Manifest::decode(text),
        None => Err(io_error(&path, ErrorKind::NotFound.into())),
    };
    let generation = before.as_ref().map_or(0, |before| before.generation);
    if options.generation.is_some_and(|wanted| wanted != generation) {
        return Err(Error::Changed { path: path.display().to_string() });
    }
    let ((segments, mut files), before) = match before {
        Ok(before) => (change(Ok(&before))?, Some(before)),
        Err(error) => (change(Err(error))?, None),
    };
    let next = Manifest::after(before.as_ref(), segments);
    files.push(manifest_file(&next)?);
    let mut publication =
        Publication::new(folder, files, is_published_name).expect(FILE_NAME, text.map(Cow::Owned));
    wait(folder, PATIENCE, || publication.step(dir))?;
    Ok(next.generation)
}

/// The manifest as the last file of a publication.
pub(super) fn manifest_file<'a>(manifest: &Manifest) -> Result<PublishedFile<'a>, Error> {
    let bytes = Cow::Owned(manifest.encode()?);
    Ok(PublishedFile { name: FILE_NAME.to_owned(), bytes, order: 1 })
}
