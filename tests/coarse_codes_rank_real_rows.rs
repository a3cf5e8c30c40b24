//! How well each kind of coarse code ranks by itself: neighbours found among the first 20,000 rows of wordnet (384
//! components, 100 real text queries) when only so many candidates are ranked again. All that decides is integers, so
//! the counts are exact. Needs `PAGEVEC_DATA`; says so and passes without it.

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, SearchOptions};
use support::{file, npy, options, oracle};

const QUERIES: usize = 100;
/// Candidates ranked again.
const DEPTHS: [usize; 4] = [10, 20, 50, 100];

/// Codec, bytes of a code, and of the 1,000 neighbours those found at each depth.
const FOUND: [(CodecKind, usize, [usize; 4]); 6] = [
    (CodecKind::Sq8, 392, [989, 1000, 1000, 1000]),
    (CodecKind::Sq4, 196, [951, 1000, 1000, 1000]),
    (CodecKind::Pq(96), 96, [849, 990, 1000, 1000]),
    (CodecKind::Pq(64), 64, [772, 963, 994, 1000]),
    (CodecKind::Pq(48), 48, [713, 907, 990, 997]),
    (CodecKind::Binary, 48, [516, 696, 853, 916]),
];
/// The lists of the clustered index, all of them: 48 bytes of bits and 4 of terms.
const LISTS: [usize; 4] = [722, 915, 991, 999];

#[test]
fn as_measured() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA names no folder with wordnet/, so codes were not measured");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), 20_000);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let queries: Vec<&[f32]> = queries.chunks_exact(dim).collect();
    let truth: Vec<Vec<f64>> = queries.iter().map(|q| oracle::scores(Metric::Cosine, &rows, q)).collect();
    let found = |index: &Index, o: &SearchOptions| -> usize {
        let one = |(q, scores): (&&[f32], &Vec<f64>)| oracle::found(&index.search(q, o).unwrap(), scores, 10);
        queries.iter().zip(&truth).map(one).sum()
    };
    let mut wrong = Vec::new();
    for (codec, bytes, expected) in FOUND {
        let clusters = codec == CodecKind::Sq8;
        let rows_as = Some(CodecKind::F32);
        let quick = options(Metric::Cosine, codec).graph(false).max_iterations(1);
        let build = quick.clone().clusters(clusters).refine(rows_as);
        let index = Index::from_bytes(&file(&rows, dim, None, &build)).unwrap();
        let stride = index.info().sections.iter().find(|s| s.name == "codes").map(|s| s.length / 20_000);
        assert_eq!(stride, Some(bytes as u64));
        let at = |ef, index| support::top(10).ef(ef).rescore(ef).index(index);
        let got = DEPTHS.map(|ef| found(&index, &at(ef, IndexChoice::Flat)));
        eprintln!("{codec}: {got:?}");
        wrong.extend((got != expected).then_some((codec.to_string(), got)));
        if clusters {
            let all = |ef| at(ef, IndexChoice::Clusters).probes(20_000);
            let got = DEPTHS.map(|ef| found(&index, &all(ef)));
            eprintln!("lists: {got:?}");
            wrong.extend((got != LISTS).then_some(("lists".to_owned(), got)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
