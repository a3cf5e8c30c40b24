//! A budget that is too small is refused at once, and the error's `needed` is exact.

mod support;

use pagevec::{BuildOptions, CodecKind, Error, IndexChoice, Metric, SearchOptions};
use support::paged::{Remote, least_budget};
use support::{CODECS, data, file, plain};

#[test]
fn one_byte_less_is_refused_and_needed_serves_every_operation() {
    let dim = 40;
    for n in [0, 1, 5, 3000] {
        let rows = data::clustered(n, dim, 71);
        for codec in CODECS {
            let build = BuildOptions { graph: n < 100, ..plain(Metric::Cosine, codec) };
            let file = file(&rows, dim, None, &build);
            let needed = least_budget(&file);
            for budget in [0, 1, needed / 2, needed - 1] {
                match Remote::open(&file, budget).err() {
                    Some(Error::Budget { needed: again, budget: given }) => {
                        assert_eq!((again, given), (needed, budget));
                    }
                    other => panic!("{codec:?} n {n}: budget {budget} of {needed} gave {other:?}"),
                }
            }
            // `Remote` asserts that no step holds more than the budget.
            let mut remote = Remote::open(&file, needed).unwrap();
            let o = SearchOptions { index: IndexChoice::Flat, rescore: Some(n), ..support::top(n.max(1)) };
            let (answer, _) = remote.search(&vec![1.0; dim], &o).unwrap();
            assert_eq!(answer.hits.len(), n);
            assert!(needed <= file.len() as u64, "more than the file was never needed");
        }
    }
}

#[test]
fn a_graph_that_does_not_fit_is_an_error_only_if_asked_for() {
    let dim = 40;
    let rows = data::clustered(3000, dim, 72);
    let file = file(&rows, dim, None, &plain(Metric::Cosine, CodecKind::Sq8));
    let mut remote = Remote::open(&file, least_budget(&file)).unwrap();
    let hnsw = SearchOptions { index: IndexChoice::Hnsw, ..support::top(3) };
    assert_eq!(support::code(&remote.search(&rows[..dim], &hnsw)), "argument");
    assert_eq!(remote.search(&rows[..dim], &support::top(3)).unwrap().0.stats.index, "flat");
    let any = Remote::open(&file, u64::MAX).unwrap().search(&rows[..dim], &hnsw).unwrap().0;
    assert_eq!(any.stats.index, "hnsw");
}
