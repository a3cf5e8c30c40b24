//! All rows that are not dead are read page by page, in order of segment and position, each once: with their ids, and the
//! vectors and fields that lookups by id give. Pages of any size, from any source and in any budget, are the same rows.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    CodecKind, Id, Ids, Index, Metric, OpenOptions, Operation, Outcome, Part, PositionSet, RowPage, RowPlace,
    SessionOptions, StoredRow,
};
use support::bytes::Bytes;
use support::paged::{Cost, Remote, least_budget};
use support::{alloc, data};
use support::{code, file, options, plain, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 24;
/// Bytes that the ledger does not count: lists of reads, and the structs themselves.
const OUTSIDE: u64 = 64 << 10;
const FIRST: RowPlace = RowPlace { segment: 0, position: 0 };

/// An index: its files, and of each the positions that are dead.
struct Case {
    name: &'static str,
    files: Vec<Vec<u8>>,
    dead: Vec<Vec<u32>>,
    fields: bool,
}

impl Case {
    fn segments(&self) -> Vec<(&[u8], Option<PositionSet>)> {
        let dead = |number: usize| {
            let positions = self.dead.get(number).filter(|positions| !positions.is_empty())?;
            let rows = Index::from_bytes(&self.files[number]).unwrap().info().count;
            Some(PositionSet::from_positions(rows, positions.iter().copied()).unwrap())
        };
        self.files.iter().enumerate().map(|(number, file)| (&file[..], dead(number))).collect()
    }

    /// The rows as lookups by id have them: of each segment the ids at their positions, without those that are dead.
    fn expected(&self) -> Vec<StoredRow> {
        let mut all = Vec::new();
        for (number, file) in self.files.iter().enumerate() {
            let index = Index::from_bytes(file).unwrap();
            let mut rows =
                index.rows(true, self.fields && stored(&index)).map(Result::unwrap).collect::<Vec<_>>();
            assert_eq!(rows.len(), index.info().count);
            for (row, position) in rows.iter_mut().zip(0..) {
                assert_eq!(index.find(&row.id).unwrap(), Some(RowPlace { segment: 0, position }));
                assert_eq!(row.vector.as_ref(), Some(&index.vector(&row.id).unwrap()));
                if self.fields {
                    let none = || vec![Some("{}".into())];
                    let by_id = if stored(&index) {
                        index.fields(std::slice::from_ref(&row.id)).unwrap()
                    } else {
                        none()
                    };
                    row.fields = by_id.into_iter().next().unwrap();
                }
            }
            let dead = self.dead.get(number);
            let lives = |position: &u32| dead.is_none_or(|dead| !dead.contains(position));
            all.extend(rows.into_iter().zip(0..).filter(|(_, position)| lives(position)).map(|(row, _)| row));
        }
        all
    }

    fn budgets(&self) -> Vec<u64> {
        let least = match &self.files[..] {
            [file] => least_budget(file),
            files => files.iter().map(|file| file.len() as u64).sum::<u64>() / 2,
        };
        vec![least, 1 << 26]
    }
}

fn stored(index: &Index) -> bool {
    index.info().sections.iter().any(|section| section.name == "fields")
}

fn cases() -> Vec<Case> {
    let quick = |codec| options(Metric::Cosine, codec).ef_construction(20).max_iterations(2);
    let of = |rows: std::ops::Range<usize>, ids: Option<Ids>, options: &pagevec::BuildOptions| {
        file(&data::clustered(1000, DIM, 7)[rows.start * DIM..rows.end * DIM], DIM, ids, options)
    };
    let numbers = |rows: std::ops::Range<u64>| Some(Ids::Numbers(rows.map(|id| id * 7919).collect()));
    let sq8 = quick(CodecKind::Sq8);
    let with_fields = sq8.clone().fields(support::fields_of(900));
    let one = |name, file, fields| Case { name, files: vec![file], dead: Vec::new(), fields };
    let some = |count: u32| (0..count).filter(|position| position % 3 != 1).collect::<Vec<u32>>();
    vec![
        one("numbers", of(0..1000, numbers(0..1000), &sq8), false),
        one("texts, with fields", of(0..900, Some(texts(900)), &with_fields), true),
        one("without clusters", of(0..700, numbers(0..700), &plain(Metric::L2, CodecKind::F16)), false),
        one("floats alone", of(0..300, None, &plain(Metric::Dot, CodecKind::F32).graph(false)), false),
        one("binary", of(0..500, Some(texts(500)), &quick(CodecKind::Binary)), false),
        one("exact rows", of(0..400, None, &quick(CodecKind::Pq(12)).exact(CodecKind::F32)), false),
        one("one row", of(0..1, None, &sq8), false),
        one("no rows", of(0..0, None, &sq8), false),
        Case {
            name: "segments: one is empty, one dead as a whole, one has no fields",
            files: vec![
                of(0..900, numbers(0..900), &with_fields),
                of(0..0, numbers(0..0), &sq8),
                of(0..40, numbers(1000..1040), &sq8),
                of(40..90, numbers(2000..2050), &sq8),
                of(90..100, numbers(3000..3010), &sq8),
            ],
            dead: vec![some(900), vec![], (0..40).collect(), vec![0, 49], vec![]],
            fields: true,
        },
    ]
}

fn page(
    remote: &mut Remote<'_>,
    from: RowPlace,
    count: usize,
    [vectors, fields]: [bool; 2],
) -> (RowPage, Cost) {
    match remote.run(Operation::Rows { from, count, vectors, fields }).unwrap() {
        (Outcome::Rows(page), cost) => (page, cost),
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn in_pages_of_any_size_from_any_source() {
    for case in cases() {
        let expected = case.expected();
        let segments = case.segments();
        for budget in case.budgets() {
            for (count, wanted) in [(1, [true, case.fields]), (7, [false, false]), (256, [true, false])]
                .into_iter()
                .chain([(10_000, [true, case.fields]), (400, [false, case.fields])])
            {
                let mut remote = Remote::of_segments(&segments, &SessionOptions::new(budget)).unwrap();
                let (mut next, mut rows) = (Some(FIRST), Vec::new());
                while let Some(from) = next {
                    let (page, _) = page(&mut remote, from, count, wanted);
                    assert!(page.rows.len() == count || page.next.is_none(), "{}", case.name);
                    rows.extend(page.rows);
                    next = page.next;
                }
                let bare = |row: &StoredRow| {
                    let (vector, fields) = (row.vector.clone(), row.fields.clone());
                    (row.id.clone(), vector.filter(|_| wanted[0]), fields.filter(|_| wanted[1]))
                };
                let as_read = |row: StoredRow| (row.id, row.vector, row.fields);
                assert!(
                    rows.into_iter().map(as_read).eq(expected.iter().map(bare)),
                    "{} in {budget} bytes, {count} rows at a time, {wanted:?}",
                    case.name
                );
            }
        }
    }
}

/// A place behind the last row, and a page without rows, are ends like any.
#[test]
fn a_page_may_be_empty() {
    let case = &cases()[8];
    let mut remote = Remote::of_segments(&case.segments(), &SessionOptions::new(1 << 26)).unwrap();
    let last = |segment, position| RowPlace { segment, position };
    for from in [last(4, 10), last(4, u32::MAX), last(5, 0), last(u32::MAX, u32::MAX)] {
        let (page, cost) = page(&mut remote, from, 100, [true, true]);
        assert_eq!((page.rows.len(), page.next, cost.waves), (0, None, 0), "{from:?}");
    }
    let (none, cost) = page(&mut remote, last(1, 0), 0, [true, true]);
    // Those of the third segment are dead, and so is the first row of the fourth.
    assert_eq!((none.rows.len(), none.next, cost.waves), (0, Some(last(3, 1)), 0));
    let (rest, _) = page(&mut remote, last(3, 40), 10, [false, false]);
    let of_last = |row: &&StoredRow| matches!(row.id, Id::Number(id) if id >= 3000 * 7919);
    assert_eq!((rest.rows.len(), rest.rows.iter().filter(of_last).count()), (10, 1));
    assert_eq!(rest.next, Some(last(4, 1)));
}

#[test]
fn by_an_iterator_that_ends_after_an_error() {
    let case = &cases()[1];
    let expected = case.expected();
    let file = &case.files[0];
    let budget = OpenOptions::new().memory_budget(least_budget(file));
    for index in [Index::from_bytes(file).unwrap(), Index::from_reader(Bytes(file.clone()), &budget).unwrap()]
    {
        let rows: Result<Vec<StoredRow>, _> = index.rows(true, true).collect();
        assert!(rows.unwrap() == expected);
        let ids: Result<Vec<Id>, _> = index.ids().collect();
        assert!(ids.unwrap().iter().eq(expected.iter().map(|row| &row.id)));
        // Nobody reads the rest.
        assert_eq!(index.rows(true, false).take(3).count(), 3);
    }
    let plain = Index::from_bytes(&cases()[0].files[0]).unwrap();
    assert_eq!(plain.rows(false, true).map(|row| code(&row)).collect::<Vec<_>>(), ["argument"]);
    // A bit of the fields, late in the file.
    let section = support::format::section(file, support::stored::FIELDS);
    let mut damaged = file.clone();
    damaged[section.offset + section.length - 1] ^= 4;
    let index = Index::from_reader(Bytes(damaged), &budget).unwrap();
    let codes: Vec<_> = index.rows(false, true).map(|row| code(&row)).collect();
    let (last, rows) = codes.split_last().unwrap();
    assert!(*last == "checksum" && rows.len() < expected.len() && rows.iter().all(|code| *code == "ok"));
}

/// A page takes as many waves as the way to one of its rows has steps, and rows of one page share what lies around them.
#[test]
fn a_page_is_read_in_few_waves() {
    let case = &cases()[1];
    let file = &case.files[0];
    let mut remote = Remote::open(file, 1 << 26).unwrap();
    let (_, ids) = page(&mut remote, FIRST, 900, [false, false]);
    // Offsets of the texts, then the texts.
    assert!(ids.waves <= 2, "{ids:?}");
    let mut remote = Remote::open(file, 1 << 26).unwrap();
    let (all, cost) = page(&mut remote, FIRST, 900, [true, true]);
    assert_eq!(all.rows.len(), 900);
    // Leaves, labels of lists, rows; beside these the fields: directory, blocks' directories, blocks.
    assert!(cost.waves <= 4, "{cost:?}");
    let (again, cost) = page(&mut remote, FIRST, 900, [true, true]);
    assert!(again == all);
    assert!(cost.waves <= 1, "{cost:?}");
}

/// Memory is reserved before it is allocated, and the more rows a page has, the more of it.
#[test]
fn a_page_allocates_no_more_than_it_reserved() {
    for case in cases() {
        let mut before = 0;
        for (count, wanted) in
            [(1, [true, case.fields]), (100, [true, case.fields]), (2000, [true, case.fields])]
        {
            let what = format!("{}: {count} rows", case.name);
            let mut remote = Remote::of_segments(&case.segments(), &SessionOptions::new(1 << 26)).unwrap();
            let opened = remote.session.stats().memory.reserved();
            let (rows, used) = alloc::used(|| page(&mut remote, FIRST, count, wanted).0.rows.len());
            let memory = remote.session.stats().memory;
            let peak: u64 = Part::ALL.map(|part| memory.of(part).peak).iter().sum();
            let allowed = peak - opened + OUTSIDE;
            eprintln!("{what}: {} allocated, {allowed} reserved", used.peak);
            assert!(used.peak <= allowed, "{what}: {} at once, {allowed} reserved", used.peak);
            assert_eq!(memory.of(Part::Operations).reserved, 0, "{what}");
            assert!(memory.of(Part::Operations).peak >= before, "{what}");
            before = if rows == count { memory.of(Part::Operations).peak } else { 0 };
        }
    }
}
