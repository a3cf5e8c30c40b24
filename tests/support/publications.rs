//! What the tests of crashes publish: where each publication begins, and what a reader finds on a disk.

// Each of these tests uses some of this.
#![allow(dead_code)]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::data::Random;
use crate::support::disk::state::State;
use crate::support::disk::{Disk, now};
use crate::support::{data, file, options, top};
use pagevec::{
    Access, BuildOptions, CodecKind, Dir as _, Error, Form, Ids, Index, Io, Metric, OpenOptions, Publication,
    PublishOptions, PublishedFile, append_in, content_id, is_published_name, prune_in, publication,
};

pub(crate) const FORMS: [Form; 3] = [Form::File, Form::Parts, Form::Both];
pub(crate) const FOLDER: &str = "site/deep/words";

/// All that a reader finds. The file of the highest order names the others.
#[derive(Clone)]
pub(crate) struct Generation {
    pub(crate) files: Vec<PublishedFile<'static>>,
    /// What the reader tells of its segments; empty if it is no index.
    pub(crate) content_ids: Vec<String>,
    /// What is appended to the generation before; else all files are published.
    appended: Option<(&'static [u8], Form)>,
}

pub(crate) fn segment(seed: u64) -> &'static [u8] {
    let build: BuildOptions = options(Metric::L2, CodecKind::F32).graph(false).seed(seed);
    file(&data::clustered(60, 3, seed), 3, None, &build).leak()
}

pub(crate) fn generation(segment: &'static [u8], form: Form) -> Generation {
    let files = publication(segment, &PublishOptions::new().form(form)).unwrap();
    Generation { files, content_ids: vec![content_id(segment)], appended: None }
}

/// A segment of rows with these ids.
pub(crate) fn rows(seed: u64, ids: std::ops::Range<u64>) -> &'static [u8] {
    let build: BuildOptions = options(Metric::L2, CodecKind::F32).graph(false).seed(seed);
    let rows = data::clustered(ids.clone().count(), 3, seed);
    file(&rows, 3, Some(Ids::Numbers(ids.collect())), &build).leak()
}

/// What is there once `segment` is appended to `base`.
pub(crate) fn appended(base: &Generation, segment: &'static [u8], form: Form) -> Generation {
    let content_ids = base.content_ids.iter().cloned().chain([content_id(segment)]).collect();
    let mut new = Generation { files: Vec::new(), content_ids, appended: Some((segment, form)) };
    let disk = Disk::of(&published(&[base]));
    new.publish(&disk).unwrap();
    // Dead rows that nothing names any more.
    prune_in(&disk, FOLDER).unwrap();
    let state = disk.state();
    for (path, bytes) in state.all() {
        let (Ok(name), Some(bytes)) = (path.strip_prefix(FOLDER), bytes) else { continue };
        let name = name.to_str().unwrap().to_owned();
        let order = u32::from(name == "index.json");
        new.files.push(PublishedFile { name, bytes: Cow::Owned(bytes.to_vec()), order });
    }
    new
}

/// Several files and a list of them, in three orders: as an index of several segments with rows deleted.
fn several(seed: u64) -> Generation {
    let file = |name: String, bytes: Vec<u8>, order| PublishedFile { name, bytes: Cow::Owned(bytes), order };
    let bytes = |number: u64| {
        let mut random = Random(seed * 100 + number);
        (0..600 * number + 300).map(|_| random.next() as u8).collect()
    };
    let mut files: Vec<_> = (0..3).map(|n| file(format!("data-{seed}-{n}"), bytes(n), 0)).collect();
    files.push(file(format!("dead-{seed}"), bytes(4), 1));
    files.push(file("index.json".to_owned(), bytes(5), 2));
    files.rotate_left(2);
    Generation { files, content_ids: Vec::new(), appended: None }
}

impl Generation {
    pub(crate) fn publish(&self, disk: &Disk) -> Result<(), Error> {
        if let Some((segment, form)) = self.appended {
            let options = PublishOptions::new().form(form);
            return append_in(Arc::new(disk.clone()), FOLDER, segment, &options).map(drop);
        }
        let is_ours = |name: &str| is_published_name(name) || name.starts_with('d');
        now(Publication::new(Path::new(FOLDER), self.files.clone(), is_ours).step(disk))
    }

