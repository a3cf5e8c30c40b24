//! The complete check reads the open file once, in order, and holds a small part of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::sync::Arc;
use std::sync::Mutex;

use pagevec::{
    CodecKind, Error, Extent, Form, Index, Io, Metric, OpenOptions, PublishOptions, ReadAt, publish,
};
use support::{alloc, data, format};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// Remembers what was read.
struct Watched(Vec<u8>, Arc<Mutex<Vec<Extent>>>);

impl ReadAt for Watched {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        self.1.lock().unwrap().push(extent);
        into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
        Ok(())
    }
}

fn kinds(n: usize) -> Vec<(&'static str, Vec<u8>)> {
    let dim = 400;
    let rows = data::clustered(n, dim, 381);
    let base = support::options(Metric::Cosine, CodecKind::Sq8).max_iterations(1).ef_construction(30).m(8);
    let build = |rows_kept, exact, clusters, graph, ids| {
        let options = base.clone().refine(rows_kept).exact(exact).clusters(clusters).graph(graph);
        support::file(&rows, dim, ids, &options)
    };
    vec![
        ("all", build(Some(CodecKind::F16), Some(CodecKind::F32), true, true, Some(support::texts(n)))),
        ("clusters over codes", build(None, None, true, false, None)),
        ("a graph alone", build(Some(CodecKind::F32), None, false, true, None)),
    ]
}

#[test]
fn from_every_source() {
    let n = 8000;
    for (kind, file) in kinds(n) {
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path(), &file, &PublishOptions::new().form(Form::Both)).unwrap();
        // The window, twice while it grows; for each row ids, their order, sums and leaves.
        let allowed = (3 << 20) + 60 * n as u64;
        assert!(allowed < file.len() as u64 * 4 / 5 || kind == "clusters over codes");
        let ways = [Io::Mmap, Io::Pread, Io::Parts].map(|io| {
            Index::open_with(folder.path(), &OpenOptions::new().io(io).memory_budget(8 << 20)).unwrap()
        });
        for index in ways.iter().chain([&Index::from_bytes(&file).unwrap()]) {
            let (found, used) = alloc::used(|| index.verify());
            found.unwrap();
            eprintln!("{kind}: {} kB held for a file of {}", used.peak / 1000, file.len() / 1000);
            assert!(used.peak <= allowed, "{kind}: {} bytes held, {allowed} allowed", used.peak);
            // Of part files some stay open.
            assert!(used.kept <= 4096, "{kind}: {} bytes are kept", used.kept);
        }
        let reads = Arc::new(Mutex::new(Vec::new()));
        let index = Index::from_reader(
            Watched(file.clone(), reads.clone()),
            &OpenOptions::new().memory_budget(64 << 20),
        )
        .unwrap();
        reads.lock().unwrap().clear();
        index.verify().unwrap();
        let reads = std::mem::take(&mut *reads.lock().unwrap());
        // Twice the front: its head, then all of it.
        let mut next = 0;
        for read in &reads[2..] {
            assert_eq!(read.offset, next, "{kind}: every byte once, in order");
            next = read.end();
        }
        assert_eq!(next, file.len() as u64);
    }
}

#[test]
fn what_is_wrong_is_found_over_a_file_that_is_read() {
    for (kind, file) in kinds(600) {
        let verify = |file: &[u8]| {
            let reads = Arc::new(Mutex::new(Vec::new()));
            support::code(
                &Index::from_reader(
                    Watched(file.to_vec(), reads),
                    &OpenOptions::new().memory_budget(64 << 20),
                )
                .and_then(|i| i.verify()),
            )
        };
        assert_eq!(verify(&file), "ok");
        for section in format::sections(&file) {
            for part in [0, 3, 5, 10] {
                if section.length == 0 {
                    continue;
                }
                let mut damaged = file.clone();
                damaged[section.offset + (section.length - 1) * part / 10] ^= 0x10;
                assert_ne!(verify(&damaged), "ok", "{kind}: section {}", section.kind);
            }
        }
    }
}
