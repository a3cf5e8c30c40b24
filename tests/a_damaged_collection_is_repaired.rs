//! What is damaged is told, and never passed over: a collection with a damaged segment, log or manifest does not open to be
//! written. It opens degraded, with all that is whole, and a repair gives up the rest and keeps a copy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::path::Path;
use std::task::Poll;

use pagevec::{
    Access, Collection, CollectionOptions, Ctx, Dir, FlushAt, Id, MemoryDir, Metric, NewRow, SearchOptions,
};

const FOLDER: &str = "notes";

fn options() -> CollectionOptions {
    CollectionOptions::new(2).metric(Metric::L2).flush(FlushAt::default().rows(10)).log_bytes(1 << 16)
}

fn open(dir: &MemoryDir, options: &CollectionOptions) -> Result<Collection, pagevec::Error> {
    Collection::open_in(dir.clone(), FOLDER, options)
}

/// Three segments of ten rows, of even numbers, and five rows in the log.
fn made() -> MemoryDir {
    let dir = MemoryDir::default();
    let collection = open(&dir, &options()).unwrap();
    for id in 0..35u64 {
        collection.upsert(&[NewRow::new(id, &[id as f32, 0.0])]).unwrap();
    }
    let stats = collection.stats();
    assert_eq!((stats.segments.len(), stats.memtable.live), (3, 5));
    dir
}

fn now<T>(asked: pagevec::Asked<T>) -> T {
    match asked {
        Poll::Ready(done) => done.unwrap(),
        Poll::Pending => panic!("pending"),
    }
}

fn flip(dir: &MemoryDir, name: &str, at: u64) {
    let mut file = now(dir.open(&Path::new(FOLDER).join(name), Access::Write));
    let mut byte = [0];
    file.read_at(&mut byte, at).unwrap();
    file.write_at(&[byte[0] ^ 1], at).unwrap();
}

fn names(dir: &MemoryDir) -> Vec<String> {
    now(dir.list(Path::new(FOLDER))).into_iter().map(|entry| entry.name).collect()
}

fn ids(collection: &Collection) -> Vec<u64> {
    let mut ids: Vec<u64> = collection
        .snapshot()
        .ids(0, 1000)
        .unwrap()
        .0
        .into_iter()
        .map(|id| if let Id::Number(id) = id { id } else { panic!("{id}") })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), collection.count());
    ids
}

/// Repairs, and finds these ids; then it can be written, opened and merged again.
fn repaired(dir: &MemoryDir, expected: &[u64], kept: usize) {
    let repaired = Collection::repair_in(dir.clone(), FOLDER, &options()).unwrap();
    assert_eq!((repaired.count, repaired.kept.len()), (expected.len(), kept), "{repaired:?}");
    repaired.kept.iter().for_each(|copy| assert!(names(dir).contains(copy), "{copy}"));
    let collection = open(dir, &options()).unwrap();
    assert_eq!(ids(&collection), expected);
    collection.upsert(&[NewRow::new(100, &[0.5, 0.5])]).unwrap();
    collection.compact(&Ctx::default()).unwrap();
    drop(collection);
    assert_eq!(open(dir, &options()).unwrap().count(), expected.len() + 1);
    repaired.kept.iter().for_each(|copy| assert!(names(dir).contains(copy), "{copy} stays"));
}

#[test]
fn a_segment_that_is_damaged_is_named() {
    let all: Vec<u64> = (0..35).collect();
    let left: Vec<u64> = (0..35).filter(|id| !(10..20).contains(id)).collect();
    for missing in [false, true] {
        let dir = made();
        match missing {
            true => now(dir.remove(&Path::new(FOLDER).join("seg-4"))),
            false => flip(&dir, "seg-4", 20),
        }
        let error = open(&dir, &options()).err().unwrap();
        assert!(error.to_string().contains("seg-4"), "{error}");
        let read_only = open(&dir, &options().read_only(true));
        assert!(read_only.is_err());
        let collection = open(&dir, &options().read_only(true).degraded(true)).unwrap();
        assert_eq!(ids(&collection), left);
        assert!(collection.stats().missing[0].contains("seg-4"));
        let refused = collection.upsert(&[NewRow::new(1, &[0.0, 0.0])]).unwrap_err();
        assert_eq!(refused.code(), "read-only");
        drop(collection);
        assert_ne!(left, all);
        repaired(&dir, &left, usize::from(!missing));
    }
}

