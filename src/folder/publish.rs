//! Write, sync, rename, sync the folder: first the segment, then the manifest that names it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{FILE_NAME, Manifest};
use crate::error::Error;
use crate::segment::Segment;

/// Writes the finished segment file `segment` into `folder` under a name made of its content, and makes `index.json`
/// name it. Returns the segment's path. Files of earlier versions stay: somebody may be reading them.
///
/// # Errors
/// `io`; those of [`Segment::open`] if the bytes are no segment.
pub fn publish(folder: &Path, segment: &[u8]) -> Result<PathBuf, Error> {
    let opened = Segment::open(segment, segment.len() as u64)?;
    let manifest = Manifest::of(&opened, segment);
    let io = |source| Error::Io { path: folder.display().to_string(), source };
    fs::create_dir_all(folder).map_err(io)?;
    let Some(entry) = manifest.segments.first() else { return Err(Error::corrupt("manifest", "no segment")) };
    let path = entry.path(folder);
    replace(&path, segment)?;
    replace(&folder.join(FILE_NAME), &manifest.encode()?)?;
    Ok(path)
}

/// The file is there whole or as it was before, whatever happens.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.display().to_string(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))
    });
    if written.is_err() {
        // The error that matters is the first one; what is left behind is a `.tmp` that no reader opens.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(io)
}

/// Makes a rename durable. Windows cannot open a folder, and does not need to.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    match File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) {
        Ok(folder) => folder.sync_all(),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        Err(e) => Err(e),
    }
}
