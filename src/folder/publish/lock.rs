//! Allows one writer at a time, by an advisory lock on the file `.lock` in the folder. The file is never removed: if
//! another writer were about to lock it, two writers would each hold a lock. The system releases the lock when its
//! process ends, even if that is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::storage::io_error;

const FILE_NAME: &str = ".lock";
/// How long a writer waits for others, each of which may write many gigabytes.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// The pause between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock, held until this is dropped. Readers do not lock.
pub(super) struct Lock {
    _file: File,
    /// Whether the file system has locks. Without locks writers do not wait. That is safe, since their temporary names
    /// differ and each rename replaces a whole file by a whole file. But temporary files must not be removed then,
    /// since they may belong to a writer that is running.
    pub(super) holds: bool,
}

impl Lock {
    /// Waits for other writers, for `limit` at most.
    pub(super) fn take(folder: &Path, limit: Duration) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        let file = open(&path).map_err(|source| io_error(&path, source))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file, holds: true }),
                Err(TryLockError::WouldBlock) if started.elapsed() >= limit => {
                    return Err(Error::Locked { path: path.display().to_string(), seconds: limit.as_secs() });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(_)) => return Ok(Lock { _file: file, holds: false }),
            }
        }
    }
}

/// Opens the file for writing, which locks over NFS require; else for reading, as the file may belong to another user.
fn open(path: &Path) -> std::io::Result<File> {
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => File::open(path).map_err(|_| e),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use std::time::{Duration, Instant};

    #[test]
    fn a_held_lock_is_waited_for_and_then_named() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), Duration::ZERO).unwrap();
        assert!(first.holds);
        let limit = Duration::from_millis(60);
        let started = Instant::now();
        let refused = Lock::take(folder.path(), limit).err().unwrap();
        assert!(started.elapsed() >= limit);
        assert_eq!(refused.code(), "locked");
        let told = refused.to_string();
        assert!(told.contains(".lock") && told.contains("publish again"), "{told}");

        let waiting = std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::take(folder.path(), Duration::from_secs(20)).map(|l| l.holds));
            std::thread::sleep(Duration::from_millis(30));
            drop(first);
            second.join().unwrap()
        });
        assert!(waiting.unwrap());
        assert_eq!(Lock::take(&folder.path().join("nowhere"), limit).err().unwrap().code(), "io");
    }
}
