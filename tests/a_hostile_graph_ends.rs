//! Graphs that no build writes, with right checksums: the walk ends after at most every row, and a link that leads
//! out is an error, never a read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::time::{Duration, Instant};

use pagevec::{CodecKind, Index, IndexChoice, Metric};
use support::data::Random;
use support::format::{self, put, u32_at};
use support::paged::{Remote, least_walk};
use support::{code, data, file, options};

const N: usize = 3000;
const DIM: usize = 16;
const M: usize = 8;

/// Bits of a link in layer 0 among so many nodes, and bytes of a node's record.
const WIDTH: usize = 12;
const RECORD: usize = 2 * M * WIDTH / 8;

/// Words of the graph section: where the parts start (see FORMAT.md).
struct Parts {
    at: usize,
    uppers: usize,
    links: usize,
    base: usize,
}

fn built() -> (Vec<u8>, Parts) {
    let rows = data::clustered(N, DIM, 151);
    let options = options(Metric::Cosine, CodecKind::Sq8).m(M).ef_construction(40);
    let file = file(&rows, DIM, None, &options);
    let section = format::section(&file, format::GRAPH);
    let (uppers, links) =
        (u32_at(&file, section.offset + 8) as usize, u32_at(&file, section.offset + 12) as usize);
    let base = section.offset + section.length - N * RECORD;
    assert!(uppers > 100 && links >= uppers * M);
    (file, Parts { at: section.offset, uppers, links, base })
}

/// `(code of search, code of verify)`; a search that answers, answers soundly and after few distances.
fn outcome(file: &mut [u8]) -> (&'static str, &'static str) {
    format::seal(file);
    let index = Index::from_bytes(file).unwrap();
    let o = support::top(20).index(IndexChoice::Hnsw).ef(N);
    let start = Instant::now();
    let answer = index.search(&data::clustered(1, DIM, 152), &o);
    assert!(start.elapsed() < Duration::from_secs(1));
    if let Ok(answer) = &answer {
        assert!(answer.stats.distances <= 2 * N as u64, "{:?}", answer.stats);
        assert!(answer.hits.windows(2).all(|w| w[0].score >= w[1].score && w[0].position != w[1].position));
    }
    // Node by node it goes the same way.
    let walk = Remote::walking(file, least_walk(file)).unwrap().search(&data::clustered(1, DIM, 152), &o);
    assert_eq!(code(&walk), code(&answer));
    if let (Ok((walk, _)), Ok(answer)) = (walk, &answer) {
        assert_eq!(walk, *answer);
    }
    (code(&answer), code(&index.verify()))
}

#[test]
fn links_of_every_shape() {
    let (file, parts) = built();
    let n = N as u32;
    let mut random = Random(153);
    // Where a node's links lead, all of them.
    let try_links = |name: &str, expected: &'static str, target: &mut dyn FnMut(u32) -> u32| {
        let mut changed = file.clone();
        for node in 0..N {
            let record = &mut changed[parts.base + node * RECORD..][..RECORD];
            record.fill(0);
            for link in 0..2 * M {
                let to = target(node as u32);
                for (i, bit) in (link * WIDTH..(link + 1) * WIDTH).enumerate() {
                    record[bit / 8] |= ((to >> i & 1) as u8) << (bit % 8);
                }
            }
        }
        assert_eq!(outcome(&mut changed), (expected, expected), "layer 0 {name}");
    };
    assert_eq!(outcome(&mut file.clone()), ("ok", "ok"));
    try_links("to itself", "ok", &mut |p| p);
    try_links("to 0", "ok", &mut |_| 0);
    try_links("to the last", "ok", &mut |_| n - 1);
    try_links("in a ring", "ok", &mut |p| (p + 1) % n);
    try_links("in pairs", "ok", &mut |p| p ^ 1);
    try_links("at random", "ok", &mut |_| random.below(N) as u32);
    try_links("one beyond", "corrupt", &mut |_| n);
    try_links("far beyond", "corrupt", &mut |_| u32::MAX);
    try_links("high bits", "corrupt", &mut |p| p | 3 << (WIDTH - 2));
}

#[test]
fn upper_layers_of_every_shape() {
    let (file, parts) = built();
    let blocks = (parts.links / M) as u32;
    let first = parts.at + (16 + parts.uppers) * 4;
    let links = first + (parts.uppers + 1) * 4;
    let word = |file: &mut Vec<u8>, at: usize, value: u32| put(file, at, &value.to_le_bytes());
    let all = |file: &mut Vec<u8>, to: u32| (0..parts.links).for_each(|i| word(file, links + i * 4, to));

    // One node in every layer there is: a tower as high as the file allows.
    let mut tower = file.clone();
    (0..parts.uppers).for_each(|i| word(&mut tower, first + i * 4, 0));
    let last = u32_at(&file, first - 4);
    word(&mut tower, parts.at + 4, last);
    all(&mut tower, last);
    assert_eq!(outcome(&mut tower), ("ok", "ok"), "a tower of {blocks} layers");

    for (name, value) in [("one beyond", N as u32), ("far beyond", u32::MAX)] {
        let mut changed = file.clone();
        all(&mut changed, value);
        assert_eq!(outcome(&mut changed), ("corrupt", "corrupt"), "upper layers {name}");
    }
    // A link to a node that is not in the layer: harmless to a walk, and `verify` says so.
    let low =
        (0..).find(|p| (0..parts.uppers).all(|i| u32_at(&file, parts.at + (16 + i) * 4) != *p)).unwrap();
    let mut changed = file.clone();
    all(&mut changed, low);
    assert_eq!(outcome(&mut changed), ("ok", "corrupt"), "upper layers to a node of layer 0");

    let fields = [("m", 0), ("entry", 1), ("uppers", 2), ("links", 3)];
    for ((name, field), value) in
        fields.into_iter().flat_map(|f| [0, 1, N as u32, u32::MAX, 1 << 31].map(|v| (f, v)))
    {
        let mut changed = file.clone();
        word(&mut changed, parts.at + field * 4, value);
        let (search, verify) = outcome(&mut changed);
        let fine = name == "entry" && value < 2;
        assert_eq!(search == "ok", fine, "{name} = {value}: {search}");
        assert_eq!(verify == "ok", fine, "{name} = {value}: {verify}");
    }
    // Layers out of order: where each node's blocks start, falling; positions falling.
    for (name, at) in [("starts", first), ("positions", parts.at + 64)] {
        let mut changed = file.clone();
        word(&mut changed, at, u32::MAX);
        assert_eq!(outcome(&mut changed), ("corrupt", "corrupt"), "{name}");
        let mut changed = file.clone();
        word(&mut changed, at + 40, 0);
        assert_eq!(outcome(&mut changed), ("corrupt", "corrupt"), "{name}");
    }
}
