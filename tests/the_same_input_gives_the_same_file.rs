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
        "ee0231e24c44b821533ea1373eb10b41e483f5ee3cc46d81eb90d22b0b8b21e9",
    ),
    (
        Metric::L2,
        CodecKind::Binary,
        None,
        true,
        "5638e9ed46a261c73fd9cd2664628f93f9e58debd3f2080589ea930e8e7a0d27",
    ),
    (
        Metric::Dot,
        CodecKind::Sq8,
        Some(CodecKind::F16),
        true,
        "377d1fbb55c409d0bd8e555ec04ae83fb8132414c0c5c1f02707d62eb4b577fb",
    ),
    (
        Metric::Cosine,
        CodecKind::F32,
        None,
        true,
        "f0ffb6f8f76e9ab3aca7d88feedd3b5a276470af61aa065a5f92dac3c621ceed",
    ),
    (
        Metric::L2,
        CodecKind::F16,
        None,
        false,
        "871575cd979cdf295f02d80da08a6960427fe5f65654c73323326c9e4b31dbac",
    ),
    // 24 components in 7 parts.
    (
        Metric::L2,
        CodecKind::Pq(7),
        None,
        false,
        "7827911c3fc9200e2a0a1a6cb8d8855f2012eecb98ffd2dec00817fedacf7420",
    ),
    (
        Metric::Cosine,
        CodecKind::Sq4,
        Some(CodecKind::F16),
        true,
        "a196f4b023ee76e662b633189fac2470261bdec01e22a55b8ffc20c4db123f24",
    ),
];

/// Three stages: pq, sq8 rows, f32 rows; l2.
const STAGES: &str = "1eb20911d6944743084e10c2c9d1c0ef0dce7a8ee70c28b45bd0e2898a2f2813";

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
