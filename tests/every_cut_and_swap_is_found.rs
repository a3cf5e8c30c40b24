//! A file cut, extended, zeroed in part, or with blocks, rows or sections in each other's place: noticed every time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{CodecKind, Index, Metric};
use support::data::Random;
use support::format::{self, Section};
use support::paged::Remote;
use support::{code, data, file, options, small_segments};

fn check(file: &[u8]) -> &'static str {
    code(&Index::from_bytes(file).and_then(|index| index.verify()))
}

/// A paged search gives the same hits or an error.
fn harmless(damaged: &[u8], file: &[u8], query: &[f32]) {
    let search = |bytes| {
        let answer = Remote::open(bytes, u64::MAX).and_then(|mut r| r.search(query, &support::top(9)));
        answer.map(|(a, _)| a.hits)
    };
    if let Ok(hits) = search(damaged) {
        assert_eq!(hits, search(file).unwrap());
    }
}

#[test]
fn every_length() {
    for (name, file, dim) in small_segments() {
        let query = data::clustered(1, dim, 121);
        for length in 0..file.len() {
            assert_ne!(check(&file[..length]), "ok", "{name}: cut to {length}");
        }
        for more in [1, 7, 8, 63, 64, 4096, 100_000] {
            for fill in [0, 0xff] {
                let mut long = file.clone();
                long.resize(file.len() + more, fill);
                assert_eq!(check(&long), "length", "{name}: {more} bytes more");
            }
        }
        assert_eq!(check(&[file.clone(), file.clone()].concat()), "length");
        // The right length, but a tail or a stretch of zeros.
        for start in 0..file.len() {
            for run in [1, 2, 4, 8, 64, 512, file.len()] {
                let mut zeroed = file.clone();
                zeroed[start..(start + run).min(file.len())].fill(0);
                if zeroed != file {
                    assert_ne!(check(&zeroed), "ok", "{name}: {run} zeros from {start}");
                }
            }
            if start % 16 == 0 {
                let mut zeroed = file.clone();
                zeroed[start..].fill(0);
                harmless(&zeroed, &file, &query);
            }
        }
    }
}

fn swapped(file: &[u8], a: (usize, usize), b: (usize, usize)) -> Vec<u8> {
    let mut out = file.to_vec();
    let length = a.1.min(b.1);
    out[a.0..a.0 + length].copy_from_slice(&file[b.0..b.0 + length]);
    out[b.0..b.0 + length].copy_from_slice(&file[a.0..a.0 + length]);
    out
}

#[test]
fn any_two_rows_and_any_two_sections_swapped() {
    for (name, file, dim) in small_segments() {
        let query = data::clustered(1, dim, 122);
        let try_swap = |what: &str, a, b| {
            let damaged = swapped(&file, a, b);
            if damaged != file {
                assert_ne!(check(&damaged), "ok", "{name}: {what} {a:?} {b:?}");
                harmless(&damaged, &file, &query);
            }
        };
        let count = format::u32_at(&file, 56) as usize;
        for s in format::sections(&file)
            .into_iter()
            .filter(|s| [format::CODES, format::ROWS, format::EXACT].contains(&s.kind))
        {
            let row = |i: usize| (s.offset + i * (s.length / count), s.length / count);
            for a in 0..count {
                (0..a).for_each(|b| try_swap("rows", row(a), row(b)));
            }
        }
        let sections: Vec<Section> = format::sections(&file);
        for a in &sections {
            sections.iter().for_each(|b| {
                try_swap("sections", (a.offset, a.length), (b.offset, b.length));
                try_swap("table entries", (a.entry, format::ENTRY), (b.entry, format::ENTRY));
            });
        }
    }
}

#[test]
fn any_two_blocks_swapped_or_from_another_file() {
    let dim = 100;
    let rows = data::clustered(2500, dim, 123);
    let base = options(Metric::Cosine, CodecKind::Binary).ef_construction(20);
    let one = file(&rows, dim, None, &base);
    let other = file(&rows, dim, None, &base.clone().seed(7));
    let mut blocks = Vec::new();
    for s in format::sections(&one) {
        blocks.extend((0..s.length / s.grain).map(|i| (s.offset + i * s.grain, s.grain)));
    }
    assert!(blocks.len() > 8, "{blocks:?}");
    for a in &blocks {
        for b in blocks.iter().filter(|b| b.0 < a.0) {
            // Codes and rows have the same mean: in each other's place they are what they were.
            let damaged = swapped(&one, *a, *b);
            assert!(damaged == one || check(&damaged) != "ok", "{a:?} {b:?}");
        }
        // The block at the same place of a file that differs in its seed alone.
        let mut mixed = one.clone();
        mixed[a.0..a.0 + a.1].copy_from_slice(&other[a.0..a.0 + a.1]);
        assert!(mixed == one || check(&mixed) != "ok", "{a:?} of another file");
    }
    let mut random = Random(124);
    for _ in 0..300 {
        let length = [512, 4096, 16_384][random.below(3)];
        let at = |random: &mut Random| (random.below(one.len() / length) * length, length);
        let damaged = swapped(&one, at(&mut random), at(&mut random));
        assert!(damaged == one || check(&damaged) != "ok");
    }
}
