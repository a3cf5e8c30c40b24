//! Rows of a source give the file that the same rows in memory give, byte for byte, however they are stored and read. A
//! read that fails ends the build with its error, and so does a sink that takes no more.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use pagevec::{
    BuildInput, BuildOptions, CodecKind, Ctx, Error, Metric, Numbers, RowSource, Sink, StoredRows, build_into,
};
use support::bytes::Bytes;
use support::{METRICS, code, data, file, options};

/// Rows in memory that are read as those of any other source. The read of number `fails` fails.
struct Slices<'a> {
    rows: &'a [f32],
    dim: usize,
    reads: AtomicUsize,
    fails: usize,
}

impl<'a> Slices<'a> {
    fn new(rows: &'a [f32], dim: usize) -> Self {
        Slices { rows, dim, reads: AtomicUsize::new(0), fails: usize::MAX }
    }
}

impl RowSource for Slices<'_> {
    fn count(&self) -> usize {
        self.rows.len() / self.dim
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn read(&self, first: usize, into: &mut [f32]) -> Result<(), Error> {
        assert!(!into.is_empty() && into.len().is_multiple_of(self.dim), "whole rows are read");
        if self.reads.fetch_add(1, Ordering::Relaxed) == self.fails {
            return Err(Error::Io { path: "rows".into(), source: std::io::Error::other("unplugged") });
        }
        into.copy_from_slice(&self.rows[first * self.dim..][..into.len()]);
        Ok(())
    }
}

fn built(source: &dyn RowSource, options: &BuildOptions) -> Vec<u8> {
    let mut file = Vec::new();
    build_into(BuildInput::Source(source), None, options, &mut file, &Ctx::default()).unwrap();
    file
}

/// A block of reads has 2²⁰ floats, a task reads 2¹⁵, and a mean is summed in runs of 4,096 rows. So these rows fill
/// several blocks and runs, whose borders lie apart, or a part of one.
const SHAPES: [(usize, usize); 5] = [(0, 3), (1, 3), (900, 20), (1100, 1999), (4500, 300)];

#[test]
fn any_source_gives_the_file_of_rows_in_memory() {
    for (n, dim) in SHAPES {
        let rows = data::clustered(n, dim, 17);
        for (metric, codec) in METRICS.into_iter().zip([CodecKind::Sq8, CodecKind::Pq(3), CodecKind::F16]) {
            let options = options(metric, codec).max_iterations(1).ef_construction(10).m(4);
            let source = Slices::new(&rows, dim);
            assert!(file(&rows, dim, None, &options) == built(&source, &options), "{n} x {dim}, {metric:?}");
        }
    }
}

#[test]
fn odd_rows_are_no_exception() {
    // Copies that fill leaves, which are then split into equal shares, beside a group of near rows.
    let (n, dim) = (1500, 8);
    let near = data::clustered(n, dim, 3);
    let rows: Vec<f32> = (0..n)
        .flat_map(|i| if i % 3 > 0 { vec![1.0; dim] } else { near[i * dim..][..dim].to_vec() })
        .collect();
    for metric in METRICS {
        for codec in [CodecKind::Sq8, CodecKind::F32] {
            let options = options(metric, codec).max_leaf_size(8).branching_factor(4).max_iterations(2);
            let source = Slices::new(&rows, dim);
            assert!(file(&rows, dim, None, &options) == built(&source, &options), "{metric:?} {codec:?}");
        }
    }
}

