//! The names of a collection's files, and the `Dir` that holds them, whose operations are done at once: a host whose names are
//! created asynchronously opens them before.
//!
//! | file | duty |
//! |---|---|
//! | `manifest` | what a collection is made of, both directions |
//! | `take` | takes the values of a manifest from its bytes |
//! | `segments` | opens segments, and makes an index of them |
//! | `open` | opens a collection |

pub(crate) mod manifest;
pub(crate) mod open;
pub(crate) mod segments;
pub(crate) mod take;

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::task::Poll;

use crate::error::Error;
use crate::memory::room_for;
use crate::storage::{Access, Asked, Dir, DirFile, Sink, io_error};

/// What a segment's file is called, before its number.
const SEGMENT: &str = "seg-";

/// The file of a segment.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{SEGMENT}{number}")
}

/// The number of a segment's file; `None` for another name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(SEGMENT)?;
    let number = digits.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

/// The answer of a `Dir`.
///
/// # Errors
/// `io` of the kind `WouldBlock` for one that is not there yet.
pub(crate) fn done<T>(path: &Path, asked: Asked<T>) -> Result<T, Error> {
    match asked {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(io_error(path, IoError::from(ErrorKind::WouldBlock))),
    }
}

/// Creates a file. What an earlier writer left under its name goes: no manifest names it.
pub(crate) fn create(dir: &dyn Dir, path: &Path) -> Result<Box<dyn DirFile>, Error> {
    match done(path, dir.open(path, Access::Create)) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
            let mut file = done(path, dir.open(path, Access::Write))?;
            file.set_length(0)?;
            Ok(file)
        }
        created => created,
    }
}

/// Copies a file, and makes its contents durable.
pub(crate) fn copy_file(from: &dyn DirFile, to: &mut dyn DirFile) -> Result<(), Error> {
    const PIECE: u64 = 1 << 20;
    let length = from.length()?;
    let mut bytes = vec![0; PIECE.min(length) as usize];
    for offset in (0..length).step_by(PIECE as usize) {
        let piece = &mut bytes[..PIECE.min(length - offset) as usize];
        from.read_at(piece, offset)?;
        to.write_at(piece, offset)?;
    }
    to.sync()
}

/// All bytes of a file, of which there are at most `most`.
pub(crate) fn read_whole(path: &Path, file: &dyn DirFile, most: u64) -> Result<Vec<u8>, Error> {
    let length = file.length()?;
    if length > most {
        let detail = format!("{}: {length} bytes are more than such a file has", path.display());
        return Err(Error::corrupt("manifest", detail));
    }
    let mut bytes = room_for(length as usize)?;
    bytes.resize(length as usize, 0);
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Writes a new file from its start on.
pub(crate) struct Writing {
    pub(crate) file: Box<dyn DirFile>,
    pub(crate) length: u64,
}

impl Sink for Writing {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.file.set_length(length)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// A folder and the `Dir` that it is in.
pub(crate) struct Place {
    pub(crate) dir: Box<dyn Dir>,
    pub(crate) folder: PathBuf,
}

impl Place {
    /// Makes the names in the folder durable.
    pub(crate) fn sync_folder(&self) -> Result<(), Error> {
        done(&self.folder, self.dir.sync_folder(&self.folder))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
