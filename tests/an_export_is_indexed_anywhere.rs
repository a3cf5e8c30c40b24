//! Rows that a collection exports plain become, merged alone, the index that it exports itself: the same codes, bit for bit, with
//! graph and clusters. So a collection in WebAssembly leaves that to the module that builds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use pagevec::{
    BuildOptions, CodecKind, Collection, CollectionOptions, Ctx, Id, Index, IndexChoice, MemoryDir, Metric,
    SearchOptions,
};
use support::data::{clustered, queries};

const DIM: usize = 12;

fn upsert(collection: &Collection, first: usize, rows: &[f32]) {
    let ids: Vec<Id> = (first as u64..).take(rows.len() / DIM).map(Id::Number).collect();
    let fields = (0..ids.len()).map(|at| format!(r#"{{"at":{}}}"#, first + at)).collect();
    collection.upsert_matrix(ids, rows.to_vec(), fields, None).unwrap();
}

/// Bits of the scores of all rows, and their fields, by id: rows of one score are hits in the order of the file, which differs.
fn found(index: &Index, query: &[f32]) -> BTreeMap<Id, (u32, String)> {
    let options = SearchOptions::new(index.info().count).index(IndexChoice::Flat).fields(true);
    let hits = index.search(query, &options).unwrap().hits;
    hits.into_iter()
        .map(|hit| (hit.id, (hit.score.to_bits(), hit.fields.unwrap_or_default().into())))
        .collect()
}

#[test]
fn plain_rows_become_the_export() {
    for (metric, codec, refine) in [
        (Metric::Cosine, CodecKind::Sq8, None),
        (Metric::Dot, CodecKind::Binary, None),
        (Metric::L2, CodecKind::Sq8, Some(CodecKind::F16)),
    ] {
        let rows = clustered(6500, DIM, 5);
        let queries = queries(&rows, DIM, 4, 6);
        let options =
            CollectionOptions::new(DIM).metric(metric).codec(codec).refine(refine).log_bytes(1 << 20);
        let collection = Collection::open_in(MemoryDir::default(), "here", &options).unwrap();
        // Rows of before the codecs, in a segment; of after, in a segment and in memory; and dead ones.
        upsert(&collection, 0, &rows[..1000 * DIM]);
        collection.flush().unwrap();
        upsert(&collection, 1000, &rows[1000 * DIM..6000 * DIM]);
        collection.flush().unwrap();
        upsert(&collection, 6000, &rows[6000 * DIM..]);
        collection.delete(&[3.into(), 3000.into(), 6100.into()]).unwrap();

        let (mut plain, mut indexed, mut exported) = (Vec::new(), Vec::new(), Vec::new());
        let ctx = Ctx::default();
        collection.export_plain_into(&mut plain, &ctx).unwrap();
        let plain = Index::from_bytes(&plain).unwrap();
        assert!(!plain.info().graph && !plain.info().clusters);
        pagevec::merge_into(&[&plain], &BuildOptions::default(), &mut indexed, &ctx).unwrap();
        collection.export_into(&BuildOptions::new(metric), &mut exported, &ctx).unwrap();
        let [indexed, exported] = [indexed, exported].map(|file| Index::from_bytes(&file).unwrap());
        assert!(indexed.info().graph && indexed.info().clusters);
        for index in [&plain, &indexed] {
            index.verify().unwrap();
            assert_eq!(index.info().count, 6497);
            assert_eq!(index.info().codec, exported.info().codec);
            for query in &queries {
                assert!(found(index, query) == found(&exported, query), "{metric:?} {codec}");
            }
        }
    }
    let none = Collection::open_in(MemoryDir::default(), "here", &CollectionOptions::new(DIM)).unwrap();
    let mut plain = Vec::new();
    none.export_plain_into(&mut plain, &Ctx::default()).unwrap();
    assert_eq!(Index::from_bytes(&plain).unwrap().info().count, 0);
}
