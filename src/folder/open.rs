//! Opens an index by path: a folder with a manifest, or a segment file.

use std::path::Path;

use super::manifest::{Entry, Manifest};
use super::parts::PartFiles;
use crate::error::Error;
use crate::index::{Index, Io, OpenOptions};
use crate::segment::Segment;
use crate::storage::{Expected, HugePageBytes, InMemory, Mapped, PositionedFile, Read, Source};

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
            return open_file(path, options);
        }
        let mut manifest = Manifest::read(path)?;
        loop {
            let failed = match open_entry(path, manifest.entry()?, options) {
                Err(error) if error.code() == "io" => error,
                other => return other,
            };
            let now = Manifest::read(path)?;
            if now == manifest {
                return Err(failed);
            }
            manifest = now;
        }
    }
}

fn open_entry(folder: &Path, entry: &Entry, options: &OpenOptions) -> Result<Index, Error> {
    let mut index = open_files(folder, entry, options)?;
    if !entry.describes(index.info()) {
        return Err(Error::corrupt(
            "manifest",
            format!("it describes another segment than the one in {}", folder.display()),
        ));
    }
    index.content_id = Some(entry.content_id.clone());
    Ok(index)
}

fn open_files(folder: &Path, entry: &Entry, options: &OpenOptions) -> Result<Index, Error> {
    match (&entry.parts, &entry.file) {
        (Some(parts), file) if options.io == Io::Parts || file.is_none() => {
            let files = PartFiles::new(folder, parts.clone(), entry.length);
            Index::from_reader(files, options)
        }
        (_, Some(file)) => open_file(&folder.join(file), options),
        (_, None) => Err(Error::corrupt("manifest", "it names neither a file nor parts")),
    }
}

fn open_file(file: &Path, options: &OpenOptions) -> Result<Index, Error> {
    let mut index = match options.io {
        Io::Mmap => {
            let map = Mapped::open(file)?;
            let length = map.length();
            Index::from_source(Box::new(map), length)?
        }
        Io::Memory => {
            let bytes = InMemory(HugePageBytes::read(file)?);
            let length = bytes.0.as_ref().len() as u64;
            check_sections(&Index::segment_of(&bytes, length)?, &bytes)?;
            Index::from_source(Box::new(bytes), length)?
        }
        Io::Pread => Index::from_reader(PositionedFile::open(file)?, options)?,
        Io::Parts => {
            return Err(Error::argument(
                "io",
                format!("{} was not published in parts: use mmap, memory or pread", file.display()),
            ));
        }
    };
    index.path = Some(file.to_owned());
    Ok(index)
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
