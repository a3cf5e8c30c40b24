//! No rows, one row, the same row many times, everything on a line, the longest rows there may be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{BuildOptions, Id, Ids, Index, IndexChoice, Metric};
use support::{CODECS, METRICS, data, file, options, oracle};

/// Builds with every metric and codec, verifies, and hands over an index by which to search.
fn with_each(rows: &[f32], dim: usize, check: impl Fn(&Index, Metric, IndexChoice)) {
    for (metric, codec) in METRICS.into_iter().flat_map(|m| CODECS.map(|c| (m, c))) {
        let options = options(metric, codec).ef_construction(50);
        let index = Index::from_bytes(&file(rows, dim, None, &options)).unwrap();
        index.verify().unwrap();
        check(&index, metric, IndexChoice::Flat);
        check(&index, metric, IndexChoice::Auto);
    }
}

fn nearest(index: &Index, query: &[f32], k: usize, choice: IndexChoice) -> Vec<pagevec::Hit> {
    let answer = index.search(query, &support::top(k).index(choice)).unwrap();
    oracle::well_formed(&answer, k, index.info().count);
    answer.hits
}

#[test]
fn no_rows() {
    with_each(&[], 7, |index, _, choice| {
        assert_eq!((index.info().count, index.info().dim), (0, 7));
        assert!(nearest(index, &[1.0; 7], 10, choice).is_empty());
        assert_eq!(index.find(&Id::Number(0)).unwrap(), None);
        assert_eq!(support::code(&index.vector(&Id::Number(0))), "unknown-id");
    });
    let texts = file(&[], 7, Some(Ids::Texts(Vec::new())), &BuildOptions::default());
    Index::from_bytes(&texts).unwrap().verify().unwrap();
}

#[test]
fn one_row_and_two_rows() {
    with_each(&[3.0, -4.0], 2, |index, metric, choice| {
        let hit = &nearest(index, &[3.0, -4.0], 5, choice)[0];
        let best = match metric {
            Metric::Cosine => 1.0,
            Metric::Dot => 25.0,
            Metric::L2 => 0.0,
        };
        assert_eq!(hit.id, Id::Number(0));
        assert!((hit.score - best).abs() <= 1e-2, "{metric:?}: {}", hit.score);
    });
    with_each(&[1.0, 0.0, 0.0, 1.0], 2, |index, _, choice| {
        let ids =
            |query: &[f32]| nearest(index, query, 2, choice).into_iter().map(|h| h.id).collect::<Vec<_>>();
        assert_eq!(ids(&[0.9, 0.1]), [Id::Number(0), Id::Number(1)]);
        assert_eq!(ids(&[0.1, 0.9]), [Id::Number(1), Id::Number(0)]);
    });
    with_each(&[1.0, -1.0, 0.5], 1, |index, _, choice| {
        assert_eq!(nearest(index, &[-2.0], 3, choice)[0].id, Id::Number(1));
    });
}

#[test]
fn the_same_row_many_times() {
    let (n, dim) = (3000, 6);
    let row = [0.1, -0.2, 0.3, 0.4, -0.5, 0.6];
    with_each(&row.repeat(n), dim, |index, _, choice| {
        let hits = nearest(index, &row, 100, choice);
        assert!(hits.iter().all(|h| h.score == hits[0].score));
    });
    // And one that differs, which must be found among them.
    let mut rows = row.repeat(n);
    rows[1234 * dim..][..dim].copy_from_slice(&[-0.6, 0.5, -0.4, -0.3, 0.2, -0.1]);
    with_each(&rows, dim, |index, metric, choice| {
        let hits = nearest(index, &[-6.0, 5.0, -4.0, -3.0, 2.0, -1.0], 1, choice);
        if choice == IndexChoice::Auto {
            return; // The links of rows that are the same are full of one another: a graph's walk may miss it.
        }
        assert_eq!(hits[0].id, Id::Number(1234), "{metric:?} {choice:?} {:?}", index.info().codec);
    });
}

