//! Write, sync, rename, sync the folder: first the segment or its parts, then the manifest that names them.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{FILE_NAME, Manifest};
use crate::error::Error;
use crate::segment::Segment;

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
/// name it. Returns the segment's path, or the folder of its parts if they are all there is. Files of earlier versions
/// stay: somebody may be reading them.
///
/// # Errors
/// `io`; those of [`Segment::open`] if the bytes are no segment.
pub fn publish_as(folder: &Path, segment: &[u8], form: Form) -> Result<PathBuf, Error> {
    let opened = Segment::open(segment, segment.len() as u64)?;
    let manifest = Manifest::of(&opened, segment, form);
    let Some(entry) = manifest.segments.first() else { return Err(Error::corrupt("manifest", "no segment")) };
    create_folder(folder)?;
    let mut path = folder.to_owned();
    if let Some(parts) = &entry.parts {
        path = folder.join(&parts.folder);
        create_folder(&path)?;
        for part in parts.all(entry.length) {
            write(&parts.path(folder, part), &segment[part.offset as usize..part.end() as usize])?;
        }
        // Durable, all of them and their folder, before the manifest names them.
        sync_folder(&path)?;
        sync_folder(folder)?;
    }
    if let Some(file) = &entry.file {
        path = folder.join(file);
        replace(&path, segment)?;
    }
    replace(&folder.join(FILE_NAME), &manifest.encode()?)?;
    Ok(path)
}

fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.display().to_string(), source })
}

/// The file is there whole or as it was before, whatever happens.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write(path, bytes)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// As [`replace`]; which of the two lasts only once the folder is synced.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // The error that matters is the first one; what is left behind is a `.tmp` that no reader opens.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|source| Error::Io { path: path.display().to_string(), source })
}

/// Makes renames durable. Windows cannot open a folder, and does not need to.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    let open = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    match open.and_then(|folder| folder.sync_all()) {
        Err(e) if e.kind() != std::io::ErrorKind::PermissionDenied => {
            Err(Error::Io { path: folder.display().to_string(), source: e })
        }
        _ => Ok(()),
    }
}