/// Before, between and after the rows of a file stands something else.
#[test]
fn rows_are_found_in_files_of_any_layout() {
    let (n, dim) = (700, 40);
    // Exact in f16.
    let rows: Vec<f32> =
        data::whole(n, dim, 5).iter().zip(0..).map(|(x, i)| x + (i % 16) as f32 / 16.0).collect();
    let options = options(Metric::Cosine, CodecKind::Sq8).max_iterations(2).ef_construction(20);
    let expected = file(&rows, dim, None, &options);
    for (numbers, before, between) in [
        (Numbers::F16, 0, 0),
        (Numbers::F16, 128, 3),
        (Numbers::F32, 0, 0),
        (Numbers::F32, 4, 4),
        (Numbers::F64, 80, 0),
        (Numbers::F64, 1, 70_000),
    ] {
        let mut bytes = vec![0xAB; before];
        for (number, row) in rows.chunks_exact(dim).enumerate() {
            bytes.extend(vec![0xCD; if number > 0 { between } else { 0 }]);
            row.iter().for_each(|&x| match numbers {
                Numbers::F16 => bytes.extend(half::f16::from_f32(x).to_le_bytes()),
                Numbers::F32 => bytes.extend(x.to_le_bytes()),
                Numbers::F64 => bytes.extend(f64::from(x).to_le_bytes()),
            });
        }
        let stride = dim * numbers.bytes() + between;
        let open =
            |bytes: &[u8]| StoredRows::new(Bytes(bytes.to_vec()), numbers, n, dim, before as u64, stride);
        assert!(built(&open(&bytes).unwrap(), &options) == expected, "{numbers:?} {before} {between}");
        assert_eq!(code(&open(&bytes[..bytes.len() - 1])), "length");
        assert_eq!(
            code(&StoredRows::new(Bytes(bytes), numbers, n, dim, 0, stride - between - 1)),
            "argument"
        );
    }
    assert_eq!(code(&StoredRows::new(Bytes(Vec::new()), Numbers::F32, 0, 0, 0, 0)), "argument");
}

#[test]
fn every_read_that_fails_ends_the_build() {
    let (n, dim) = (150, 6);
    let rows = data::clustered(n, dim, 23);
    let options =
        options(Metric::L2, CodecKind::Sq8).exact(CodecKind::F16).max_iterations(1).ef_construction(10);
    let mut source = Slices::new(&rows, dim);
    let expected = built(&source, &options);
    let reads = source.reads.load(Ordering::Relaxed);
    assert!(reads > 20, "{reads}");
    // The first reads are of all kinds; most of the later ones find the rows of lists.
    for fails in (0..12).chain((12..reads).step_by(reads / 24)) {
        source = Slices { fails, ..Slices::new(&rows, dim) };
        let mut file = Vec::new();
        let warn = |_| ();
        let ctx = Ctx { warning: Some(&warn), ..Ctx::default() };
        let failed = build_into(BuildInput::Source(&source), None, &options, &mut file, &ctx);
        assert_eq!(code(&failed), "io", "read {fails}");
        assert!(file.is_empty(), "nothing is written before all rows were read");
    }
    assert!(built(&Slices::new(&rows, dim), &options) == expected);
}

#[test]
fn a_row_that_is_bad_is_named() {
    let mut rows = data::clustered(9000, 300, 29);
    rows[8123 * 300 + 7] = f32::NAN;
    let mut file = Vec::new();
    let source = Slices::new(&rows, 300);
    let refused =
        build_into(BuildInput::Source(&source), None, &BuildOptions::default(), &mut file, &Ctx::default());
    assert!(matches!(refused, Err(Error::NotFinite { row: 8123, column: 7 })), "{refused:?}");
}

/// Takes so many pieces.
struct Full {
    pieces: usize,
    taken: Vec<u8>,
    length: u64,
}

impl Sink for Full {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.length = length;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        assert!(piece.len() <= 1 << 20, "a piece of {} bytes", piece.len());
        if self.pieces == 0 {
            return Err(Error::Io { path: "disk".into(), source: std::io::ErrorKind::StorageFull.into() });
        }
        self.pieces -= 1;
        self.taken.extend_from_slice(piece);
        Ok(())
    }
}

#[test]
fn every_piece_that_is_refused_ends_the_build() {
    let rows = data::clustered(1000, 1300, 31);
    let options =
        options(Metric::Cosine, CodecKind::Sq8).exact(CodecKind::F32).max_iterations(1).graph(false);
    let expected = file(&rows, 1300, None, &options);
    let source = Slices::new(&rows, 1300);
    let mut pieces = 0;
    loop {
        let mut sink = Full { pieces, taken: Vec::new(), length: 0 };
        let done = build_into(BuildInput::Source(&source), None, &options, &mut sink, &Ctx::default());
        assert_eq!(sink.length, expected.len() as u64, "the length is told before");
        assert!(expected.starts_with(&sink.taken), "bytes come in order");
        if done.is_ok() {
            assert!(sink.taken == expected);
            break;
        }
        assert_eq!(code(&done), "io", "{pieces} pieces");
        pieces += 1;
    }
    assert_eq!(pieces, expected.len().div_ceil(1 << 20), "all but the last piece have one MiB");
}
