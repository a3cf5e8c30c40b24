//! The file system as a [`Dir`]. Paths are relative to the working directory, or absolute.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::task::Poll;

use super::{Access, Asked, Dir, DirEntry, DirFile, DirLock};
use crate::error::Error;
use crate::storage::{FOLDERS_ARE_SYNCED, Mapped, Source, io_error, read_exact_at};

/// The file that is locked in a folder. It is never removed: if another writer were about to lock it, two writers would
/// each hold a lock. The system releases the lock when its process ends, even if that is killed.
const LOCK: &str = ".lock";

/// The file system. Only [`Dir::lock`] is ever pending.
///
/// On Windows names last without a sync, and a file that is open elsewhere can be neither removed nor replaced.
#[derive(Clone, Copy, Debug, Default)]
pub struct FsDir;

struct FsFile {
    file: File,
    path: PathBuf,
    writable: bool,
}

impl Dir for FsDir {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        answer(path, open(path, access).map(|file| Box::new(file) as Box<dyn DirFile>))
    }

    fn create_folder(&self, path: &Path) -> Asked<bool> {
        let created = match place(path).is_dir() {
            true => Ok(false),
            false => match fs::create_dir(path) {
                // Another writer has created it meanwhile.
                Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
                done => done.map(|()| true),
            },
        };
        answer(path, created)
    }

    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        answer(to, fs::rename(from, to))
    }

    fn remove(&self, path: &Path) -> Asked<()> {
        let is_folder = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
        let removed = if is_folder { fs::remove_dir(path) } else { fs::remove_file(path) };
        answer(path, removed.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) }))
    }

    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        answer(folder, list(place(folder)))
    }

    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        let sync = || if FOLDERS_ARE_SYNCED { File::open(place(folder))?.sync_all() } else { Ok(()) };
        answer(folder, sync())
    }

    /// An advisory lock on the file `.lock` in the folder, which is created. It is unavailable where the file system
    /// has no locks.
    fn lock(&self, folder: &Path) -> Asked<DirLock> {
        let path = folder.join(LOCK);
        let file = match open_lock(&path) {
            Ok(file) => file,
            failed => return answer(&path, failed.map(|_| DirLock::unavailable())),
        };
        loop {
            return match file.try_lock() {
                Ok(()) => Poll::Ready(Ok(DirLock::held(file))),
                Err(TryLockError::WouldBlock) => Poll::Pending,
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Interrupted => continue,
                Err(TryLockError::Error(_)) => Poll::Ready(Ok(DirLock::unavailable())),
            };
        }
    }
}

/// What was asked for is done at once.
fn answer<T>(path: &Path, done: io::Result<T>) -> Asked<T> {
    Poll::Ready(done.map_err(|source| io_error(path, source)))
}

/// The folder of this path: the empty one is the working directory.
fn place(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn open(path: &Path, access: Access) -> io::Result<FsFile> {
    let writable = access != Access::Read;
    // To open a pipe would wait for a writer, so the kind of file is checked first.
    if access != Access::Create && !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut options = OpenOptions::new();
    let file = options.read(true).write(writable).create_new(access == Access::Create).open(path)?;
    Ok(FsFile { file, path: path.to_owned(), writable })
}

fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for found in fs::read_dir(folder)? {
        let found = found?;
        let (Ok(name), Ok(kind)) = (found.file_name().into_string(), found.file_type()) else { continue };
        let is_folder = kind.is_dir();
        // A file that another process has just removed has no length.
        let length = if is_folder { 0 } else { found.metadata().map_or(0, |meta| meta.len()) };
        entries.push(DirEntry { name, is_folder, length });
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Opens the file for writing, which locks over NFS require; else for reading, as the file may belong to another user.
fn open_lock(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => File::open(path).map_err(|_| e),
        opened => opened,
    }
}

impl FsFile {
    fn named<T>(&self, done: io::Result<T>) -> Result<T, Error> {
        done.map_err(|source| io_error(&self.path, source))
    }
}

impl DirFile for FsFile {
    fn length(&self) -> Result<u64, Error> {
        self.named(self.file.metadata().map(|meta| meta.len()))
    }

    fn map(&self) -> Result<Option<Box<dyn Source + Send + Sync>>, Error> {
        Mapped::open(&self.path).map(|mapped| Some(Box::new(mapped) as Box<dyn Source + Send + Sync>))
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.named(read_exact_at(&self.file, into, offset))
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let written = self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.write_all(bytes));
        self.named(written)
    }

    fn set_length(&mut self, length: u64) -> Result<(), Error> {
        self.named(self.file.set_len(length))
    }

    fn sync(&mut self) -> Result<(), Error> {
        // Windows syncs only what is open for writing.
        let sync = || match self.writable || FOLDERS_ARE_SYNCED {
            true => self.file.sync_all(),
            false => OpenOptions::new().write(true).open(&self.path)?.sync_all(),
        };
        self.named(sync())
    }
}
