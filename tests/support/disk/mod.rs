//! A disk that fails and loses power: a [`Dir`] in memory that keeps what is durable apart from what is seen, by the
//! contract of [`Dir`].
//!
//! * It remembers its state before each change, and makes of a state what a power cut may leave of it: each change
//!   to a name or to contents that was not synced is kept or lost (`state.rs`).
//! * It fails the operation with a given number.
//! * It leaves out the sync with a given number, so that a test can prove that it would notice.

pub(crate) mod state;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use pagevec::{Access, Asked, Dir, DirEntry, DirFile, DirLock, Error};
use state::{Change, File, Folder, Node, State};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does nothing. After a failed sync the contents that were not synced never become durable.
    Io,
    /// It does nothing, and so does everything after it.
    Gone,
    /// No room: an operation that needs none succeeds.
    Full,
    /// A write ends in the middle, for want of room.
    Short,
}

/// The disk; clones share it.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

struct Inner {
    state: State,
    operations: Vec<String>,
    /// The state before each operation that changes something, with its number.
    history: Vec<(usize, State)>,
    fault: Option<(usize, Fault)>,
    syncs: usize,
    left_out: Option<usize>,
    locked: BTreeSet<PathBuf>,
}

/// The answer of a [`Dir`] that answers at once.
pub(crate) fn now<T>(asked: Asked<T>) -> Result<T, Error> {
    match asked {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("this answer is pending"),
    }
}

impl Disk {
    pub(crate) fn empty() -> Self {
        Disk::of(&State::empty())
    }

    /// A disk in this state, of which nothing is remembered.
    pub(crate) fn of(state: &State) -> Self {
        Disk(Arc::new(Mutex::new(Inner {
            state: state.clone(),
            operations: Vec::new(),
            history: Vec::new(),
            fault: None,
            syncs: 0,
            left_out: None,
            locked: BTreeSet::new(),
        })))
    }

    pub(crate) fn fail(self, operation: usize, fault: Fault) -> Self {
        self.inner().fault = Some((operation, fault));
        self
    }

    pub(crate) fn leave_out_sync(self, number: usize) -> Self {
        self.inner().left_out = Some(number);
        self
    }

    pub(crate) fn state(&self) -> State {
        self.inner().state.clone()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.inner().operations.clone()
    }

    /// The state before each operation that changes something, and now: with the number of operations before.
    pub(crate) fn history(&self) -> Vec<(usize, State)> {
        let inner = self.inner();
        let now = (inner.operations.len(), inner.state.clone());
        inner.history.iter().cloned().chain([now]).collect()
    }

    pub(crate) fn syncs(&self) -> usize {
        self.inner().syncs
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Remembers an operation; an error if it is to fail by this fault.
    fn begin(&mut self, what: String, fails_by: &[Fault]) -> Result<(), (Fault, ErrorKind)> {
        let number = self.operations.len();
        if !["open", "read", "list", "lock"].iter().any(|read| what.starts_with(read)) {
            self.history.push((number, self.state.clone()));
        }
        let fault = self.fault.filter(|(at, fault)| match fault {
            Fault::Gone => *at <= number,
            _ => *at == number && fails_by.contains(fault),
        });
        self.operations.push(format!("{number} {what}{}", if fault.is_some() { ": fails" } else { "" }));
        match fault.map(|(_, fault)| fault) {
            None => Ok(()),
            Some(fault @ (Fault::Io | Fault::Gone)) => Err((fault, ErrorKind::Other)),
            Some(fault) => Err((fault, ErrorKind::StorageFull)),
        }
    }

    /// Whether this sync happens.
    fn syncs(&mut self) -> bool {
        self.syncs += 1;
        let left_out = self.left_out == Some(self.syncs - 1);
        if let Some(told) = self.operations.last_mut().filter(|_| left_out) {
            told.push_str(": left out");
        }
        !left_out
    }
}

fn error(path: &Path, kind: ErrorKind) -> Error {
    Error::Io { path: path.display().to_string(), source: kind.into() }
}

/// Runs an operation on names unless it is to fail.
fn answer<T>(
    disk: &Disk,
    path: &Path,
    (what, fails_by): (&str, &[Fault]),
    run: impl FnOnce(&mut Inner) -> Result<T, ErrorKind>,
) -> Asked<T> {
    let mut inner = disk.inner();
    let begun = inner.begin(format!("{what} {}", path.display()), fails_by);
    let done = begun.map_err(|(_, kind)| kind).and_then(|()| run(&mut inner));
    Poll::Ready(done.map_err(|kind| error(path, kind)))
}

const READS: &[Fault] = &[Fault::Io];
const WRITES: &[Fault] = &[Fault::Io, Fault::Full];

impl Dir for Disk {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        let create = access == Access::Create;
        let how = if create { ("create", WRITES) } else { ("open", READS) };
        let opened = answer(self, path, how, |inner| match inner.state.find(path) {
            Some(_) if create => Err(ErrorKind::AlreadyExists),
            None if create => inner.state.add(path, Node::File(File::default())),
            None => Err(ErrorKind::NotFound),
            Some(node) if inner.state.folder(node).is_some() => Err(ErrorKind::IsADirectory),
            Some(node) => Ok(node),
        });
        opened.map_ok(|node| {
            Box::new(OpenFile { disk: self.clone(), node, path: path.to_owned() }) as Box<dyn DirFile>
        })
    }

