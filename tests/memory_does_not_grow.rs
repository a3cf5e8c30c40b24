//! Memory is flat: 10,000 queries, and 100,000 upserts and deletes with flushes and merges, leave the ledger and the allocator as
//! they were. Of all threads: merges divide their work.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    Budget, Collection, CollectionOptions, Ctx, Durability, FlushAt, FsDir, Id, Index, IndexChoice,
    MemoryManager, Metric, Part, SearchOptions, with_threads,
};
use support::alloc_all::{CountingAll, held};
use support::data::{self, Random};
use support::{file, options};

#[global_allocator]
static ALLOCATOR: CountingAll = CountingAll;

const DIM: usize = 32;

/// One test, since the allocator counts for the whole process.
#[test]
fn memory_is_flat() {
    queries_leave_nothing();
    writes_leave_nothing();
}

fn queries_leave_nothing() {
    let rows = data::clustered(1000, DIM, 7);
    let index = Index::from_bytes(&file(&rows, DIM, None, &options(Metric::Cosine, pagevec::CodecKind::Sq8)))
        .unwrap();
    let queries = data::queries(&rows, DIM, 100, 8);
    let round = |index: &Index| {
        for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
            let o = SearchOptions::new(10).index(choice);
            queries.iter().for_each(|query| drop(index.search(query, &o).unwrap()));
        }
    };
    round(&index);
    let manager = MemoryManager::new(Budget::bytes(64 << 20));
    manager.watch(vec![index.ledger().clone()]);
    manager.expect_as_now();
    let (before, ledger) = (held(), index.memory().reserved());
    (0..34).for_each(|_| round(&index));
    assert_eq!(index.memory().reserved(), ledger, "the ledger after 10,200 queries");
    assert_eq!(held(), before, "the allocator");
    assert!(manager.tracker().check_for_leaks().is_empty());
    assert_eq!(index.metrics().searches, 35 * 300);
    manager.expect(Part::Scratch, 1);
    assert_eq!(manager.tracker().check_for_leaks()[0].part, Part::Scratch, "twice what was expected is told");
}

/// A round writes 10,000 rows over 2,000 ids, deletes all, and merges what is left to nothing.
fn round(notes: &Collection, seed: u64) {
    const BATCH: usize = 100;
    let mut random = Random(seed);
    for batch in 0..100u64 {
        let ids = |batch: u64| (0..BATCH as u64).map(move |at| Id::Number((batch * 37 + at) % 2000));
        let rows = (0..BATCH * DIM).map(|_| random.normal()).collect();
        let deleted: Vec<Id> = ids(batch + 1).collect();
        let fields = (0..BATCH).map(|at| format!("{{\"at\":{at}}}")).collect();
        notes.upsert_matrix(ids(batch).collect(), rows, fields, None).unwrap();
        notes.delete(&deleted).unwrap();
        if batch % 50 == 49 {
            notes.maintain(&Ctx::default()).unwrap();
            let query: Vec<f32> = (0..DIM).map(|_| random.normal()).collect();
            notes.search(&query, &SearchOptions::new(10).fields(true)).unwrap();
        }
    }
    let all: Vec<Id> = (0..2000).map(Id::Number).collect();
    notes.delete(&all).unwrap();
    notes.compact(&Ctx::default()).unwrap();
    assert_eq!(notes.count(), 0);
}

fn writes_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let flush = FlushAt::default().rows(1024);
    let options = CollectionOptions::new(DIM).flush(flush).durability(Durability::Relaxed).log_bytes(1 << 20);
    let notes = Collection::open_in(FsDir, folder.path().join("notes"), &options).unwrap();
    let run = |seed| with_threads(2, || round(&notes, seed)).unwrap();
    // The codecs are trained, pools of threads are there.
    (0..2).for_each(run);
    let state = || (notes.memory().reserved(), held());
    let (ledger, before) = state();
    (2..12).for_each(run);
    let (ledger_now, now) = state();
    eprintln!("ledger {ledger} -> {ledger_now}, allocator {} bytes more", now - before);
    assert_eq!(ledger_now, ledger, "the ledger after 100,000 upserts and as many deletes");
    assert!((now - before).abs() <= 4096, "{} bytes more", now - before);
    let peak = notes.memory().tracker();
    assert!(peak.of_part(Part::Memtable).peak > 0 && peak.of_part(Part::Building).peak > 0);
}
