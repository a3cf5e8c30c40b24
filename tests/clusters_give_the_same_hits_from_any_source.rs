//! The clustered index: what is here decides when bytes move, never which rows are hits.

mod support;

use pagevec::{BuildOptions, CodecKind, Ids, Index, IndexChoice, Operation, Outcome, SearchOptions};
use support::paged::{Remote, hits, least_budget};
use support::{METRICS, data, file, options, oracle};

const DIM: usize = 48;
const ROWS: usize = 3000;

fn clusters(probes: Option<usize>) -> SearchOptions {
    support::top(10).index(IndexChoice::Clusters).probes(probes)
}

#[test]
fn whatever_the_budget() {
    for metric in METRICS {
        for codec in [CodecKind::Sq8, CodecKind::Binary, CodecKind::F32] {
            let rows = data::clustered(ROWS, DIM, 11);
            let texts = Ids::Texts((0..ROWS).map(|i| format!("row {}", i * 7919 % ROWS)).collect());
            let file = file(&rows, DIM, Some(texts), &options(metric, codec));
            let whole = Index::from_bytes(&file).unwrap();
            let least = least_budget(&file);
            for query in data::queries(&rows, DIM, 8, 3) {
                for probes in [None, Some(1), Some(40), Some(usize::MAX)] {
                    let expected = whole.search(&query, &clusters(probes)).unwrap();
                    for budget in [least, least + 4000, file.len() as u64 / 2, file.len() as u64 * 2] {
                        let mut remote = Remote::open(&file, budget.max(least)).unwrap();
                        let (answer, _) = remote.search(&query, &clusters(probes)).unwrap();
                        assert_eq!(
                            hits(&answer),
                            hits(&expected),
                            "{metric:?} {codec:?} {probes:?} budget {budget}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_batch_is_its_queries() {
    let rows = data::clustered(ROWS, DIM, 12);
    let file = file(&rows, DIM, None, &BuildOptions::default());
    let queries: Vec<f32> = data::queries(&rows, DIM, 9, 5).concat();
    let mut remote = Remote::open(&file, least_budget(&file)).unwrap();
    let operation = Operation::Search { queries: queries.clone(), options: clusters(None) };
    let (Outcome::Answers(answers), _) = remote.run(operation).unwrap() else { panic!("no answers") };
    for (query, answer) in queries.chunks_exact(DIM).zip(&answers) {
        assert_eq!(hits(answer), hits(&remote.search(query, &clusters(None)).unwrap().0));
    }
}

/// With every list probed and every candidate ranked again, only the rows' own codec stands between hits and the truth.
#[test]
fn probing_everything_is_exact_and_less_finds_less() {
    let mut less = false;
    for metric in METRICS {
        let rows = data::clustered(ROWS, DIM, 13);
        let options = options(metric, CodecKind::Binary).refine(CodecKind::F32);
        let index = Index::from_bytes(&file(&rows, DIM, None, &options)).unwrap();
        let queries = data::queries(&rows, DIM, 40, 17);
        let recall = |probes: usize| {
            let o = clusters(Some(probes)).rescore(ROWS);
            let found = queries.iter().map(|q| {
                let least = oracle::kth(&oracle::scores(metric, &rows, q), 10);
                let hits = index.search(q, &o).unwrap().hits;
                hits.iter().filter(|h| f64::from(h.score) >= least - oracle::tolerance(least)).count()
            });
            found.sum::<usize>() as f64 / (10 * queries.len()) as f64
        };
        let (one, some, all) = (recall(1), recall(12), recall(usize::MAX));
        assert!(one <= some && some <= all, "{metric:?}: {one} {some} {all}");
        less |= one < some;
        assert!(some >= 0.9, "{metric:?}: {some}");
        assert!(all >= 0.999, "{metric:?}: {all}");
    }
    assert!(less, "a single list was always enough");
}

#[test]
fn the_graph_serves_once_it_is_loaded() {
    let rows = data::clustered(4000, 256, 14);
    let file = file(&rows, 256, None, &BuildOptions::default().ef_construction(40));
    // Slots for lists are as long as the longest list.
    let mut remote = Remote::open(&file, 5 * file.len() as u64).unwrap();
    let (cold, _) = remote.search(&rows[..256], &support::top(5)).unwrap();
    assert_eq!(cold.stats.index, "clusters");
    let (outcome, cost) = remote.run(Operation::Load).unwrap();
    assert_eq!(outcome, Outcome::Loaded);
    assert!(cost.bytes > 4000 * 256 && cost.waves == 1, "{cost:?}");
    let (warm, cost) = remote.search(&rows[..256], &support::top(5)).unwrap();
    assert_eq!((warm.stats.index, cost.bytes), ("hnsw", 0));
    assert_eq!(remote.run(Operation::Load).unwrap().1.bytes, 0);
    let least = least_budget(&file);
    let tight = Remote::open(&file, least).unwrap().run(Operation::Load);
    assert_eq!(support::code(&tight), "argument");
    // It says which budget is enough, and no smaller one is.
    let message = tight.unwrap_err().to_string();
    assert!(message.contains(&least.to_string()), "{message}");
    let figures: Vec<u64> =
        message.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let enough = *figures.iter().max().unwrap();
    assert_eq!(Remote::open(&file, enough).unwrap().run(Operation::Load).unwrap().0, Outcome::Loaded);
    let short = Remote::open(&file, enough - 1).unwrap().run(Operation::Load);
    assert_eq!(support::code(&short), "argument");
}
