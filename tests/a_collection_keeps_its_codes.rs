//! A row is encoded once: by scans its score is the same, bit for bit, in memory, in a flushed segment, in a merged one, and after
//! the log was read again. The codecs are trained when there are rows enough, and rows from before are encoded by them then.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use pagevec::{
    BuildOptions, CodecKind, Collection, CollectionOptions, Ctx, FlushAt, Id, Index, IndexChoice, MemoryDir,
    Metric, SearchOptions,
};
use support::data::{Random, clustered, queries};

const DIM: usize = 24;
const TRAINED_AT: usize = 4096;

fn upsert(collection: &Collection, first: usize, rows: &[f32]) {
    let ids = (first..first + rows.len() / DIM).map(|id| Id::Number(id as u64)).collect();
    collection.upsert_matrix(ids, rows.to_vec(), Vec::new(), None).unwrap();
}

/// The scores of all rows, by query and id, as bits.
fn scores(collection: &Collection, queries: &[Vec<f32>]) -> Vec<BTreeMap<Id, u32>> {
    let options = SearchOptions::new(100_000).index(IndexChoice::Flat);
    let search = |query: &Vec<f32>| {
        let answer = collection.search(query, &options).unwrap();
        answer.hits.into_iter().map(|hit| (hit.id, hit.score.to_bits())).collect()
    };
    queries.iter().map(search).collect()
}

#[test]
fn scores_stay_the_same() {
    for (metric, codec, refine) in [
        (Metric::Cosine, CodecKind::Sq8, None),
        (Metric::L2, CodecKind::Sq8, Some(CodecKind::F16)),
        (Metric::Dot, CodecKind::Binary, None),
        (Metric::Cosine, CodecKind::F16, None),
    ] {
        let rows = clustered(6000, DIM, 7);
        let queries = queries(&rows, DIM, 3, 8);
        let dir = MemoryDir::default();
        let options = CollectionOptions::new(DIM).metric(metric).codec(codec).refine(refine);
        let options = options.flush(FlushAt::default().rows(100_000)).log_bytes(1 << 20);
        let open = || Collection::open_in(dir.clone(), "here", &options).unwrap();
        let mut collection = open();
        for (number, rows) in rows.chunks(500 * DIM).enumerate() {
            upsert(&collection, number * 500, rows);
            assert_eq!(collection.stats().trained, (number + 1) * 500 >= TRAINED_AT, "after batch {number}");
        }
        let first = scores(&collection, &queries);
        assert_eq!(first[0].len(), 6000);
        drop(collection);
        collection = open();
        assert!(scores(&collection, &queries) == first, "the log is read again: {codec}");
        collection.flush().unwrap();
        assert!(scores(&collection, &queries) == first, "flushed: {codec}");
        collection.compact(&Ctx::default()).unwrap();
        assert!(scores(&collection, &queries) == first, "merged: {codec}");
        drop(collection);
        collection = open();
        assert!(scores(&collection, &queries) == first, "opened: {codec}");
        let mut file = Vec::new();
        collection.export_into(&BuildOptions::new(metric), &mut file, &Ctx::default()).unwrap();
        let index = Index::from_bytes(&file).unwrap();
        index.verify().unwrap();
        let flat = SearchOptions::new(100_000).index(IndexChoice::Flat);
        let exported = index.search(&queries[0], &flat).unwrap().hits;
        let exported: BTreeMap<Id, u32> =
            exported.into_iter().map(|hit| (hit.id, hit.score.to_bits())).collect();
        assert!(exported == first[0], "exported: {codec}");
    }
}

