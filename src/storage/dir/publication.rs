//! Writes a list of files so that a reader sees all of them or none. The list is pure: names, bytes, and which files
//! must last before which others are named. The steps follow from it alone.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::task::{Poll, ready};

use super::names::{meant_for, parent, temporary};
use super::{Access, Asked, Dir, DirLock, holds, is_missing};
use crate::error::Error;
use crate::storage::io_error;

/// One file of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile<'a> {
    /// Its name in the published folder; `folder/name` if it is in a folder there.
    pub name: String,
    /// All of it.
    pub bytes: Cow<'a, [u8]>,
    /// 0 for a file that names no others. Else it may name files of a lower order: those last before it is there. Files
    /// of one order come in any order, and the one file of the highest order makes the publication visible.
    pub order: u32,
}

/// A publication under way: it writes files into a folder, and is stepped until it is done.
///
/// A reader who begins at the file of the highest order finds the files of the last publication or of this one, whole,
/// wherever this ends: also by an error or a crash. A file that has the same bytes already is synced and not written
/// again; other files get temporary names first, `<name>.….tmp`. The folder is created, with those above it.
///
/// Writers of one folder take turns by its lock. Where a [`Dir`] has no locks they do not wait: the file of the highest
/// order is that of the last writer.
///
/// After an error the new files are removed, unless a file of a higher order was renamed, which may name them. Without
/// a lock they stay, since another writer may use them; only the temporary file is removed then.
pub struct Publication<'a> {
    folder: PathBuf,
    steps: VecDeque<Step<'a>>,
    /// Tells our names from others in the folder.
    is_ours: fn(&str) -> bool,
    lock: Option<DirLock>,
    /// The file that is being written.
    temporary: Option<PathBuf>,
    /// What was not there before.
    new: Vec<PathBuf>,
    /// What has failed: the steps that are left remove what is new.
    failed: Option<Error>,
}

/// What is done next. Each step asks the [`Dir`] for one operation on names; one that is pending is asked again.
enum Step<'a> {
    /// Creates a folder with those above it, and syncs the names of the new ones. The flag says that the folder above
    /// is there and synced.
    Ancestors(PathBuf, bool),
    /// Waits until no other writer is at work.
    Lock,
    /// Fails unless the file has these bytes, or is missing.
    Expect(PathBuf, Option<Cow<'a, [u8]>>),
    /// Lists a folder below the published one, and removes temporary files of killed writers.
    Clean(String),
    CreateFolder(PathBuf),
    /// Syncs a file that has these bytes already, or writes it.
    Put {
        to: PathBuf,
        bytes: Cow<'a, [u8]>,
        order: u32,
    },
    /// Creates a temporary file, fills and syncs it. The flag says that there is no file under the final name.
    Write {
        to: PathBuf,
        bytes: Cow<'a, [u8]>,
        order: u32,
        is_new: bool,
    },
    Rename {
        temporary: PathBuf,
        to: PathBuf,
        order: u32,
        is_new: bool,
    },
    SyncFolder(PathBuf),
    /// Syncs a folder in which this changes nothing. That is not always permitted.
    TrySync(PathBuf),
    Remove(PathBuf),
}

impl<'a> Publication<'a> {
    /// Publishes `files` into `folder`. Their names stay in it. `is_ours` says of a name in the folder whether a
    /// publication may have written it: only then is its temporary file removed, if a killed writer left one.
    pub fn new(folder: &Path, mut files: Vec<PublishedFile<'a>>, is_ours: fn(&str) -> bool) -> Self {
        files.sort_by_key(|file| file.order);
        let mut steps = VecDeque::new();
        if !folder.as_os_str().is_empty() {
            steps.push_back(Step::Ancestors(folder.to_owned(), false));
        }
        steps.extend([Step::Lock, Step::Clean(String::new())]);
        let mut files = files.into_iter().peekable();
        while let Some(order) = files.peek().map(|file| file.order) {
            // From the published folder down.
            let mut folders = vec![folder.to_owned()];
            while let Some(PublishedFile { name, bytes, .. }) = files.next_if(|file| file.order == order) {
                let to = folder.join(&name);
                let above: Vec<&Path> = to.ancestors().skip(1).take_while(|path| *path != folder).collect();
                for path in above.into_iter().rev().filter(|path| path.starts_with(folder)) {
                    if !folders.iter().any(|known| known == path) {
                        folders.push(path.to_owned());
                        steps.push_back(Step::CreateFolder(path.to_owned()));
                    }
                }
                steps.push_back(Step::Put { to, bytes, order });
            }
            steps.extend(folders.into_iter().rev().map(Step::SyncFolder));
        }
        Publication { folder: folder.to_owned(), is_ours, ..Publication::of(steps) }
    }

