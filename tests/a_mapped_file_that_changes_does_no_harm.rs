//! Bytes of a file that is mapped change after it was searched: other hits or an error, never a panic, never a search
//! without an end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs::{self, OpenOptions as Open};
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use pagevec::{CodecKind, Id, Index, IndexChoice, Metric};
use support::data::{self, Random};
use support::format;

fn write(path: &Path, at: usize, bytes: &[u8]) {
    let mut file = Open::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

/// All that is done with an index; errors are fine.
fn use_all(index: &Index, queries: &[f32], dim: usize) {
    for index_choice in [IndexChoice::Hnsw, IndexChoice::Clusters, IndexChoice::Flat] {
        let o = support::top(10).index(index_choice);
        let _ = index.search_batch(queries, &o);
        let _ = index.search(&queries[..dim], &o);
    }
    let _ = (index.find(&Id::Number(17)), index.vector(&Id::Number(17)), index.verify());
}

/// Runs the changes on a thread that must end, none of them by a panic.
fn no_harm(file: Vec<u8>, queries: Vec<f32>, dim: usize, changes: Vec<(usize, Vec<u8>)>) {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes.bin");
        fs::write(&path, &file).unwrap();
        let index = Index::open(&path).unwrap();
        use_all(&index, &queries, dim);
        for (at, bytes) in changes {
            write(&path, at, &bytes);
            let outcome = catch_unwind(AssertUnwindSafe(|| use_all(&index, &queries, dim)));
            done.send((at, bytes.clone(), outcome.is_ok())).unwrap();
            write(&path, at, &file[at..at + bytes.len()]);
        }
    });
    loop {
        match finished.recv_timeout(Duration::from_secs(60)) {
            Ok((at, bytes, fine)) => assert!(fine, "a panic after {bytes:?} at {at}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("a search does not end"),
        }
    }
}

fn segment(n: usize, dim: usize, m: usize, seed: u64) -> (Vec<u8>, Vec<f32>) {
    let rows = data::clustered(n, dim, seed);
    let build = support::plain(Metric::L2, CodecKind::Sq8).m(m).max_iterations(2);
    let build = build.clone().clusters(true).graph(true);
    (support::file(&rows, dim, None, &build), data::queries(&rows, dim, 3, seed + 1).concat())
}

#[test]
fn words_of_the_graph() {
    let (n, dim) = (900, 12);
    let (file, queries) = segment(n, dim, 6, 351);
    let graph = format::section(&file, format::GRAPH).offset;
    let uppers = format::u32_at(&file, graph + 8) as usize;
    assert!(uppers > 20);
    let words = (16 + 2 * uppers + 1) + format::u32_at(&file, graph + 12) as usize;
    let mut random = Random(352);
    let mut changes = Vec::new();
    // The head and where blocks start, all; of the rest some.
    for word in (0..words).filter(|w| *w < 4 || (16 + uppers..17 + 2 * uppers).contains(w) || w % 7 == 0) {
        for value in [0, 1, n as u32 - 1, n as u32, 0x7fff_ffff, u32::MAX, random.next() as u32] {
            changes.push((graph + word * 4, value.to_le_bytes().to_vec()));
        }
    }
    no_harm(file, queries, dim, changes);
}

#[test]
fn bytes_of_any_section() {
    let (n, dim) = (600, 20);
    let (file, queries) = segment(n, dim, 8, 361);
    let front = Index::from_bytes(&file).unwrap().info().memory_to_open as usize;
    let mut random = Random(362);
    let mut changes = Vec::new();
    for length in [1, 2, 4, 8, 64, 5000] {
        for _ in 0..150 {
            let at = front + random.below(file.len() - front - length);
            let how = random.below(3);
            let byte = |_| [0, 0xff, random.next() as u8][how];
            changes.push((at, (0..length).map(byte).collect()));
        }
    }
    no_harm(file, queries, dim, changes);
}
