//! Opens a collection: the manifest, the segments that it names, then the log, whose operations are applied again. Nothing is
//! written but the first manifest of a new collection, and a writer removes segments that nothing names.

use std::path::Path;
use std::sync::Arc;

use crate::collection::files::manifest::{self, Files, Manifest};
use crate::collection::files::segments::with_segments;
use crate::collection::files::{Place, copy_file, create, done, segment_name, segment_number};
use crate::collection::options::CollectionOptions;
use crate::collection::state::State;
use crate::collection::state::apply::{Slots, apply};
use crate::collection::state::columns::Columns;
use crate::collection::state::epoch::Epoch;
use crate::collection::state::memtable::Memtable;
use crate::collection::wal::{self, Batch, Expected, Recovered};
use crate::collection::write::Writer;
use crate::collection::write::batch::Changes;
use crate::error::Error;
use crate::hash::hash;
use crate::payload::Schema;
use crate::pressure::Meter;
use crate::storage::{Access, Dir, DirLock, is_missing};

/// What was found.
pub(crate) struct Opened {
    pub(crate) state: State,
    /// `None` where it is opened to be read only.
    pub(crate) writer: Option<Writer>,
    /// What is not as it was written.
    pub(crate) losses: Losses,
}

/// What is not as it was written.
#[derive(Default)]
pub(crate) struct Losses {
    /// Whether the end of the log was torn: what was not acknowledged is not there.
    pub(crate) torn: bool,
    /// The segments that could not be opened, and why.
    pub(crate) segments: Vec<(String, Error)>,
    /// Why operations that were acknowledged cannot be read.
    pub(crate) log: Option<Error>,
    /// Copies of damaged files.
    pub(crate) kept: Vec<String>,
}

/// How much may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing: the error is returned.
    Whole,
    /// What can be read is opened, to be read only.
    Degraded,
    /// What cannot be read is given up, after it was copied.
    Repair,
}

/// # Errors
/// `not-found` where there is no collection and none is to be created; `argument`, `dimension` for options that it was not
/// created with; `locked`; `wal-damaged`; those of its files.
pub(crate) fn open(
    place: &Arc<Place>,
    options: &CollectionOptions,
    fresh: [u8; 16],
    mode: Mode,
) -> Result<Opened, Error> {
    let read_only = options.read_only || mode == Mode::Degraded;
    let create = options.create && !read_only && mode == Mode::Whole;
    if create {
        create_folder(&*place.dir, &place.folder)?;
    }
    let none = || Error::NoCollection { path: place.folder.display().to_string() };
    let lock = match read_only {
        true => DirLock::unavailable(),
        false => lock(place).map_err(|error| if is_missing(&error) { none() } else { error })?,
    };
    let found = manifest::read(&*place.dir, &place.folder)?;
    let is_new = found.is_none();
    let mut manifest = match found {
        Some(manifest) => manifest,
        None if create => new_manifest(options, fresh)?,
        None => return Err(none()),
    };
    manifest.settings.agree(options)?;
    options.check_schema(manifest.schema.as_ref())?;
    let mut losses = Losses::default();
    let mut state = state_of(place, &mut manifest, options, mode, &mut losses)?;
    let mut replay = Replay { place, state: &mut state, slots: Slots::new(), applied: Vec::new(), logged: 0 };
    let recovered = replay.run(&manifest, mode, &mut losses)?;
    let Replay { slots, applied, logged, .. } = replay;
    let Some(recovered) = recovered.filter(|_| !read_only) else {
        return Ok(Opened { state, writer: None, losses });
    };
    let mut files = Files::open(&*place.dir, &place.folder)?;
    if is_new {
        files.commit(&manifest)?;
    }
    remove_orphans(place, &manifest);
    let mut writer = Writer::new(Arc::clone(place), options.clone(), manifest, files, lock);
    writer.next_log = (recovered.next_log, recovered.last_sum);
    writer.applied.extend(applied);
    (writer.slots, writer.logged) = (slots, logged);
    Ok(Opened { state, writer: Some(writer), losses })
}

/// A collection without rows.
fn new_manifest(options: &CollectionOptions, collection: [u8; 16]) -> Result<Manifest, Error> {
    let settings = options.settings()?;
    Ok(Manifest {
        generation: 1,
        collection,
        settings,
        schema: options.declared()?.cloned(),
        text_ids: None,
        next_file: 1,
        log: 0,
        sequence: 0,
        epoch: Epoch::untrained(&settings)?.stored(),
        segments: Vec::new(),
        applied: Vec::new(),
    })
}

/// An id that no other collection has, as far as `seed` differs.
pub(crate) fn collection_id(seed: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&hash(seed).to_le_bytes());
    id[8..].copy_from_slice(&hash(hash(seed)).to_le_bytes());
    id
}

