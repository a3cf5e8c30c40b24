//! Where nothing is written for two seconds and 1,024 rows or more are in no graph, they get one: in a collection that maintains
//! itself, and by a host that does its merges. Tested by the time that is told, and never by waiting.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    Access, Collection, CollectionOptions, Ctx, Dir, DirFile, Error, Extent, Id, MemoryDir, NewRow, ReadAt,
    SearchOptions,
};
use std::path::Path;
use std::task::Poll;
use support::data::Random;

const DIM: usize = 4;
/// Milliseconds at which the clock of the tests begins.
const START: u64 = 1_000_000;

fn open(dir: &MemoryDir) -> Collection {
    Collection::open_in(dir.clone(), "here", &CollectionOptions::new(DIM).log_bytes(1 << 20)).unwrap()
}

fn write(collection: &Collection, first: u64, count: u64) {
    let mut random = Random(first);
    let ids = (first..first + count).map(Id::Number).collect();
    let rows = (0..count as usize * DIM).map(|_| random.normal()).collect();
    collection.upsert_matrix(ids, rows, Vec::new(), None).unwrap();
}

/// Rows in memory, segments, and rows in no graph.
fn shape(collection: &Collection) -> (usize, usize, usize) {
    let stats = collection.stats();
    (stats.memtable.live, stats.segments.len(), stats.unindexed)
}

#[test]
fn rows_get_a_graph_when_nothing_is_written() {
    let collection = open(&MemoryDir::default());
    collection.tick(START).unwrap();
    write(&collection, 0, 1023);
    collection.tick(START + 60_000).unwrap();
    assert_eq!(shape(&collection), (1023, 0, 1023), "too few rows");
    write(&collection, 1023, 1);
    collection.tick(START + 61_999).unwrap();
    assert_eq!(shape(&collection), (1024, 0, 1024), "written too lately");
    collection.tick(START + 62_000).unwrap();
    assert_eq!(shape(&collection), (0, 1, 1024));
    assert!(collection.is_merge_due());
    assert!(collection.maintain(&Ctx::default()).unwrap());
    assert_eq!(shape(&collection), (0, 1, 0));
    assert!(collection.stats().segments[0].merged && !collection.is_merge_due());
    collection.tick(START + 90_000).unwrap();
    assert_eq!(shape(&collection), (0, 1, 0), "there is nothing left to do");
}

#[test]
fn a_flushed_segment_waits_while_there_are_writes() {
    let collection = open(&MemoryDir::default());
    collection.tick(START).unwrap();
    write(&collection, 0, 2000);
    collection.flush().unwrap();
    for second in 1..20 {
        collection.tick(START + second * 1000).unwrap();
        assert!(!collection.is_merge_due(), "at second {second}");
        collection.upsert(&[NewRow::new(second, &[1.0; DIM])]).unwrap();
    }
    collection.tick(START + 21_000).unwrap();
    assert!(collection.is_merge_due());
    while collection.maintain(&Ctx::default()).unwrap() {}
    assert_eq!((collection.stats().unindexed, collection.count()), (0, 2000));
}

/// A page that is opened again and again indexes what an earlier one has left.
#[test]
fn rows_of_an_earlier_writer_are_indexed() {
    let dir = MemoryDir::default();
    write(&open(&dir), 0, 3000);
    let collection = open(&dir);
    collection.tick(START).unwrap();
    assert_eq!(shape(&collection), (3000, 0, 3000));
    collection.tick(START + 2000).unwrap();
    assert!(collection.maintain(&Ctx::default()).unwrap());
    assert_eq!(shape(&collection), (0, 1, 0));
    assert_eq!(collection.count(), 3000);
}

/// A file of the collection, as a host has it.
struct File(Box<dyn DirFile>);

impl ReadAt for File {
    fn length(&self) -> u64 {
        self.0.length().unwrap()
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        self.0.read_at(into, extent.offset)
    }
}

fn file(dir: &MemoryDir, name: &str, access: Access) -> File {
    match dir.open(&Path::new("here").join(name), access) {
        Poll::Ready(file) => File(file.unwrap()),
        Poll::Pending => panic!("a folder in memory waits"),
    }
}

#[test]
fn a_host_is_told_of_the_merge() {
    let dir = MemoryDir::default();
    let collection = open(&dir);
    collection.tick(START).unwrap();
    write(&collection, 0, 1500);
    assert!(collection.plan_merge(false).unwrap().is_none());
    collection.tick(START + 2000).unwrap();
    let job = collection.plan_merge(false).unwrap().unwrap();
    assert_eq!(job.rows(), 1500);
    let inputs: Vec<File> = job.inputs().iter().map(|name| file(&dir, name, Access::Read)).collect();
    let inputs: Vec<&dyn ReadAt> = inputs.iter().map(|input| input as &dyn ReadAt).collect();
    let mut merged = Vec::new();
    pagevec::run_merge(&job.encode().unwrap(), &inputs, &mut merged, &Ctx::default()).unwrap();
    file(&dir, &job.output(), Access::Create).0.write_at(&merged, 0).unwrap();
    assert!(collection.commit_merge(job, merged.len() as u64).unwrap());
    assert_eq!(shape(&collection), (0, 1, 0));
    assert!(collection.plan_merge(false).unwrap().is_none());
}

/// A writer of few rows at a time, which are indexed one after another, still gets its codecs, and few segments.
#[test]
fn a_slow_writer_has_codecs_and_few_segments() {
    let collection = open(&MemoryDir::default());
    let mut now = START;
    for burst in 0..20 {
        collection.tick(now).unwrap();
        write(&collection, burst * 1100, 1100);
        now += 3000;
        collection.tick(now).unwrap();
        while collection.maintain(&Ctx::default()).unwrap() {}
        let (memory, segments, unindexed) = shape(&collection);
        assert_eq!((memory, unindexed), (0, 0), "after burst {burst}");
        assert!(segments <= 8, "{segments} after burst {burst}");
        assert_eq!(collection.stats().trained, burst >= 3, "after burst {burst}");
    }
    assert_eq!(collection.count(), 22_000);
    let rows = collection.snapshot().get(&[Id::Number(5), Id::Number(21_999)], true, false).unwrap();
    for row in rows.into_iter().flatten() {
        let hits = collection.search(&row.vector.unwrap(), &SearchOptions::new(1)).unwrap().hits;
        assert_eq!(hits[0].id, row.id);
    }
}
