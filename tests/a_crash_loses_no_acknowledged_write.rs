//! Wherever the power fails, a collection opens with every write that was acknowledged, each batch whole or not at all. The disk
//! is simulated: what was not synced is lost, torn, or happens in another order. What recovers is crashed too.
//!
//! `PAGEVEC_CRASH_IMAGES` is how many images to try, `PAGEVEC_CRASH_SEED` the first round of them. A failure prints its seed,
//! its round and the operations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use pagevec::{
    CodecKind, Collection, CollectionOptions, Ctx, Durability, Error, FlushAt, Id, Metric, NewRow,
    SearchOptions, Snapshot,
};
use support::data::Random;
use support::disk::state::{LOSSES, Loss, State};
use support::disk::{Disk, Fault};

/// Images of both tests that count them, unless told.
const IMAGES: u64 = 60_000;
/// One of so many images lives on, and is crashed again.
const AGAIN: u64 = 101;
/// The seeds of a round are its number, shifted by so many bits, and those that follow.
const ROUND: u32 = 20;
const FOLDER: &str = "notes";
const IDS: usize = 24;
const DIM: usize = 2;

/// The rows after so many operations: of each id the first component of its vector, and the number in its fields.
type Rows = BTreeMap<u64, (f32, usize)>;
/// The states that a reader may find, by sequence: one after each batch.
type States = BTreeMap<u64, Rows>;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

fn options(durability: Durability) -> CollectionOptions {
    let flush = FlushAt::default().rows(13).bytes(1 << 20);
    CollectionOptions::new(DIM)
        .metric(Metric::L2)
        .codec(CodecKind::F32)
        .flush(flush)
        .log_bytes(10 << 10)
        .durability(durability)
        .segment_rows(40)
}

/// A life of a collection: what was written, and what was acknowledged when.
struct Life {
    start: State,
    durability: Durability,
    states: States,
    /// After so many operations of the disk, so many operations of the collection are durable.
    acknowledged: Vec<(usize, u64)>,
    disk: Disk,
}

impl Life {
    fn new(start: State, states: States, durability: Durability) -> Self {
        let disk = Disk::of(&start);
        Life { start, durability, states, acknowledged: Vec::new(), disk }
    }

    fn open(&self) -> Result<Collection, Error> {
        Collection::open_in(self.disk.clone(), FOLDER, &options(self.durability))
    }

    fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged.push((self.disk.operations().len(), sequence));
    }

    /// Some writes, flushes and merges. Ends at the first error, which is returned.
    fn live(&mut self, collection: &Collection, random: &mut Random, steps: usize) -> Result<(), Error> {
        let mut sequence = collection.snapshot().sequence();
        let mut rows = self.states[&sequence].clone();
        for step in 0..steps {
            match random.below(15) {
                12.. => sequence = self.update(collection, random, step, (sequence, &mut rows))?,
                0..6 => {
                    let batch: Vec<(u64, [f32; DIM])> = (0..random.below(7) + 1)
                        .map(|at| {
                            (
                                random.below(IDS) as u64,
                                [(1 + step * 8 + at) as f32 + random.below(9) as f32 * 0.1, 1.0],
                            )
                        })
                        .collect();
                    let new: Vec<NewRow<'_>> =
                        batch.iter().map(|(id, vector)| NewRow::new(*id, vector)).collect();
                    batch.iter().for_each(|(id, vector)| {
                        rows.insert(*id, (vector[0], 0));
                    });
                    sequence += batch.len() as u64;
                    self.states.insert(sequence, rows.clone());
                    assert_eq!(collection.upsert(&new)?.sequence, sequence);
                }
                6..9 => {
                    let ids: Vec<u64> = (0..random.below(3) + 1).map(|_| random.below(IDS) as u64).collect();
                    if sequence == 0 {
                        continue;
                    }
                    ids.iter().for_each(|id| {
                        rows.remove(id);
                    });
                    sequence += ids.len() as u64;
                    self.states.insert(sequence, rows.clone());
                    collection.delete(&ids.into_iter().map(Id::Number).collect::<Vec<_>>())?;
                }
                9 => {
                    collection.flush()?;
                }
                10 => {
                    if random.below(4) == 0 {
                        collection.compact(&Ctx::default())?
                    } else {
                        collection.maintain(&Ctx::default()).map(|_| ())?
                    }
                }
                _ => collection.sync()?,
            }
            // Relaxed writes are durable when they are synced, and by a flush.
            if self.durability == Durability::Strict {
                self.acknowledge(sequence);
            } else if step % 5 == 4 {
                collection.sync()?;
                self.acknowledge(sequence);
            }
        }
        Ok(())
    }

    /// Changes the fields of some rows, of which some are not there. Returns the sequence after it.
    fn update(
        &mut self,
        collection: &Collection,
        random: &mut Random,
        step: usize,
        (mut sequence, rows): (u64, &mut Rows),
    ) -> Result<u64, Error> {
        let ids: BTreeSet<u64> = (0..random.below(5) + 1).map(|_| random.below(IDS) as u64).collect();
        let number = 1 + step;
        for id in &ids {
            if let Some(row) = rows.get_mut(id) {
                row.1 = number;
                sequence += 1;
            }
        }
        self.states.insert(sequence, rows.clone());
        let fields = vec![format!(r#"{{"n":{number}}}"#); ids.len()];
        let updated = collection.update(ids.into_iter().map(Id::Number).collect(), fields, None)?;
        assert_eq!(updated.sequence, sequence);
        Ok(sequence)
    }

    fn durable(&self, operations: usize) -> u64 {
        self.acknowledged
            .iter()
            .take_while(|(at, _)| *at <= operations)
            .map(|(_, sequence)| *sequence)
            .max()
            .unwrap_or(0)
    }

    /// One violation, if there is any among the images of these seeds.
    fn violation(&self, seeds: std::ops::Range<u64>, look: &mut dyn FnMut(&State, u64)) -> Option<String> {
        let operations = self.disk.operations();
        for (at, state) in self.disk.history() {
            for loss in LOSSES {
                let all = if matches!(loss, Loss::Nothing | Loss::Everything) { 0..1 } else { seeds.clone() };
                for seed in all {
                    let image = state.crash(loss, &mut Random(seed));
                    let what = match self.check(&image, self.durable(at)) {
                        Ok(sequence) => {
                            look(&image, sequence);
                            continue;
                        }
                        Err(what) => what,
                    };
                    return Some(format!(
                        "{what}\nseed {seed} (PAGEVEC_CRASH_SEED={}), {loss:?} of:\n{:#?}\nafter {:#?}",
                        seed >> ROUND,
                        state.unsynced(),
                        &operations[operations.len().min(at).saturating_sub(60)..at.min(operations.len())]
                    ));
                }
            }
        }
        None
    }

    /// Opens an image. It must have a state that was written, no older than what was acknowledged.
    fn check(&self, image: &State, durable: u64) -> Result<u64, String> {
        let disk = Disk::of(image);
        let collection = match Collection::open_in(disk, FOLDER, &options(self.durability)) {
            Ok(collection) => collection,
            Err(error) => return Err(format!("it does not open: {} {error}", error.code())),
        };
        let sequence = collection.snapshot().sequence();
        let Some(rows) = self.states.get(&sequence) else { return Err(format!("half a batch: {sequence}")) };
        if sequence < durable {
            return Err(format!("{durable} operations were acknowledged, {sequence} are there"));
        }
        let found = found(&collection.snapshot());
        if found != *rows {
            Err(format!("after {sequence} operations\n{found:?} in place of\n{rows:?}"))
        } else {
            Ok(sequence)
        }
    }
}

/// The rows of a snapshot, found by a search and by id.
fn found(snapshot: &Snapshot) -> Rows {
    let count = snapshot.count();
    let answer = snapshot.search(&[0.0, 1.0], &SearchOptions::new(1000)).unwrap();
    let ids: Vec<Id> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), count, "the hits are all rows, each once");
    assert_eq!(ids.len(), count);
    let rows = snapshot.get(&ids, true, true).unwrap();
    let row = |(id, row): (Id, Option<pagevec::StoredRow>)| {
        let Id::Number(id) = id else { panic!("{id} is no number") };
        let row = row.unwrap();
        let fields = row.fields.unwrap();
        let number = fields.strip_prefix(r#"{"n":"#).and_then(|rest| rest.strip_suffix('}'));
        (id, (row.vector.unwrap()[0], number.map_or(0, |number| number.parse().unwrap())))
    };
    ids.into_iter().zip(rows).map(row).collect()
}