    /// The same, published whatever was there before.
    pub(crate) fn whole(&self) -> Generation {
        Generation { appended: None, ..self.clone() }
    }

    fn manifest(&self) -> &PublishedFile<'static> {
        self.files.iter().max_by_key(|file| file.order).unwrap()
    }
}

/// Where a publication begins, and what it publishes.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) start: State,
    pub(crate) old: Option<Generation>,
    pub(crate) new: Generation,
    /// From this one on, each sync of the publication is needed; nothing if it finds files durable already.
    pub(crate) needed_syncs: Option<usize>,
}

pub(crate) fn published(generations: &[&Generation]) -> State {
    let disk = Disk::empty();
    generations.iter().for_each(|generation| generation.whole().publish(&disk).unwrap());
    disk.state()
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let (a, b) = (segment(1), segment(2));
    let mut all = Vec::new();
    let mut add = |name: String, start: State, old: Option<&Generation>, new: &Generation, needed_syncs| {
        all.push(Scenario { name, start, old: old.cloned(), new: new.clone(), needed_syncs });
    };
    for form in FORMS {
        let (old, new) = (generation(a, form), generation(b, form));
        add(format!("{form:?} where nothing was"), published(&[]), None, &new, Some(0));
        add(format!("{form:?} where the folder was not synced"), folder(), None, &new, Some(0));
        // The first syncs the folder's own name.
        let copied = copied(&published(&[&old]), &new);
        add(format!("{form:?} where a copy was not synced"), copied, Some(&old), &new, Some(1));
        let torn = torn(&published(&[&new, &old]), &new);
        add(format!("{form:?} where it is torn"), torn, Some(&old), &new, None);
        for before in FORMS {
            let old = generation(a, before);
            add(format!("{form:?} after {before:?}"), published(&[&old]), Some(&old), &new, None);
            let again = generation(a, form);
            if form != before {
                let start = published(&[&old]);
                add(format!("{form:?} after {before:?} of it"), start, Some(&old), &again, None);
            }
        }
    }
    let (old, new) = (several(1), several(2));
    add("several files where nothing was".to_owned(), published(&[]), None, &new, Some(0));
    add("several files after others".to_owned(), published(&[&old]), Some(&old), &new, Some(1));
    // Rows without ids of the base, with some of them, and with those of the rows that were appended before.
    let [more, some, again] = [rows(3, 60..80), rows(4, 50..70), rows(5, 40..65)];
    for form in FORMS {
        let base = generation(a, form);
        let start = || published(&[&base]);
        let second = appended(&base, some, form);
        let third = appended(&second, again, form);
        add(format!("{form:?} appended with dead rows"), start(), Some(&base), &second, Some(1));
        add(format!("{form:?} appended again"), published(&[&second]), Some(&second), &third, None);
        if form == Form::File {
            let first = appended(&base, more, form);
            add("appended without dead rows".to_owned(), start(), Some(&base), &first, Some(1));
            let copied = copied(&start(), &second);
            add("appended where a copy was not synced".to_owned(), copied, Some(&base), &second, Some(1));
        }
    }
    all
}

/// The folder was created by a writer that was killed then.
fn folder() -> State {
    let disk = Disk::empty();
    for (number, path) in ["site", "site/deep", FOLDER].into_iter().enumerate() {
        now(disk.create_folder(Path::new(path))).unwrap();
        if number < 2 {
            now(disk.sync_folder(Path::new(path).parent().unwrap())).unwrap();
        }
    }
    disk.state()
}

/// The same, and the files of another publication were copied there by something that does not sync.
fn copied(state: &State, new: &Generation) -> State {
    let disk = Disk::of(state);
    for file in new.files.iter().filter(|file| file.order == 0) {
        let path = Path::new(FOLDER).join(&file.name);
        if state.read(&path).is_some() {
            continue;
        }
        now(disk.create_folder(path.parent().unwrap())).unwrap();
        now(disk.open(&path, Access::Create)).unwrap().write_at(&file.bytes, 0).unwrap();
    }
    disk.state()
}

