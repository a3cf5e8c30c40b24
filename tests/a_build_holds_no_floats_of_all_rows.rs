//! A build of rows that are not in memory holds what the file holds, and a few bytes for each row. It holds neither
//! the rows as floats nor a second copy of the file. So does a merge, whose rows are in other files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    BuildInput, BuildOptions, CodecKind, Ctx, Error, Index, Metric, RowSource, Segment, Sink, build_into,
    merge_into, with_threads,
};
use support::{alloc, data::Random, options};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 2048;

/// Rows around centres, each made when it is read.
struct Made(usize);

impl RowSource for Made {
    fn count(&self) -> usize {
        self.0
    }

    fn dim(&self) -> usize {
        DIM
    }

    fn read(&self, first: usize, into: &mut [f32]) -> Result<(), Error> {
        for (row, into) in (first as u64..).zip(into.chunks_exact_mut(DIM)) {
            let (mut centre, mut own) = (Random(row % (self.0 as u64 / 40 + 1)), Random(!row));
            into.iter_mut().for_each(|x| *x = centre.normal() + 0.5 * own.normal());
        }
        Ok(())
    }
}

/// Keeps the front and counts the rest.
#[derive(Default)]
struct Front(Vec<u8>, u64);

impl Sink for Front {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.1 = length;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        let room = (2 << 20) - self.0.len();
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
        Ok(())
    }
}

fn quick() -> BuildOptions {
    options(Metric::Cosine, CodecKind::Sq8).max_iterations(1).ef_construction(30)
}

fn build(rows: usize, sink: &mut dyn Sink) {
    build_into(BuildInput::Source(&Made(rows)), None, &quick(), sink, &Ctx::default()).unwrap();
}

/// The peak of `work`, which writes a segment of so many rows, and the bytes of its sections of these names.
fn peak(rows: usize, work: impl Fn(&mut dyn Sink) + Send + Sync) -> (u64, u64) {
    // The allocator counts one thread: the pool's only one, on which all of the build runs.
    let (front, used) = with_threads(1, || {
        alloc::used(|| {
            let mut sink = Front::default();
            work(&mut sink);
            sink
        })
    })
    .unwrap();
    let info = Segment::open(&front.0, front.1).unwrap().info();
    let counted = ["codes", "graph", "lists"];
    let sections = info.sections.iter().filter(|s| counted.contains(&s.name)).map(|s| s.length).sum();
    eprintln!("{rows} rows: {} kB held, sections {} kB", used.peak / 1000, sections / 1000);
    (used.peak, sections)
}

/// What a build may hold beside the sections, for each row: the sums and the means of leaves, of which each has some
/// 32 rows, in f64 and f32; and the candidates of the searches that calibrate, 12 bytes each for 16 queries and some
/// seven scans, until they are 64,008 for a query. A row as floats has 8,192 bytes.
const PER_ROW: u64 = DIM as u64 * 12 / 32 + 1500;
/// The same for all rows together: a block of 4 MiB that is read, a sample of rows for k-means, and queries:
/// twice what was measured.
const BESIDE: u64 = 16 << 20;

/// The peak of `work`, given the number of rows, grows by what it should.
fn grows_as_the_file_does(work: impl Fn(usize) -> (u64, u64)) {
    let (few, many) = (1500, 6000);
    let (small, large) = (work(few), work(many));
    let floats = (many * DIM * 4) as u64;
    for (rows, (peak, sections)) in [(few, small), (many, large)] {
        let allowed = sections + BESIDE + PER_ROW * rows as u64;
        assert!(peak <= allowed, "{rows} rows: {peak} bytes held, {allowed} allowed");
    }
    let growth = (large.1 - small.1) + PER_ROW * (many - few) as u64;
    assert!(large.0 - small.0 <= growth, "{large:?} after {small:?}, {growth} allowed");
    // So one more copy of the rows, even as f16, or of the file would be noticed.
    assert!(
        growth < large.1 - small.1 + floats / 3 && large.0 < floats,
        "{large:?}, {floats} bytes of floats"
    );
}

#[test]
fn the_peak_of_a_build_grows_as_the_file_does() {
    grows_as_the_file_does(|rows| peak(rows, |sink| build(rows, sink)));
}

/// All rows of the first index are replaced by those of the second, which is the same.
#[test]
fn the_peak_of_a_merge_grows_as_the_file_does() {
    grows_as_the_file_does(|rows| {
        let mut file = Vec::new();
        build(rows, &mut file);
        let index = Index::from_bytes(&file).unwrap();
        peak(rows, |sink| merge_into(&[&index, &index], &quick(), sink, &Ctx::default()).unwrap())
    });
}
