//! Opening by path.

use std::path::Path;

use super::manifest::{Entry, Manifest};
use super::parts::PartFiles;
use crate::error::Error;
use crate::index::Index;
use crate::search::IndexChoice;
use crate::segment::Segment;
use crate::storage::{Mapped, PositionedFile, Read, Resident, Source, Sum, Whole};

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// Mapped: fastest. The file must not be truncated or rewritten while it is open (a published segment never is):
    /// the operating system answers that with SIGBUS.
    #[default]
    Mmap,
    /// Read into memory and compared with its checksums at once, in huge pages where Linux has them
    /// (`transparent_hugepage` is `madvise` or `always`): the fastest searches by the graph, at the price of the
    /// file's bytes of memory, for each process its own.
    Memory,
    /// Read by position into at most `memory_budget` bytes: for files that others may truncate, and for indexes that
    /// are larger than memory.
    Pread,
    /// As [`Io::Pread`], from the part files of a folder that was published in parts; so is, whatever is asked for, a
    /// folder that has nothing else.
    Parts,
}

/// How to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// See [`Io`].
    pub io: Io,
    /// Bytes held at most under [`Io::Pread`] and [`Io::Parts`], beside those on their way: see [`Index::reading`].
    pub memory_budget: u64,
    /// What the memory is laid out for under [`Io::Pread`]: with [`IndexChoice::Hnsw`] a graph that does not fit is
    /// walked node by node when a search asks for `hnsw`.
    pub index: IndexChoice,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { io: Io::Mmap, memory_budget: 1 << 30, index: IndexChoice::Auto }
    }
}

impl Index {
    /// Opens a folder with an `index.json`, or a segment file. Where another segment is published meanwhile and the
    /// one that was named is removed, the other is opened.
    ///
    /// # Errors
    /// `io`, and those of [`Segment::open`](crate::Segment::open); `corrupt` if the manifest describes another file.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, Error> {
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
            format!("it describes another file than lies in {}", folder.display()),
        ));
    }
    index.content_id = Some(entry.content_id.clone());
    Ok(index)
}

fn open_files(folder: &Path, entry: &Entry, options: &OpenOptions) -> Result<Index, Error> {
    match (&entry.parts, &entry.file) {
        (Some(parts), file) if options.io == Io::Parts || file.is_none() => {
            let files = PartFiles::new(folder, parts.clone(), entry.length);
            Index::reading(Box::new(files), options.memory_budget)
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
            Index::over(Box::new(map), length)?
        }
        Io::Memory => {
            let bytes = Whole(Resident::read(file)?);
            let length = bytes.0.as_ref().len() as u64;
            check_sections(&Index::segment_of(&bytes, length)?, &bytes)?;
            Index::over(Box::new(bytes), length)?
        }
        Io::Pread => {
            let file = Box::new(PositionedFile::open(file)?);
            Index::reading_for(options.index, file, options.memory_budget)?
        }
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

/// The checksums of all sections of a file that is here.
fn check_sections(segment: &Segment, source: &dyn Source) -> Result<(), Error> {
    for section in segment.header.sections.iter().filter(|s| s.extent.length > 0) {
        let bytes = source.get(section.extent).ok_or(Error::Length {
            section: section.kind.name(),
            expected: section.extent.end(),
            got: segment.header.file_length,
        })?;
        segment.check(Read { extent: section.extent, sum: Sum::Blocks }, bytes)?;
    }
    Ok(())
}
