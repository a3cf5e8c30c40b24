//! The file system, files in memory and the simulated disk do the same by the contract of `Dir`, and a publication
//! writes the same files to a `Dir` that answers later and to one without locks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/publications.rs"]
mod publications;
mod support;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::task::Poll;

use pagevec::{
    Access, Asked, Dir, DirEntry, DirFile, DirLock, Error, Form, FsDir, MemoryDir, Publication,
    is_published_name,
};
use publications::{FOLDER, FORMS, generation, segment};
use support::disk::{Disk, Fault, now};

/// The kind of an error, which must name this path.
fn kind<T>(asked: Asked<T>, path: &Path) -> ErrorKind {
    match now(asked).map(drop) {
        Err(Error::Io { path: named, source }) => {
            assert_eq!(Path::new(&named), path);
            source.kind()
        }
        other => panic!("{other:?} of {}", path.display()),
    }
}

fn read(dir: &dyn Dir, path: &Path) -> Vec<u8> {
    let file = now(dir.open(path, Access::Read)).unwrap();
    let mut bytes = vec![0; file.length().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn write(dir: &dyn Dir, path: &Path, bytes: &[u8]) {
    let mut file = now(dir.open(path, Access::Create)).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
}

fn contents(dir: &dyn Dir, path: &Path) {
    let mut file = now(dir.open(path, Access::Create)).unwrap();
    assert_eq!(file.length().unwrap(), 0);
    file.write_at(b"abcdef", 0).unwrap();
    file.write_at(b"XY", 2).unwrap();
    file.write_at(b"z", 8).unwrap();
    file.sync().unwrap();
    assert_eq!(read(dir, path), b"abXYef\0\0z", "a gap is zeros");
    file.set_length(3).unwrap();
    file.set_length(5).unwrap();
    assert_eq!((file.length().unwrap(), read(dir, path)), (5, b"abX\0\0".to_vec()));
    drop(file);
    let mut file = now(dir.open(path, Access::Write)).unwrap();
    file.write_at(b"Q", 4).unwrap();
    drop(file);
    let mut file = now(dir.open(path, Access::Read)).unwrap();
    file.sync().unwrap();
    let mut two = [0; 2];
    file.read_at(&mut two, 3).unwrap();
    assert_eq!(two, [0, b'Q']);
    let beyond = file.read_at(&mut two, 4);
    assert!(matches!(beyond, Err(Error::Io { source, .. }) if source.kind() == ErrorKind::UnexpectedEof));
    file.read_at(&mut [], 5).unwrap();
}

fn names(dir: &dyn Dir, root: &Path) {
    let at = |name: &str| root.join(name);
    assert_eq!(kind(dir.open(&at("a"), Access::Read), &at("a")), ErrorKind::NotFound);
    assert_eq!(kind(dir.open(&at("a"), Access::Write), &at("a")), ErrorKind::NotFound);
    assert_eq!(kind(dir.open(&at("x/a"), Access::Create), &at("x/a")), ErrorKind::NotFound);
    assert_eq!(kind(dir.create_folder(&at("x/y")), &at("x/y")), ErrorKind::NotFound);
    assert_eq!(kind(dir.list(&at("x")), &at("x")), ErrorKind::NotFound);
    assert!(now(dir.create_folder(&at("x"))).unwrap());
    assert!(!now(dir.create_folder(&at("x"))).unwrap(), "it is there already");
    write(dir, &at("a"), b"old");
    write(dir, &at("x/b"), b"bb");
    assert_eq!(kind(dir.open(&at("a"), Access::Create), &at("a")), ErrorKind::AlreadyExists);
    assert_eq!(kind(dir.create_folder(&at("a")), &at("a")), ErrorKind::AlreadyExists);
    assert!(now(dir.open(&at("x"), Access::Read)).is_err(), "a folder is no file");
    let entry = |name: &str, is_folder, length| DirEntry { name: name.to_owned(), is_folder, length };
    assert_eq!(now(dir.list(root)).unwrap(), [entry("a", false, 3), entry("x", true, 0)]);
    assert_eq!(now(dir.list(&at("x"))).unwrap(), [entry("b", false, 2)]);
    write(dir, &at("new"), b"new");
    now(dir.rename(&at("new"), &at("a"))).unwrap();
    assert_eq!(read(dir, &at("a")), b"new", "it is replaced");
    assert_eq!(kind(dir.rename(&at("new"), &at("c")), &at("c")), ErrorKind::NotFound);
    assert!(now(dir.rename(&at("a"), &at("x"))).is_err(), "no file replaces a folder");
    now(dir.sync_folder(root)).unwrap();
    now(dir.sync_folder(&at("x"))).unwrap();
    assert_eq!(kind(dir.remove(&at("x")), &at("x")), ErrorKind::DirectoryNotEmpty);
    for gone in ["x/b", "x", "x", "a", "nothing"] {
        now(dir.remove(&at(gone))).unwrap();
    }
    assert_eq!(now(dir.list(root)).unwrap(), []);
}

fn locks(dir: &dyn Dir, root: &Path) {
    let first = now(dir.lock(root)).unwrap();
    assert!(first.is_held());
    assert!(dir.lock(root).is_pending());
    drop(first);
    assert!(now(dir.lock(root)).unwrap().is_held());
    assert!(now(dir.lock(&root.join("nowhere"))).is_err());
}

#[test]
fn every_dir_keeps_its_contract() {
    let place = tempfile::tempdir().unwrap();
    let dirs: [(&dyn Dir, &Path); 3] =
        [(&FsDir, place.path()), (&MemoryDir::default(), Path::new("")), (&Disk::empty(), Path::new(""))];
    for (dir, root) in dirs {
        for check in [names, locks] {
            // The file system's lock is a file.
            let root = root.join("here");
            now(dir.create_folder(&root)).unwrap();
            check(dir, &root);
        }
        contents(dir, &root.join("file"));
    }
}

/// Answers each question when it is asked for the second time.
struct Later(MemoryDir, Mutex<(Option<String>, usize)>);

impl Later {
    fn ask<T>(&self, question: String, answer: impl FnOnce(&MemoryDir) -> Asked<T>) -> Asked<T> {
        let mut asked = self.1.lock().unwrap();
        match asked.0.take() {
            Some(before) => {
                assert_eq!(before, question, "another question before the answer");
                answer(&self.0)
            }
            None => {
                *asked = (Some(question), asked.1 + 1);
                Poll::Pending
            }
        }
    }
}

impl Dir for Later {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        self.ask(format!("open {} {access:?}", path.display()), |dir| dir.open(path, access))
    }
    fn create_folder(&self, path: &Path) -> Asked<bool> {
        self.ask(format!("create {}", path.display()), |dir| dir.create_folder(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        self.ask(format!("rename {} {}", from.display(), to.display()), |dir| dir.rename(from, to))
    }
    fn remove(&self, path: &Path) -> Asked<()> {
        self.ask(format!("remove {}", path.display()), |dir| dir.remove(path))
    }
    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        self.ask(format!("list {}", folder.display()), |dir| dir.list(folder))
    }
    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        self.ask(format!("sync {}", folder.display()), |dir| dir.sync_folder(folder))
    }
    fn lock(&self, folder: &Path) -> Asked<DirLock> {
        self.ask(format!("lock {}", folder.display()), |dir| dir.lock(folder))
    }
}

fn all(dir: &MemoryDir, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in now(dir.list(folder)).unwrap() {
        let path = folder.join(&entry.name);
        match entry.is_folder {
            true => found.extend(all(dir, &path)),
            false => found.push((path.clone(), read(dir, &path))),
        }
    }
    found
}

#[test]
fn a_dir_that_answers_later_gets_the_same_files() {
    let (at_once, later) = (MemoryDir::default(), Later(MemoryDir::default(), Mutex::default()));
    for (seed, form) in FORMS.into_iter().enumerate() {
        let files = generation(segment(seed as u64), form).files;
        let publication = || Publication::new(Path::new(FOLDER), files.clone(), is_published_name);
        now(publication().step(&at_once)).unwrap();
        let (before, mut steps, mut publication) = (later.1.lock().unwrap().1, 0, publication());
        while publication.step(&later).map(Result::unwrap).is_pending() {
            steps += 1;
        }
        assert_eq!(steps, later.1.lock().unwrap().1 - before, "a step ends where an answer is pending");
        assert!(steps > 10);
        assert!(all(&at_once, Path::new("")) == all(&later.0, Path::new("")), "{form:?}");
    }
}

/// A disk without locks.
struct NoLocks(Disk);

impl Dir for NoLocks {
    fn open(&self, path: &Path, access: Access) -> Asked<Box<dyn DirFile>> {
        self.0.open(path, access)
    }
    fn create_folder(&self, path: &Path) -> Asked<bool> {
        self.0.create_folder(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Asked<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Asked<()> {
        self.0.remove(path)
    }
    fn list(&self, folder: &Path) -> Asked<Vec<DirEntry>> {
        self.0.list(folder)
    }
    fn sync_folder(&self, folder: &Path) -> Asked<()> {
        self.0.sync_folder(folder)
    }
    fn lock(&self, _folder: &Path) -> Asked<DirLock> {
        Poll::Ready(Ok(DirLock::unavailable()))
    }
}

/// Another writer may be at work: what may be its own is not removed.
#[test]
fn without_locks_the_files_of_others_stay() {
    let new = generation(segment(1), Form::Both);
    let publish = |dir: &dyn Dir| {
        now(Publication::new(Path::new(FOLDER), new.files.clone(), is_published_name).step(dir))
    };
    let start = Disk::empty();
    publish(&NoLocks(start.clone())).unwrap();
    let theirs = Path::new(FOLDER).join("index.json.1-2.tmp");
    write(&start, &theirs, b"theirs");
    publish(&NoLocks(start.clone())).unwrap();
    assert_eq!(read(&start, &theirs), b"theirs");
    publish(&start).unwrap();
    assert!(now(start.open(&theirs, Access::Read)).is_err(), "with a lock it goes");

    let mut left = BTreeSet::new();
    for number in 0..start.operations().len() {
        let disk = Disk::empty().fail(number, Fault::Io);
        if publish(&NoLocks(disk.clone())).is_err() {
            let operations = disk.operations();
            let renamed = |o: &&String| o.contains("rename to") && !o.ends_with("fails");
            let files = disk.state().all().values().flatten().count();
            assert_eq!(files, operations.iter().filter(renamed).count(), "{operations:#?}");
            left.insert(files);
        }
    }
    assert_eq!(left.len(), new.files.len() + 1, "what was renamed stays, and nothing else: {left:?}");
}
