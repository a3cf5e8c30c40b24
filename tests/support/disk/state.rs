//! The state of the simulated disk: what is seen, what is durable, and what a power cut may leave of it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::super::data::Random;
use super::now;
use pagevec::{Access, Dir as _, MemoryDir};

/// What is written as a whole, or not.
const SECTOR: usize = 512;
/// The number of the root among the nodes.
const ROOT: usize = 0;

/// What becomes of the changes that were not synced when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// All are kept, as when only the process ends.
    Nothing,
    Everything,
    /// Each write and each change of a name is kept or lost.
    Some,
    /// So is each sector of a write; of those lost beyond the old end the file has zeros, stale bytes or nothing.
    Torn,
    /// They are kept or lost, and happen in any order.
    Reordered,
}

pub(crate) const LOSSES: [Loss; 5] =
    [Loss::Nothing, Loss::Everything, Loss::Some, Loss::Torn, Loss::Reordered];

#[derive(Clone)]
pub(super) enum Node {
    Folder(Folder),
    File(File),
}

#[derive(Clone, Default)]
pub(super) struct Folder {
    pub(super) seen: BTreeMap<String, usize>,
    pub(super) durable: BTreeMap<String, usize>,
    pub(super) unsynced: Vec<(String, Option<usize>)>,
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) unsynced: Vec<Change>,
}

#[derive(Clone)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// The whole disk at one moment.
#[derive(Clone)]
pub(crate) struct State(pub(super) Vec<Node>);

impl State {
    pub(super) fn empty() -> Self {
        State(vec![Node::Folder(Folder::default())])
    }

