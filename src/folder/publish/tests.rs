//! The order of the steps, on a disk that loses whatever was not synced: after each step the power fails, and each name
//! and each content that was not synced is there or not, by chance. What a reader then finds is the old segment or the
//! new one, whole; after the last step it is the new one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::plan;
use super::steps::{Step, create_folders, parent};
use crate::build::{BuildOptions, build};
use crate::ctx::Ctx;
use crate::folder::manifest::{FILE_NAME, Form, Manifest};
use crate::segment::{Segment, content_id};

#[derive(Clone, PartialEq)]
enum Node {
    Folder,
    /// Its bytes, and whether they are synced.
    File(Vec<u8>, bool),
}

/// What a name stands for; nothing if it is not there.
type Names = BTreeMap<PathBuf, Node>;

#[derive(Clone, Default)]
struct Disk {
    seen: Names,
    synced: Names,
}

impl Disk {
    fn run(&mut self, step: &Step<'_>) {
        match step {
            Step::CreateFolder(path) => {
                assert!(self.is_folder(&parent(path)), "{} has no parent", path.display());
                assert!(self.seen.insert(path.clone(), Node::Folder).is_none());
            }
            Step::Write { temporary, bytes } => {
                let before = self.seen.insert(temporary.clone(), Node::File(bytes.to_vec(), true));
                assert!(before.is_none() && self.is_folder(&parent(temporary)));
            }
            Step::Rename { temporary, to } => {
                let node = self.seen.remove(temporary).unwrap();
                self.seen.insert(to.clone(), node);
            }
            Step::SyncFile(path) => {
                for names in [&mut self.seen, &mut self.synced] {
                    if let Some(Node::File(_, synced)) = names.get_mut(path) {
                        *synced = true;
                    }
                }
            }
            Step::SyncFolder(folder) => {
                self.synced.retain(|path, _| parent(path) != *folder);
                let here = self.seen.iter().filter(|(path, _)| parent(path) == *folder);
                self.synced.extend(here.map(|(path, node)| (path.clone(), node.clone())));
            }
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        path == Path::new(".") || self.seen.get(path) == Some(&Node::Folder)
    }

    fn holds(&self, path: &Path, bytes: &[u8]) -> bool {
        matches!(self.seen.get(path), Some(Node::File(there, _)) if there == bytes)
    }

    /// What is left of it when the power fails.
    fn fail(&self, mut chance: impl FnMut() -> bool) -> Names {
        let all: Vec<&PathBuf> = self.seen.keys().chain(self.synced.keys()).collect();
        let mut left = Names::new();
        for path in all {
            let (seen, synced) = (self.seen.get(path), self.synced.get(path));
            let kept = if seen != synced && chance() { seen } else { synced };
            match kept.cloned() {
                Some(Node::File(bytes, false)) if chance() => {
                    left.insert(path.clone(), Node::File(bytes[..bytes.len() / 2].to_vec(), false));
                }
                Some(node) => drop(left.insert(path.clone(), node)),
                None => drop(left.remove(path)),
            }
        }
        let lost = |path: &Path| {
            let above = path.ancestors().skip(1).filter(|a| !a.as_os_str().is_empty());
            above.into_iter().any(|a| left.get(a) != Some(&Node::Folder))
        };
        left.iter().filter(|(path, _)| !lost(path)).map(|(p, n)| (p.clone(), n.clone())).collect()
    }
}

fn segment(seed: u64) -> Vec<u8> {
    let rows: Vec<f32> = (0..90u64).map(|i| ((i * (seed + 7)) % 31) as f32 + 0.5).collect();
    build(rows, 3, None, &BuildOptions::default().seed(seed), &Ctx::default()).unwrap()
}

/// Runs the publication of `segment` step by step, and `look` at what a failure leaves before each step and at the end.
fn publish(disk: &mut Disk, segment: &[u8], form: Form, mut look: impl FnMut(&Disk, bool)) {
    let folder = Path::new("site/deep/words");
    let manifest = Manifest::of(&Segment::open(segment, segment.len() as u64).unwrap(), segment, form);
    let text = manifest.encode().unwrap();
    let mut steps = create_folders(folder, &|path| disk.is_folder(path));
    let there = RefCell::new(disk.clone());
    steps.iter().for_each(|step| there.borrow_mut().run(step));
    let is_folder = |path: &Path| there.borrow().is_folder(path);
    let holds = |path: &Path, bytes: &[u8]| there.borrow().holds(path, bytes);
    steps.extend(plan(folder, manifest.entry().unwrap(), segment, text, &is_folder, &holds));
    for step in &steps {
        look(disk, false);
        disk.run(step);
    }
    look(disk, true);
}

/// The segment that a reader finds whole in a folder, by number.
fn found(left: &Names, segments: &[&[u8]]) -> Result<Option<usize>, String> {
    let folder = Path::new("site/deep/words");
    let Some(Node::File(text, _)) = left.get(&folder.join(FILE_NAME)) else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(text).map_err(|e| format!("a torn manifest: {e}"))?;
    let entry = manifest.entry().unwrap();
    let number = segments.iter().position(|s| content_id(s) == entry.content_id).ok_or("whose?")?;
    let whole = |path: PathBuf, bytes: &[u8]| match left.get(&path) {
        Some(Node::File(there, _)) if there == bytes => Ok(()),
        Some(_) => Err(format!("{} is torn", path.display())),
        None => Err(format!("{} is missing", path.display())),
    };
    if let Some(file) = &entry.file {
        whole(folder.join(file), segments[number])?;
    }
    if let Some(parts) = &entry.parts {
        for part in parts.all(entry.length) {
            let bytes = &segments[number][part.offset as usize..part.end() as usize];
            whole(parts.path(folder, part), bytes)?;
        }
    }
    Ok(Some(number))
}

/// Publishes the second segment, and fails after each step in 40 ways. Returns how many failures left the old state.
fn survives(disk: &Disk, segments: [&[u8]; 2], form: Form) -> usize {
    let old = found(&disk.fail(|| true), &segments).unwrap();
    let (mut state, mut olds) = (88_172_645_463_325_252u64, 0);
    publish(&mut disk.clone(), segments[1], form, |disk, done| {
        for way in 0..40 {
            let left = disk.fail(|| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                way > 0 && (way == 1 || state % 3 == 0)
            });
            let now = found(&left, &segments).unwrap();
            assert!(
                now == Some(1) || (!done && now == old),
                "{form:?}: {now:?} where {old:?} was, done: {done}"
            );
            olds += usize::from(now == old);
        }
    });
    olds
}

