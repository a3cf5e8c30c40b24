//! Files in memory as a [`Dir`]. They last as long as it does, so a sync has nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use super::{Access, Asked, Dir, DirEntry, DirFile, DirLock, refused};
use crate::error::Error;
use crate::memory::lock;

/// Files in memory. Clones share them. Only [`Dir::lock`] is ever pending. A file that is renamed over or removed can
/// be read and written by who has it open.
#[derive(Clone, Debug, Default)]
pub struct MemoryDir(Arc<Mutex<Tree>>);

#[derive(Debug, Default)]
struct Tree {
    /// By their paths without `.` and `..`. The empty path is a folder, and not in here.
    nodes: BTreeMap<PathBuf, Node>,
    locked: BTreeSet<PathBuf>,
}

type Contents = Arc<Mutex<Vec<u8>>>;

#[derive(Debug)]
enum Node {
    Folder,
    File(Contents),
}

struct MemoryFile {
    contents: Contents,
    path: PathBuf,
}

/// Holds the lock of a folder until it is dropped.
struct Guard(MemoryDir, PathBuf);

/// The path from the root.
fn key(path: &Path) -> PathBuf {
    let mut key = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => key.push(name),
            Component::ParentDir => drop(key.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    key
}

impl Tree {
    fn is_folder(&self, key: &Path) -> bool {
        key.as_os_str().is_empty() || matches!(self.nodes.get(key), Some(Node::Folder))
    }

    /// What is below a folder, however deep.
    fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (&'a PathBuf, &'a Node)> {
        let from = self.nodes.range::<Path, _>((Bound::Excluded(folder), Bound::Unbounded));
        from.take_while(move |(path, _)| path.starts_with(folder))
    }

    /// An error unless the folder of this path exists.
    fn parent_of(&self, key: &Path) -> Result<(), ErrorKind> {
        match key.parent() {
            Some(parent) if self.is_folder(parent) => Ok(()),
            _ => Err(ErrorKind::NotFound),
        }
    }

    fn open(&mut self, key: PathBuf, access: Access) -> Result<Contents, ErrorKind> {
        match self.nodes.get(&key) {
            None if access == Access::Create => {
                self.parent_of(&key)?;
                let contents = Contents::default();
                self.nodes.insert(key, Node::File(Arc::clone(&contents)));
                Ok(contents)
            }
            Some(_) if access == Access::Create => Err(ErrorKind::AlreadyExists),
            Some(Node::File(contents)) => Ok(Arc::clone(contents)),
            None if !self.is_folder(&key) => Err(ErrorKind::NotFound),
            Some(Node::Folder) | None => Err(ErrorKind::IsADirectory),
        }
    }

    fn create_folder(&mut self, key: PathBuf) -> Result<bool, ErrorKind> {
        match self.nodes.get(&key) {
            _ if self.is_folder(&key) => Ok(false),
            Some(_) => Err(ErrorKind::AlreadyExists),
            None => {
                self.parent_of(&key)?;
                self.nodes.insert(key, Node::Folder);
                Ok(true)
            }
        }
    }

    fn rename(&mut self, from: &Path, to: PathBuf) -> Result<(), ErrorKind> {
        self.parent_of(&to)?;
        match self.nodes.get(from) {
            Some(Node::File(_)) if self.is_folder(&to) => Err(ErrorKind::IsADirectory),
            Some(Node::File(contents)) => {
                let contents = Arc::clone(contents);
                self.nodes.remove(from);
                self.nodes.insert(to, Node::File(contents));
                Ok(())
            }
            Some(Node::Folder) => Err(ErrorKind::IsADirectory),
            None => Err(ErrorKind::NotFound),
        }
    }

    fn remove(&mut self, key: &Path) -> Result<(), ErrorKind> {
        if self.is_folder(key) && (key.as_os_str().is_empty() || self.below(key).next().is_some()) {
            return Err(ErrorKind::DirectoryNotEmpty);
        }
        self.nodes.remove(key);
        Ok(())
    }

    fn list(&self, folder: &Path) -> Result<Vec<DirEntry>, ErrorKind> {
        if !self.is_folder(folder) {
            return Err(ErrorKind::NotFound);
        }
        let mut entries = Vec::new();
        for (path, node) in self.below(folder).filter(|(path, _)| path.parent() == Some(folder)) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let length = match node {
                Node::Folder => 0,
                Node::File(contents) => lock(contents).len() as u64,
            };
            let is_folder = matches!(node, Node::Folder);
            entries.push(DirEntry { name: name.to_owned(), is_folder, length });
        }
        Ok(entries)
    }
}

/// What was asked for is done at once.
fn answer<T>(path: &Path, done: Result<T, ErrorKind>) -> Asked<T> {
    Poll::Ready(done.map_err(|kind| refused(path, kind)))
}

impl Dir for MemoryDir {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        let opened = lock(&self.0).open(key(path), access);
        let file = |contents| Box::new(MemoryFile { contents, path: path.to_owned() }) as Box<dyn DirFile>;
        answer(path, opened.map(file))
    }

    fn create_folder(&self, path: &Path) -> Asked<bool> {
        answer(path, lock(&self.0).create_folder(key(path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        answer(to, lock(&self.0).rename(&key(from), key(to)))
    }

    fn remove(&self, path: &Path) -> Asked<()> {
        answer(path, lock(&self.0).remove(&key(path)))
    }

    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        answer(folder, lock(&self.0).list(&key(folder)))
    }

    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        let there = lock(&self.0).is_folder(&key(folder));
        answer(folder, if there { Ok(()) } else { Err(ErrorKind::NotFound) })
    }

    fn lock(&self, folder: &Path) -> Asked<DirLock> {
        let (mut tree, key) = (lock(&self.0), key(folder));
        if !tree.is_folder(&key) {
            return answer(folder, Err(ErrorKind::NotFound));
        }
        match tree.locked.insert(key.clone()) {
            true => Poll::Ready(Ok(DirLock::held(Guard(self.clone(), key)))),
            false => Poll::Pending,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.0.0).locked.remove(&self.1);
    }
}

/// Where a range of bytes begins and ends, or an error if no memory holds it.
fn range(offset: u64, length: usize) -> Result<(usize, usize), Error> {
    let start = usize::try_from(offset).ok();
    let end = start.and_then(|start| start.checked_add(length));
    start.zip(end).ok_or(Error::OutOfMemory { bytes: offset.saturating_add(length as u64) })
}

/// Extends `contents` with zeros to `length` bytes, or cuts them.
fn resize(contents: &mut Vec<u8>, length: usize) -> Result<(), Error> {
    let more = length.saturating_sub(contents.len());
    contents.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: length as u64 })?;
    contents.resize(length, 0);
    Ok(())
}

impl DirFile for MemoryFile {
    fn length(&self) -> Result<u64, Error> {
        Ok(lock(&self.contents).len() as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        let (start, end) = range(offset, into.len())?;
        match lock(&self.contents).get(start..end) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => return Err(refused(&self.path, ErrorKind::UnexpectedEof)),
        }
        Ok(())
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (start, end) = range(offset, bytes.len())?;
        let mut contents = lock(&self.contents);
        if contents.len() < end {
            resize(&mut contents, end)?;
        }
        contents[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn set_length(&mut self, length: u64) -> Result<(), Error> {
        let (_, end) = range(length, 0)?;
        resize(&mut lock(&self.contents), end)
    }

    fn sync(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