/// The life of a collection begins with its creation.
fn new_life(durability: Durability) -> Life {
    Life::new(Disk::empty().state(), States::from([(0, Rows::new())]), durability)
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask crash --collection` reads it there")]
fn a_crash_loses_no_acknowledged_write() {
    let (wanted, first) = (number("PAGEVEC_CRASH_IMAGES", IMAGES), number("PAGEVEC_CRASH_SEED", 0));
    let (mut images, mut again, mut round) = (0u64, 0u64, first);
    while images + again < wanted {
        for durability in [Durability::Strict, Durability::Relaxed] {
            let mut life = new_life(durability);
            let mut random = Random(round ^ 0xC0FFEE << 8);
            let collection = life.open().unwrap();
            life.live(&collection, &mut random, 40).unwrap();
            drop(collection);
            let seeds = round << ROUND..(round << ROUND) + 2;
            let mut lives = Vec::new();
            let bad = life.violation(seeds.clone(), &mut |image, sequence| {
                images += 1;
                if images.is_multiple_of(AGAIN) {
                    lives.push((image.clone(), sequence));
                }
            });
            assert!(bad.is_none(), "{}", bad.unwrap_or_default());
            for (image, sequence) in lives {
                again += live_again(&life, image, sequence, &mut random, seeds.clone());
            }
        }
        round += 1;
    }
    println!("crash | {images} | {again}");
}

/// A second life of an image: it is opened, written and crashed again, from its first operation on.
fn live_again(
    first: &Life,
    image: State,
    sequence: u64,
    random: &mut Random,
    seeds: std::ops::Range<u64>,
) -> u64 {
    let states = first.states.range(..=sequence).map(|(at, rows)| (*at, rows.clone())).collect();
    let mut life = Life::new(image, states, first.durability);
    // What was found is durable only once it was synced; but no older state than before may come back.
    let collection = life.open().unwrap();
    life.live(&collection, random, 6).unwrap();
    let mut images = 0;
    let bad = life.violation(seeds, &mut |_, _| images += 1);
    assert!(bad.is_none(), "a second life: {}", bad.unwrap_or_default());
    images
}

/// Opening writes nothing but the manifest of a new collection: a hundred crashes at it leave the folder as it is.
#[test]
fn opening_again_and_again_costs_nothing() {
    let mut life = new_life(Durability::Strict);
    let collection = life.open().unwrap();
    life.live(&collection, &mut Random(7), 30).unwrap();
    drop(collection);
    let bytes = |state: &State| state.all().values().flatten().map(|file| file.len()).sum::<usize>();
    let (before, sequence) = (bytes(&life.disk.state()), *life.states.keys().last().unwrap());
    for _ in 0..100 {
        assert_eq!(life.open().unwrap().snapshot().sequence(), sequence);
        assert!(bytes(&life.disk.state()) <= before);
    }
}

/// Each operation of the disk fails once: the caller gets an error, or the write was done; what was acknowledged is there
/// after the collection is opened again, and it can be written.
#[test]
fn a_disk_that_fails_loses_no_acknowledged_write() {
    let mut tried = 0;
    for fault in [Fault::Io, Fault::Full, Fault::Short, Fault::Gone] {
        let whole = {
            let mut life = new_life(Durability::Strict);
            let collection = life.open().unwrap();
            life.live(&collection, &mut Random(3), 30).unwrap();
            life.disk.operations().len()
        };
        for at in 0..whole {
            let mut life = new_life(Durability::Strict);
            life.disk = Disk::of(&life.start).fail(at, fault);
            if let Ok(collection) = life.open() {
                let failed = life.live(&collection, &mut Random(3), 30);
                if let Err(error) = failed {
                    assert!(
                        matches!(error.code(), "io" | "poisoned" | "argument"),
                        "{at} {fault:?}: {error}"
                    );
                    assert!(life.states.contains_key(&collection.snapshot().sequence()));
                    // Reads go on, if the disk does.
                    if fault != Fault::Gone {
                        found(&collection.snapshot());
                    }
                }
            }
            let durable = life.acknowledged.iter().map(|(_, sequence)| *sequence).max().unwrap_or(0);
            let left = life.disk.state();
            let checked = life.check(&left, durable);
            assert!(checked.is_ok(), "{at} {fault:?}: {checked:?}\n{:#?}", life.disk.operations());
            let image = left.crash(Loss::Everything, &mut Random(1));
            let checked = life.check(&image, durable);
            assert!(
                checked.is_ok(),
                "{at} {fault:?}, then the power: {checked:?}\n{:#?}",
                life.disk.operations()
            );
            tried += 1;
        }
    }
    assert!(tried > 500, "only {tried} faults");
}

/// A life without a sync must be noticed, for each kind of them; else they are not needed, or the tests above cannot fail. Not
/// every single one is: where nothing follows it in so short a life, another makes up for it.
#[test]
fn each_kind_of_sync_is_needed() {
    let live = |disk: Disk| {
        let mut life = new_life(Durability::Strict);
        life.disk = disk;
        let collection = life.open().unwrap();
        life.live(&collection, &mut Random(11), 14).unwrap();
        drop(collection);
        life
    };
    let syncs = live(Disk::empty()).disk.syncs();
    let (mut noticed, mut kinds) = (0, BTreeSet::new());
    for number in 0..syncs {
        let life = live(Disk::empty().leave_out_sync(number));
        if ![0..1, 1..4, 4..12].into_iter().any(|seeds| life.violation(seeds, &mut |_, _| {}).is_some()) {
            continue;
        }
        noticed += 1;
        let operations = life.disk.operations();
        let left_out = operations.iter().find(|operation| operation.ends_with(": left out")).unwrap();
        let all = ["wal-", "seg-", "manifest.", "sync folder"];
        kinds.extend(all.into_iter().find(|kind| left_out.contains(kind)));
    }
    assert_eq!(kinds.len(), 4, "of {syncs} syncs {noticed} are noticed: {kinds:?}");
    assert!(2 * noticed > syncs, "of {syncs} syncs only {noticed} are noticed");
}
