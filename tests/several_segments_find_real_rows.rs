//! Eight segments of real rows find what one segment of all of them finds, less 0.01, cold in as many waves and at most
//! twice the bytes, and in memory by the graphs. Of segments of 15,000 rows, benches/segments.rs measures no loss.

mod support;

use pagevec::{BuildOptions, Ids, IndexChoice, Operation, SearchOptions, SessionOptions};
use support::paged::Remote;
use support::{file, npy, oracle};

const ROWS: usize = 20_000;
const QUERIES: usize = 300;

/// Recall, bytes and the most waves of a query.
fn measure(
    files: &[Vec<u8>],
    (rows, queries): (&[f32], &[f32]),
    dim: usize,
    choice: IndexChoice,
) -> (f64, u64, u64) {
    let segments: Vec<_> = files.iter().map(|file| (file.as_slice(), None)).collect();
    let open = || Remote::of_segments(&segments, &SessionOptions::new(1 << 28)).expect("there is room");
    let options = SearchOptions::default().index(choice);
    let mut warm = open();
    warm.run(Operation::Load).expect("all of it fits");
    let (mut found, mut bytes, mut waves) = (0, 0, 0);
    for query in queries.chunks_exact(dim) {
        let scores = oracle::scores(BuildOptions::default().metric, rows, query);
        let (answer, cost) = match choice {
            IndexChoice::Clusters => open().search(query, &options),
            _ => warm.search(query, &options),
        }
        .expect("the files are whole");
        found += oracle::found(&answer, &scores, 10);
        (bytes, waves) = (bytes + cost.bytes, waves.max(cost.waves));
    }
    (found as f64 / (10 * QUERIES) as f64, bytes / QUERIES as u64, waves)
}

#[test]
fn as_much_in_as_many_waves() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), ROWS);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let build = |number: usize, rows: &[f32]| {
        let first = (number * rows.len() / dim) as u64;
        let ids = Ids::Numbers((first..first + (rows.len() / dim) as u64).collect());
        file(rows, dim, Some(ids), &BuildOptions::default())
    };
    let one = [build(0, &rows)];
    let several: Vec<Vec<u8>> =
        rows.chunks(ROWS / 8 * dim).enumerate().map(|(number, rows)| build(number, rows)).collect();
    for (choice, most) in [(IndexChoice::Clusters, 2.0), (IndexChoice::Hnsw, 1.0)] {
        let [alone, all] =
            [&one[..], &several[..]].map(|files| measure(files, (&rows, &queries), dim, choice));
        eprintln!("{choice:?}: recall, bytes and waves of one segment {alone:.4?}, of eight {all:.4?}");
        assert!(all.0 >= alone.0 - 0.01, "{choice:?}: {alone:?}, {all:?}");
        assert_eq!(all.2, alone.2, "{choice:?}");
        assert!(all.1 as f64 <= most * alone.1 as f64, "{choice:?}: {alone:?}, {all:?}");
    }
}
