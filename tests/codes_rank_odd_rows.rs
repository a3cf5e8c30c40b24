//! A scan of default files (SQ8 codes) finds on odd rows about what an 8-bit scan with a scale per component finds, the
//! one most engines have (faiss calls it SQ8); a scan of coarser codes with the rows they have by default finds about what
//! those rows rank. Held-out queries, five seeds, k of 1, 10 and 100; the mean and the worst tenth are printed.

mod support;

use pagevec::{BuildOptions, CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::odd::{self, Case};
use support::{index, oracle};

const SEEDS: [u64; 5] = [3, 14, 159, 2653, 58_979];
const COUNTS: [usize; 2] = [2500, 50];
const KS: [usize; 3] = [1, 10, 100];

/// Recall for each of `KS`.
type Recalls = [f64; 3];
/// The rows found for each of `KS`, as many or more, nearest first.
type Found = [Vec<usize>; 3];

/// What the reference finds: lo and hi of each component, 255 steps between them, distances in floats.
struct ByComponent {
    metric: Metric,
    rows: Vec<Vec<f32>>,
}

impl ByComponent {
    fn new(case: &Case) -> Self {
        let mut rows: Vec<Vec<f32>> =
            case.rows.chunks_exact(case.dim).map(|row| Self::scaled(case.metric, row)).collect();
        for i in 0..case.dim {
            let (low, high) = rows
                .iter()
                .fold((f32::MAX, f32::MIN), |(low, high), row| (low.min(row[i]), high.max(row[i])));
            let step = if high > low { (high - low) / 255.0 } else { 1.0 };
            rows.iter_mut().for_each(|row| row[i] = ((row[i] - low) / step).round() * step + low);
        }
        ByComponent { metric: case.metric, rows }
    }

    fn scaled(metric: Metric, row: &[f32]) -> Vec<f32> {
        let length = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let by = if metric == Metric::Cosine { length } else { 1.0 };
        row.iter().map(|&x| (f64::from(x) / by) as f32).collect()
    }

    /// All rows, nearest first, whatever `k` is.
    fn found(&self, query: &[f32]) -> Found {
        let query = Self::scaled(self.metric, query);
        // Of length 1 already: a cosine is their dot product.
        let metric = if self.metric == Metric::Cosine { Metric::Dot } else { self.metric };
        let score = |row: &Vec<f32>| oracle::score(metric, &query, row);
        let mut ranked: Vec<(f64, usize)> = self.rows.iter().map(score).zip(0..).collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let ranked: Vec<usize> = ranked.into_iter().map(|(_, row)| row).collect();
        [ranked.clone(), ranked.clone(), ranked]
    }
}

fn built(case: &Case, codec: CodecKind) -> Index {
    let quick = BuildOptions::default().graph(false).clusters(false).max_iterations(1);
    index(&case.rows, case.dim, &quick.clone().metric(case.metric).codec(codec))
}

fn scan(index: &Index, query: &[f32]) -> Found {
    KS.map(|k| {
        let flat = SearchOptions::new(k).index(IndexChoice::Flat);
        let answer = index.search(query, &flat).expect("a search of good data");
        answer.hits.iter().map(|hit| oracle::row(&hit.id)).collect()
    })
}

/// The part of the `k` nearest among these rows, where one as near as the k-th counts.
fn recall(truth: &[f64], rows: &[usize], k: usize) -> f64 {
    let least = oracle::kth(truth, k);
    let least = least - 1e-9 * least.abs().max(1.0);
    rows.iter().take(k).filter(|&&row| truth[row] >= least).count() as f64 / k as f64
}

/// What is found for a query.
type Scan<'a> = dyn Fn(&[f32]) -> Found + 'a;

/// Recall of each query by each of these scans.
fn measured<const N: usize>(case: &Case, scans: &[&Scan<'_>; N]) -> Vec<[Recalls; N]> {
    let one = |query: &Vec<f32>| {
        let truth = oracle::scores(case.metric, &case.rows, query);
        scans.map(|scan| {
            let found = scan(query);
            std::array::from_fn(|i| recall(&truth, &found[i], KS[i]))
        })
    };
    case.queries.iter().map(one).collect()
}

fn mean_and_worst_tenth(mut recalls: Vec<f64>) -> [f64; 2] {
    recalls.sort_unstable_by(f64::total_cmp);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    [mean(&recalls), mean(&recalls[..recalls.len().div_ceil(10)])]
}

/// A kind of rows, and how far below the reference the mean recall may be.
type Kind = (fn(u64) -> Case, f64);

/// Prints and compares `scan` with what it is measured by, the first and the second of what `measure` gives.
fn compare(kinds: &[Kind], measure: impl Fn(&Case) -> Vec<[Recalls; 2]>) {
    let mut low = Vec::new();
    for (kind, less) in kinds {
        let cases = SEEDS.map(kind);
        let found: Vec<[Recalls; 2]> = cases.iter().flat_map(&measure).collect();
        let case = format!("{} of {}", cases[0].name, cases[0].dim);
        for (i, k) in KS.into_iter().enumerate() {
            let [[ours, ours_worst], [theirs, theirs_worst]] =
                [0, 1].map(|scan| mean_and_worst_tenth(found.iter().map(|f| f[scan][i]).collect()));
            eprintln!(
                "{case}, k {k}: {ours:.3} (worst tenth {ours_worst:.3}) for {theirs:.3} ({theirs_worst:.3})"
            );
            if ours < theirs - less {
                low.push(format!("{case}, k {k}: {ours:.3} for {theirs:.3} - {less}"));
            }
        }
    }
    assert!(low.is_empty(), "{low:#?}");
}

fn as_by_component(kinds: &[Kind]) {
    compare(kinds, |case| {
        let (ours, theirs) = (built(case, CodecKind::Sq8), ByComponent::new(case));
        measured(case, &[&|query| scan(&ours, query), &|query| theirs.found(query)])
    });
}

#[test]
fn sq8_finds_what_a_scale_per_component_finds_under_l2() {
    as_by_component(&[
        (|s| odd::far_clusters(COUNTS, 64, 1.0, s), 0.02),
        (|s| odd::far_clusters(COUNTS, 96, 3.0, s), 0.02),
        (|s| odd::far_clusters(COUNTS, 64, 10.0, s), 0.02),
        // The more components a row has, the farther out its largest is, which its scale must reach.
        (|s| odd::far_clusters(COUNTS, 192, 10.0, s), 0.02),
        (|s| odd::far_clusters(COUNTS, 64, 30.0, s), 0.07),
        (|s| odd::far_clusters(COUNTS, 20, 30.0, s), 0.07),
        (|s| odd::ordinary(Metric::L2, COUNTS, 100, s), 0.02),
    ]);
}

#[test]
fn sq8_finds_what_a_scale_per_component_finds_in_few_dimensions_and_under_dot() {
    as_by_component(&[
        (odd_places, 0.02),
        (odd_points, 0.02),
        (|s| odd::lengths(COUNTS, 64, 0.0, false, s), 0.02),
        (|s| odd::lengths(COUNTS, 64, 0.5, true, s), 0.02),
        (|s| odd::ordinary(Metric::Dot, COUNTS, 100, s), 0.02),
        (|s| Case { metric: Metric::Dot, ..odd::far_clusters(COUNTS, 40, 30.0, s) }, 0.02),
    ]);
}

fn odd_places(seed: u64) -> Case {
    odd::places(COUNTS, seed)
}

fn odd_points(seed: u64) -> Case {
    odd::points(COUNTS, seed)
}

#[test]
fn sq8_finds_what_a_scale_per_component_finds_under_cosine() {
    as_by_component(&[
        (|s| odd::topics(COUNTS, 384, 0.1, s), 0.02),
        (|s| odd::topics(COUNTS, 64, 0.1, s), 0.02),
        (|s| odd::topics(COUNTS, 96, 0.3, s), 0.02),
        (|s| odd::topics(COUNTS, 64, 1.0, s), 0.02),
        (|s| odd::one_wide_component(COUNTS, 64, s), 0.02),
        (|s| odd::narrow_cone(COUNTS, 96, 0.3, s), 0.02),
        (|s| odd::ordinary(Metric::Cosine, COUNTS, 100, s), 0.02),
    ]);
}

/// All rows point about the same way, and codes still tell them apart: rounding, not the scale, keeps the length.
#[test]
fn sq8_ranks_rows_in_a_narrow_cone() {
    for (spread, least) in [(0.3, 0.97), (0.1, 0.97), (0.03, 0.96), (0.01, 0.9)] {
        let mut found = Vec::new();
        for seed in SEEDS {
            let case = odd::narrow_cone(COUNTS, 128, spread, seed);
            let index = built(&case, CodecKind::Sq8);
            let at_10 = measured(&case, &[&|query| scan(&index, query)]);
            found.extend(at_10.iter().map(|[recalls]| recalls[1]));
        }
        let [mean, worst] = mean_and_worst_tenth(found);
        eprintln!("cone {spread}: {mean:.3} (worst tenth {worst:.3})");
        assert!(mean >= least, "cone {spread}: {mean}");
    }
}

/// Coarser codes choose what their SQ8 rows rank, and lose little by it.
#[test]
fn coarse_codes_choose_what_their_rows_rank() {
    for codec in [CodecKind::Sq4, CodecKind::Pq(32)] {
        eprintln!("{codec} codes:");
        let kinds: &[Kind] = &[
            (|s| odd::far_clusters(COUNTS, 64, 1.0, s), 0.02),
            (|s| odd::far_clusters(COUNTS, 64, 10.0, s), 0.10),
            (|s| odd::topics(COUNTS, 64, 0.1, s), 0.10),
            (|s| odd::topics(COUNTS, 64, 0.3, s), 0.02),
            // The grid of a row, and the steps of all tables, are as wide as that one component asks.
            (|s| odd::one_wide_component(COUNTS, 64, s), 0.15),
            (|s| odd::lengths(COUNTS, 64, 0.5, true, s), 0.02),
        ];
        compare(kinds, |case| {
            let (coarse, rows) = (built(case, codec), built(case, CodecKind::Sq8));
            measured(case, &[&|query| scan(&coarse, query), &|query| scan(&rows, query)])
        });
    }
}

/// A hit's score is that of the vector its code stands for, which under cosine has length 1: nothing of the row itself.
#[test]
fn scores_are_those_of_what_codes_stand_for() {
    let counts = [400, 10];
    for case in [
        odd::far_clusters(counts, 33, 30.0, 71),
        odd::places(counts, 72),
        odd::topics(counts, 50, 0.1, 73),
        odd::narrow_cone(counts, 70, 0.03, 74),
        odd::one_wide_component(counts, 40, 75),
    ] {
        let index = built(&case, CodecKind::Sq8);
        for query in &case.queries {
            let flat = SearchOptions::new(40).index(IndexChoice::Flat);
            for hit in index.search(query, &flat).expect("a search of good data").hits {
                let stored = index.vector(&hit.id).expect("an id of a hit");
                let length = stored.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
                let cosine = case.metric == Metric::Cosine;
                assert!(!cosine || (length - 1.0).abs() < 1e-6, "{}: length {length}", case.name);
                // The terms of an l2 distance are as large as the squared distance to the mean.
                let close = if cosine { 2e-6 } else { 1e-6 * (30.0 * 30.0 * 33.0) };
                let score = oracle::score(case.metric, query, &stored);
                assert!(
                    (f64::from(hit.score) - score).abs() < close,
                    "{}: {} for {score}",
                    case.name,
                    hit.score
                );
            }
        }
    }
}
