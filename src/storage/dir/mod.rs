//! Where files are written. A [`Dir`] creates, renames, removes and lists files and folders; a [`DirFile`] reads and
//! writes the contents of one. All that must outlive a crash is written through them.
//!
//! | file | duty |
//! |---|---|
//! | `fs`   | native: the file system |
//! | `mem`  | files in memory, for tests and for hosts without files |
//! | `publication` | writes a list of files so that a reader sees all of them or none |
//! | `reader` | a file that is read piece by piece |
//! | `names` | the names of temporary files |
//!
//! Where files live in OPFS, names are created, opened and removed asynchronously, while an open file is read and
//! written at once. So every operation on names is *asked for*: it returns [`Asked`], and the caller asks again later
//! where that is pending. Nothing here waits.
//!
//! The disk that fails, loses and tears is in `tests/support/disk.rs`: a `Dir` like any other.

#[cfg(feature = "native")]
mod fs;
mod mem;
mod names;
mod publication;
mod reader;

use std::any::Any;
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;
use std::task::Poll;

use super::Source;
use crate::error::Error;
#[cfg(feature = "native")]
pub use fs::FsDir;
pub use mem::MemoryDir;
pub use publication::{Publication, PublishedFile};
pub(crate) use reader::DirReader;

/// The answer to an operation on names, or `Pending`: then it is under way, and the caller asks the same again, with
/// the same arguments, until it is answered. An operation is carried out once for each answer.
pub type Asked<T> = Poll<Result<T, Error>>;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It exists, and is read. It can be synced too: that makes durable what others wrote.
    Read,
    /// It exists, and is read and written.
    Write,
    /// It does not exist, and is created empty, to be read and written.
    Create,
}

/// A file or a folder in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name in the folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The length of a file in bytes; 0 for a folder.
    pub length: u64,
}

/// The lock of a folder, held until this is dropped, or until the process ends.
pub struct DirLock(Option<Box<dyn Any + Send + Sync>>);

impl DirLock {
    /// A lock that is released when `guard` is dropped.
    pub fn held(guard: impl Any + Send + Sync) -> Self {
        DirLock(Some(Box::new(guard)))
    }

    /// What a place without locks returns: others may write at the same time.
    pub fn unavailable() -> Self {
        DirLock(None)
    }

    /// Whether others are kept out.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

/// A tree of folders and files.
///
/// **Paths.** A path is relative to the place that the `Dir` stands for, or as the platform has it; the empty path is
/// that place itself. Names that pagevec gives are ASCII.
///
/// **What is durable.** Contents and names are durable apart from each other. [`DirFile::sync`] makes the contents and
/// the length of one file durable, and no name. [`Dir::sync_folder`] makes durable the names in one folder: those that
/// were created, renamed or removed there. It does so neither for contents, nor for the folders below, nor for the
/// folder's own name, which is in its parent. Until it is synced, each change may be lost or kept, in any order and
/// independently of all others, and a write may be kept in part. So a new file is durable when it and its folder are
/// synced, and whatever names a file is written after that.
///
/// **What is atomic.** A rename over another file: at every moment, and after a crash, the name stands for the one or
/// for the other. Nothing else is: neither a write, nor several operations together.
///
/// **After an error** the operation may have been carried out, or not, or in part. After a failed write or sync the
/// contents of that file are unknown: write another file instead.
///
/// Errors are `io` and name the path; `out-of-memory` where contents are in memory.
pub trait Dir: Send + Sync {
    /// Opens a file. [`Access::Create`] fails with [`ErrorKind::AlreadyExists`] if the name is taken, the others fail
    /// with [`ErrorKind::NotFound`] if there is no such file; a folder is always an error.
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>>;

    /// Creates a folder in a folder that exists, else it fails with [`ErrorKind::NotFound`]. Returns whether it is new;
    /// `false` if there is a folder already.
    fn create_folder(&self, path: &Path) -> Asked<bool>;

    /// Renames a file within its folder, and replaces the file that has the new name. No file under either name is
    /// open for writing. A place without atomic renames fails with [`ErrorKind::Unsupported`] (OPFS has none in every
    /// browser): there, write two files in turn, each with a generation and a checksum.
    fn rename(&self, from: &Path, to: &Path) -> Asked<()>;

    /// Removes a file or an empty folder, or nothing if there is none. If others have the file open they may go on
    /// reading, or the removal fails, as the platform has it.
    fn remove(&self, path: &Path) -> Asked<()>;

    /// The files and folders in a folder, by name. Names that are no Unicode are left out.
    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> Asked<()>;

    /// The lock of a folder, which one writer holds at a time. `Pending` while another holds it. Readers do not lock.
    fn lock(&self, folder: &Path) -> Asked<DirLock>;
}

/// An open file, which is read and written by position. Its operations are carried out at once, in OPFS too.
pub trait DirFile: Send + Sync {
    /// In bytes.
    ///
    /// # Errors
    /// Those of [`Dir`], here and below.
    fn length(&self) -> Result<u64, Error>;

    /// All bytes of the file as it is now, if this place can map files; `None`: they are read. The file must not change
    /// while they are used.
    ///
    /// # Errors
    /// As above.
    fn map(&self) -> Result<Option<Box<dyn Source + Send + Sync>>, Error> {
        Ok(None)
    }

    /// Fills `into` from `offset` on. To read beyond the end is [`ErrorKind::UnexpectedEof`].
    ///
    /// # Errors
    /// As above.
    fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error>;

    /// Writes all of `bytes` from `offset` on, and extends the file where it ends before; a gap reads as zeros.
    ///
    /// # Errors
    /// As above. A part may have been written, as when the disk is full.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error>;

    /// Cuts the file to `length` bytes, or extends it with zeros.
    ///
    /// # Errors
    /// As above.
    fn set_length(&mut self, length: u64) -> Result<(), Error>;

    /// Makes contents and length durable.
    ///
    /// # Errors
    /// As above.
    fn sync(&mut self) -> Result<(), Error>;
}

/// Whether a file holds exactly these bytes.
fn holds(file: &dyn DirFile, bytes: &[u8]) -> Result<bool, Error> {
    const PIECE: usize = 1 << 20;
    if file.length()? != bytes.len() as u64 {
        return Ok(false);
    }
    let mut buffer = vec![0; PIECE.min(bytes.len())];
    for (number, piece) in bytes.chunks(PIECE).enumerate() {
        let read = &mut buffer[..piece.len()];
        file.read_at(read, (number * PIECE) as u64)?;
        if read != piece {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The error of an operation on a file that failed for this reason.
fn refused(path: &Path, kind: ErrorKind) -> Error {
    super::io_error(path, IoError::from(kind))
}

/// Whether an error says that there is no such file or folder.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}
