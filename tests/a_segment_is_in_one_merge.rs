//! While a host merges segments, no other merge takes them: whoever compacts meanwhile merges the others, and each row stays there
//! once. A merge that came to nothing gives its segments back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    Access, Collection, CollectionOptions, Ctx, Dir, Id, MemoryDir, MergeJob, NewRow, ReadAt, SearchOptions,
};
use std::path::Path;
use std::task::Poll;
use support::bytes::Bytes;

fn read(dir: &MemoryDir, name: &str) -> Bytes {
    let Poll::Ready(file) = dir.open(&Path::new("here").join(name), Access::Read) else { panic!("it waits") };
    let file = file.unwrap();
    let mut bytes = vec![0; file.length().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    Bytes(bytes)
}

/// Does the merge as a host does, and commits it.
fn finish(collection: &Collection, dir: &MemoryDir, job: MergeJob) -> bool {
    let inputs: Vec<Bytes> = job.inputs().iter().map(|name| read(dir, name)).collect();
    let inputs: Vec<&dyn ReadAt> = inputs.iter().map(|input| input as &dyn ReadAt).collect();
    let mut merged = Vec::new();
    pagevec::run_merge(&job.encode().unwrap(), &inputs, &mut merged, &Ctx::default()).unwrap();
    let path = Path::new("here").join(job.output());
    let Poll::Ready(output) = dir.open(&path, Access::Create) else { panic!("it waits") };
    output.unwrap().write_at(&merged, 0).unwrap();
    collection.commit_merge(job, merged.len() as u64).unwrap()
}

/// Segments of 20 rows each, in each of which one row of the first is replaced.
fn flushed(dir: &MemoryDir, segments: u64) -> Collection {
    let collection = Collection::open_in(dir.clone(), "here", &CollectionOptions::new(2)).unwrap();
    (0..segments).for_each(|number| write(&collection, number));
    collection
}

fn write(collection: &Collection, number: u64) {
    for id in (number * 20..number * 20 + 19).chain([number]) {
        collection.upsert(&[NewRow::new(id, &[id as f32, 1.0 + number as f32])]).unwrap();
    }
    collection.flush().unwrap();
}

/// Each row is found once, by a search and by its id.
fn check(collection: &Collection, rows: usize) {
    let mut ids: Vec<Id> = collection
        .search(&[1.0, 1.0], &SearchOptions::new(1000))
        .unwrap()
        .hits
        .into_iter()
        .map(|hit| hit.id)
        .collect();
    ids.sort();
    let (listed, _) = collection.snapshot().ids(0, 1000).unwrap();
    assert_eq!((ids.len(), listed.len(), collection.count()), (rows, rows, rows));
    ids.dedup();
    assert_eq!(ids.len(), rows, "each once");
}

#[test]
fn others_are_merged_beside_a_hosts_merge() {
    let dir = MemoryDir::default();
    let collection = flushed(&dir, 3);
    let job = collection.plan_merge(false).unwrap().unwrap();
    let inputs = job.inputs();
    assert_eq!(inputs.len(), 3);
    assert!(collection.plan_merge(false).unwrap().is_none(), "all are taken");
    assert!(!collection.is_merge_due());
    assert!(!collection.maintain(&Ctx::default()).unwrap());
    (3..5).for_each(|number| write(&collection, number));
    let rows = collection.count();
    collection.compact(&Ctx::default()).unwrap();
    assert_eq!(collection.stats().segments.len(), 4, "the two others are one now");
    inputs.iter().for_each(|name| assert!(read(&dir, name).length() > 0, "{name} is still there"));
    check(&collection, rows);
    assert!(finish(&collection, &dir, job));
    assert_eq!(collection.stats().segments.len(), 2);
    check(&collection, rows);
    collection.compact(&Ctx::default()).unwrap();
    assert_eq!(collection.stats().segments.len(), 1);
    check(&collection, rows);
}

#[test]
fn segments_of_a_merge_that_failed_are_merged_again() {
    let dir = MemoryDir::default();
    let collection = flushed(&dir, 2);
    let rows = collection.count();
    let job = collection.plan_merge(true).unwrap().unwrap();
    collection.abandon_merge(&job).unwrap();
    let job = collection.plan_merge(true).unwrap().unwrap();
    assert!(collection.commit_merge(job, 7).is_err(), "its file is not there");
    assert!(collection.maintain(&Ctx::default()).unwrap());
    assert_eq!(collection.stats().segments.len(), 1);
    let cancelled = || true;
    write(&collection, 2);
    write(&collection, 3);
    assert!(collection.maintain(&Ctx { cancelled: Some(&cancelled), ..Ctx::default() }).is_err());
    assert!(collection.maintain(&Ctx::default()).unwrap());
    check(&collection, rows + 40 - 2);
}
