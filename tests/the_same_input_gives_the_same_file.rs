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
        "b258de5a859efb3a7b9ba499de47bf412f779ca6536fb341838a0e06ec7ace3e",
    ),
    (
        Metric::L2,
        CodecKind::Binary,
        None,
        true,
        "eaee78c45b532950ca92508541c0ea6f9b218ce61a003d94dc4ab2a96e183d2f",
    ),
    (
        Metric::Dot,
        CodecKind::Sq8,
        Some(CodecKind::F16),
        true,
        "85793179b97c25df727431fb685e3a4cc884c24971ae3ba14521e3519c99f04c",
    ),
    (
        Metric::Cosine,
        CodecKind::F32,
        None,
        true,
        "97509fc7f7f83ec49b28a96c8e040e28786109246af61c1017fc30b74665712d",
    ),
    (
        Metric::L2,
        CodecKind::F16,
        None,
        false,
        "e1ca34df69edca12f7fa6e6b887b81d1ccb4a52b6c5edcebe25e55ee91a99094",
    ),
    // 24 components in 7 parts.
    (
        Metric::L2,
        CodecKind::Pq(7),
        None,
        false,
        "b7b07e14cc7ed5c6c780f970bd7a8fdff43249eb6c989662cf721977d9491c0d",
    ),
    (
        Metric::Cosine,
        CodecKind::Sq4,
        Some(CodecKind::F16),
        true,
        "3d46aa5c77b39206af32fbcce24c6c552e013657719a9966a8bec16d8d774c6f",
    ),
];

/// Three stages: pq, sq8 rows, f32 rows; l2.
const STAGES: &str = "a92196b789cf247129aa6d3fbeb7c176c5c3a7cc447b2147c8ed14779ef79434";

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
        content_id(&file(&recipe(), DIM, None, &BuildOptions { rows, graph, ..options(metric, codec) }))
    });
    // A change of format, codec, order or graph changes these: then raise the version or say why it need not rise.
    assert_eq!(got.each_ref().map(String::as_str), GOLDEN.map(|g| g.4));
    let stages = BuildOptions { exact: Some(CodecKind::F32), ..options(Metric::L2, CodecKind::Pq(7)) };
    assert_eq!(content_id(&file(&recipe(), DIM, None, &stages)), STAGES);
}

#[test]
fn threads_do_not_show() {
    let rows = data::clustered(3000, 20, 41);
    for (metric, codec) in [METRICS, METRICS].concat().into_iter().zip(CODECS) {
        let codec = if codec == CodecKind::Pq(1) { CodecKind::Pq(7) } else { codec };
        let options = BuildOptions { ef_construction: 60, ..options(metric, codec) };
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
        file(&rows, dim, None, &BuildOptions { seed: 43, ..base }),
        file(&rows, dim, None, &BuildOptions { ef_construction: 201, ..base }),
        file(&rows, dim, None, &BuildOptions { metric: Metric::Dot, ..base }),
        file(&rows, dim, None, &BuildOptions { clusters: false, ..base }),
        file(&rows, dim, None, &BuildOptions { exact: Some(CodecKind::F16), ..base }),
        file(&rows, dim, None, &BuildOptions { codec: CodecKind::Pq(2), ..base }),
        file(&rows, dim, None, &BuildOptions { codec: CodecKind::Pq(3), ..base }),
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
