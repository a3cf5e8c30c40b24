//! Opens an index by path: a folder with a manifest, or a segment file.

use std::path::Path;
use std::sync::Arc;

use super::manifest::{Entry, Manifest};
use super::parts::PartFiles;
use super::wait::{PATIENCE, wait};
use crate::error::Error;
use crate::index::{Index, Io, MissingSegment, OpenOptions, OpenPart};
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

    /// Opens a folder with an `index.json`, or a segment file. If other segments are published while the folder is
    /// opened, and the first are removed, the others are opened.
    ///
    /// # Errors
    /// `io`, and those of [`Segment::open`](crate::Segment::open); `corrupt` if the manifest describes another file, or
    /// segments that do not belong together; `budget` if not even one query fits; `argument` for [`Io::Parts`] if there
    /// are no parts. With [`OpenOptions::degraded`] only if no segment can be opened.
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.is_dir() {
            return Index::from_parts(vec![open_file(path, options.io)?], options);
        }
        open_current(&Place { dir: Arc::new(FsDir), folder: path, is_local: true }, options)
    }

    /// Opens a folder of any [`Dir`] by its `index.json`. The files are read by position, as by [`Io::Pread`]; for
    /// [`Io::Parts`], and where there is no file, the parts are.
    ///
    /// # Errors
    /// As [`Index::open_with`].
    pub fn open_in(
        dir: Arc<dyn Dir>,
        folder: impl AsRef<Path>,
        options: &OpenOptions,
    ) -> Result<Self, Error> {
        open_current(&Place { dir, folder: folder.as_ref(), is_local: false }, options)
    }
}

/// A folder that is opened.
struct Place<'a> {
    dir: Arc<dyn Dir>,
    folder: &'a Path,
    /// Whether it is in the file system, where files can be mapped.
    is_local: bool,
}

/// Opens what the manifest names; another manifest may replace it meanwhile.
fn open_current(place: &Place<'_>, options: &OpenOptions) -> Result<Index, Error> {
    let read = || Manifest::read(&*place.dir, place.folder);
    let mut manifest = read()?;
    loop {
        let opened = open_all(place, &manifest, options);
        let gone = match &opened {
            Ok(index) => index.missing().iter().any(|missing| missing.error.code() == "io"),
            Err(error) => error.code() == "io",
        };
        if !gone {
            return opened;
        }
        let now = read()?;
        if now == manifest {
            return opened;
        }
        manifest = now;
    }
}

/// Opens all segments of a manifest; if the options say so, without those that cannot be opened.
fn open_all(place: &Place<'_>, manifest: &Manifest, options: &OpenOptions) -> Result<Index, Error> {
    // All are whole, or all are read piece by piece. Parts cannot be mapped.
    let no_file = manifest.segments.iter().any(|entry| entry.file.is_none());
    let io = match options.io {
        Io::Mmap if no_file => Io::Pread,
        Io::Mmap | Io::Memory if !place.is_local => Io::Pread,
        Io::Parts if manifest.segments.iter().all(|entry| entry.parts.is_none()) => {
            return Err(no_parts(&manifest.segments[0].place(place.folder)));
        }
        io => io,
    };
    let (mut parts, mut missing, mut ids) = (Vec::new(), Vec::new(), None);
    for entry in &manifest.segments {
        let part = open_part(place, entry, io, &mut ids).map_err(|error| match error {
            // These name the file already.
            Error::Io { .. } | Error::Argument { .. } => error,
            _ => {
                let path = entry.place(place.folder).display().to_string();
                Error::InSegment { path, error: Box::new(error) }
            }
        });
        match part {
            Ok(part) => parts.push(part),
            Err(error) if options.degraded && is_damage(&error) => missing.push(MissingSegment {
                path: entry.place(place.folder),
                content_id: entry.content_id.clone(),
                count: entry.count - entry.dead.as_ref().map_or(0, |dead| dead.count),
                error,
            }),
            Err(error) => return Err(error),
        }
    }
    match missing.pop() {
        Some(last) if parts.is_empty() => return Err(last.error),
        last => missing.extend(last),
    }
    let mut index = Index::from_parts(parts, options)?;
    index.missing = missing.into();
    Ok(index)
}

/// Whether a segment is to blame, and not the call.
fn is_damage(error: &Error) -> bool {
    matches!(error.code(), "io" | "not-a-segment" | "version" | "length" | "checksum" | "corrupt")
}

/// Opens a segment and its dead rows, and compares them with the entry. `ids` is the kind of ids of the first segment.
fn open_part(
    place: &Place<'_>,
    entry: &Entry,
    io: Io,
    ids: &mut Option<&'static str>,
) -> Result<OpenPart, Error> {
    let (dir, folder) = (&place.dir, place.folder);
    let by_parts = io == Io::Parts && entry.parts.is_some();
    let io = if io == Io::Parts { Io::Pread } else { io };
    let mut part = match (&entry.file, &entry.parts) {
        (Some(name), _) if !by_parts && place.is_local => open_file(&folder.join(name), io)?,
        (Some(name), _) if !by_parts => {
            let mut part = OpenPart::paged(reader(dir, folder, entry)?);
            part.path = Some(folder.join(name));
            part
        }
        (_, Some(parts)) => {
            let parts = PartFiles::new(Arc::clone(dir), folder, parts.clone(), entry.length);
            if io == Io::Memory { in_memory(parts)? } else { OpenPart::paged(Box::new(parts)) }
        }
        _ => OpenPart::paged(reader(dir, folder, entry)?),
    };
    part.content_id = Some(entry.content_id.clone());
    let dead = entry.dead.as_ref().map(|dead| Ok::<_, Error>((dead, dead.bytes(&**dir, folder)?)));
    let dead = dead.transpose()?;
    let segment = check(&mut part, entry, ids)?;
    let dead = dead.map(|(dead, bytes)| dead.rows(&bytes, segment)).transpose()?;
    part.dead = dead;
    Ok(part)
}

/// Opens a segment, and compares it with the entry, and its kind of ids with that of the first segment.
fn check<'a>(
    part: &'a mut OpenPart,
    entry: &Entry,
    ids: &mut Option<&'static str>,
) -> Result<&'a Segment, Error> {
    let segment = part.open()?;
    let info = segment.info();
    if !entry.describes(&info) {
        return Err(Error::corrupt("manifest", "it describes another segment than this one"));
    }
    if *ids.get_or_insert(info.ids) != info.ids {
        let detail = format!("the ids are of the kind {}, but those of other segments are not", info.ids);
        return Err(Error::corrupt("manifest", detail));
    }
    Ok(segment)
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

fn open_file(file: &Path, io: Io) -> Result<OpenPart, Error> {
    let mut part = match io {
        Io::Mmap => {
            let map = Mapped::open(file)?;
            let length = map.length();
            OpenPart::whole(Box::new(map), length)
        }
        Io::Memory => in_memory(PositionedFile::open(file)?)?,
        Io::Pread => OpenPart::paged(Box::new(PositionedFile::open(file)?)),
        Io::Parts => return Err(no_parts(file)),
    };
    part.path = Some(file.to_owned());
    Ok(part)
}

/// Reads a file into memory, and compares it with its checksums.
fn in_memory(file: impl ReadAt) -> Result<OpenPart, Error> {
    let bytes = InMemory(HugePageBytes::read(&file)?);
    check_sections(&OpenPart::segment_of(&bytes, file.length())?, &bytes)?;
    Ok(OpenPart::whole(Box::new(bytes), file.length()))
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
