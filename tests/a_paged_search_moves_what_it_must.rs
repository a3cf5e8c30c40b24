//! How many bytes, requests and waves a search costs, in cases where one can say beforehand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{CodecKind, Index, IndexChoice, Metric, Operation};
use support::paged::{Cost, Remote};
use support::{data, file, plain};

const DIM: usize = 64;

fn lengths(file: &[u8]) -> impl Fn(&str) -> u64 {
    let sections = Index::from_bytes(file).unwrap().info().sections.clone();
    move |name| sections.iter().find(|s| s.name == name).map_or(0, |s| s.length)
}

fn built(n: usize, codec: CodecKind, graph: bool) -> (Vec<f32>, Vec<u8>) {
    let rows = data::clustered(n, DIM, 61);
    let options = plain(Metric::Cosine, codec).graph(graph).ef_construction(40);
    let file = file(&rows, DIM, None, &options);
    (rows, file)
}

#[test]
fn sq8_with_graph_comes_as_three_sections_in_one_wave() {
    let (rows, file) = built(2000, CodecKind::Sq8, true);
    let length = lengths(&file);
    let mut remote = Remote::open(&file, file.len() as u64).unwrap();
    let front = remote.session.stats().resident;
    let top = |k| support::top(k).index(IndexChoice::Hnsw);
    let (_, cost) = remote.search(&rows[..DIM], &top(10)).unwrap();
    let bytes = length("ids") + length("codes") + length("graph");
    assert_eq!(cost, Cost { bytes, requests: 3, waves: 1 });
    assert_eq!(remote.session.stats().resident, front + bytes);
    // The codes serve for rescoring, so nothing more is ever fetched.
    assert_eq!(remote.search(&rows[DIM..2 * DIM], &top(50)).unwrap().1, Cost::default());
    // An id is found by its order as well: the two blocks of it around where its hash may be, or one.
    let (_, cost) = remote.run(Operation::Find(pagevec::Id::Number(7))).unwrap();
    assert_eq!((cost.requests, cost.waves), (1, 1));
    assert!(cost.bytes == length("id order") || cost.bytes == 8192);
}

#[test]
fn rows_come_one_by_one_in_a_second_wave() {
    let (rows, file) = built(2000, CodecKind::Binary, true);
    let length = lengths(&file);
    let mut remote = Remote::open(&file, file.len() as u64).unwrap();
    let o = support::top(10).rescore(50).index(IndexChoice::Hnsw);
    let (answer, cost) = remote.search(&rows[..DIM], &o).unwrap();
    let sections = length("ids") + length("refine checksums") + length("codes") + length("graph");
    let stride = DIM as u64 + 8;
    assert_eq!((answer.stats.rescored, cost.waves), (50, 2));
    assert_eq!(cost.bytes, sections + 50 * stride);
    assert!((5..=4 + 50).contains(&cost.requests), "neighbouring rows are one request: {cost:?}");
    assert_eq!(remote.session.stats().slots, 50);
    // The same rows again cost nothing.
    assert_eq!(remote.search(&rows[..DIM], &o).unwrap().1, Cost::default());
    assert_eq!(remote.session.stats().evictions, 0);
}

#[test]
fn codes_beyond_the_budget_stream_in_chunks() {
    let (rows, file) = built(40_000, CodecKind::Binary, false);
    let length = lengths(&file);
    let least = support::paged::least_budget(&file);
    let mut remote = Remote::open(&file, least).unwrap();
    let o = support::top(10).rescore(64).index(IndexChoice::Flat);
    let (answer, cost) = remote.search(&rows[..DIM], &o).unwrap();
    assert_eq!(answer.stats.distances, 40_000);
    // 8 bytes a row in chunks of 64 KiB; ids and sums with the first chunk, rows in the last wave.
    let chunks = length("codes").div_ceil(65_536);
    assert_eq!((chunks, cost.waves), (5, 5 + 1));
    let rows_read = 64 * (DIM as u64 + 8);
    assert_eq!(cost.bytes, length("ids") + length("refine checksums") + length("codes") + rows_read);
    assert_eq!(remote.session.stats().evictions, 4, "five chunks through one slot");
    // All but what only `find` needs, and a last chunk that is shorter than its slot.
    let shorter = 65_536 - length("codes") % 65_536;
    assert_eq!(remote.session.stats().resident, least - length("id order") - shorter);
}

/// Codes that serve as rows are read a second time where candidates are, each chunk at most once.
#[test]
fn sq8_codes_beyond_the_budget_are_read_at_most_twice() {
    let (rows, file) = built(6000, CodecKind::Sq8, false);
    let length = lengths(&file);
    let mut remote = Remote::open(&file, support::paged::least_budget(&file)).unwrap();
    let (answer, cost) = remote.search(&rows[..DIM], &support::top(10)).unwrap();
    let chunks = length("codes").div_ceil(65_536);
    assert_eq!((chunks, answer.stats.distances, answer.stats.rescored), (7, 6000, 40));
    assert!(cost.bytes <= length("ids") + 2 * length("codes"), "{cost:?}");
    // The last chunk is still here when rescoring begins; every wave is one chunk, and the ids beside the first.
    assert!(cost.waves < 2 * chunks, "{cost:?}");
    assert_eq!(cost.requests, cost.waves + 1);
}

#[test]
fn pieces_of_the_stated_grain_are_accepted_in_any_order() {
    let (rows, file) = built(3000, CodecKind::Sq8, true);
    let mut remote = Remote::open(&file, file.len() as u64).unwrap();
    let queries = rows[..DIM].to_vec();
    let ticket = remote.session.begin(Operation::Search { queries, options: support::top(5) }).unwrap();
    let pagevec::Stepped::Need(extents) = remote.session.step(ticket).unwrap() else { panic!("no need") };
    for extent in extents {
        let grain = remote.session.block_size(extent.offset);
        let pieces = (0..extent.length.div_ceil(grain)).rev().map(|i| pagevec::Extent {
            offset: extent.offset + i * grain,
            length: grain.min(extent.length - i * grain),
        });
        for piece in pieces {
            remote.deliver(piece).unwrap();
            // Again is no error, and half a piece is not taken.
            remote.deliver(piece).unwrap();
            remote.deliver(pagevec::Extent { length: piece.length / 2, ..piece }).unwrap();
        }
    }
    assert!(matches!(remote.session.step(ticket).unwrap(), pagevec::Stepped::Done(_)));
}