    /// Publishes only where the file `name` has these bytes, or is missing for `None`, once the lock is held. Else
    /// [`Publication::step`] fails with `changed` before anything is written. Where a [`Dir`] has no locks, another
    /// writer may change the file afterwards.
    #[must_use]
    pub fn expect(mut self, name: &str, bytes: Option<Cow<'a, [u8]>>) -> Self {
        let locked = self.steps.iter().position(|step| matches!(step, Step::Lock)).map_or(0, |at| at + 1);
        self.steps.insert(locked, Step::Expect(self.folder.join(name), bytes));
        self
    }

    /// Replaces one file, without a lock. Its folder exists.
    pub fn replace(path: &Path, bytes: &'a [u8]) -> Self {
        let put = Step::Put { to: path.to_owned(), bytes: Cow::Borrowed(bytes), order: 0 };
        Publication::of(VecDeque::from([put, Step::SyncFolder(parent(path))]))
    }

    fn of(steps: VecDeque<Step<'a>>) -> Self {
        Publication {
            folder: PathBuf::new(),
            steps,
            is_ours: |_| false,
            lock: None,
            temporary: None,
            new: Vec::new(),
            failed: None,
        }
    }

    /// Goes on until all is written and synced, or an operation is pending. Always with the same `dir`.
    ///
    /// # Errors
    /// Those of [`Dir`]. They name the file, not its temporary file.
    pub fn step(&mut self, dir: &dyn Dir) -> Asked<()> {
        while let Some(mut step) = self.steps.pop_front() {
            match self.run(&mut step, dir) {
                Poll::Pending => {
                    self.steps.push_front(step);
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) if self.failed.is_none() => self.fail(error),
                // The error that matters is the first. A temporary file that cannot be removed goes with the next
                // publication.
                Poll::Ready(_) => {}
            }
        }
        self.lock = None;
        Poll::Ready(self.failed.take().map_or(Ok(()), Err))
    }

    /// From here on, what is new is removed.
    fn fail(&mut self, error: Error) {
        self.failed = Some(error);
        let locked = self.lock.as_ref().is_some_and(DirLock::is_held);
        let new = take(&mut self.new).into_iter().filter(|_| locked).rev();
        self.steps = self.temporary.take().into_iter().chain(new).map(Step::Remove).collect();
    }

    fn run(&mut self, step: &mut Step<'a>, dir: &dyn Dir) -> Asked<()> {
        match step {
            Step::Ancestors(path, above_are_synced) => self.create(path, *above_are_synced, dir),
            Step::Lock => dir.lock(&self.folder).map_ok(|lock| self.lock = Some(lock)),
            Step::Expect(path, bytes) => expect(path, bytes.as_deref(), dir),
            Step::Clean(below) => self.clean(below, dir),
            Step::CreateFolder(path) => dir.create_folder(path).map_ok(|is_new| {
                if is_new {
                    self.new.push(take(path));
                }
            }),
            Step::Put { to, bytes, order } => {
                let is_new = match ready!(dir.open(to, Access::Read)) {
                    Ok(mut file) if holds(&*file, bytes).unwrap_or(false) => return Poll::Ready(file.sync()),
                    Ok(_) => false,
                    Err(error) => is_missing(&error),
                };
                let write = Step::Write { to: take(to), bytes: take(bytes), order: *order, is_new };
                self.steps.push_front(write);
                Poll::Ready(Ok(()))
            }
            Step::Write { to, bytes, order, is_new } => self.write(to, bytes, (*order, *is_new), dir),
            Step::Rename { temporary, to, order, is_new } => dir.rename(temporary, to).map_ok(|()| {
                self.temporary = None;
                match (*order, *is_new) {
                    (0, true) => self.new.push(take(to)),
                    (0, false) => {}
                    // It may name what is new.
                    _ => self.new.clear(),
                }
            }),
            Step::SyncFolder(path) => dir.sync_folder(path),
            Step::TrySync(path) => dir.sync_folder(path).map(|_| Ok(())),
            Step::Remove(path) => dir.remove(path),
        }
    }

