//! Under a set of rows every route finds the nearest rows of the set and no others, wherever the set lies: at random,
//! around the query, far from it, or everywhere but around it. By clusters, which are coarse, sets far from the query are
//! found less well, and how well is measured here.

mod support;

use pagevec::{BuildOptions, CodecKind, Id, Ids, Index, IndexChoice, Metric};
use support::odd::{self, Case, Measured};
use support::paged::{Remote, hits, least_budget};
use support::sets::{Asked, Kind, measured};
use support::{code, data, file, index, options, top};

const SHARES: [f64; 6] = [0.9, 0.5, 0.1, 0.01, 0.001, 0.0001];
const KINDS: [Kind; 4] = [Kind::Random, Kind::Near, Kind::Far, Kind::Beyond];
const COUNTS: [usize; 2] = [20_000, 20];
/// The routes that rank by codes, which must find 0.95 of the exact answer in every cell.
const BY_CODES: [IndexChoice; 3] = [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw];

/// Searches under every share and kind of set by `choice`.
fn cells(case: &Case, index: &Index, choice: IndexChoice, mut cell: impl FnMut(Kind, Measured, String)) {
    let asked: Vec<Asked<'_>> =
        case.queries.iter().map(|query| Asked::new(case.metric, &case.rows, query)).collect();
    for (share, kind) in SHARES.into_iter().flat_map(|share| KINDS.map(|kind| (share, kind))) {
        let found: Vec<(f64, u64)> = asked
            .iter()
            .zip(0..)
            .map(|(asked, seed)| {
                let set = asked.set(kind, share, seed);
                let (recall, distances) = asked.found(index, &set, &top(10).index(choice));
                if choice == IndexChoice::Flat {
                    assert_eq!(distances, set.len() as u64, "a scan scores the rows of the set");
                }
                (recall, distances)
            })
            .collect();
        let found = measured(&found);
        let what = format!(
            "{}, {kind:?} {share}, {choice:?}: {:.3}, worst tenth {:.3}, {:.0} distances",
            case.name, found.mean, found.worst_tenth, found.distances
        );
        eprintln!("{what}");
        cell(kind, found, what);
    }
}

/// `far`: what clusters find at least of a set that is far from the query.
fn holds(case: &Case, built: &BuildOptions, far: f64) {
    let index = index(&case.rows, case.dim, built);
    let mut low = Vec::new();
    let choices = BY_CODES.into_iter().filter(|&choice| built.graph || choice != IndexChoice::Hnsw);
    for choice in choices {
        cells(case, &index, choice, |_, found, what| low.extend((found.mean < 0.95).then_some(what)));
    }
    if built.clusters {
        let clusters = top(10).index(IndexChoice::Clusters);
        let all = case.measure(&index, 10, &clusters).mean;
        cells(case, &index, IndexChoice::Clusters, |kind, found, what| {
            let least = match kind {
                Kind::Random | Kind::Near => (all - 0.02).min(0.95),
                Kind::Far => far,
                // Rows that are all about equally far: their short codes say little.
                Kind::Beyond => 0.0,
            };
            low.extend((found.mean < least).then_some(what));
        });
    }
    assert!(low.is_empty(), "\n{}", low.join("\n"));
}

#[test]
fn ordinary_rows() {
    for metric in support::METRICS {
        let case = odd::ordinary(metric, COUNTS, 24, 5);
        holds(&case, &options(metric, CodecKind::F32), 0.85);
    }
}

#[test]
fn tight_topics() {
    holds(&odd::topics(COUNTS, 24, 0.1, 7), &options(Metric::Cosine, CodecKind::F32), 0.85);
}

#[test]
fn copies() {
    let case = odd::copies(Metric::L2, COUNTS, 24, 200, 0.0, 9);
    holds(&case, &options(Metric::L2, CodecKind::F32), 0.8);
}

#[test]
fn without_clusters_and_without_a_graph() {
    let case = odd::ordinary(Metric::Dot, COUNTS, 24, 3);
    let built = options(Metric::Dot, CodecKind::F32);
    holds(&case, &built.clone().clusters(false), 0.0);
    // So few that `auto` scans every set: clusters answer for larger ones.
    let case = odd::ordinary(Metric::Dot, [12_000, 20], 24, 3);
    holds(&case, &built.graph(false), 0.85);
}

/// One row, many rows, and rows wanted as many as the set has or more.
#[test]
fn every_k() {
    let case = odd::ordinary(Metric::Cosine, COUNTS, 24, 11);
    let index = index(&case.rows, case.dim, &options(Metric::Cosine, CodecKind::F32));
    for (k, share) in [(1, 0.5), (1, 0.01), (100, 0.2), (1000, 0.1), (1000, 0.01)] {
        for choice in [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
            let found: Vec<(f64, u64)> = case
                .queries
                .iter()
                .zip(0..)
                .map(|(query, seed)| {
                    let asked = Asked::new(case.metric, &case.rows, query);
                    asked.found(&index, &asked.set(Kind::Random, share, seed), &top(k).index(choice))
                })
                .collect();
            let recall = measured(&found).mean;
            assert!(recall >= 0.93, "k {k}, {share}, {choice:?}: {recall}");
        }
    }
}

