//! A merge finds what one build of all rows finds that encodes them alike: four segments of wordnet, of which three were
//! appended to the first. A build that trains its own codecs on all rows finds as much by sq8, and more by binary codes,
//! since the first segment's thresholds do not fit rows unlike its own. Needs `PAGEVEC_DATA`; says so and passes without.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{BuildInput, CodecKind, Ctx, Ids, Index, IndexChoice, Metric, append_into, merge_into};
use support::{file, npy, options, oracle, top};

const ROWS: usize = 20_000;
const SEGMENTS: usize = 4;
const QUERIES: usize = 500;
/// The recall of a merge may be below that of a build with the same codecs by so much.
const SLACK: f64 = 0.003;

#[test]
fn by_sq8_codes() {
    finds_what_one_build_finds(CodecKind::Sq8, SLACK);
}

/// The first 5,000 words are acts, the others animals and artifacts.
#[test]
fn by_binary_codes_whose_thresholds_are_of_other_rows() {
    finds_what_one_build_finds(CodecKind::Binary, 0.02);
}

/// `slack` is that of the comparison with a build that trains codecs of its own.
fn finds_what_one_build_finds(codec: CodecKind, slack: f64) {
    let Some(folder) = npy::folder() else {
        return eprintln!("SKIPPED: PAGEVEC_DATA names no folder with wordnet/, so no merge was measured");
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), ROWS);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let queries: Vec<&[f32]> = queries.chunks_exact(dim).collect();
    let truth: Vec<Vec<f64>> = queries.iter().map(|q| oracle::scores(Metric::Cosine, &rows, q)).collect();
    let options = options(Metric::Cosine, codec);
    let open = |bytes: &[u8]| Index::from_bytes(bytes).unwrap();
    let append = |first: &Index, rows: &[f32], ids: Ids| {
        let input = BuildInput::Memory { vectors: rows.to_vec(), dim };
        let mut bytes = Vec::new();
        append_into(first, input, Some(ids), &options, &mut bytes, &Ctx::default()).unwrap();
        open(&bytes)
    };
    let mut parts: Vec<Index> = Vec::new();
    for (rows, number) in rows.chunks_exact(rows.len() / SEGMENTS).zip(0u64..) {
        let count = (rows.len() / dim) as u64;
        let ids = Ids::Numbers((number * count..(number + 1) * count).collect());
        parts.push(match parts.first() {
            None => open(&file(rows, dim, Some(ids), &options)),
            Some(first) => append(first, rows, ids),
        });
    }
    let mut bytes = Vec::new();
    merge_into(&parts.iter().collect::<Vec<_>>(), &options, &mut bytes, &Ctx::default()).unwrap();
    let merged = open(&bytes);
    merged.verify().unwrap();
    let alike = append(&parts[0], &rows, Ids::counting(ROWS));
    let own = open(&file(&rows, dim, None, &options));
    for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
        let [merged, alike, own] = [&merged, &alike, &own].map(|index| {
            let (mut found, mut distances) = (0, 0);
            for (query, scores) in queries.iter().zip(&truth) {
                let answer = index.search(query, &top(10).index(choice)).unwrap();
                found += oracle::found(&answer, scores, 10);
                distances += answer.stats.distances;
            }
            (found as f64 / (QUERIES * 10) as f64, distances / QUERIES as u64)
        });
        eprintln!(
            "{codec}, {choice:?}: recall@10 and distances of a merge {merged:?}, of one build with the first \
             segment's codecs {alike:?}, with its own {own:?}"
        );
        assert!(merged.0 >= alike.0 - SLACK && merged.0 >= own.0 - slack, "{codec}, {choice:?}");
    }
}