    /// A folder that was there may have been created by a writer that was killed before its sync, or whose sync failed.
    /// So the name of the lowest one that was there is synced too.
    fn create(&mut self, path: &mut PathBuf, above_are_synced: bool, dir: &dyn Dir) -> Asked<()> {
        let above = parent(path);
        match ready!(dir.create_folder(path)) {
            Ok(false) => self.steps.push_front(Step::TrySync(above)),
            Ok(true) => {
                if let Some(higher) = above.parent().filter(|_| !above_are_synced) {
                    self.steps.push_front(Step::TrySync(higher.to_owned()));
                }
                self.steps.push_front(Step::SyncFolder(above));
            }
            Err(error) if is_missing(&error) && !above_are_synced && !above.as_os_str().is_empty() => {
                self.steps.push_front(Step::Ancestors(take(path), true));
                self.steps.push_front(Step::Ancestors(above, false));
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(()))
    }

    /// Temporary files are removed only under a lock: else they may belong to a writer that is running.
    fn clean(&mut self, below: &str, dir: &dyn Dir) -> Asked<()> {
        if !self.lock.as_ref().is_some_and(DirLock::is_held) {
            return Poll::Ready(Ok(()));
        }
        dir.list(&self.folder.join(below)).map_ok(|entries| {
            for entry in entries {
                let name = if below.is_empty() { entry.name } else { format!("{below}/{}", entry.name) };
                if entry.is_folder && (self.is_ours)(&name) {
                    self.steps.push_front(Step::Clean(name));
                } else if !entry.is_folder && meant_for(&name).is_some_and(self.is_ours) {
                    self.steps.push_front(Step::Remove(self.folder.join(name)));
                }
            }
        })
    }

    fn write(
        &mut self,
        to: &mut PathBuf,
        bytes: &[u8],
        (order, is_new): (u32, bool),
        dir: &dyn Dir,
    ) -> Asked<()> {
        let temporary = self.temporary.get_or_insert_with(|| temporary(to)).clone();
        let written = ready!(dir.open(&temporary, Access::Create)).and_then(|mut file| {
            file.write_at(bytes, 0)?;
            file.sync()
        });
        Poll::Ready(match written {
            Ok(()) => {
                self.steps.push_front(Step::Rename { temporary, to: take(to), order, is_new });
                Ok(())
            }
            Err(Error::Io { source, .. }) => Err(io_error(to, source)),
            Err(other) => Err(other),
        })
    }
}

/// `changed` unless the file has these bytes, or is missing for `None`.
fn expect(path: &Path, bytes: Option<&[u8]>, dir: &dyn Dir) -> Asked<()> {
    let same = match (ready!(dir.open(path, Access::Read)), bytes) {
        (Ok(file), Some(bytes)) => holds(&*file, bytes),
        (Ok(_), None) => Ok(false),
        (Err(error), _) if is_missing(&error) => Ok(bytes.is_none()),
        (Err(error), _) => Err(error),
    };
    Poll::Ready(same.and_then(|same| match same {
        true => Ok(()),
        false => Err(Error::Changed { path: path.display().to_string() }),
    }))
}
