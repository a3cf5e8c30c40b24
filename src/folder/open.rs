//! Opens an index by path: a folder with a manifest, or a segment file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{Entry, Manifest};
use super::parts::PartFiles;
use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::index::{Index, Io, OpenOptions, OpenPart};
use crate::segment::Segment;
use crate::storage::{
    Access, Dir, DirFile, Expected, Extent, FsDir, HugePageBytes, InMemory, Mapped, PositionedFile, Read,
    ReadAt, Source,
};

impl Index {
    /// Opens a folder with an `index.json`, or a segment file, by mmap. It is [`Index::open_with`] with the defaults.
    ///
    /// # Errors
    /// As [`Index::open_with`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Index::open_with(path, &OpenOptions::new())
    }

    /// Opens a folder with an `index.json`, or a segment file. If another segment is published while the folder is
    /// opened, and the first is removed, the other is opened.
    ///
    /// # Errors
    /// `io`, and those of [`Segment::open`](crate::Segment::open); `corrupt` if the manifest describes another file;
    /// `budget` if not even one query fits; `argument` for [`Io::Parts`] if there are no parts.
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.is_dir() {
            return open_file(path, None, options);
        }
        let open = |entry: &Entry| match &entry.file {
            Some(file) if options.io != Io::Parts => open_file(&path.join(file), Some(entry), options),
            _ => open_in(Arc::new(FsDir), path, entry, options),
        };
        open_current(&FsDir, path, &open)
    }

    /// Opens a folder of any [`Dir`] by its `index.json`. The file is read by position, as by [`Io::Pread`]; for
    /// [`Io::Parts`], and where there is no file, the parts are.
    ///
    /// # Errors
    /// As [`Index::open_with`].
    pub fn open_in(
        dir: Arc<dyn Dir>,
        folder: impl AsRef<Path>,
        options: &OpenOptions,
    ) -> Result<Self, Error> {
        let folder = folder.as_ref();
        open_current(&*dir, folder, &|entry| open_in(Arc::clone(&dir), folder, entry, options))
    }
}

/// Opens what the manifest names, by `open`; another manifest may replace it meanwhile.
fn open_current(
    dir: &dyn Dir,
    folder: &Path,
    open: &dyn Fn(&Entry) -> Result<Index, Error>,
) -> Result<Index, Error> {
    let mut manifest = Manifest::read(dir, folder)?;
    loop {
        let [entry] = manifest.segments.as_slice() else {
            let count = manifest.segments.len();
            return Err(Error::corrupt(
                "manifest",
                format!("it names {count} segments, and this version opens one"),
            ));
        };
        let failed = match open(entry) {
            Err(error) if error.code() == "io" => error,
            Err(error) => return Err(error),
            Ok(index) if !entry.describes(index.info()) => {
                let detail = format!("it describes another segment than the one in {}", folder.display());
                return Err(Error::corrupt("manifest", detail));
            }
            Ok(index) => return Ok(index),
        };
        let now = Manifest::read(dir, folder)?;
        if now == manifest {
            return Err(failed);
        }
        manifest = now;
    }
}

fn open_in(dir: Arc<dyn Dir>, folder: &Path, entry: &Entry, options: &OpenOptions) -> Result<Index, Error> {
    match (&entry.parts, &entry.file) {
        (Some(parts), file) if options.io == Io::Parts || file.is_none() => {
            let files = PartFiles::new(dir, folder, parts.clone(), entry.length);
            one(OpenPart::paged(Box::new(files)), None, Some(entry), options)
        }
        (_, Some(name)) if options.io == Io::Parts => Err(no_parts(&folder.join(name))),
        (_, Some(name)) => {
            let path = folder.join(name);
            let file = OneFile::open(&*dir, folder, &path)?;
            one(OpenPart::paged(Box::new(file)), Some(path), Some(entry), options)
        }
        (_, None) => Err(Error::corrupt("manifest", "it names neither a file nor parts")),
    }
}

/// The file of a segment, or else its parts, read by position.
pub(super) fn reader(dir: &Arc<dyn Dir>, folder: &Path, entry: &Entry) -> Result<Box<dyn ReadAt>, Error> {
    match (&entry.file, &entry.parts) {
        (Some(name), _) => Ok(Box::new(OneFile::open(&**dir, folder, &folder.join(name))?)),
        (None, Some(parts)) => {
            Ok(Box::new(PartFiles::new(Arc::clone(dir), folder, parts.clone(), entry.length)))
        }
        (None, None) => Err(Error::corrupt("manifest", "it names neither a file nor parts")),
    }
}

/// A file of a [`Dir`], read by position.
struct OneFile {
    file: Box<dyn DirFile>,
    length: u64,
}

impl OneFile {
    fn open(dir: &dyn Dir, folder: &Path, path: &Path) -> Result<Self, Error> {
        let file = wait(folder, PATIENCE, || dir.open(path, Access::Read))?;
        let length = file.length()?;
        Ok(OneFile { file, length })
    }
}

impl ReadAt for OneFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        self.file.read_at(into, extent.offset)
    }
}

fn no_parts(file: &Path) -> Error {
    let detail = format!("{} was not published in parts: use mmap, memory or pread", file.display());
    Error::argument("io", detail)
}

fn open_file(file: &Path, entry: Option<&Entry>, options: &OpenOptions) -> Result<Index, Error> {
    let part = match options.io {
        Io::Mmap => {
            let map = Mapped::open(file)?;
            let length = map.length();
            OpenPart::whole(Box::new(map), length)
        }
        Io::Memory => {
            let bytes = InMemory(HugePageBytes::read(file)?);
            let length = bytes.0.as_ref().len() as u64;
            check_sections(&OpenPart::segment_of(&bytes, length)?, &bytes)?;
            OpenPart::whole(Box::new(bytes), length)
        }
        Io::Pread => OpenPart::paged(Box::new(PositionedFile::open(file)?)),
        Io::Parts => return Err(no_parts(file)),
    };
    one(part, Some(file.to_owned()), entry, options)
}

/// Opens an index of one segment, with what the manifest says of it.
fn one(
    mut part: OpenPart,
    path: Option<PathBuf>,
    entry: Option<&Entry>,
    options: &OpenOptions,
) -> Result<Index, Error> {
    part.path = path;
    part.content_id = entry.map(|entry| entry.content_id.clone());
    Index::from_parts(vec![part], options)
}

/// Compares all sections of a local file with their checksums.
fn check_sections(segment: &Segment, source: &dyn Source) -> Result<(), Error> {
    for section in segment.header.sections.iter().filter(|s| s.extent.length > 0) {
        let bytes = source.get(section.extent).ok_or(Error::Length {
            section: section.kind.name(),
            expected: section.extent.end(),
            got: segment.header.file_length,
        })?;
        segment.check(Read { extent: section.extent, expected: Expected::Blocks }, bytes)?;
    }
    Ok(())
}
