//! Threads that write at once share syncs of the log, lose nothing, and each is told what became of its own batch.

mod support;

use std::sync::{Arc, Barrier};

use pagevec::{Collection, CollectionOptions, FlushAt, Id, NewRow, SearchOptions};
use support::disk::Disk;

const WRITERS: u64 = 16;
const EACH: u64 = 60;

#[test]
fn writers_share_syncs() {
    let disk = Disk::empty();
    let options = CollectionOptions::new(2).flush(FlushAt::default().rows(300)).log_bytes(1 << 16);
    let collection = Collection::open_in(disk.clone(), "here", &options).unwrap();
    let barrier = Arc::new(Barrier::new(WRITERS as usize));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (collection, barrier) = (&collection, Arc::clone(&barrier));
            scope.spawn(move || {
                barrier.wait();
                let mut last = 0;
                for number in 0..EACH {
                    let id = writer * 1000 + number;
                    let written = collection.upsert(&[NewRow::new(id, &[id as f32 + 1.0, 1.0])]).unwrap();
                    assert!(written.applied && written.upserted == 1 && written.sequence > last);
                    last = written.sequence;
                    // What was acknowledged is found at once.
                    assert!(collection.snapshot().has(&Id::Number(id)).unwrap());
                    if number % 7 == 6 {
                        assert_eq!(collection.delete(&[Id::Number(id)]).unwrap().deleted, 1);
                    }
                    let bad = collection.upsert(&[NewRow::new(id, &[f32::NAN, 1.0])]);
                    assert_eq!(bad.unwrap_err().code(), "not-finite");
                }
            });
        }
    });
    let left = WRITERS * (EACH - EACH / 7);
    assert_eq!(collection.count() as u64, left);
    let hits = collection.search(&[1.0, 1.0], &SearchOptions::new(10_000)).unwrap().hits;
    assert_eq!(hits.len() as u64, left);
    drop(collection);
    assert_eq!(Collection::open_in(disk.clone(), "here", &options).unwrap().count() as u64, left);
    let syncs = disk.operations().iter().filter(|operation| operation.contains("sync")).count();
    let writes = WRITERS * (EACH + EACH / 7);
    eprintln!("{syncs} syncs of {writes} writes");
}