fn lock(place: &Place) -> Result<DirLock, Error> {
    match place.dir.lock(&place.folder) {
        std::task::Poll::Ready(lock) => lock,
        std::task::Poll::Pending => {
            Err(Error::CollectionLocked { path: place.folder.display().to_string(), by: None })
        }
    }
}

/// Creates a folder with those above it. A name lasts once the folder that it is in is synced.
pub(crate) fn create_folder(dir: &dyn Dir, folder: &Path) -> Result<(), Error> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    let created = match done(folder, dir.create_folder(folder)) {
        Err(error) if is_missing(&error) => {
            create_folder(dir, above)?;
            done(folder, dir.create_folder(folder))?
        }
        created => created?,
    };
    if created { done(above, dir.sync_folder(above)) } else { Ok(()) }
}

/// The state of a manifest, before the log. Segments that cannot be opened, and may be missing, leave the manifest.
fn state_of(
    place: &Place,
    manifest: &mut Manifest,
    options: &CollectionOptions,
    mode: Mode,
    losses: &mut Losses,
) -> Result<State, Error> {
    let (mut parts, mut entries) = (Vec::new(), Vec::new());
    for entry in &manifest.segments {
        match entry.part(place) {
            Ok(part) => {
                parts.push(part);
                entries.push(entry.clone());
            }
            Err(error) if mode == Mode::Whole => return Err(error),
            Err(error) => {
                let name = segment_name(entry.number);
                if mode == Mode::Repair {
                    losses.kept.extend(keep(place, &name)?);
                }
                losses.segments.push((name, error));
            }
        }
    }
    manifest.segments.clone_from(&entries);
    let epoch = Epoch::of(&manifest.settings, &manifest.epoch)?;
    let index = with_segments(None, &[], parts, options)?;
    let (entries, memtable) = (entries.into(), Memtable::new(epoch));
    let schema = manifest.schema.clone().unwrap_or_else(Schema::of_parts).into();
    let (settings, sequence, columns) = (manifest.settings, manifest.sequence, Columns::default());
    Ok(State { settings, schema, index, entries, memtable, columns, meter: Meter::default(), sequence })
}

/// Copies a damaged file to a name that nothing reads or removes. Returns the name; `None` if the file is missing.
fn keep(place: &Place, name: &str) -> Result<Option<String>, Error> {
    let (path, copy) = (place.path(name), format!("damaged-{name}"));
    match done(&path, place.dir.open(&path, Access::Read)) {
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
        Ok(file) => {
            copy_file(&*file, &mut *create(&*place.dir, &place.path(&copy))?)?;
            place.sync_folder()?;
            Ok(Some(copy))
        }
    }
}

/// Applies the operations of the log.
struct Replay<'a> {
    place: &'a Place,
    state: &'a mut State,
    slots: Slots,
    applied: Vec<(u64, u64)>,
    logged: u64,
}

impl Replay<'_> {
    /// `None` where the log is damaged and that may be.
    fn run(
        &mut self,
        manifest: &Manifest,
        mode: Mode,
        losses: &mut Losses,
    ) -> Result<Option<Recovered>, Error> {
        let expected = Expected {
            collection: manifest.collection,
            shape: manifest.shape(),
            first_log: manifest.log,
            first_sequence: manifest.sequence,
            durable: manifest.sequence,
        };
        let Place { dir, folder } = self.place;
        let recovered = match mode {
            Mode::Repair => {
                let (recovered, kept) =
                    wal::repair(&**dir, folder, &expected, &mut |batch| self.apply(batch))?;
                losses.kept.extend(kept);
                recovered
            }
            _ => match wal::recover(&**dir, folder, &expected, &mut |batch| self.apply(batch)) {
                Err(error @ Error::WalDamaged { .. }) if mode == Mode::Degraded => {
                    losses.log = Some(error);
                    return Ok(None);
                }
                recovered => recovered?,
            },
        };
        losses.torn = recovered.torn;
        Ok(Some(recovered))
    }

    fn apply(&mut self, batch: Batch<'_>) -> Result<(), Error> {
        let mut changes = Changes::none();
        for op in batch.ops() {
            // Operations of one kind follow one another.
            if let Some(full) = changes.push(&op, self.state.settings.dim) {
                apply(self.state, &mut self.slots, &full)?;
            }
        }
        apply(self.state, &mut self.slots, &changes)?;
        self.applied.extend(batch.request.map(|request| (request.client, request.number)));
        self.logged += batch.bytes();
        Ok(())
    }
}

/// Removes segments that no manifest names: of a flush or a merge that was not committed. What cannot be removed stays for
/// the next opening.
fn remove_orphans(place: &Place, manifest: &Manifest) {
    let Ok(entries) = done(&place.folder, place.dir.list(&place.folder)) else { return };
    let named = |number| manifest.segments.iter().any(|segment| segment.number == number);
    for entry in entries {
        if !entry.is_folder && segment_number(&entry.name).is_some_and(|number| !named(number)) {
            let path = place.path(&entry.name);
            let _ = place.dir.remove(&path);
        }
    }
}