#[test]
fn a_log_that_is_damaged_is_told() {
    let dir = made();
    // The first frame of the last log: the four frames behind it say that it was synced. A group begins at a multiple of 4096.
    let name = last_log(&dir);
    flip(&dir, &name, 4096 + 80);
    let error = open(&dir, &options()).err().unwrap();
    assert_eq!(error.code(), "wal-damaged");
    let left: Vec<u64> = (0..30).collect();
    let collection = open(&dir, &options().degraded(true)).unwrap();
    assert_eq!(ids(&collection), left);
    assert!(collection.stats().damage.unwrap().contains("damaged"));
    drop(collection);
    repaired(&dir, &left, 1);
}

#[test]
fn a_log_that_is_torn_is_no_damage() {
    let dir = made();
    let name = last_log(&dir);
    // In the last frame: nothing behind it says that it was synced.
    let at = 5 * 4096 + 80;
    flip(&dir, &name, at);
    let collection = open(&dir, &options()).unwrap();
    assert_eq!(ids(&collection), (0..34).collect::<Vec<u64>>());
    assert!(collection.stats().torn);
}

/// The slot of the log with the most bytes that are not zero and no segment has: that of the last flush.
fn last_log(dir: &MemoryDir) -> String {
    let logs = names(dir).into_iter().filter(|name| name.starts_with("wal-"));
    let number = |name: &String| {
        let file = now(dir.open(&Path::new(FOLDER).join(name), Access::Read));
        let mut bytes = vec![0; 72];
        file.read_at(&mut bytes, 0).unwrap();
        // FORMAT.md, "The write-ahead log": the number of a log follows the id of its collection.
        u64::from_le_bytes(bytes[32..40].try_into().unwrap())
    };
    logs.max_by_key(number).unwrap()
}

#[test]
fn one_manifest_is_enough() {
    for name in ["manifest.a", "manifest.b"] {
        let dir = made();
        for at in [0, 9, 17, 40, 100] {
            flip(&dir, name, at);
        }
        // Of two manifests the older one names a log that is not needed any more, so it may be told as damage; but it is
        // never passed over: either all rows are there, or it is an error.
        match open(&dir, &options()) {
            Ok(collection) => assert_eq!(ids(&collection), (0..35).collect::<Vec<u64>>()),
            Err(error) => assert!(matches!(error.code(), "wal-damaged" | "io" | "version"), "{error}"),
        }
    }
    let dir = made();
    ["manifest.a", "manifest.b"].iter().for_each(|name| flip(&dir, name, 40));
    let error = open(&dir, &options()).err().unwrap();
    assert_eq!(error.code(), "checksum", "{error}");
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let dir = MemoryDir::default();
    let error = open(&dir, &options().create(false)).err().unwrap();
    assert_eq!(error.code(), "not-found");
    assert_eq!(open(&dir, &CollectionOptions::default()).err().unwrap().code(), "argument");
    open(&dir, &options()).unwrap();
    let wrong = [options().dim(3), options().metric(Metric::Dot), options().codec(pagevec::CodecKind::F16)];
    let codes: Vec<&str> = wrong.iter().map(|options| open(&dir, options).err().unwrap().code()).collect();
    assert_eq!(codes, ["dimension", "argument", "argument"]);
    assert_eq!(
        open(&dir, &CollectionOptions::default()).unwrap().count(),
        0,
        "what is left out is as it was created"
    );
}

#[test]
fn files_of_others_stay() {
    let dir = made();
    for name in ["readme.txt", "seg-x", "seg-007", "wal-9x", "seg-999"] {
        now(dir.open(&Path::new(FOLDER).join(name), Access::Create)).write_at(b"hello", 0).unwrap();
    }
    drop(open(&dir, &options()).unwrap());
    let names = names(&dir);
    for name in ["readme.txt", "seg-x", "seg-007", "wal-9x"] {
        assert!(names.iter().any(|there| there == name), "{name}");
    }
    assert!(!names.iter().any(|there| there == "seg-999"), "what no manifest names is removed");
}