    fn create_folder(&self, path: &Path) -> Asked<bool> {
        answer(self, path, ("create folder", WRITES), |inner| match inner.state.find(path) {
            Some(node) if inner.state.folder(node).is_some() => Ok(false),
            Some(_) => Err(ErrorKind::AlreadyExists),
            None => inner.state.add(path, Node::Folder(Folder::default())).map(|_| true),
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        answer(self, to, ("rename to", WRITES), |inner| {
            let node = inner.state.find(from).ok_or(ErrorKind::NotFound)?;
            let replaced = inner.state.find(to).and_then(|node| inner.state.folder(node));
            if replaced.is_some() || inner.state.folder(node).is_some() {
                return Err(ErrorKind::IsADirectory);
            }
            // A crash may keep the one and lose the other.
            inner.state.set(to, Some(node))?;
            inner.state.set(from, None)
        })
    }

    fn remove(&self, path: &Path) -> Asked<()> {
        answer(self, path, ("remove", READS), |inner| match inner.state.find(path) {
            None => Ok(()),
            Some(node) if inner.state.folder(node).is_some_and(|folder| !folder.seen.is_empty()) => {
                Err(ErrorKind::DirectoryNotEmpty)
            }
            Some(_) => inner.state.set(path, None),
        })
    }

    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        answer(self, folder, ("list", READS), |inner| {
            let folder = inner.state.find_folder(folder)?;
            let entries = inner.state.folder(folder).into_iter().flat_map(|folder| &folder.seen);
            let entry = |(name, node): (&String, &usize)| match &inner.state.0[*node] {
                Node::Folder(_) => DirEntry { name: name.clone(), is_folder: true, length: 0 },
                Node::File(file) => {
                    DirEntry { name: name.clone(), is_folder: false, length: file.seen.len() as u64 }
                }
            };
            Ok(entries.map(entry).collect())
        })
    }

    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        answer(self, folder, ("sync folder", READS), |inner| {
            let node = inner.state.find_folder(folder)?;
            let happens = inner.syncs();
            if let Node::Folder(folder) = &mut inner.state.0[node]
                && happens
            {
                folder.durable = folder.seen.clone();
                folder.unsynced.clear();
            }
            Ok(())
        })
    }

    fn lock(&self, folder: &Path) -> Asked<DirLock> {
        let locked = answer(self, folder, ("lock", READS), |inner| {
            inner.state.find_folder(folder)?;
            Ok(inner.locked.insert(folder.to_owned()))
        });
        match locked {
            Poll::Ready(Ok(false)) => Poll::Pending,
            other => other.map_ok(|_| DirLock::held(Guard(self.clone(), folder.to_owned()))),
        }
    }
}

struct Guard(Disk, PathBuf);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.inner().locked.remove(&self.1);
    }
}

struct OpenFile {
    disk: Disk,
    node: usize,
    path: PathBuf,
}

impl OpenFile {
    /// Runs an operation on the contents; one that is to fail is told how.
    fn run<T>(
        &self,
        (what, fails_by): (String, &[Fault]),
        run: impl FnOnce(&mut Inner, usize, Option<Fault>) -> Result<T, ErrorKind>,
    ) -> Result<T, Error> {
        let mut inner = self.disk.inner();
        let begun = inner.begin(format!("{what} {}", self.path.display()), fails_by);
        let done = match begun {
            Ok(()) => run(&mut inner, self.node, None),
            Err((fault, kind)) => run(&mut inner, self.node, Some(fault)).and(Err(kind)),
        };
        done.map_err(|kind| error(&self.path, kind))
    }
}

fn file(inner: &mut Inner, node: usize) -> &mut File {
    match &mut inner.state.0[node] {
        Node::File(file) => file,
        Node::Folder(_) => unreachable!("only files are opened"),
    }
}

impl DirFile for OpenFile {
    fn length(&self) -> Result<u64, Error> {
        Ok(file(&mut self.disk.inner(), self.node).seen.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Error> {
        self.run(("read".to_owned(), READS), |inner, node, _| {
            let end = offset as usize + into.len();
            let bytes = file(inner, node).seen.get(offset as usize..end);
            into.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let what = format!("write {} bytes at {offset} of", bytes.len());
        self.run((what, &[Fault::Io, Fault::Full, Fault::Short]), |inner, node, fault| {
            let written = match fault {
                None => bytes,
                Some(Fault::Short) => &bytes[..bytes.len() / 2],
                Some(_) => &[],
            };
            let change = Change::Write(offset as usize, written.to_vec());
            let file = file(inner, node);
            change.apply(&mut file.seen);
            file.unsynced.push(change);
            Ok(())
        })
    }

    fn set_length(&mut self, length: u64) -> Result<(), Error> {
        let what = format!("set the length to {length} of");
        self.run((what, WRITES), |inner, node, fault| {
            if fault.is_none() {
                let change = Change::Length(length as usize);
                let file = file(inner, node);
                change.apply(&mut file.seen);
                file.unsynced.push(change);
            }
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.run(("sync".to_owned(), READS), |inner, node, fault| {
            let happens = inner.syncs();
            let file = file(inner, node);
            if fault.is_some() {
                file.unsynced.clear();
            } else if happens {
                file.durable = file.seen.clone();
                file.unsynced.clear();
            }
            Ok(())
        })
    }
}