/// The same, with its files cut and changed.
fn torn(state: &State, generation: &Generation) -> State {
    let disk = Disk::of(state);
    for (number, file) in generation.files.iter().filter(|file| file.order == 0).enumerate() {
        let path = Path::new(FOLDER).join(&file.name);
        let mut open = now(disk.open(&path, Access::Write)).unwrap();
        match number % 2 {
            0 => open.set_length(file.bytes.len() as u64 / 2).unwrap(),
            _ => open.write_at(&[!file.bytes[0]], 0).unwrap(),
        }
        open.sync().unwrap();
    }
    disk.state()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    Nothing,
    Old,
    New,
}

/// What a reader finds, or what is wrong with it.
pub(crate) fn found(image: &State, scenario: &Scenario, random: &mut Random) -> Result<Found, String> {
    let read = |name: &str| image.read(&Path::new(FOLDER).join(name));
    // Whatever is there, all that it may name is there.
    let whole = |file: &&PublishedFile<'_>| read(&file.name).is_some_and(|bytes| bytes == &*file.bytes);
    let order = scenario.new.files.iter().filter(whole).map(|file| file.order).max().unwrap_or(0);
    let mut lower = scenario.new.files.iter().filter(|file| file.order < order);
    if let Some(lost) = lower.find(|file| !whole(file)) {
        return Err(format!("a file of order {order} is there, but {} is not", lost.name));
    }
    let (generation, which) = match read("index.json") {
        None => return Ok(Found::Nothing),
        Some(text) if text == &*scenario.new.manifest().bytes => (&scenario.new, Found::New),
        Some(text) => match &scenario.old {
            Some(old) if text == &*old.manifest().bytes => (old, Found::Old),
            _ => return Err(format!("a manifest of {} bytes that nobody wrote", text.len())),
        },
    };
    for file in &generation.files {
        match read(&file.name) {
            Some(bytes) if bytes == &*file.bytes => {}
            Some(bytes) => return Err(format!("{which:?}: {} is torn ({} bytes)", file.name, bytes.len())),
            None => return Err(format!("{which:?}: {} is missing", file.name)),
        }
    }
    if !generation.content_ids.is_empty() {
        let io = match generation.files.iter().any(|file| file.name.contains('/')) && random.below(2) == 0 {
            true => Io::Parts,
            false => Io::Pread,
        };
        let open = OpenOptions::new().io(io);
        let index = Index::open_in(Arc::new(image.dir()), FOLDER, &open).map_err(|e| e.to_string())?;
        index.verify().map_err(|e| e.to_string())?;
        if content_ids(&index) != generation.content_ids {
            return Err(format!("{which:?} is opened as {:?}", content_ids(&index)));
        }
        // All ids are there, each once.
        let (mut hits, ids) = (Vec::new(), index.info().count);
        hits.extend(index.search(&[0.3; 3], &top(1_000)).unwrap().hits.into_iter().map(|hit| hit.id));
        hits.sort_unstable();
        hits.dedup();
        if hits.len() != ids || ids < 60 {
            return Err(format!("{which:?}: {} of {ids} rows are found", hits.len()));
        }
    }
    Ok(which)
}

/// What an index tells of its segments.
pub(crate) fn content_ids(index: &Index) -> Vec<String> {
    index.segments().iter().map(|segment| segment.content_id.clone().unwrap()).collect()
}

/// What may be found before the publication has succeeded, and after it.
pub(crate) fn allowed(scenario: &Scenario, done: bool) -> &'static [Found] {
    match (done, &scenario.old) {
        (true, _) => &[Found::New],
        (false, None) => &[Found::Nothing, Found::New],
        (false, Some(_)) => &[Found::Old, Found::New],
    }
}

pub(crate) fn temporaries(state: &State) -> BTreeSet<PathBuf> {
    state.all().into_keys().filter(|path| path.extension().is_some_and(|e| e == "tmp")).collect()
}
