//! A search of a collection whose rows are all in segments costs what these cost, and says by which index it was answered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{Collection, CollectionOptions, Ctx, IndexChoice, MemoryDir, Metric, NewRow, SearchOptions};
use support::data::clustered;

const DIM: usize = 8;

fn open() -> Collection {
    let options = CollectionOptions::new(DIM).metric(Metric::L2).log_bytes(1 << 20);
    Collection::open_in(MemoryDir::default(), "here", &options).unwrap()
}

#[test]
fn memory_without_rows_is_not_searched() {
    let collection = open();
    let rows = clustered(5000, DIM, 3);
    collection.upsert_matrix((0..5000u64).map(Into::into).collect(), rows.clone(), Vec::new(), None).unwrap();
    collection.compact(&Ctx::default()).unwrap();
    let options = SearchOptions::new(5).index(IndexChoice::Hnsw).fields(true);
    let alone = collection.search(&rows[..DIM], &options).unwrap();
    assert_eq!((alone.stats.index, alone.segments.len()), ("hnsw", 0));
    assert!(alone.hits.iter().all(|hit| hit.fields.as_deref() == Some("{}")));

    collection.upsert(&[NewRow::new(7000, &rows[..DIM])]).unwrap();
    let beside = collection.search(&rows[..DIM], &options).unwrap();
    assert_eq!(beside.stats.index, "mixed");
    assert_eq!(beside.stats.distances, alone.stats.distances + 1);
    assert_eq!(beside.hits.len(), 5);

    // Dead rows of the memory cost nothing either.
    collection.delete(&[7000.into()]).unwrap();
    let again = collection.search(&rows[..DIM], &options).unwrap();
    assert_eq!((again.stats.index, again.stats.distances), ("hnsw", alone.stats.distances));
    assert_eq!(again.hits, alone.hits);
    assert_eq!((collection.stats().memtable.live, collection.stats().memtable.dead), (0, 1));
}

#[test]
fn queries_are_checked_whatever_there_is() {
    let collection = open();
    let bad = [f32::NAN; DIM];
    let code = || collection.search(&bad, &SearchOptions::new(1)).unwrap_err().code();
    assert_eq!(code(), "not-finite", "nothing is there");
    assert_eq!(collection.search(&[0.5; DIM], &SearchOptions::new(1)).unwrap().hits.len(), 0);
    collection.upsert(&[NewRow::new(1, &[1.0; DIM])]).unwrap();
    assert_eq!(code(), "not-finite", "rows are in memory");
    collection.flush().unwrap();
    assert_eq!(code(), "not-finite", "rows are in a segment");
    collection.upsert(&[NewRow::new(2, &[1.0; DIM])]).unwrap();
    assert_eq!(code(), "not-finite", "in both");
}
