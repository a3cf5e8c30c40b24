//! A collection keeps to its memory budget: each action of the controller gives back the bytes that it says, rows are refused where
//! that is not enough and accepted again, and nothing that was acknowledged is lost meanwhile. Real files, no waiting for time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    Action, Alert, Budget, Collection, CollectionOptions, Ctx, Error, FsDir, Id, Level, MemoryEvent, Part,
    SearchOptions,
};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use support::data::Random;

const DIM: usize = 48;

/// A collection in a folder, that only the test looks after.
struct Room {
    _folder: tempfile::TempDir,
    notes: Collection,
}

impl Room {
    fn new(budget: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = CollectionOptions::new(DIM).memory_budget(budget).log_bytes(1 << 20);
        let notes = Collection::open_in(FsDir, folder.path().join("notes"), &options).unwrap();
        Room { _folder: folder, notes }
    }

    fn write(&self, first: u64, count: u64) -> Result<(), Error> {
        let ids = (first..first + count).map(Id::Number).collect();
        self.notes.upsert_matrix(ids, rows(first, count), Vec::new(), None).map(drop)
    }

    fn act(&self, action: Action) {
        self.notes.act(action, &Ctx::default()).unwrap();
    }

    fn keep(&self) -> Vec<Action> {
        self.notes.keep(&Ctx::default())
    }

    fn reserved(&self, part: Part) -> u64 {
        self.notes.memory().tracker().of_part(part).current
    }

    /// That these rows are there, and no others, and each finds itself.
    fn assert_has(&self, count: usize) {
        assert_eq!(self.notes.count(), count);
        for at in (0..count as u64).step_by(97) {
            let answer = self.notes.search(&rows(at, 1), &SearchOptions::new(1)).unwrap();
            assert_eq!(answer.hits[0].id, Id::Number(at));
        }
    }
}

/// Rows that follow from their numbers.
fn rows(first: u64, count: u64) -> Vec<f32> {
    let row = |number: u64| {
        let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        std::array::from_fn::<f32, DIM, _>(|_| random.normal())
    };
    (first..first + count).flat_map(row).collect()
}

#[test]
fn a_flush_gives_back_the_rows_in_memory() {
    for action in [Action::FlushOldest, Action::FlushAll, Action::EmergencyFlush] {
        let room = Room::new(256 << 20);
        room.act(action);
        assert_eq!(room.reserved(Part::Memtable), 0, "{action:?} of nothing");
        room.write(0, 3000).unwrap();
        let before = room.reserved(Part::Memtable);
        // Codes are f32 at first.
        assert!(before >= 3000 * DIM as u64 * 4, "{before}");
        room.act(action);
        assert_eq!(room.reserved(Part::Memtable), 0, "{action:?}");
        assert!(room.reserved(Part::Fronts) > 0 && room.notes.memory().reserved() < before / 4, "{action:?}");
        let copied = room.notes.memory().tracker().of_part(Part::Building);
        assert!(copied.current == 0 && copied.peak >= before, "{action:?}: {copied:?}");
        assert_eq!(room.notes.stats().segments.len(), 1, "{action:?}");
        room.assert_has(3000);
    }
}

#[test]
fn compaction_gives_back_dead_rows_and_fronts() {
    for (action, segments) in [(Action::CompactSmall, 1), (Action::Compact, 1)] {
        let room = Room::new(256 << 20);
        for first in [0, 500, 1000] {
            room.write(first, 500).unwrap();
            room.act(Action::FlushAll);
        }
        let dead: Vec<Id> = (700..1500).map(Id::Number).collect();
        room.notes.delete(&dead).unwrap();
        room.act(Action::FlushAll);
        let bytes = || room.notes.stats().segments.iter().map(|segment| segment.bytes).sum::<u64>();
        let places = || room.reserved(Part::Places);
        let (stored, held) = (bytes(), places());
        room.act(action);
        assert_eq!(room.notes.stats().segments.len(), segments, "{action:?}");
        assert!(bytes() < stored, "{action:?}: {} of {stored} bytes of files", bytes());
        assert!(places() < held, "{action:?}: {} of {held}", places());
        room.assert_has(700);
    }
}

#[test]
fn caches_are_emptied_and_filled_again() {
    let room = Room::new(256 << 20);
    room.write(0, 2500).unwrap();
    room.act(Action::FlushAll);
    room.act(Action::Compact);
    room.assert_has(2500);
    let resident = || room.notes.metrics().contents.each().iter().map(|kind| kind.1.resident).sum::<u64>();
    let (pages, scratch) = (resident(), room.reserved(Part::Scratch));
    assert!(scratch > 0 && pages > 0, "{pages} bytes of pages, {scratch} of scratch");
    room.act(Action::Optimise);
    assert_eq!(room.reserved(Part::Scratch), 0);
    assert!(resident() >= pages, "pages stay");
    room.act(Action::EvictCaches);
    assert!(resident() < pages / 4, "{} of {pages} bytes of pages", resident());
    room.assert_has(2500);
    assert!(resident() > pages / 4 && room.reserved(Part::Scratch) > 0);
}

