//! Clusters that no build writes, with right checksums: cells that repeat one another's leaves, lists that repeat one
//! another's rows. No row is scanned or returned twice, and no list is longer than its section.

mod support;

use pagevec::{CodecKind, Error, Index, IndexChoice, Metric, SearchOptions};
use support::format::{self, put, u32_at, u64_at};
use support::paged::{Remote, hits};
use support::{clusters, code, data, file, options};

const N: usize = 4000;
const DIM: usize = 16;
/// 4,000 / 32 leaves, 8 to a cell.
const CELLS: u64 = 16;

fn built() -> Vec<u8> {
    let rows = data::clustered(N, DIM, 191);
    let options = options(Metric::Cosine, CodecKind::Sq8).graph(false).branching_factor(8);
    file(&rows, DIM, None, &options)
}

fn everything() -> SearchOptions {
    support::top(N).index(IndexChoice::Clusters).probes(N).rescore(N)
}

/// A search over all lists, and `verify`.
fn outcome(file: &mut [u8]) -> (&'static str, &'static str) {
    format::seal(file);
    let query = data::clustered(1, DIM, 192);
    let index = Index::from_bytes(file);
    let answer = index
        .as_ref()
        .map_err(Error::code)
        .and_then(|i| i.search(&query, &everything()).map_err(|e| e.code()));
    if let Ok(answer) = &answer {
        // Lists of one cell cannot overlap, so at the worst each cell scans all copies of all rows.
        assert!(answer.stats.distances <= CELLS * 3 * N as u64, "{:?}", answer.stats);
        let mut seen: Vec<u32> = answer.hits.iter().map(|h| h.position).collect();
        seen.sort_unstable();
        assert!(seen.windows(2).all(|w| w[0] < w[1]), "a row twice");
    }
    // A source that compares sums says the same, or finds one that could not be made right: places were changed.
    let paged = Remote::open(file, u64::MAX).and_then(|mut r| r.search(&query, &everything()));
    match (&paged, &answer) {
        (Ok((paged, _)), Ok(answer)) => assert_eq!(hits(paged), hits(answer)),
        _ => assert!(["checksum", answer.as_ref().err().copied().unwrap_or("ok")].contains(&code(&paged))),
    }
    (answer.err().unwrap_or("ok"), code(&index.and_then(|i| i.verify())))
}

/// Where the offsets, the first leaves and the first rows of the cells stand, and how many cells there are.
fn cells(file: &[u8]) -> (usize, usize, usize, usize) {
    let cells = clusters::cells(file).expect("the cells are inside the file");
    (cells.at + clusters::OFFSETS, cells.first, cells.positions, cells.count)
}

#[test]
fn a_cell_in_the_place_of_another() {
    let mut file = built();
    assert_eq!(outcome(&mut file), ("ok", "ok"));
    let (offsets, _, _, count) = cells(&file);
    let leaves = format::section(&file, format::LEAVES).offset;
    let block = |cell: usize| {
        let at = |i: usize| u64_at(&file, offsets + i * 8) as usize;
        leaves + at(cell)..leaves + at(cell + 1)
    };
    let mut tried = 0;
    for (a, b) in (0..count).flat_map(|a| (0..a).map(move |b| (a, b))) {
        if block(a).len() == block(b).len() {
            let mut changed = file.clone();
            changed.copy_within(block(a), block(b).start);
            let (search, verify) = outcome(&mut changed);
            assert_eq!((search, verify == "ok"), ("corrupt", false), "cell {a} for {b}");
            tried += 1;
        }
    }
    assert!(tried > 0, "no two of {count} cells are equally long");
}

#[test]
fn every_word_of_the_cells() {
    let file = built();
    let section = format::section(&file, format::CELLS);
    let (_, _, positions, count) = cells(&file);
    for at in (section.offset..positions + (count + 1) * 4).step_by(4) {
        if clusters::within_a_curve(&file, at) {
            continue;
        }
        for word in [0, 1, N as u32, u32::MAX, 1 << 31, u32_at(&file, at).wrapping_add(1)] {
            let mut changed = file.clone();
            put(&mut changed, at, &word.to_le_bytes());
            outcome(&mut changed);
        }
    }
}