#[test]
fn rows_of_before_are_encoded_when_they_are_merged() {
    let rows = clustered(5000, DIM, 3);
    let dir = MemoryDir::default();
    let options = CollectionOptions::new(DIM).flush(FlushAt::default().rows(100_000));
    let collection = Collection::open_in(dir, "here", &options).unwrap();
    upsert(&collection, 0, &rows[..200 * DIM]);
    collection.flush().unwrap();
    upsert(&collection, 200, &rows[200 * DIM..]);
    collection.flush().unwrap();
    assert!(collection.stats().trained);
    collection.compact(&Ctx::default()).unwrap();
    let stats = collection.stats();
    assert_eq!((stats.segments.len(), stats.count), (1, 5000));
    let (mut found, k) = (0, 10);
    for query in queries(&rows, DIM, 100, 5) {
        let answer = collection.search(&query, &SearchOptions::new(k)).unwrap();
        let truth = exact(&rows, &query, k);
        found += answer.hits.iter().filter(|hit| truth.contains(&hit.id)).count();
    }
    assert!(found >= 970, "{found} of 1000");
}

fn exact(rows: &[f32], query: &[f32], k: usize) -> Vec<Id> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = |row: &[f32]| dot(row, query) / dot(row, row).sqrt();
    let mut all: Vec<(f32, u64)> = rows.chunks_exact(DIM).map(cosine).zip(0..).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().take(k).map(|(_, id)| Id::Number(id)).collect()
}

#[test]
fn rows_are_flushed_when_it_is_due() {
    let mut random = Random(1);
    let open = |flush| {
        let options = CollectionOptions::new(2).flush(flush).codec(CodecKind::F32);
        Collection::open_in(MemoryDir::default(), "here", &options).unwrap()
    };
    let mut write = |collection: &Collection, first: u64, count: u64| {
        let ids = (first..first + count).map(Id::Number).collect();
        let rows = (0..2 * count).map(|_| random.normal() + 0.001).collect();
        collection.upsert_matrix(ids, rows, Vec::new(), None).unwrap();
    };
    let by_rows = open(FlushAt::default().rows(100));
    write(&by_rows, 0, 99);
    assert_eq!(by_rows.stats().segments.len(), 0);
    write(&by_rows, 99, 1);
    assert_eq!((by_rows.stats().segments.len(), by_rows.stats().memtable.live), (1, 0));

    let by_bytes = open(FlushAt::default().bytes(10_000));
    write(&by_bytes, 0, 200);
    assert_eq!(by_bytes.stats().segments.len(), 0);
    write(&by_bytes, 200, 300);
    assert_eq!(by_bytes.stats().segments.len(), 1);

    // The values of a large server.
    let large = open(FlushAt::default().rows(200_000).bytes(1 << 30).age(300_000));
    large.tick(1000).unwrap();
    write(&large, 0, 40_000);
    // Writes go on: rows that wait while there are none are flushed before.
    for second in 2..300 {
        large.tick(second * 1000).unwrap();
        write(&large, second, 1);
    }
    large.tick(300_999).unwrap();
    assert_eq!((large.stats().segments.len(), large.stats().memtable.live), (0, 40_000));
    large.tick(301_000).unwrap();
    assert_eq!((large.stats().segments.len(), large.stats().memtable.live), (1, 0));
    write(&large, 40_000, 199_999);
    assert_eq!(large.stats().segments.len(), 1);
    write(&large, 300_000, 1);
    assert_eq!((large.stats().segments.len(), large.count()), (2, 240_000));
}

/// The codes of each row by all stages, as an export has them.
fn codes(collection: &Collection) -> BTreeMap<Id, Vec<u8>> {
    let mut file = Vec::new();
    collection.export_plain_into(&mut file, &Ctx::default()).unwrap();
    let index = Index::from_bytes(&file).unwrap();
    let count = index.info().count;
    let stages: Vec<&[u8]> = ["codes", "refine rows", "exact rows"]
        .iter()
        .filter_map(|name| index.info().sections.iter().find(|section| section.name == *name))
        .map(|section| &file[section.offset as usize..][..section.length as usize])
        .collect();
    assert!(!stages.is_empty(), "{:?}", index.info().sections);
    let code = |id: Id| {
        let position = index.find(&id).unwrap().unwrap().position as usize;
        let of = |stage: &&[u8]| {
            let stride = stage.len() / count;
            stage[position * stride..][..stride].to_vec()
        };
        (id, stages.iter().flat_map(of).collect())
    };
    index.ids().map(|id| code(id.unwrap())).collect()
}

