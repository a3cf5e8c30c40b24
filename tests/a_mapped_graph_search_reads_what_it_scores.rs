//! A search by the graph over a mapped file of which nothing is in memory brings the pages of what it scores, not the
//! file.

mod support;

#[cfg(target_os = "linux")]
#[allow(dead_code, clippy::print_stdout)]
#[path = "../benches/support/cache.rs"]
mod cache;

/// Without mincore and a cache that can be dropped there is nothing to measure by.
#[cfg(not(target_os = "linux"))]
#[test]
fn it_is_measured_on_linux() {
    eprintln!("skipped: what of a file is in memory is known on Linux only");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};

    use pagevec::{CodecKind, Index, IndexChoice, Metric};

    use super::{cache, support};
    use support::data;

    const PAGE: u64 = 4096;

    #[test]
    fn after_one_search_and_after_thousands() {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for (metric, codec, n, dim) in
            [(Metric::L2, CodecKind::F32, 6000, 384), (Metric::Cosine, CodecKind::Sq8, 12_000, 500)]
        {
            let rows = data::clustered(n, dim, 371);
            let build = support::options(metric, codec).max_iterations(2).ef_construction(40);
            let path = folder.path().join(format!("{codec:?}.bin"));
            fs::write(&path, support::file(&rows, dim, None, &build)).unwrap();
            let o = support::top(1).index(IndexChoice::Hnsw).ef(4).rescore(1);
            for query in data::queries(&rows, dim, 5, 372) {
                if let Err(why) = cache::drop_pages(&path) {
                    eprintln!("skipped: {why}");
                    return;
                }
                let file = File::open(&path).unwrap();
                let index = Index::open(&path).unwrap();
                let opened = cache::resident(&file).unwrap().0 as u64;
                let scored = index.search(&query, &o).unwrap().stats.distances;
                // What was asked for may still be on its way.
                std::thread::sleep(std::time::Duration::from_millis(100));
                let (after, all) = cache::resident(&file).unwrap();
                let read = after as u64 - opened;
                let row = index.info().file_length / n as u64;
                // A row and its record of links each begin and end somewhere in a page; and the layers above, ids, sums.
                let allowed = scored * (row / PAGE + 3) + 40;
                eprintln!("{codec:?}: {scored} rows scored, {read} pages read of {all}, {allowed} allowed");
                assert!(allowed < all as u64 / 2, "the file is too small to tell");
                assert!(read <= allowed);
                for _ in 0..5000 {
                    index.search(&query, &o).unwrap();
                }
                assert!(
                    cache::resident(&file).unwrap().0 as u64 - opened <= allowed,
                    "later searches read more"
                );
            }
        }
    }
}
