//! Fields changed by somebody who makes every checksum right again. Memory safety rests on no checksum: any such file
//! opens, verifies and searches without a panic, without an endless walk, and without allocating more than a small
//! multiple of its own length; scores are finite and positions are rows, or there is a typed error.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pagevec::{Answer, Error, Id, Index, IndexChoice, Operation};
use support::format::{self, put, u32_at, u64_at};
use support::paged::Remote;
use support::{alloc, clusters, data, small_segments};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// Rows that the hits name, or why there are none.
fn sound(result: Result<Answer, Error>, count: usize) {
    let Ok(answer) = result else { return };
    assert!(answer.hits.len() <= 7.min(count));
    let mut seen: Vec<u32> = answer.hits.iter().map(|h| h.position).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), answer.hits.len(), "a row twice");
    assert!(seen.last().is_none_or(|&p| (p as usize) < count), "a row beyond the last");
    assert!(answer.hits.iter().all(|h| h.score.is_finite()), "a score that is no number: {answer:?}");
    assert!(answer.stats.distances <= 2 * count as u64 + 1000, "{} distances", answer.stats.distances);
}

/// Everything a user can do with a file.
fn use_all(file: &[u8], dim: usize) {
    let query = data::clustered(1, dim, 131);
    let ids = [Id::Number(7), Id::Number((1 << 40) + 7), Id::Text("wwä-7".into())];
    let choices = [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters]
        .map(|index| support::top(7).index(index));
    if let Ok(index) = Index::from_bytes(file) {
        let _ = index.verify();
        let count = index.info().count;
        for o in &choices {
            sound(index.search(&query, o), count);
        }
        for id in &ids {
            let _ = (index.find(id), index.vector(id));
        }
    }
    for budget in [1_000_000, u64::MAX] {
        let Ok(mut remote) = Remote::open(file, budget) else { continue };
        let count = remote.session.segment().count();
        for o in &choices {
            sound(remote.search(&query, o).map(|(answer, _)| answer), count);
        }
        let _ = remote.run(Operation::Vector(ids[0].clone()));
    }
}

fn survives(what: &str, file: &[u8], dim: usize) {
    let start = Instant::now();
    let (result, used) = alloc::used(|| catch_unwind(AssertUnwindSafe(|| use_all(file, dim))));
    assert!(result.is_ok(), "{what}: a panic");
    let allowed = 8 * file.len() as u64 + (1 << 20);
    assert!(used.peak <= allowed, "{what}: {} bytes for a file of {}", used.peak, file.len());
    assert!(start.elapsed() < Duration::from_secs(2), "{what}: {:?}", start.elapsed());
}

/// What a u32 may be changed to: each word once, and another than it is.
fn words(old: u32, count: u32) -> Vec<u32> {
    let special = [0x7fc0_0000, 0xffc0_0000, 0x7f80_0000, 0xff80_0000, f32::MAX.to_bits(), 1];
    let near = [old.wrapping_add(1), old.wrapping_sub(1), old ^ 0x8000_0000, old.swap_bytes()];
    let round =
        [0, 2, 255, 256, 65_535, 65_536, count, count.wrapping_sub(1), u32::MAX, u32::MAX - 1, 1 << 31];
    let mut words = [&special[..], &near, &round].concat();
    words.sort_unstable();
    words.dedup();
    words.retain(|&word| word != old);
    words
}

#[test]
fn header_fields() {
    for (name, file, dim) in small_segments() {
        let end = format::header_end(&file);
        let count = u32_at(&file, 56);
        let mut tried = file.clone();
        let mut attempt = |at: usize, bytes: &[u8], all: bool| {
            put(&mut tried, at, bytes);
            if all {
                format::seal(&mut tried)
            } else {
                format::seal_header(&mut tried)
            }
            survives(&format!("{name}: {bytes:x?} at {at}"), &tried, dim);
            tried.copy_from_slice(&file);
        };
        for at in (8..end).step_by(4) {
            for word in words(u32_at(&file, at), count) {
                attempt(at, &word.to_le_bytes(), false);
                attempt(at, &word.to_le_bytes(), true);
            }
        }
        for at in (64..68).chain(84..88).chain(format::TABLE..format::TABLE + 8) {
            (0..=255u8).for_each(|byte| attempt(at, &[byte], true));
        }
        for at in (24..40).step_by(8).chain((format::TABLE..end).step_by(8)) {
            let old = u64_at(&file, at);
            let length = file.len() as u64;
            for value in [
                u64::MAX,
                1 << 63,
                i64::MAX as u64,
                old << 32,
                length,
                length - 1,
                length + 1,
                length - 64,
                u64::MAX - 63,
                u64::MAX / 8,
                64,
                1 << 32,
                old + 64,
                old.wrapping_sub(64),
            ] {
                attempt(at, &value.to_le_bytes(), false);
                attempt(at, &value.to_le_bytes(), true);
            }
        }
    }
}

/// Every word of every section of segment `which`, ids, graph, parameters and rows' own scales among them.
fn section_words(which: usize) {
    let (name, file, dim) = small_segments().swap_remove(which);
    let count = u32_at(&file, 56);
    let mut tried = file.clone();
    for s in format::sections(&file).into_iter().filter(|s| s.kind != format::SUMS) {
        // Scales and sums of a row of codes stand at odd places: every byte may start a field.
        let step = if [format::CODES, format::ROWS, format::EXACT].contains(&s.kind) { 1 } else { 4 };
        for at in (s.offset..(s.offset + s.length).saturating_sub(3)).step_by(step) {
            if clusters::within_a_curve(&file, at) {
                continue;
            }
            for word in words(u32_at(&file, at), count) {
                put(&mut tried, at, &word.to_le_bytes());
                format::seal(&mut tried);
                survives(&format!("{name}: {word:#x} at {at} of {}", s.kind), &tried, dim);
                tried.copy_from_slice(&file);
            }
        }
    }
}

/// A test for each segment, so that they run side by side.
mod words_of_sections {
    #[test]
    fn sq8_with_graph_and_text_ids() {
        super::section_words(0);
    }

    #[test]
    fn binary_with_rows() {
        super::section_words(1);
    }

    #[test]
    fn f32_without_graph() {
        super::section_words(2);
    }

    #[test]
    fn sq8_with_f16_rows_and_wide_ids() {
        super::section_words(3);
    }

    #[test]
    fn pq_with_rows_and_exact_rows() {
        super::section_words(4);
    }

    #[test]
    fn sq4_with_rows() {
        super::section_words(5);
    }

    #[test]
    fn sq8_with_stored_fields() {
        super::section_words(6);
    }

    #[test]
    fn there_are_no_others() {
        assert_eq!(super::small_segments().len(), 7);
    }
}
