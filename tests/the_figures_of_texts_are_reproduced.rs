//! What texts on vector stores say of memory, a function each, beside what a plan says of the same: docs/memory.md has both.
//! A million vectors of 768 components, 16 links.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use pagevec::CodecKind;
use pagevec::plan::{PROFILES, PlanOptions, Resident, plan};

const ROWS: f64 = 1e6;
const DIM: f64 = 768.0;
const MB: f64 = 1e6;
const KB: f64 = 1e3;

/// Floats.
fn float32(rows: f64, dim: f64) -> f64 {
    rows * dim * 4.0
}

/// A byte a component, and the range of each component.
fn sq8(rows: f64, dim: f64) -> f64 {
    rows * dim + 8.0 * dim
}

/// 64 bytes a vector, and the centroids: 2 MB.
fn pq64(rows: f64) -> f64 {
    rows * 64.0 + 2.0 * MB
}

/// A bit a component, and the threshold of each.
fn binary(rows: f64, dim: f64) -> f64 {
    rows * dim / 8.0 + 4.0 * dim
}

/// Links of eight bytes: 2 M in layer 0, and M in each layer above, which one node in M reaches.
fn hnsw(rows: f64, m: f64) -> f64 {
    rows * m * 8.0 * (2.0 + 1.0 / m)
}

/// A map from each value to a Roaring bitmap: two bytes for each row that has it; about 40 bytes for a value and its place.
fn keyword(rows: f64, values: f64) -> f64 {
    rows * 2.0 + values * 40.0
}

/// A sorted map from a number to a row, filled by two thirds.
fn numeric(rows: f64) -> f64 {
    rows * (8.0 + 4.0) * 1.5
}

/// An R-tree: a box of two doubles each way, and a row.
fn geo(rows: f64) -> f64 {
    rows * (4.0 * 8.0 + 8.0)
}

/// A map from each term to a bitmap, of so many terms a row.
fn full_text(rows: f64, terms: f64) -> f64 {
    rows * terms * 2.0
}

/// Segments of 32 MB: one is written, and one waits to be synced.
fn wal(segments: f64) -> f64 {
    segments * 32.0 * MB
}

/// Points that are not flushed yet: 200,000, or 1 GB.
fn memtable(dim: f64) -> f64 {
    (200_000.0 * dim * 4.0).min(1e9)
}

/// A search with this ef: a candidate and a result for each, of 16 bytes, and the query.
fn query(ef: f64, dim: f64) -> f64 {
    ef * 2.0 * 16.0 + dim * 4.0
}

/// 32 queries at once, of 10 kB each.
fn batch(queries: f64) -> f64 {
    queries * 10.0 * KB
}

/// Tables of distances to 256 centroids of 64 parts.
fn pq_tables() -> f64 {
    64.0 * 256.0 * 4.0
}

fn near(what: &str, got: f64, said: f64) {
    assert!((got / said - 1.0).abs() <= 0.02, "{what}: {got}, the text says {said}");
}

#[test]
fn what_texts_say() {
    near("floats, 2.9 GB of 2^30", float32(ROWS, DIM) / f64::from(1 << 30), 2.9);
    near("sq8: a fourth", float32(ROWS, DIM) / sq8(ROWS, DIM), 4.0);
    near("pq: 48 times less, and 2 MB", float32(ROWS, DIM) / (pq64(ROWS) - 2.0 * MB), 48.0);
    near("binary: 32 times less", float32(ROWS, DIM) / binary(ROWS, DIM), 32.0);
    near("the graph: 16.5 bytes a link", hnsw(ROWS, 16.0), ROWS * 16.0 * 16.5);
    near("a segment of the log", wal(1.0), 32.0 * MB);
    near("a flush queue of two", wal(2.0), 64.0 * MB);
    near("the memtable", memtable(DIM), 614.0 * MB);
    near("the memtable, long rows", memtable(1536.0), 1000.0 * MB);
    for (ef, least, most) in [(128.0, 5.0, 10.0), (2048.0, 50.0, 100.0)] {
        let bytes = query(ef, DIM) / KB;
        assert!((least..=most).contains(&bytes), "ef {ef}: {bytes} kB");
    }
    // In MB, as the table has them.
    for (ef, stated) in [(128.0, [0.005, 0.01]), (2048.0, [0.05, 0.1])] {
        assert!((stated[0]..=stated[1]).contains(&(query(ef, DIM) / MB)));
    }
    near("a batch, in MB", batch(32.0) / MB, 0.32);
    near("a batch of 32", batch(32.0), 320.0 * KB);
    near("100 queries at once", batch(100.0), 1.0 * MB);
    near("tables of pq: 64 KB of 2^10", pq_tables(), f64::from(64 << 10));
}

/// Bits of a position: the highest bit of the last of a million.
#[test]
fn a_link_has_20_bits() {
    assert_eq!((1_000_000_u32 - 1).ilog2() + 1, 20);
}

#[test]
fn profiles_are_those_of_the_texts() {
    let buffers = [[32, 32], [32, 64], [64, 128], [128, 128]];
    for (profile, mib) in PROFILES.iter().zip(buffers) {
        assert_eq!(profile.wal_buffer, mib.map(|mib| mib << 20));
        assert_eq!(profile.shares, [60, 30, 5]);
    }
}

/// What this text says beside ours, in MB, as docs/memory.md has them.
const TABLE: [(&str, f64, f64); 9] = [
    // A third number of 0: there is none.
    ("floats", 3072.0, 3072.0),
    ("sq8", 768.0, 776.0),
    ("pq", 66.0, 64.0),
    ("binary", 96.0, 96.0),
    ("graph", 264.0, 84.8),
    ("keyword of 10,000 values", 2.4, 2.29),
    ("number", 18.0, 8.97),
    ("points", 40.0, 8.72),
    ("full text, ten terms a row", 20.0, 0.0),
];

fn planned(codec: CodecKind) -> Resident {
    plan(&PlanOptions::new(1_000_000, 768, 64_000_000_000).codec(codec)).unwrap().resident
}

/// The bytes of the index of a field.
fn index_of(field: &str) -> f64 {
    let options = PlanOptions::new(1_000_000, 768, 64_000_000_000).payload(vec![field.parse().unwrap()]);
    let sections = plan(&options).unwrap().sections;
    let of = |name: &str| sections.iter().find(|section| section.0 == name).map_or(0, |section| section.1);
    ["payload", "terms", "sets", "sorted"].map(of).iter().sum::<u64>() as f64
}

#[test]
fn ours_beside_them() {
    let codes = |codec| planned(codec).codes as f64;
    let ours = [
        codes(CodecKind::F32),
        codes(CodecKind::Sq8),
        codes(CodecKind::Pq(64)),
        codes(CodecKind::Binary),
        planned(CodecKind::Sq8).graph as f64,
        index_of("keyword:10000"),
        index_of("float"),
        index_of("geo"),
        0.0,
    ];
    let theirs = [
        float32(ROWS, DIM),
        sq8(ROWS, DIM),
        pq64(ROWS),
        binary(ROWS, DIM),
        hnsw(ROWS, 16.0),
        keyword(ROWS, 10_000.0),
        numeric(ROWS),
        geo(ROWS),
        full_text(ROWS, 10.0),
    ];
    for ((what, said, stated), (text, ours)) in TABLE.into_iter().zip(theirs.into_iter().zip(ours)) {
        eprintln!("{what}: {} {}", text / MB, ours / MB);
        near(what, text / MB, said);
        if stated > 0.0 {
            near(what, ours / MB, stated);
        }
    }
}