#[test]
fn a_request_is_applied_once() {
    let dir = MemoryDir::default();
    let request = |number| Some(pagevec::Request { client: 9, number });
    let upsert = |collection: &Collection, number, id: u64| {
        collection
            .upsert_matrix(vec![Id::Number(id)], vec![id as f32, 0.0], Vec::new(), request(number))
            .unwrap()
    };
    let mut collection = open(&dir, &options()).unwrap();
    assert!(upsert(&collection, 1, 1).applied);
    assert!(!upsert(&collection, 1, 1).applied);
    for round in 0..3 {
        // Sent again after another client has deleted the row, and over a restart, from the log and from the manifest.
        collection.delete(&[Id::Number(1)]).unwrap();
        drop(collection);
        collection = open(&dir, &options()).unwrap();
        if round == 1 {
            collection.flush().unwrap();
        }
        assert!(!upsert(&collection, 1, 1).applied, "round {round}");
        assert_eq!(collection.count(), 0);
    }
    assert!(upsert(&collection, 2, 2).applied);
    assert_eq!(ids(&collection), [2]);
}

#[test]
fn a_bad_batch_changes_nothing() {
    let dir = made();
    let collection = open(&dir, &options()).unwrap();
    let sequence = collection.snapshot().sequence();
    let good = [1.0, 2.0];
    let codes: Vec<String> = [
        collection.upsert(&[NewRow::new(1, &good), NewRow::new(2, &[f32::NAN, 1.0])]),
        collection.upsert(&[NewRow::new(1, &good), NewRow::new(2, &[1.0])]),
        collection.upsert(&[NewRow::new(1, &good), NewRow::new("two", &good)]),
        collection.upsert(&[NewRow::new("one", &good)]),
        collection.upsert(&[NewRow::new(1, &good), NewRow::new(1 << 60, &good)]),
        collection.upsert(&[NewRow::new(1, &good).fields("[1]")]),
        collection.delete(&[Id::Text("one".into())]),
    ]
    .into_iter()
    .map(|refused| refused.unwrap_err().to_string())
    .collect();
    assert!(codes[0].contains("row 1, component 0"), "{codes:#?}");
    assert!(
        codes[2].contains("row 1") && codes[4].contains("row 1") && codes[5].contains("row 0"),
        "{codes:#?}"
    );
    assert_eq!(collection.snapshot().sequence(), sequence);
    assert_eq!(ids(&collection), (0..35).collect::<Vec<u64>>());
    // Nothing is no error; of an id that comes twice the last row counts.
    assert_eq!(collection.upsert(&[]).unwrap().upserted, 0);
    assert_eq!(collection.delete(&[]).unwrap().deleted, 0);
    collection.upsert(&[NewRow::new(50, &[7.0, 7.0]), NewRow::new(50, &[8.0, 8.0])]).unwrap();
    let rows = collection.snapshot().get(&[Id::Number(50)], true, false).unwrap();
    assert_eq!(rows[0].as_ref().unwrap().vector.as_deref(), Some(&[8.0, 8.0][..]));
}

#[test]
fn a_snapshot_does_not_change() {
    let dir = made();
    let collection = open(&dir, &options()).unwrap();
    let snapshot = collection.snapshot();
    let options = SearchOptions::new(100);
    let before = snapshot.search(&[3.0, 1.0], &options).unwrap();
    for id in 0..35u64 {
        collection.upsert(&[NewRow::new(id, &[-1.0, -1.0])]).unwrap();
    }
    collection.delete(&[Id::Number(3)]).unwrap();
    collection.flush().unwrap();
    assert_eq!(snapshot.search(&[3.0, 1.0], &options).unwrap().hits, before.hits);
    assert_eq!((snapshot.count(), collection.count()), (35, 34));
}
