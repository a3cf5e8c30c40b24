//! A file depends on rows, ids, options and seed, and on nothing else: not on threads, not on the target.
//!
//! `fixtures/golden.f32` is 500 rows of 24 f32, little-endian. The JS tests build the same files from it in wasm and
//! compare their BLAKE3 with [`GOLDEN`]. It was written by [`recipe`]: SplitMix64 from the state 2026; a value is the
//! upper 24 bits of the next number as a signed fraction of 2^23; row i adds 2 · (that of a table of 16 rows made
//! first)[i % 16]. All of it is exact in f32, in this order, on every machine.

mod support;

use pagevec::{BuildOptions, CodecKind, Ids, Metric, content_id, with_threads};
use support::{CODECS, METRICS, data, file, options};

const DIM: usize = 24;

/// Metric, codec, rows, graph; everything else as by default, ids 0, 1, 2, …: the BLAKE3 of the file.
const GOLDEN: [(Metric, CodecKind, Option<CodecKind>, bool, &str); 7] = [
    (
        Metric::Cosine,
        CodecKind::Sq8,
        None,
        true,
        "7ef7f325f7077730e47e4a499a0c7c98fbd047eed06ec067ac9420d1fae26b23",
    ),
    (
        Metric::L2,
        CodecKind::Binary,
        None,
        true,
        "4fa7c488076fe536a78332051555a81e6ae2fe643d124080d8f5eda8940b0c62",
    ),
    (
        Metric::Dot,
        CodecKind::Sq8,
        Some(CodecKind::F16),
        true,
        "350c80bf7e4efe8bcdf7a2e1d7809f90d5a5f69b7ef86b6f557297708193ebd3",
    ),
    (
        Metric::Cosine,
        CodecKind::F32,
        None,
        true,
        "3a50c627ad0035e71bcdac8c02c762d03f20db37085d96501d6623538f2c873e",
    ),
    (
        Metric::L2,
        CodecKind::F16,
        None,
        false,
        "94656dd6ffe42b767826c98e9405fd369d9fd076388f4f291258f6e763afb895",
    ),
    // 24 components in 7 parts.
    (
        Metric::L2,
        CodecKind::Pq(7),
        None,
        false,
        "fabf8b2be387fd1087996d51ea5c6709783e8892b00befa4f211db1dbf6ec224",
    ),
    (
        Metric::Cosine,
        CodecKind::Sq4,
        Some(CodecKind::F16),
        true,
        "629377164e639e8a9c38529e8de5de19286beda126dc279675aaf1b3ab2ae34a",
    ),
];

/// Three stages: pq, sq8 rows, f32 rows; l2.
const STAGES: &str = "9b185893e4f5af33312bf666c46f45266fb308b3f3f28ca7c45d338c9f45e3c4";

fn recipe() -> Vec<f32> {
    let mut random = data::Random(2026);
    let mut value = || ((random.next() >> 40) as i32 - (1 << 23)) as f32 / (1 << 23) as f32;
    let centres: Vec<f32> = (0..16 * DIM).map(|_| value()).collect();
    (0..500 * DIM).map(|i| value() + 2.0 * centres[i / DIM % 16 * DIM + i % DIM]).collect()
}

#[test]
fn the_golden_input_gives_the_golden_files() {
    let bytes: Vec<u8> = recipe().iter().flat_map(|x| x.to_le_bytes()).collect();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/golden.f32");
    assert!(std::fs::read(fixture).unwrap() == bytes, "the fixture is not what its recipe gives");
    let got = GOLDEN.map(|(metric, codec, rows, graph, _)| {
        content_id(&file(&recipe(), DIM, None, &options(metric, codec).refine(rows).graph(graph)))
    });
    // A change of format, codec, order or graph changes these: then raise the version or say why it need not rise.
    assert_eq!(got.each_ref().map(String::as_str), GOLDEN.map(|g| g.4));
    let stages = options(Metric::L2, CodecKind::Pq(7)).exact(CodecKind::F32);
    assert_eq!(content_id(&file(&recipe(), DIM, None, &stages)), STAGES);
}

#[test]
fn threads_do_not_show() {
    let rows = data::clustered(3000, 20, 41);
    for (metric, codec) in [METRICS, METRICS].concat().into_iter().zip(CODECS) {
        let codec = if codec == CodecKind::Pq(1) { CodecKind::Pq(7) } else { codec };
        let options = options(metric, codec).ef_construction(60);
        let [one, two, many] = [1, 2, 16].map(|threads| {
            with_threads(threads, || file(&rows, 20, Some(support::texts(3000)), &options)).unwrap()
        });
        assert!(one == two && one == many, "{metric:?} {codec:?}");
    }
}

#[test]
fn every_part_of_the_input_shows() {
    let (n, dim) = (200, 9);
    let rows = data::clustered(n, dim, 42);
    let base = BuildOptions::default();
    let mut moved = rows.clone();
    moved[17] += 1.0;
    let others = [
        file(&rows, dim, None, &base.clone().seed(43)),
        file(&rows, dim, None, &base.clone().ef_construction(201)),
        file(&rows, dim, None, &base.clone().metric(Metric::Dot)),
        file(&rows, dim, None, &base.clone().clusters(false)),
        file(&rows, dim, None, &base.clone().exact(CodecKind::F16)),
        file(&rows, dim, None, &base.clone().codec(CodecKind::Pq(2))),
        file(&rows, dim, None, &base.clone().codec(CodecKind::Pq(3))),
        file(&rows, dim, Some(data::shuffled_ids(n, 1)), &base),
        file(&moved, dim, None, &base),
    ];
    let first = file(&rows, dim, None, &base);
    assert!(first == file(&rows, dim, Some(Ids::counting(n)), &base), "counting ids are the default");
    let file_id = |file: &[u8]| pagevec::Index::from_bytes(file).unwrap().info().file_id.clone();
    let mut ids: Vec<String> = others.iter().map(|f| file_id(f)).chain([file_id(&first)]).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), others.len() + 1, "two inputs share a file id");
}