#[test]
fn rows_on_a_line_and_one_far_away() {
    let line: Vec<f32> = (0..500).flat_map(|i| [i as f32, 2.0 * i as f32 + 1.0]).chain([6e4, -6e4]).collect();
    with_each(&line, 2, |index, metric, choice| {
        let hits = nearest(index, &[6e4, -6e4], 1, choice);
        if choice == IndexChoice::Auto {
            return; // As above: under cosine most of these rows are the same.
        }
        assert!(hits[0].id == Id::Number(500), "{metric:?} {:?}: {hits:?}", index.info().codec);
    });
}

#[test]
fn exponential_sizes_do_not_deepen_the_tree() {
    let rows: Vec<f32> = (0..4000).map(|i| 0.98f32.powi(i) * 1e15).flat_map(|x| [x, -x, x]).collect();
    for metric in [Metric::Dot, Metric::L2] {
        let index = support::index(&rows, 3, &options(metric, pagevec::CodecKind::Sq8));
        index.verify().unwrap();
    }
}

#[test]
fn rows_as_long_as_they_may_be_have_finite_scores() {
    let longest = (f32::MAX / 8.0).sqrt() * 0.999;
    let mut rows = vec![longest; 50];
    rows[0] = -longest;
    for (metric, codec) in [Metric::Dot, Metric::L2].into_iter().flat_map(|m| CODECS.map(|c| (m, c))) {
        if codec == pagevec::CodecKind::F16 {
            continue; // which cannot hold them
        }
        let index = support::index(&rows, 1, &options(metric, codec));
        for query in [-longest, longest, 0.0, 1e-40] {
            nearest(&index, &[query], 50, IndexChoice::Flat);
        }
    }
}

#[test]
fn odd_ids() {
    let texts = [
        "",
        "__proto__",
        "constructor",
        "\0",
        "a\nb",
        "a",
        "A",
        "ä",
        "a\u{308}",
        "日本",
        "😀",
        " ",
        "10",
        "9",
    ];
    let dim = 3;
    let rows = data::clustered(texts.len(), dim, 171);
    let ids = Ids::Texts(texts.iter().map(|t| (*t).to_owned()).collect());
    let index = Index::from_bytes(&file(&rows, dim, Some(ids), &BuildOptions::default())).unwrap();
    index.verify().unwrap();
    for text in texts {
        let id = Id::Text(text.to_owned());
        let position = index.find(&id).unwrap().unwrap_or_else(|| panic!("{text:?} is gone"));
        let vector = index.vector(&id).unwrap();
        let near = nearest(&index, &vector, texts.len(), IndexChoice::Flat);
        assert_eq!(near.iter().find(|h| h.position == position.position).unwrap().id, id);
    }
    let numbers = [0, 1, u64::from(u32::MAX), 1 << 32, Ids::MAX_NUMBER];
    let file = file(&rows[..5 * dim], dim, Some(Ids::Numbers(numbers.to_vec())), &BuildOptions::default());
    let index = Index::from_bytes(&file).unwrap();
    index.verify().unwrap();
    numbers.iter().for_each(|&n| assert!(index.find(&Id::Number(n)).unwrap().is_some(), "{n}"));
}

/// Rows that are the centre of their list: their estimates have no error, and as many are ranked as were told.
#[test]
fn rows_that_are_their_centre_are_candidates() {
    let (n, dim, k) = (700, 12, 9);
    let row = data::clustered(1, dim, 231);
    let query = data::clustered(1, dim, 232);
    for metric in METRICS {
        let options = options(metric, pagevec::CodecKind::F32).graph(false);
        let index = Index::from_bytes(&file(&row.repeat(n), dim, None, &options)).unwrap();
        for query in [&row, &query] {
            let told = support::top(k).index(IndexChoice::Clusters).rescore(2 * k);
            let answer = index.search(query, &told).unwrap();
            oracle::well_formed(&answer, k, n);
            assert_eq!(answer.stats.rescored, 2 * k as u64, "{metric:?}");
            let best = oracle::score(metric, query, &row);
            let near = |score: f32| (f64::from(score) - best).abs() <= oracle::tolerance(best);
            assert!(answer.hits.iter().all(|hit| near(hit.score)), "{metric:?}");
        }
    }
}
