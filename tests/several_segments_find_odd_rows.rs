//! Several segments find of odd data what one segment of all rows finds, or the recall that was asked for: by clusters, where
//! the lists of all segments are chosen together, and by the graph.

mod support;

use pagevec::{BuildOptions, Ids, IndexChoice, Metric, SearchOptions, SessionOptions};
use support::odd::{self, Case, Measured};
use support::paged::Remote;
use support::{file, oracle};

const COUNTS: [usize; 2] = [3000, 200];
/// Parts of the rows that segments have, in thousandths.
const PARTS: [usize; 5] = [500, 200, 200, 67, 33];
const ASKED: f64 = 0.95;
const SLACK: f64 = 0.02;

/// The files of segments of the rows in this order.
fn files(case: &Case, order: &[usize], parts: &[usize]) -> Vec<Vec<u8>> {
    let (mut files, mut start) = (Vec::new(), 0);
    for (number, part) in parts.iter().enumerate() {
        let end = if number + 1 == parts.len() { order.len() } else { start + order.len() * part / 1000 };
        let rows = order[start..end].iter().flat_map(|&row| &case.rows[row * case.dim..][..case.dim]);
        let ids = Ids::Numbers(order[start..end].iter().map(|&row| row as u64).collect());
        let options = BuildOptions::new(case.metric).codec(pagevec::CodecKind::F32).ef_construction(60);
        files.push(file(&rows.copied().collect::<Vec<f32>>(), case.dim, Some(ids), &options));
        start = end;
    }
    files
}

fn measure(case: &Case, truth: &[Vec<f64>], files: &[Vec<u8>], options: &SearchOptions) -> Measured {
    let segments: Vec<_> = files.iter().map(|file| (file.as_slice(), None)).collect();
    let mut remote = Remote::of_segments(&segments, &SessionOptions::new(1 << 30)).expect("there is room");
    let (mut recalls, mut cost) = (Vec::new(), [0; 2]);
    for (query, scores) in case.queries.iter().zip(truth) {
        let (answer, _) = remote.search(query, options).expect("a search of good data");
        oracle::well_formed(&answer, options.k, case.count());
        recalls.push(oracle::found(&answer, scores, options.k) as f64 / options.k as f64);
        cost[0] += answer.stats.distances;
        cost[1] += answer.stats.rescored;
    }
    Measured::of(recalls, cost)
}

fn promise_is_kept(case: &Case) {
    let truth = case.truth();
    let mut order: Vec<usize> = (0..case.count()).collect();
    let one = files(case, &order, &[1000]);
    let in_order = files(case, &order, &PARTS);
    support::data::Random(401).shuffle(&mut order);
    let shuffled = files(case, &order, &PARTS);
    for choice in [IndexChoice::Clusters, IndexChoice::Hnsw] {
        for k in [1, 10, 100] {
            let options = SearchOptions::new(k).index(choice);
            let found = [&one, &in_order, &shuffled].map(|files| measure(case, &truth, files, &options));
            let [alone, a, b] = found.map(|m| m.mean);
            eprintln!(
                "{} {choice:?} k {k}: one {alone:.3}, in order {a:.3}, shuffled {b:.3}; distances {:.0?}, rescored {:.0?}",
                case.name,
                found.map(|m| m.distances),
                found.map(|m| m.rescored)
            );
            let least = alone.min(ASKED) - SLACK;
            assert!(a >= least && b >= least, "{} {choice:?} k {k}", case.name);
        }
    }
}

#[test]
fn ordinary_rows() {
    support::METRICS.iter().for_each(|&metric| promise_is_kept(&odd::ordinary(metric, COUNTS, 32, 402)));
}

#[test]
fn far_clusters_and_tight_topics() {
    promise_is_kept(&odd::far_clusters(COUNTS, 32, 10.0, 403));
    promise_is_kept(&odd::topics(COUNTS, 32, 0.05, 404));
}

#[test]
fn few_components_and_rows_of_unequal_length() {
    promise_is_kept(&odd::places(COUNTS, 405));
    promise_is_kept(&odd::lengths(COUNTS, 32, 1.0, false, 406));
    promise_is_kept(&odd::one_wide_component(COUNTS, 32, 407));
}

#[test]
fn copies_and_a_narrow_cone() {
    promise_is_kept(&odd::many_equal(Metric::Cosine, COUNTS, 32, 20, 408));
    promise_is_kept(&odd::narrow_cone(COUNTS, 32, 0.05, 409));
}
