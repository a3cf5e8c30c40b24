//! An index after a change is the index that would be opened anew, and the one before it goes on as it was.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::budget::Part;
use crate::build::{BuildOptions, build};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::index::{Index, OpenOptions, OpenPart};
use crate::metric::Metric;
use crate::row_set::{RowSet, SharedRows};
use crate::search::{IndexChoice, SearchOptions};
use crate::storage::{Access, Dir, DirReader, Extent, InMemory, MemoryDir, ReadAt};

pub(super) const DIM: usize = 8;

/// A file that is read piece by piece, and how many bytes of it were.
pub(super) struct Counted(Arc<Vec<u8>>, Arc<AtomicU64>);

impl ReadAt for Counted {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
        self.1.fetch_add(extent.length, Relaxed);
        Ok(())
    }
}

/// A segment file of `count` rows whose ids begin at `first`.
pub(super) struct File {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) count: usize,
    read: Arc<AtomicU64>,
}

impl File {
    pub(super) fn new(first: u64, count: usize, text: bool) -> Self {
        let numbers = first..first + count as u64;
        let ids = match text {
            true => Ids::Texts(numbers.map(|number| format!("ä{number}")).collect()),
            false => Ids::Numbers(numbers.collect()),
        };
        let draw = |i: u64| (crate::hash::hash(i) % 997) as f32 / 500.0 - 1.0;
        let rows = (0..(count * DIM) as u64).map(|i| draw(i + (first << 20))).collect();
        let options = BuildOptions::new(Metric::L2).m(4).ef_construction(20).max_iterations(2);
        let bytes = build(rows, DIM, Some(ids), &options, &Ctx::default()).unwrap();
        File { bytes: Arc::new(bytes), count, read: Arc::default() }
    }

    pub(super) fn part(&self, paged: bool) -> OpenPart {
        match paged {
            true => OpenPart::paged(Box::new(Counted(Arc::clone(&self.bytes), Arc::clone(&self.read)))),
            false => OpenPart::whole(Box::new(InMemory(Vec::clone(&self.bytes))), self.bytes.len() as u64),
        }
    }

    fn part_of(&self, paged: bool, alive: &SharedRows) -> OpenPart {
        self.part(paged).with_alive(alive.clone())
    }

    /// The bytes that were read since the last [`File::forget`].
    fn bytes_read(&self) -> u64 {
        self.read.load(Relaxed)
    }

    fn forget(&self) {
        self.read.store(0, Relaxed);
    }
}

/// All rows but those whose position is a multiple of `of`; 0: all rows.
pub(super) fn alive(count: usize, of: u32) -> SharedRows {
    let lives = |position: &u32| of == 0 || !position.is_multiple_of(of);
    SharedRows::new(RowSet::of(count, (0..count as u32).filter(lives)).unwrap())
}

pub(super) fn opened(parts: Vec<OpenPart>) -> Index {
    Index::from_parts(parts, &OpenOptions::new()).unwrap()
}

/// The ids of hits and the bits of their scores.
type Hits = Vec<(Id, u32)>;

/// What one sees of an index.
fn seen(index: &Index) -> (usize, Vec<usize>, Vec<Hits>) {
    let mut all = Vec::new();
    for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
        for query in 0..6 {
            let query: Vec<f32> = (0..DIM).map(|i| ((query * 7 + i * 3) % 11) as f32 / 5.0 - 1.0).collect();
            let answer = index.search(&query, &SearchOptions::new(12).index(choice)).unwrap();
            all.push(answer.hits.into_iter().map(|hit| (hit.id, hit.score.to_bits())).collect());
        }
    }
    (index.info().count, index.segments().iter().map(|segment| segment.dead).collect(), all)
}

#[test]
fn other_live_rows_are_those_of_an_index_opened_with_them() {
    for (paged, text) in [(false, false), (true, false), (false, true), (true, true)] {
        let files = [File::new(0, 300, text), File::new(300, 200, text), File::new(500, 70, text)];
        let base = opened(files.iter().map(|file| file.part(paged)).collect());
        let before = seen(&base);
        let mut index = base.with_alive(Vec::new()).unwrap();
        let mut now = [0, 0, 0];
        for change in [vec![(0, 3)], vec![(1, 2), (2, 1)], vec![(0, 0), (2, 5)], vec![(1, 0), (2, 0)]] {
            files.iter().for_each(File::forget);
            let rows = change.iter().map(|&(at, of): &(usize, u32)| (at, alive(files[at].count, of)));
            index = index.with_alive(rows.collect()).unwrap();
            assert!(files.iter().all(|file| file.bytes_read() == 0), "nothing is read");
            change.iter().for_each(|&(at, of)| now[at] = of);
            let rows: Vec<SharedRows> =
                files.iter().zip(now).map(|(file, of)| alive(file.count, of)).collect();
            let parts = files.iter().zip(&rows).map(|(file, rows)| file.part_of(paged, rows)).collect();
            assert_eq!(seen(&index), seen(&opened(parts)), "{change:?}");
            for (number, rows) in rows.iter().enumerate() {
                let stored = index.alive(number);
                assert_eq!(stored.is_none(), rows.is_full());
                assert!(stored.is_none_or(|stored| stored == *rows));
            }
        }
        assert_eq!(seen(&base), before, "the index before the changes");
        assert_eq!(seen(&index), before, "all rows live again");
    }
}

