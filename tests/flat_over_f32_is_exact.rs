//! Flat search over f32 codes gives the nearest rows by definition, under every metric.

mod support;

use pagevec::{CodecKind, IndexChoice, SearchOptions};
use support::{METRICS, data, index, options, oracle};

fn flat() -> SearchOptions {
    SearchOptions::new(10).index(IndexChoice::Flat)
}

#[test]
fn scores_and_rows_are_the_oracles() {
    for (n, dim) in [(1, 1), (2, 3), (63, 4), (65, 17), (500, 24), (301, 100)] {
        let rows = data::clustered(n, dim, 7);
        for metric in METRICS {
            let index = index(&rows, dim, &options(metric, CodecKind::F32));
            for query in data::queries(&rows, dim, 20, 3) {
                let all = oracle::scores(metric, &rows, &query);
                let answer = index.search(&query, &flat()).unwrap();
                oracle::well_formed(&answer, 10, n);
                assert_eq!(answer.stats.index, "flat");
                assert_eq!(answer.stats.distances, n as u64);
                for (rank, hit) in answer.hits.iter().enumerate() {
                    let (truth, best) = (all[oracle::row(&hit.id)], oracle::kth(&all, rank + 1));
                    let close = oracle::tolerance(best);
                    assert!((f64::from(hit.score) - truth).abs() <= close, "{metric:?} {n}x{dim}: {hit:?}");
                    assert!((truth - best).abs() <= close, "{metric:?} {n}x{dim}: rank {rank} is {hit:?}");
                }
            }
        }
    }
}

/// Over whole numbers every dot product and squared distance is exact, so ties are real ones.
#[test]
fn ties_go_to_the_lower_position() {
    let (n, dim) = (400, 6);
    let rows = data::whole(n, dim, 5);
    for metric in [pagevec::Metric::Dot, pagevec::Metric::L2] {
        let index = index(&rows, dim, &options(metric, CodecKind::F32));
        let positions: Vec<u32> =
            (0..n as u64).map(|id| index.find(&pagevec::Id::Number(id)).unwrap().unwrap().position).collect();
        for query in data::whole(30, dim, 6).chunks_exact(dim) {
            let mut truth: Vec<(i64, u32)> = oracle::scores(metric, &rows, query)
                .iter()
                .zip(&positions)
                .map(|(&score, &position)| (-score as i64, position))
                .collect();
            truth.sort_unstable();
            for k in [1, 7, 100, n] {
                let answer = index.search(query, &flat().clone().k(k)).unwrap();
                let got: Vec<(i64, u32)> =
                    answer.hits.iter().map(|h| (-h.score as i64, h.position)).collect();
                assert_eq!(got, truth[..k], "{metric:?} k {k}");
            }
        }
    }
}

#[test]
fn a_batch_answers_as_single_searches_do() {
    let (n, dim) = (500, 24);
    let rows = data::clustered(n, dim, 8);
    for codec in support::CODECS {
        let index = index(&rows, dim, &options(pagevec::Metric::Cosine, codec));
        let queries = data::queries(&rows, dim, 37, 4);
        let batch = index.search_batch(&queries.concat(), &support::top(10)).unwrap();
        assert_eq!(batch.len(), queries.len());
        for (query, answer) in queries.iter().zip(batch) {
            assert_eq!(index.search(query, &support::top(10)).unwrap(), answer);
        }
        assert!(index.search_batch(&[], &support::top(10)).unwrap().is_empty());
    }
}

#[test]
fn a_vector_comes_back_as_it_was_given() {
    let (n, dim) = (200, 12);
    let rows = data::clustered(n, dim, 9);
    for (codec, close) in [(CodecKind::F32, 0.0), (CodecKind::F16, 1e-3), (CodecKind::Sq8, 1.5e-2)] {
        let index = index(&rows, dim, &options(pagevec::Metric::Dot, codec));
        for (id, row) in rows.chunks_exact(dim).enumerate() {
            let stored = index.vector(&pagevec::Id::Number(id as u64)).unwrap();
            let far = stored.iter().zip(row).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
            assert!(far <= close, "{codec:?}: row {id} is off by {far}");
        }
    }
}
