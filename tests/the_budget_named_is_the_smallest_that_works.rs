//! A budget that is too small is refused at once, and the error's `needed` is exact.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{BuildOptions, CodecKind, Error, Id, Index, IndexChoice, Metric, Operation, Outcome};
use support::paged::{Remote, hits, least_budget, least_walk};
use support::{CODECS, METRICS, data, file, plain};

#[test]
fn one_byte_less_is_refused_and_needed_serves_every_operation() {
    let dim = 40;
    for n in [0, 1, 5, 3000] {
        let rows = data::clustered(n, dim, 71);
        for codec in CODECS {
            let build = plain(Metric::Cosine, codec).graph(n < 100);
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
            let o = support::top(n.max(1)).index(IndexChoice::Flat).rescore(n);
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
    let hnsw = support::top(3).index(IndexChoice::Hnsw);
    assert_eq!(support::code(&remote.search(&rows[..dim], &hnsw)), "argument");
    assert_eq!(remote.search(&rows[..dim], &support::top(3)).unwrap().0.stats.index, "flat");
    let any = Remote::open(&file, u64::MAX).unwrap().search(&rows[..dim], &hnsw).unwrap().0;
    assert_eq!(any.stats.index, "hnsw");
}

/// Every operation that the file is made for, in the smallest budget that is named, for either way of laying it out.
fn all_works(case: &str, file: &[u8], rows: &[f32], dim: usize, build: &BuildOptions) {
    let (n, here) = (rows.len() / dim, Index::from_bytes(file).unwrap());
    let least = [(IndexChoice::Auto, least_budget(file)), (IndexChoice::Hnsw, least_walk(file))];
    for (favour, least) in least {
        let open = |budget| match favour {
            IndexChoice::Hnsw => Remote::walking(file, budget),
            _ => Remote::open(file, budget),
        };
        let refused = open(least - 1).err();
        assert!(
            matches!(refused, Some(Error::Budget { needed, .. }) if needed == least),
            "{case}: {refused:?}"
        );
        let mut remote = open(least).unwrap();
        let mut choices = vec![if build.clusters { IndexChoice::Clusters } else { IndexChoice::Flat }];
        choices.extend(
            (favour == IndexChoice::Hnsw && build.graph && build.clusters).then_some(IndexChoice::Hnsw),
        );
        for (index, k) in choices.iter().flat_map(|&choice| [(choice, 1), (choice, n)]) {
            let o = support::top(k).index(index).rescore(n);
            let query = &rows[..dim];
            let truth = hits(&here.search(query, &o).unwrap());
            assert_eq!(hits(&remote.search(query, &o).unwrap().0), truth, "{case}: {index:?}, {k} hits");
            let auto = o.clone().index(IndexChoice::Auto);
            assert_eq!(remote.search(query, &auto).unwrap().0.hits.len(), k, "{case}");
        }
        for id in [0, n as u64 / 2, n as u64 - 1].map(Id::Number) {
            let vector = Outcome::Vector(here.vector(&id).unwrap());
            assert_eq!(remote.run(Operation::Vector(id.clone())).unwrap().0, vector, "{case}");
            let position = Outcome::Row(here.find(&id).unwrap());
            assert_eq!(remote.run(Operation::Find(id)).unwrap().0, position, "{case}");
        }
    }
}

#[test]
fn all_that_a_file_is_made_for_works_in_it() {
    let shapes = [(1, 1), (2, 3), (70, 40), (11, 9000), (6, 20_000), (700, 33)];
    let mut cases = 0;
    for (at, &(n, dim)) in shapes.iter().enumerate() {
        let rows = data::clustered(n, dim, 73 + at as u64);
        for (codec, clusters, graph) in CODECS
            .iter()
            .flat_map(|&c| [(c, true, true), (c, true, false), (c, false, false), (c, false, true)])
        {
            let default = plain(METRICS[cases % 3], codec);
            let finer = [None, Some(CodecKind::F32), Some(CodecKind::F16)][cases % 3];
            // Rows that are no finer than the codes are refused.
            let coarse =
                matches!(codec, CodecKind::F32) || (codec == CodecKind::F16 && finer == Some(CodecKind::F16));
            let stored = if coarse { default.refine } else { finer.or(default.refine) };
            let build = default.clone().clusters(clusters).graph(graph).refine(stored).max_iterations(1);
            let case =
                format!("{n} rows of {dim}, {codec:?}, rows {stored:?}, clusters {clusters}, graph {graph}");
            all_works(&case, &file(&rows, dim, None, &build), &rows, dim, &build);
            cases += 1;
        }
    }
    eprintln!("{cases} kinds of files");
}