#[test]
fn a_failure_leaves_the_old_state_or_the_new_one() {
    let (a, b) = (segment(1), segment(2));
    for before in [Form::File, Form::Parts, Form::Both] {
        for form in [Form::File, Form::Parts, Form::Both] {
            let mut disk = Disk::default();
            assert!(survives(&disk, [&b, &a], form) > 40);
            publish(&mut disk, &a, before, |_, _| {});
            assert!(survives(&disk, [&a, &b], form) > 40);
            assert!(survives(&disk, [&b, &a], form) > 40, "the same segment in another form");
        }
    }
}

#[test]
fn what_is_there_is_kept_and_synced_and_what_is_torn_is_replaced() {
    let (a, b) = (segment(3), segment(4));
    for form in [Form::File, Form::Parts, Form::Both] {
        // Copied there by something that does not sync.
        let mut disk = Disk::default();
        publish(&mut disk, &b, form, |_, _| {});
        for names in [&mut disk.seen, &mut disk.synced] {
            for node in names.values_mut() {
                if let Node::File(_, synced) = node {
                    *synced = false;
                }
            }
        }
        publish(&mut disk, &a, form, |_, _| {});
        assert!(survives(&disk, [&a, &b], form) > 40);
        let before = disk.seen.clone();
        publish(&mut disk, &b, form, |_, _| {});
        let written = |disk: &Disk| {
            let changed = |(path, node): &(&PathBuf, &Node)| match (before.get(*path), node) {
                (Some(Node::File(old, _)), Node::File(new, _)) => old != new,
                (old, node) => old != Some(node),
            };
            disk.seen.iter().filter(changed).count()
        };
        assert_eq!(written(&disk), 1, "only the manifest");
        let torn =
            disk.seen.keys().rfind(|path| path.extension().is_some_and(|e| e == "bin")).unwrap().clone();
        for names in [&mut disk.seen, &mut disk.synced] {
            if let Some(Node::File(bytes, _)) = names.get_mut(&torn) {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
        }
        for segment in [&a, &b] {
            publish(&mut disk, segment, form, |_, _| {});
        }
        assert_eq!(found(&disk.fail(|| true), &[&a, &b]), Ok(Some(1)), "{form:?}");
        assert_eq!(found(&disk.fail(|| false), &[&a, &b]), Ok(Some(1)), "{form:?}");
    }
}

/// A plan without one of its syncs must fail the test above, or that test could not.
#[test]
fn each_sync_of_a_folder_is_needed() {
    let (a, b) = (segment(5), segment(6));
    for form in [Form::File, Form::Parts] {
        let mut disk = Disk::default();
        let mut count = 0;
        publish(&mut disk, &a, form, |_, _| count += 1);
        let manifest = Manifest::of(&Segment::open(&b, b.len() as u64).unwrap(), &b, form);
        let folder = Path::new("site/deep/words");
        let text = manifest.encode().unwrap();
        let entry = manifest.entry().unwrap();
        let steps =
            plan(folder, entry, &b, text, &|p| disk.is_folder(p), &|path, bytes| disk.holds(path, bytes));
        let syncs = steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::SyncFolder(_)));
        let syncs: Vec<usize> = syncs.map(|(at, _)| at).collect();
        for left_out in syncs {
            let mut disk = disk.clone();
            let mut faults = 0;
            for (at, step) in steps.iter().enumerate() {
                if at != left_out {
                    disk.run(step);
                }
                // The manifest's name alone survives of what was not synced: the worst case.
                let mut left = disk.fail(|| false);
                let index = folder.join(FILE_NAME);
                left.extend(disk.seen.get(&index).map(|node| (index, node.clone())));
                faults += usize::from(found(&left, &[&a, &b]).is_err());
            }
            faults += usize::from(found(&disk.fail(|| false), &[&a, &b]) != Ok(Some(1)));
            assert!(faults > 0, "{form:?}: sync {left_out} of {} steps is not needed", steps.len());
        }
    }
}
