//! A file of which only parts are here answers exactly as the same file in memory, at every budget.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{BuildOptions, CodecKind, Id, Index, IndexChoice, Metric, Operation, Outcome, SearchOptions};
use support::paged::{Remote, hits, least_budget};
use support::{data, file, plain, texts};

const DIM: usize = 96;

/// Name, rows, options. Large enough for several checksum blocks of codes, rows and graph.
fn cases() -> Vec<(&'static str, usize, BuildOptions)> {
    let of = |metric, codec| plain(metric, codec).ef_construction(40);
    let flat = |o: BuildOptions| o.graph(false);
    let rows = |refine, o: BuildOptions| o.refine(refine);
    let clusters = |o: BuildOptions| o.clusters(true);
    let exact = |o: BuildOptions| o.exact(CodecKind::F32);
    vec![
        ("sq8", 2500, of(Metric::Cosine, CodecKind::Sq8)),
        ("sq8, no graph", 2500, flat(of(Metric::L2, CodecKind::Sq8))),
        ("sq8, f16 rows", 1500, rows(CodecKind::F16, of(Metric::Dot, CodecKind::Sq8))),
        ("binary, sq8 rows", 3000, of(Metric::Cosine, CodecKind::Binary)),
        ("binary, sq8 rows, no graph", 9000, flat(of(Metric::L2, CodecKind::Binary))),
        ("f32", 700, of(Metric::Dot, CodecKind::F32)),
        ("f32, no graph", 700, flat(of(Metric::Cosine, CodecKind::F32))),
        ("sq8, clusters", 4000, clusters(of(Metric::Cosine, CodecKind::Sq8))),
        ("binary, sq8 rows, clusters", 4000, clusters(of(Metric::L2, CodecKind::Binary))),
        ("f32, clusters, no graph", 2500, clusters(flat(of(Metric::Dot, CodecKind::F32)))),
        ("pq, sq8 rows", 3000, of(Metric::L2, CodecKind::Pq(10))),
        ("pq, sq8 rows, clusters", 3000, clusters(of(Metric::Cosine, CodecKind::Pq(10)))),
        ("sq4, sq8 rows, no graph", 6000, flat(of(Metric::Dot, CodecKind::Sq4))),
        ("pq, sq8 rows, exact rows", 2500, exact(of(Metric::Dot, CodecKind::Pq(5)))),
        ("binary, sq8 rows, exact rows, clusters", 3000, clusters(exact(of(Metric::L2, CodecKind::Binary)))),
        ("sq8, f16 rows, clusters", 3000, clusters(rows(CodecKind::F16, of(Metric::L2, CodecKind::Sq8)))),
    ]
}

/// Each file is built once, which takes longer than all that is done with it.
#[test]
fn at_every_budget_alone_in_batches_and_by_id() {
    for (name, n, build) in cases() {
        let rows = data::clustered(n, DIM, 51);
        let file = file(&rows, DIM, Some(texts(n)), &build);
        let index = Index::from_bytes(&file).unwrap();
        at_every_budget((name, n, &build), &rows, &file, &index);
        batches_ids_and_vectors(name, build.clusters, &rows, &file, &index);
    }
}

fn at_every_budget((name, n, build): (&str, usize, &BuildOptions), rows: &[f32], file: &[u8], index: &Index) {
    let least = least_budget(file);
    let all = file.len() as u64;
    for budget in [least, least + 1, least + 50_000, (least * 3 + all) / 4, all, all * 2] {
        let mut remote = Remote::open(file, budget).unwrap();
        for (i, query) in data::queries(rows, DIM, 6, 52).iter().enumerate() {
            let o = SearchOptions::new([1, 10, 200][i % 3]);
            let (answer, _) = remote.search(query, &o).unwrap();
            // What fits decides which index answers: compare with the same one.
            let same = o.clone().index(support::same_way(&answer));
            let truth = index.search(query, &same).unwrap();
            assert_eq!(hits(&answer), hits(&truth), "{name}, budget {budget}");
            assert_eq!(answer.stats.distances, truth.stats.distances);
            assert_eq!(answer.stats.rescored, truth.stats.rescored);
        }
        assert_eq!(remote.session.stats().operations, 0);
        // Large and cold: clusters where there are any, else the graph if it fits, else every row.
        let by = remote.search(&rows[..DIM], &support::top(1)).unwrap().0.stats.index;
        let expected = match (build.clusters, build.graph && budget >= all) {
            (true, _) => "clusters",
            (false, true) => "hnsw",
            (false, false) => "flat",
        };
        let small = build.graph && n * 200 < 1 << 20;
        // And few rows are scanned, small or here.
        let few = n <= 1500;
        let other = (small && by == "hnsw") || (few && by == "flat");
        assert!(by == expected || other, "{name}: budget {budget} of {all}: {by}");
    }
}

fn batches_ids_and_vectors(name: &str, clusters: bool, rows: &[f32], file: &[u8], index: &Index) {
    let n = rows.len() / DIM;
    for budget in [least_budget(file), file.len() as u64] {
        let mut remote = Remote::open(file, budget).unwrap();
        let queries = data::queries(rows, DIM, 9, 53).concat();
        let choice = if clusters { IndexChoice::Clusters } else { IndexChoice::Flat };
        let o = support::top(20).index(choice);
        let batch = Operation::Search { queries: queries.clone(), options: o.clone() };
        let Outcome::Answers(answers) = remote.run(batch).unwrap().0 else { panic!("no answers") };
        assert_eq!(answers, index.search_batch(&queries, &o).unwrap(), "{name}");
        for i in [0, 1, n / 2, n - 1] {
            let id = index.search(&rows[i * DIM..][..DIM], &support::top(1)).unwrap().hits[0].id.clone();
            let position = remote.run(Operation::Find(id.clone())).unwrap().0;
            assert_eq!(position, Outcome::Row(index.find(&id).unwrap()), "{name}");
            let vector = remote.run(Operation::Vector(id.clone())).unwrap().0;
            assert_eq!(vector, Outcome::Vector(index.vector(&id).unwrap()), "{name}");
        }
        let unknown = remote.run(Operation::Vector(Id::Text("nobody".into())));
        assert_eq!(support::code(&unknown), "unknown-id");
        let other_kind = remote.run(Operation::Find(Id::Number(0))).unwrap().0;
        assert_eq!(other_kind, Outcome::Row(None));
    }
}
