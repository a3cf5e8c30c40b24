//! The file system as a `Dir` for collections: its lock is seen by programs in other languages, too.

use std::path::Path;
use std::task::Poll;

use crate::storage::{Access, Asked, Dir, DirEntry, DirFile, DirLock, FsDir};

/// See the head of this file.
pub(in crate::folder) struct CollectionDir;

impl Dir for CollectionDir {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        FsDir.open(path, access)
    }

    fn create_folder(&self, path: &Path) -> Asked<bool> {
        FsDir.create_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        FsDir.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Asked<()> {
        FsDir.remove(path)
    }

    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        FsDir.list(folder)
    }

    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        FsDir.sync_folder(folder)
    }

    /// Waits for a moment where nobody is known to hold it; who holds it is told at once.
    fn lock(&self, folder: &Path) -> Asked<DirLock> {
        Poll::Ready(super::take(folder))
    }
}