    pub(super) fn folder(&self, node: usize) -> Option<&Folder> {
        match &self.0[node] {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    /// The number of the node at a path, as it is seen.
    pub(super) fn find(&self, path: &Path) -> Option<usize> {
        names(path).try_fold(ROOT, |node, name| self.folder(node)?.seen.get(name).copied())
    }

    pub(super) fn find_folder(&self, path: &Path) -> Result<usize, ErrorKind> {
        let node = self.find(path).ok_or(ErrorKind::NotFound)?;
        self.folder(node).map(|_| node).ok_or(ErrorKind::NotADirectory)
    }

    /// Gives a path another node, or none.
    pub(super) fn set(&mut self, path: &Path, node: Option<usize>) -> Result<(), ErrorKind> {
        let parent = self.find_folder(path.parent().unwrap_or(Path::new("")))?;
        let name = names(path).next_back().ok_or(ErrorKind::InvalidInput)?.to_owned();
        let Node::Folder(folder) = &mut self.0[parent] else { return Err(ErrorKind::NotADirectory) };
        apply_name(&mut folder.seen, &name, node);
        folder.unsynced.push((name, node));
        Ok(())
    }

    pub(super) fn add(&mut self, path: &Path, node: Node) -> Result<usize, ErrorKind> {
        let number = self.0.len();
        self.set(path, Some(number))?;
        self.0.push(node);
        Ok(number)
    }

    /// The bytes of the file at a path, as they are seen.
    pub(crate) fn read(&self, path: &Path) -> Option<&[u8]> {
        match &self.0[self.find(path)?] {
            Node::File(file) => Some(&file.seen),
            Node::Folder(_) => None,
        }
    }

    /// Everything that is seen, by path; a folder has no bytes.
    pub(crate) fn all(&self) -> BTreeMap<PathBuf, Option<&[u8]>> {
        let mut all = BTreeMap::new();
        let mut folders = vec![(PathBuf::new(), ROOT)];
        while let Some((path, folder)) = folders.pop() {
            for (name, &node) in self.folder(folder).into_iter().flat_map(|folder| &folder.seen) {
                let path = path.join(name);
                if let Node::File(file) = &self.0[node] {
                    all.insert(path, Some(file.seen.as_slice()));
                } else {
                    all.insert(path.clone(), None);
                    folders.push((path, node));
                }
            }
        }
        all
    }

    /// What is left of it when the power fails.
    pub(crate) fn crash(&self, loss: Loss, random: &mut Random) -> State {
        let mut left = self.clone();
        // Of 32 changes, so many are kept in this image.
        let kept = [4, 16, 24, 31][random.below(4)];
        for node in &mut left.0 {
            match node {
                Node::Folder(folder) => {
                    let mut names = std::mem::take(&mut folder.durable);
                    let mut changes = std::mem::take(&mut folder.unsynced);
                    if loss == Loss::Reordered {
                        random.shuffle(&mut changes);
                    }
                    changes.retain(|_| keeps(loss, kept, random));
                    changes.iter().for_each(|(name, node)| apply_name(&mut names, name, *node));
                    *folder = Folder { seen: names.clone(), durable: names, unsynced: Vec::new() };
                }
                Node::File(file) => {
                    let bytes = file.crash(loss, kept, random);
                    *file = File { seen: bytes.clone(), durable: bytes, unsynced: Vec::new() };
                }
            }
        }
        left
    }

    /// As files that a reader opens.
    pub(crate) fn dir(&self) -> MemoryDir {
        let dir = MemoryDir::default();
        for (path, bytes) in self.all() {
            match bytes {
                None => drop(now(dir.create_folder(&path)).expect("a folder that is not there")),
                Some(bytes) => now(dir.open(&path, Access::Create))
                    .and_then(|mut file| file.write_at(bytes, 0))
                    .expect("a file that is not there"),
            }
        }
        dir
    }

    /// What a crash may lose of it now, to be told.
    pub(crate) fn unsynced(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (number, node) in self.0.iter().enumerate() {
            match node {
                Node::Folder(folder) => told.extend(
                    folder.unsynced.iter().map(|(name, to)| format!("in node {number}, {name} is {to:?}")),
                ),
                Node::File(file) if !file.unsynced.is_empty() => {
                    told.push(format!("{} writes to node {number}", file.unsynced.len()));
                }
                Node::File(_) => {}
            }
        }
        told
    }
}

impl File {
    fn crash(&mut self, loss: Loss, kept: usize, random: &mut Random) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.durable);
        let mut changes: Vec<Change> = match loss {
            Loss::Torn | Loss::Reordered => self.unsynced.drain(..).flat_map(Change::sectors).collect(),
            _ => std::mem::take(&mut self.unsynced),
        };
        let grown = changes.iter().map(Change::end).max().unwrap_or(0);
        if loss == Loss::Reordered {
            random.shuffle(&mut changes);
        }
        changes.retain(|_| keeps(loss, kept, random));
        if loss == Loss::Torn && grown > bytes.len() {
            match random.below(3) {
                0 => bytes.resize(grown, 0),
                1 => bytes.resize(grown, 0xA5),
                _ => {}
            }
        }
        changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    }
}

impl Change {
    fn sectors(self) -> Vec<Change> {
        let Change::Write(mut at, bytes) = self else { return vec![self] };
        let (mut rest, mut sectors) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            sectors.push(Change::Write(at, now.to_vec()));
            (at, rest) = (at + now.len(), later);
        }
        sectors
    }

    fn end(&self) -> usize {
        match self {
            Change::Write(at, bytes) => at + bytes.len(),
            Change::Length(length) => *length,
        }
    }

    pub(super) fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Write(at, bytes) => {
                to.resize(to.len().max(at + bytes.len()), 0);
                to[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Length(length) => to.resize(*length, 0),
        }
    }
}

fn keeps(loss: Loss, kept: usize, random: &mut Random) -> bool {
    match loss {
        Loss::Nothing => true,
        Loss::Everything => false,
        Loss::Some | Loss::Torn | Loss::Reordered => random.below(32) < kept,
    }
}

fn apply_name(names: &mut BTreeMap<String, usize>, name: &str, node: Option<usize>) {
    match node {
        Some(node) => drop(names.insert(name.to_owned(), node)),
        None => drop(names.remove(name)),
    }
}

fn names(path: &Path) -> impl DoubleEndedIterator<Item = &str> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}