/// What is in memory decides when bytes move, never which rows are hits.
#[test]
fn whatever_the_budget() {
    let (count, dim) = (3000, 32);
    for codec in [CodecKind::Sq8, CodecKind::Binary, CodecKind::F32] {
        let rows = data::clustered(count, dim, 21);
        let texts = support::texts(count);
        let names = texts.clone();
        let file = file(&rows, dim, Some(texts), &options(Metric::Cosine, codec));
        let Ids::Texts(names) = names else { panic!("texts") };
        let whole = Index::from_bytes(&file).unwrap();
        let least = least_budget(&file);
        for (every, query) in [2, 11, 170, 1400].into_iter().zip(data::queries(&rows, dim, 4, 3)) {
            let set: Vec<Id> = names.iter().step_by(every).map(|name| Id::Text(name.clone())).collect();
            for choice in [IndexChoice::Clusters, IndexChoice::Hnsw, IndexChoice::Flat] {
                let options = top(10).index(choice).among(set.clone()).exclude(set[..1].to_vec());
                let expected = whole.search(&query, &options).unwrap();
                assert_eq!(expected.hits.len(), 10.min(set.len() - 1));
                assert!(expected.hits.iter().all(|hit| set[1..].contains(&hit.id)));
                for budget in [least, file.len() as u64 / 2, file.len() as u64 * 2] {
                    let mut remote = Remote::open(&file, budget.max(least)).unwrap();
                    match remote.search(&query, &options) {
                        Ok((answer, _)) => assert_eq!(hits(&answer), hits(&expected), "{codec:?} {choice:?}"),
                        Err(error) => assert_eq!(error.code(), "argument", "it does not fit: {error}"),
                    }
                }
                let mut walking = Remote::walking(&file, (least * 2).max(file.len() as u64 / 2)).unwrap();
                if choice == IndexChoice::Hnsw {
                    assert_eq!(hits(&walking.search(&query, &options).unwrap().0), hits(&expected));
                }
            }
        }
    }
}

#[test]
fn ids_name_the_rows() {
    let rows = data::clustered(500, 8, 4);
    let index = index(&rows, 8, &options(Metric::L2, CodecKind::F32));
    let query = &rows[..8];
    let number = |n: u64| Id::Number(n);
    let all = index.search(query, &top(500)).unwrap().hits;
    let nearest: Vec<Id> = all.iter().take(3).map(|hit| hit.id.clone()).collect();
    let rest = index.search(query, &top(5).exclude(nearest.clone())).unwrap().hits;
    assert_eq!(rest, all[3..8]);
    let some = index.search(query, &top(5).among(nearest.clone())).unwrap().hits;
    assert_eq!(some, all[..3]);
    let both = top(5).among(nearest.clone()).exclude(vec![nearest[0].clone(), number(499)]);
    assert_eq!(index.search(query, &both).unwrap().hits, all[1..3]);
    let none = index.search(query, &top(5).among(Vec::new())).unwrap();
    assert_eq!((none.hits.len(), none.stats.distances), (0, 0));
    assert!(
        index.search(query, &top(5).among(nearest.clone()).exclude(nearest.clone())).unwrap().hits.is_empty()
    );
    // The same for all queries of a batch, which looks the ids up once.
    let batch = index.search_batch(&rows[..8 * 40], &top(5).exclude(nearest.clone())).unwrap();
    for (query, answer) in rows.chunks_exact(8).zip(&batch) {
        assert_eq!(answer.hits, index.search(query, &top(5).exclude(nearest.clone())).unwrap().hits);
    }
    let similar = index.similar(&number(17), &top(4)).unwrap().hits;
    let around = index.search(&rows[17 * 8..18 * 8], &top(4).exclude(vec![number(17)])).unwrap().hits;
    assert_eq!(similar, around);
    let without = index.similar(&number(17), &top(3).exclude(vec![similar[0].id.clone()])).unwrap().hits;
    assert_eq!(without, similar[1..]);
}

#[test]
fn unknown_ids_are_named() {
    let rows = data::clustered(50, 8, 4);
    let index = index(&rows, 8, &options(Metric::L2, CodecKind::F32));
    let unknown = vec![Id::Number(3), Id::Number(50), Id::Text("3".to_owned()), Id::Number(51)];
    for options in [top(3).exclude(unknown.clone()), top(3).among(unknown)] {
        let error = index.search(&rows[..8], &options).unwrap_err();
        assert_eq!(error.code(), "unknown-id");
        assert_eq!(error.to_string(), "no row has the id \"50\" and 2 others");
        assert_eq!(code(&index.search_batch(&rows, &options)), "unknown-id");
        assert_eq!(code(&index.similar(&Id::Number(1), &options)), "unknown-id");
    }
    assert_eq!(code(&index.similar(&Id::Number(50), &top(3))), "unknown-id");
    assert_eq!(code(&index.similar(&Id::Number(1), &top(0))), "argument");
}
