//! Under cosine only the direction of a row and of a query counts: lengths whose squares f32 cannot hold are as good as
//! any, and only the vector of zeros has no direction.

mod support;

use pagevec::{BuildOptions, CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::{code, data, file, oracle};

const N: usize = 600;

fn flat() -> SearchOptions {
    SearchOptions::new(20).index(IndexChoice::Flat)
}

fn built(rows: &[f32], dim: usize, codec: CodecKind) -> Vec<u8> {
    let quick = BuildOptions::default().graph(false).clusters(false).max_iterations(1);
    file(rows, dim, None, &quick.clone().metric(Metric::Cosine).codec(codec))
}

/// Powers of two and others, from where components are subnormal to where they are near the largest.
const LENGTHS: [f32; 9] = [1e-36, 1e-30, 1e-25, 1e-20, 1e-12, 1e12, 1e18, 1e25, 1e36];

#[test]
fn the_nearest_by_direction_are_found() {
    for (dim, seed) in [(7, 31), (130, 32)] {
        let rows = data::clustered(N, dim, seed);
        for (i, by) in LENGTHS.into_iter().enumerate() {
            // Rows of that length among rows of length about 1, and queries of another.
            let mixed: Vec<f32> = rows
                .chunks_exact(dim)
                .zip(0..)
                .flat_map(|(row, r)| row.iter().map(move |x| if r % 2 == 0 { x * by } else { *x }))
                .collect();
            let index =
                Index::from_bytes(&built(&mixed, dim, CodecKind::F32)).expect("a file just built opens");
            for query in data::queries(&rows, dim, 20, seed + 1) {
                let long: Vec<f32> = query.iter().map(|x| x * LENGTHS[LENGTHS.len() - 1 - i]).collect();
                let scores = oracle::scores(Metric::Cosine, &mixed, &long);
                for hit in index.search(&long, &flat()).expect("a search of good data").hits {
                    let score = scores[oracle::row(&hit.id)];
                    assert!((f64::from(hit.score) - score).abs() < 1e-6, "{by}: {} for {score}", hit.score);
                    assert!(score >= oracle::kth(&scores, flat().k) - 1e-6, "{by}: not among the nearest");
                }
            }
        }
    }
}

/// A length that is a power of two leaves no trace, but in the file id, which names the input.
#[test]
fn codes_do_not_depend_on_the_length() {
    let dim = 33;
    let rows = data::clustered(N, dim, 33);
    let ids = |file: &[u8]| {
        let index = Index::from_bytes(file).expect("a file just built opens");
        let answers = data::queries(&rows, dim, 20, 34)
            .into_iter()
            .map(|q| index.search(&q, &flat()).expect("a search"));
        answers.flat_map(|a| a.hits.into_iter().map(|h| (h.id, h.score.to_bits()))).collect::<Vec<_>>()
    };
    let plain = ids(&built(&rows, dim, CodecKind::Sq8));
    for by in [1.0 / 1024.0, 64.0, (1u64 << 40) as f32] {
        let scaled: Vec<f32> = rows.iter().map(|x| x * by).collect();
        assert_eq!(ids(&built(&scaled, dim, CodecKind::Sq8)), plain, "{by}");
    }
}

#[test]
fn zeros_alone_have_no_direction() {
    let mut rows = data::clustered(20, 5, 35);
    for (value, expected) in
        [(0.0, "zero-vector"), (-0.0, "zero-vector"), (f32::from_bits(1), "ok"), (f32::MAX, "ok")]
    {
        rows[35..40].fill(value);
        let result =
            pagevec::build(rows.clone(), 5, None, &BuildOptions::default(), &pagevec::Ctx::default());
        assert_eq!(code(&result), expected, "{value}");
        if let Ok(file) = result {
            let index = Index::from_bytes(&file).expect("a file just built opens");
            let answer = index.search(&[value; 5], &flat()).expect("it has a direction");
            assert_eq!((oracle::row(&answer.hits[0].id), answer.hits[0].score > 0.9999), (7, true));
        }
    }
}
