//! A build tells its caller when a scan of what it stores finds few of the nearest rows, and which codec finds them;
//! where codes do well, or rows are the same, it says nothing.

mod support;

use pagevec::{BuildOptions, CodecKind, Ctx, IndexChoice, Metric, SearchOptions, Warning, build};
use std::cell::RefCell;
use support::odd::{self, Case};

const COUNTS: [usize; 2] = [4000, 40];

fn quick(metric: Metric, codec: CodecKind) -> BuildOptions {
    BuildOptions::new(metric).codec(codec).graph(false).clusters(false).max_iterations(1)
}

/// What the build says of codes, and the file.
fn built(case: &Case, options: &BuildOptions) -> (Vec<Warning>, Vec<u8>) {
    let said = RefCell::new(Vec::new());
    let hear = |warning| said.borrow_mut().push(warning);
    let ctx = Ctx { warning: Some(&hear), ..Default::default() };
    let file = build(case.rows.clone(), case.dim, None, options, &ctx).expect("the rows are good");
    let codes = |w: &Warning| matches!(w, Warning::CodesRecall { .. });
    (said.into_inner().into_iter().filter(codes).collect(), file)
}

fn scan(case: &Case, file: &[u8]) -> f64 {
    let index = pagevec::Index::from_bytes(file).expect("a file just built opens");
    let flat = SearchOptions::default().index(IndexChoice::Flat);
    case.measure(&index, 10, &flat).mean
}

/// The recommended codec, after a check that the warning's recall is that of searches.
fn warned(case: &Case, codec: CodecKind) -> Option<String> {
    let (said, file) = built(case, &quick(case.metric, codec));
    let found = scan(case, &file);
    assert!(said.len() < 2, "{said:?}");
    let Some(Warning::CodesRecall { codec: named, recall, better }) = said.first() else {
        eprintln!("{}, {codec}: silent, a search finds {found:.3}", case.name);
        return None;
    };
    eprintln!("{}, {codec}: {}; a search finds {found:.3}", case.name, said[0]);
    assert!((f64::from(*recall) - found).abs() < 0.12, "{}: {recall}, searched {found}", case.name);
    assert!(named.starts_with(&codec.to_string()));
    assert!(said[0].to_string().contains(&format!("--codec {better}")));
    Some(better.clone())
}

#[test]
fn silent_where_codes_do_well() {
    for seed in [5, 55] {
        for case in [
            odd::ordinary(Metric::L2, COUNTS, 48, seed),
            odd::ordinary(Metric::Dot, COUNTS, 48, seed),
            odd::far_clusters(COUNTS, 48, 10.0, seed),
            odd::far_clusters(COUNTS, 80, 30.0, seed),
            odd::places(COUNTS, seed),
            odd::points(COUNTS, seed),
            odd::topics(COUNTS, 128, 0.1, seed),
            odd::lengths(COUNTS, 32, 1.0, true, seed),
            odd::one_wide_component(COUNTS, 48, seed),
        ] {
            assert_eq!(warned(&case, CodecKind::Sq8), None, "{}", case.name);
            assert_eq!(warned(&case, CodecKind::F32), None, "{}", case.name);
        }
    }
}

#[test]
fn loud_where_rows_differ_by_less_than_their_codes() {
    for seed in [6, 66] {
        for (ratio, better) in [(100.0, "f16"), (300.0, "f16"), (1000.0, "f32")] {
            let case = odd::far_clusters(COUNTS, 48, ratio, seed);
            let named = warned(&case, CodecKind::Sq8);
            assert!(named.is_some(), "{}", case.name);
            // What is recommended finds them.
            let codec: CodecKind = named.unwrap_or_default().parse().expect("a codec");
            assert_eq!(codec.to_string(), better);
            let (said, file) = built(&case, &quick(case.metric, codec));
            assert_eq!(said, [], "{}", case.name);
            assert!(scan(&case, &file) > 0.9, "{}", case.name);
        }
        // Finer rows behind codes that coincide: the codes choose what they rank.
        let case = odd::copies(Metric::L2, COUNTS, 48, 4, 0.002, seed);
        let options = quick(case.metric, CodecKind::Sq8).refine(CodecKind::F32);
        assert_eq!(built(&case, &options).0.len(), 1);
    }
}

#[test]
fn halves_far_from_the_origin_are_named() {
    let mut case = odd::ordinary(Metric::L2, COUNTS, 40, 7);
    for x in case.rows.iter_mut().chain(case.queries.iter_mut().flatten()) {
        *x += 3000.0;
    }
    assert_eq!(warned(&case, CodecKind::F16).as_deref(), Some("f32"));
    // Codes around the mean have no trouble there.
    assert_eq!(warned(&case, CodecKind::Sq8), None);
}

/// Any of the copies is as near as the others; what is left is the rounding of f32.
#[test]
fn copies_are_no_loss() {
    for metric in support::METRICS {
        for case in [
            odd::copies(metric, COUNTS, 24, 50, 0.0, 8),
            odd::copies(metric, COUNTS, 24, 50, 1e-5, 8),
            odd::categories(metric, COUNTS[0], 256, 8),
            odd::many_equal(metric, COUNTS, 24, 3000, 8),
        ] {
            let (said, _) = built(&case, &quick(metric, CodecKind::Sq8));
            assert_eq!(said, [], "{}", case.name);
        }
    }
    let case = odd::behind_a_clump(3000, 500, 32, 8);
    assert_eq!(built(&case, &quick(case.metric, CodecKind::Sq8)).0, []);
}

#[test]
fn few_rows_are_measured_too() {
    for count in [1, 2, 3, 11, 12, 70] {
        let case = odd::ordinary(Metric::Cosine, [count, 1], 16, 9);
        for codec in support::CODECS {
            built(&case, &quick(case.metric, codec));
        }
        assert_eq!(built(&case, &quick(case.metric, CodecKind::Sq8)).0, [], "{count}");
    }
}