#[test]
fn an_update_changes_no_code() {
    for (metric, codec, refine, stages) in [
        (Metric::Cosine, CodecKind::Sq8, Some(CodecKind::F32), 2),
        (Metric::L2, CodecKind::Sq8, None, 1),
        (Metric::Dot, CodecKind::Sq4, Some(CodecKind::F16), 2),
        (Metric::Cosine, CodecKind::Binary, None, 2),
    ] {
        let rows = clustered(5000, DIM, 11);
        let dir = MemoryDir::default();
        let options = CollectionOptions::new(DIM).metric(metric).codec(codec).refine(refine);
        let options = options.flush(FlushAt::default().rows(100_000)).log_bytes(1 << 20);
        let open = || Collection::open_in(dir.clone(), "here", &options).unwrap();
        let mut collection = open();
        let update = |collection: &Collection, step: usize, number: usize| {
            let ids: Vec<Id> = (0..5000).step_by(step).map(|id| Id::Number(id as u64)).collect();
            let fields = vec![format!(r#"{{"n":{number}}}"#); ids.len()];
            let updated = collection.update(ids, fields, None).unwrap();
            assert_eq!(updated.updated + updated.missing.len(), 5000usize.div_ceil(step));
        };
        // Rows from before the codecs were trained are floats, in memory and in a segment.
        upsert(&collection, 0, &rows[..300 * DIM]);
        collection.flush().unwrap();
        upsert(&collection, 300, &rows[300 * DIM..1000 * DIM]);
        let floats = |collection: &Collection| {
            let ids: Vec<Id> = (0..1000).map(Id::Number).collect();
            let rows = collection.snapshot().get(&ids, true, false).unwrap();
            rows.into_iter().map(|row| row.unwrap().vector.unwrap()).collect::<Vec<_>>()
        };
        let before = floats(&collection);
        update(&collection, 7, 1);
        assert!(!collection.stats().trained && floats(&collection) == before, "{codec}, untrained");
        upsert(&collection, 1000, &rows[1000 * DIM..]);
        assert!(collection.stats().trained);
        // Those of the segment are encoded as a merge would, since they were floats.
        let first = codes(&collection);
        let strides: usize = first.values().next().unwrap().len();
        assert!(first.len() == 5000 && strides > 0 && stages > 0);
        update(&collection, 3, 2);
        assert!(codes(&collection) == first, "{codec}: in memory, and floats in a segment");
        drop(collection);
        collection = open();
        assert!(codes(&collection) == first, "{codec}: the log is read again");
        collection.flush().unwrap();
        update(&collection, 5, 3);
        assert!(codes(&collection) == first, "{codec}: in a flushed segment");
        collection.compact(&Ctx::default()).unwrap();
        update(&collection, 2, 4);
        drop(collection);
        collection = open();
        assert!(codes(&collection) == first, "{codec}: in a merged segment");
        // The merge drops the rows whose codes the log has copied.
        update(&collection, 1, 5);
        collection.maintain(&Ctx::default()).unwrap();
        drop(collection);
        collection = open();
        assert!(codes(&collection) == first, "{codec}: all are in memory");
        collection.compact(&Ctx::default()).unwrap();
        assert!(codes(&collection) == first, "{codec}: merged");
        assert_eq!(collection.stats().segments.len(), 1);
        let row = collection.snapshot().get(&[Id::Number(4)], false, true).unwrap().remove(0).unwrap();
        assert_eq!(row.fields.as_deref(), Some(r#"{"n":5}"#));
    }
}