#[test]
fn rows_are_refused_and_accepted_again() {
    let room = Room::new(256 << 20);
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    room.notes.memory().on_event(move |event| heard.lock().unwrap().push(event.clone()));
    room.write(0, 2000).unwrap();
    assert!(room.keep().is_empty() && events.lock().unwrap().is_empty());
    // What is open already takes all of it, whatever is flushed.
    room.act(Action::FlushAll);
    let full = room.notes.memory().reserved();
    room.notes.memory().set_budget(Budget::bytes(full));
    let actions = room.keep();
    assert!(
        actions.contains(&Action::StopAccepting) && actions.contains(&Action::EvictCaches),
        "{actions:?}"
    );
    assert_eq!(room.notes.memory().level(), (Level::Emergency, Alert::Full));
    for refused in [room.write(5000, 1), room.notes.delete(&[Id::Number(0)]).map(drop)] {
        let Err(Error::Budget { needed, budget }) = refused else { panic!("{refused:?}") };
        assert!(budget == full && needed > full, "{needed} of {budget}");
    }
    room.assert_has(2000);
    // Between the thresholds deletes are accepted, and rows are not.
    let all = room.notes.memory().reserved();
    room.notes.memory().set_budget(Budget::bytes(all * 100 / 89));
    (0..8).for_each(|_| drop(room.keep()));
    assert_eq!(room.notes.memory().level().1, Alert::Critical);
    assert!(matches!(room.write(5000, 1), Err(Error::Budget { .. })));
    room.notes.delete(&[Id::Number(1999)]).unwrap();
    room.notes.memory().set_budget(Budget::bytes(256 << 20));
    (0..8).for_each(|_| drop(room.keep()));
    assert_eq!(room.notes.memory().level(), (Level::Normal, Alert::Quiet));
    room.write(1999, 1).unwrap();
    room.assert_has(2000);
    let metrics = room.notes.metrics();
    assert_eq!(metrics.rejected_writes, 3);
    assert!(metrics.times(Action::AcceptWrites) == 1 && metrics.times(Action::StopAccepting) == 1);
    let told = |event: &MemoryEvent| match event {
        MemoryEvent::Memory { level, .. } => level.name(),
        MemoryEvent::Alert { alert, .. } => alert.name(),
        _ => "another",
    };
    let told: Vec<&str> = events.lock().unwrap().iter().map(told).collect();
    let once = |name: &&str| told.iter().filter(|told| *told == name).count() >= 1;
    assert!(["emergency", "full", "critical", "normal", "quiet"].iter().all(once), "{told:?}");
}

/// A batch that would never fit is refused by itself; the collection goes on.
#[test]
fn a_batch_beyond_the_budget_is_refused_alone() {
    let room = Room::new(1 << 20);
    room.keep();
    room.write(0, 100).unwrap();
    assert!(matches!(room.write(100, 20_000), Err(Error::Budget { .. })));
    room.write(100, 100).unwrap();
    room.assert_has(200);
}

/// Four threads write several times what fits, and search meanwhile: memory is never above the budget, and all rows are there.
#[test]
fn many_threads_keep_to_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let budget = 4 << 20;
    let options = CollectionOptions::new(DIM).memory_budget(budget).log_bytes(1 << 20);
    let notes = Collection::open(folder.path(), &options).unwrap();
    notes.keep(&Ctx::default());
    const EACH: u64 = 5000;
    let most = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (notes, most) = (&notes, &most);
            scope.spawn(move || {
                for first in (thread * EACH..(thread + 1) * EACH).step_by(100) {
                    let ids = (first..first + 100).map(Id::Number).collect::<Vec<_>>();
                    loop {
                        let written = notes.upsert_matrix(ids.clone(), rows(first, 100), Vec::new(), None);
                        match written {
                            Ok(_) => break,
                            Err(Error::Budget { .. }) => std::thread::yield_now(),
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    let answer = notes.search(&rows(first, 1), &SearchOptions::new(1)).unwrap();
                    assert_eq!(answer.hits[0].id, Id::Number(first));
                    most.fetch_max(notes.memory().reserved() as usize, Relaxed);
                }
            });
        }
    });
    assert_eq!(notes.count() as u64, 4 * EACH);
    let metrics = notes.metrics();
    let (most, flushed) =
        (most.into_inner(), metrics.times(Action::FlushOldest) + metrics.times(Action::FlushAll));
    eprintln!("{most} bytes at the most of {budget}, {flushed} flushes, {} refused", metrics.rejected_writes);
    assert!(most as u64 <= budget && flushed > 0);
    for at in (0..4 * EACH).step_by(997) {
        let answer = notes.search(&rows(at, 1), &SearchOptions::new(1)).unwrap();
        assert_eq!(answer.hits[0].id, Id::Number(at));
    }
}