#[test]
fn other_segments_are_those_of_an_index_opened_with_them() {
    let options = OpenOptions::new();
    for paged in [false, true] {
        let files = [0, 1, 2, 3].map(|at| File::new(at * 150, 100 + at as usize * 50, false));
        let rows = alive(100, 7);
        let base = opened(vec![files[0].part_of(paged, &rows), files[1].part(paged), files[2].part(paged)]);
        let base = base.with_alive(vec![(2, alive(200, 3))]).unwrap();
        let before = seen(&base);
        files.iter().for_each(File::forget);
        let index =
            base.with_segments(&[1], vec![files[3].part_of(paged, &alive(250, 9))], &options).unwrap();
        assert!(files[..3].iter().all(|file| file.bytes_read() == 0), "only the new front is read");
        let parts = [(0, 7), (2, 3), (3, 9)];
        let parts = parts.map(|(at, of)| files[at].part_of(paged, &alive(files[at].count, of)));
        assert_eq!(seen(&index), seen(&opened(parts.into())));
        assert_eq!(seen(&base), before);
        drop(base);
        index.verify().unwrap();
        let one = index.with_segments(&[0, 2], Vec::new(), &options).unwrap();
        assert_eq!(seen(&one), seen(&opened(vec![files[2].part_of(paged, &alive(200, 3))])));
        let none = one.with_segments(&[0], Vec::new(), &options).err().unwrap();
        assert_eq!(none.code(), "argument");
        let texts = File::new(0, 10, true).part(paged);
        assert_eq!(one.with_segments(&[], vec![texts], &options).err().unwrap().code(), "argument");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let file = File::new(0, 64, false);
    for paged in [false, true] {
        let index = opened(vec![file.part(paged)]);
        for change in [(1, alive(64, 2)), (0, alive(63, 2)), (0, alive(65, 2))] {
            assert_eq!(index.with_alive(vec![change]).err().unwrap().code(), "argument");
        }
        let part = file.part_of(paged, &alive(65, 2));
        assert_eq!(Index::from_parts(vec![part], &OpenOptions::new()).err().unwrap().code(), "argument");
        assert!(index.alive(0).is_none() && index.alive(1).is_none());
    }
}

/// What several indexes share is reserved once, and given back by the last of them.
#[test]
fn what_is_shared_is_reserved_once() {
    let (file, more) = (File::new(0, 2000, false), File::new(2000, 1000, false));
    for paged in [false, true] {
        let base = opened(vec![file.part(paged)]);
        let ledger = base.ledger().clone();
        let of = |part: Part| ledger.memory().of(part).reserved;
        let all = || [Part::Fronts, Part::Sections, Part::Places].map(of);
        let [fronts, sections, places] = all();
        let rows = alive(2000, 2);
        let halved = base.with_alive(vec![(0, rows.clone())]).unwrap();
        let again = halved.with_alive(Vec::new()).unwrap();
        assert_eq!(all()[..2], [fronts, sections]);
        assert_eq!(of(Part::Places), places + 2 * base.members().bytes() + rows.bytes());
        drop((base, halved));
        assert_eq!(of(Part::Places), places + rows.bytes());
        let options = OpenOptions::new();
        if !paged {
            let two = again.with_segments(&[], vec![more.part(paged)], &options).unwrap();
            assert_eq!(of(Part::Sections), sections + more.bytes.len() as u64);
            drop(again);
            let one = two.with_segments(&[0], Vec::new(), &options).unwrap();
            drop(two);
            assert_eq!(of(Part::Sections), more.bytes.len() as u64);
            drop(one);
        } else {
            drop(again);
        }
        assert_eq!(ledger.memory().reserved(), 0);
    }
}

#[test]
fn a_segment_is_read_from_any_dir() {
    let (dir, path, file) = (MemoryDir::default(), Path::new("seg-1"), File::new(0, 400, true));
    let open = |access| match dir.open(path, access) {
        std::task::Poll::Ready(opened) => opened.unwrap(),
        std::task::Poll::Pending => panic!("memory is there at once"),
    };
    open(Access::Create).write_at(&file.bytes, 0).unwrap();
    let reader = DirReader::new(open(Access::Read)).unwrap();
    let index = opened(vec![OpenPart::paged(Box::new(reader))]);
    index.verify().unwrap();
    assert_eq!(seen(&index), seen(&opened(vec![file.part(false)])));
}
