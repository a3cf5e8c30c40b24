//! The ledger agrees with the allocator: what is reserved, by part, is what is held, to 2 % or 64 KiB. A reservation
//! comes before its allocation, and where it is refused, memory is as before.
//!
//! Outside the ledger are the structs themselves, facts about segments, and lists of reads: some kB.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use pagevec::{
    CodecKind, Error, Index, IndexChoice, Memory, Metric, OpenOptions, Operation, Outcome, Part,
    SearchOptions, SessionOptions,
};
use support::bytes::Bytes;
use support::paged::{Remote, least_budget};
use support::{alloc, data, file, options, plain, texts, top};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 64;
const N: usize = 8000;
const OUTSIDE: u64 = 64 << 10;

/// An index, as the files of its segments.
struct Case {
    name: String,
    files: Vec<Vec<u8>>,
    rows: Vec<f32>,
}

impl Case {
    fn of(name: &str, segments: usize, build: impl Fn(&[f32]) -> Vec<u8>) -> Self {
        let rows = data::clustered(N, DIM, 201);
        let files = rows.chunks(N / segments * DIM).map(build).collect();
        Case { name: format!("{name}, {segments} segments"), files, rows }
    }

    /// The session, with what it and its parts have allocated.
    fn open(&self, budget: u64, index: IndexChoice) -> Remote<'_> {
        let segments: Vec<_> = self.files.iter().map(|file| (&file[..], None)).collect();
        Remote::of_segments(&segments, &SessionOptions::new(budget).index(index)).unwrap()
    }

    fn length(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }

    /// With fields, where the rows have some.
    fn top(&self, k: usize) -> SearchOptions {
        top(k).fields(self.name.contains("fields"))
    }

    fn queries(&self, count: usize) -> Vec<Vec<f32>> {
        data::queries(&self.rows, DIM, count, 202)
    }
}

fn cases() -> Vec<Case> {
    let quick = |codec| options(Metric::Cosine, codec).ef_construction(20).max_iterations(2);
    let build = |codec| move |rows: &[f32]| file(rows, DIM, None, &quick(codec));
    let fields = |rows: &[f32]| {
        let fields = support::fields_of(rows.len() / DIM);
        file(rows, DIM, None, &quick(CodecKind::Sq8).fields(fields))
    };
    let indexed = |rows: &[f32]| {
        let (fields, schema) = support::indexed_fields(rows.len() / DIM);
        file(rows, DIM, None, &quick(CodecKind::Sq8).fields(fields).schema(schema))
    };
    let named = |rows: &[f32]| file(rows, DIM, Some(texts(rows.len() / DIM)), &quick(CodecKind::Binary));
    let flat = |rows: &[f32]| file(rows, DIM, None, &plain(Metric::Cosine, CodecKind::F32).graph(false));
    vec![
        Case::of("sq8", 1, build(CodecKind::Sq8)),
        Case::of("sq8", 4, build(CodecKind::Sq8)),
        Case::of("pq16", 1, build(CodecKind::Pq(16))),
        Case::of("binary, texts", 1, named),
        Case::of("sq8, fields", 1, fields),
        Case::of("sq8, fields", 4, fields),
        Case::of("sq8, indexed fields", 1, indexed),
        Case::of("f32 alone", 1, flat),
    ]
}

/// That the ledger says what was allocated.
fn agrees(what: &str, memory: &Memory, allocated: i64) {
    let (reserved, allocated) = (memory.reserved(), allocated as u64);
    let off = reserved.abs_diff(allocated);
    let parts = Part::ALL.map(|part| (part.name(), memory.of(part).reserved));
    assert!(
        off <= (allocated / 50).max(OUTSIDE),
        "{what}: {reserved} reserved, {allocated} allocated: {parts:?}"
    );
    for part in Part::ALL {
        assert!(memory.of(part).peak >= memory.of(part).reserved, "{what}: {part:?}");
    }
    let held = [Part::Fronts, Part::Sections, Part::Slots].map(|part| memory.of(part).reserved);
    let budget = memory.budget.max(held[0]);
    assert!(held.iter().sum::<u64>() <= budget, "{what}: {held:?} of {budget}");
}

fn warm(remote: &mut Remote<'_>, queries: &[Vec<f32>], o: &SearchOptions) {
    queries.iter().for_each(|query| drop(remote.search(query, o).unwrap()));
}

#[test]
fn what_is_held_of_the_files_is_what_is_reserved() {
    for case in cases() {
        let least = match &case.files[..] {
            [file] => least_budget(file),
            _ => case.length() / 3,
        };
        for budget in [least, case.length() / 2, 2 * case.length()] {
            let what = |when: &str| format!("{} in {budget}: {when}", case.name);
            let queries = case.queries(40);
            let (mut remote, opened) = alloc::used(|| case.open(budget.max(least), IndexChoice::Auto));
            agrees(&what("opened"), &remote.session.stats().memory, opened.kept);
            let ((), cold) = alloc::used(|| warm(&mut remote, &queries[..1], &case.top(10)));
            let held = opened.kept + cold.kept;
            agrees(&what("searched once"), &remote.session.stats().memory, held);
            let ((), later) = alloc::used(|| warm(&mut remote, &queries, &case.top(10)));
            let held = held + later.kept;
            agrees(&what("searched"), &remote.session.stats().memory, held);
            let loaded = budget > case.length() && case.name != "f32 alone, 1 segments";
            let ((), load) = alloc::used(|| {
                if loaded {
                    remote.run(Operation::Load).unwrap();
                    warm(&mut remote, &queries, &case.top(1000));
                }
            });
            agrees(&what("loaded"), &remote.session.stats().memory, held + load.kept);
            drop(queries);
            let ledger = remote.session.ledger().clone();
            drop(remote);
            assert_eq!(ledger.memory().reserved(), 0, "{}", what("closed"));
        }
    }
}

/// The budget is lowered to one byte less than what the next region needs.
#[test]
fn a_region_is_refused_before_it_is_allocated() {
    for case in cases() {
        let mut remote = case.open(2 * case.length(), IndexChoice::Auto);
        let query = &case.queries(1)[0];
        let (truth, _) =
            case.open(2 * case.length(), IndexChoice::Auto).search(query, &case.top(10)).unwrap();
        remote.session.ledger().set_budget(0);
        let mut refused = 0;
        let found = loop {
            let before = remote.session.stats().memory.reserved();
            let (result, used) = alloc::used(|| remote.search(query, &case.top(10)).map(drop));
            let Err(error) = result else { break remote.search(query, &case.top(10)).unwrap().0 };
            let Error::Budget { needed, budget } = error else { panic!("{}: {error:?}", case.name) };
            let memory = remote.session.stats().memory;
            // Regions that were granted before stay: each search gets further than the one before.
            agrees(&case.name, &memory, before as i64 + used.kept);
            let held = [Part::Fronts, Part::Sections, Part::Slots].map(|part| memory.of(part).reserved);
            assert!(held.iter().sum::<u64>() <= budget.max(memory.of(Part::Fronts).reserved));
            let again = support::code(&remote.search(query, &case.top(10)));
            assert_eq!(again, "budget", "{}", case.name);
            remote.session.ledger().set_budget(needed - 1);
            let again = support::code(&remote.search(query, &case.top(10)));
            assert_eq!(again, "budget", "{}: one byte short of {needed}", case.name);
            remote.session.ledger().set_budget(needed);
            refused += 1;
        };
        assert!(refused >= 2, "{}: {refused} regions", case.name);
        assert_eq!(support::paged::hits(&found), support::paged::hits(&truth), "{}", case.name);
    }
}

/// What an operation needs beside the budget, and what it says before it is allocated: searches of any kind, with every
/// byte of it missing.
#[test]
fn an_operation_is_refused_before_it_allocates() {
    for case in cases() {
        let queries: Vec<f32> = case.queries(40).concat();
        for (queries, o) in
            [(&queries[..DIM], case.top(10)), (&queries[..], case.top(10)), (&queries[..DIM], case.top(1000))]
        {
            let what = format!("{}: {} queries, k {}", case.name, queries.len() / DIM, o.k);
            let operation = || Operation::Search { queries: queries.to_vec(), options: o.clone() };
            let open = |working| {
                let remote = case.open(2 * case.length(), IndexChoice::Auto);
                remote.session.ledger().set_working(working);
                remote
            };
            let truth = hits_of(&open(u64::MAX).run(operation()).unwrap().0);
            let (mut refused, mut working) = (0, 0);
            while let Err(error) = open(working).run(operation()) {
                let Error::Budget { needed, budget } = error else { panic!("{what}: {error:?}") };
                assert!(budget == working && needed > working, "{what}: {needed} of {budget}");
                // One byte short.
                let mut remote = open(needed - 1);
                let before = remote.session.stats().memory;
                let (result, used) = alloc::used(|| remote.run(operation()).map(drop));
                assert!(
                    matches!(result, Err(Error::Budget { needed: n, .. }) if n == needed),
                    "{what}: {result:?}"
                );
                let memory = remote.session.stats().memory;
                assert_eq!(memory.of(Part::Operations).reserved, 0, "{what}");
                let more = (memory.reserved() - before.reserved()) as i64;
                assert!((used.kept - more).abs() <= OUTSIDE as i64, "{what}: {used:?}, {more} reserved");
                let (again, used) = alloc::used(|| support::code(&remote.run(operation())));
                let grown = remote.session.stats().memory.reserved() - memory.reserved();
                // An allocation begins on a cache line.
                assert!(
                    again == "ok" || (used.kept - grown as i64).unsigned_abs() <= OUTSIDE,
                    "{what}: {again}, {used:?}"
                );
                remote.session.ledger().set_working(u64::MAX);
                assert_eq!(hits_of(&remote.run(operation()).unwrap().0), truth, "{what}: once it is allowed");
                (refused, working) = (refused + 1, needed);
                assert!(refused < 100, "{what}: {needed} bytes are not enough");
            }
            assert!(refused >= 2, "{what}: {refused} reservations");
        }
    }
}

fn hits_of(outcome: &Outcome) -> Vec<Vec<(u32, String, u32)>> {
    let Outcome::Answers(answers) = outcome else { panic!("{outcome:?} are no answers") };
    answers.iter().map(support::paged::hits).collect()
}

/// The peaks of the ledger are above those of the allocator, in each step of each kind of search.
#[test]
fn no_step_allocates_more_than_it_reserved() {
    for case in cases() {
        let queries: Vec<f32> = case.queries(40).concat();
        for choice in [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Clusters, IndexChoice::Hnsw] {
            for (count, k) in [(1, 1), (1, 10), (40, 10), (1, 1000), (40, 300)] {
                let what = format!("{} by {choice:?}: {count} queries, k {k}", case.name);
                let mut remote = case.open(2 * case.length(), IndexChoice::Auto);
                let before = remote.session.stats().memory;
                let search = Operation::Search {
                    queries: queries[..count * DIM].to_vec(),
                    options: case.top(k).index(choice),
                };
                let (result, used) = alloc::used(|| remote.run(search).map(drop));
                if support::code(&result) == "argument" {
                    continue;
                }
                result.unwrap();
                let memory = remote.session.stats().memory;
                let peak: u64 = Part::ALL.map(|part| memory.of(part).peak).iter().sum();
                let allowed = peak - before.reserved() + OUTSIDE;
                eprintln!("{what}: {} allocated, {allowed} reserved", used.peak);
                assert!(used.peak <= allowed, "{what}: {} at once, {allowed} reserved", used.peak);
            }
        }
    }
}

/// Threads that search at once, with room for few of them, never reserve more than the limits.
#[test]
fn many_threads_keep_to_the_limits() {
    let case = &cases()[0];
    let working = 2 << 20;
    let budget = case.length() / 3;
    let index =
        Index::from_reader(Bytes(case.files[0].clone()), &OpenOptions::new().memory_budget(budget)).unwrap();
    index.ledger().set_working(working);
    let (refused, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (index, refused, answered) = (&index, &refused, &answered);
            scope.spawn(move || {
                for query in data::queries(&case.rows, DIM, 60, seed) {
                    let result = index.search(&query, &case.top(100));
                    match support::code(&result) {
                        "ok" => answered.fetch_add(1, Relaxed),
                        "budget" => refused.fetch_add(1, Relaxed),
                        other => panic!("{other}"),
                    };
                    let memory = index.memory();
                    let of = |inside| {
                        let parts = Part::ALL.into_iter().filter(|part| part.is_in_budget() == inside);
                        parts.map(|part| memory.of(part)).map(|part| part.peak).max().unwrap()
                    };
                    assert!(of(true) <= budget && of(false) <= working, "{memory:?}");
                }
            });
        }
    });
    let (refused, answered) = (refused.into_inner(), answered.into_inner());
    eprintln!("{answered} answered, {refused} refused");
    assert!(answered > 0);
    index.ledger().set_working(u64::MAX);
    index.search(&case.rows[..DIM], &case.top(100)).unwrap();
    assert_eq!(index.memory().of(Part::Operations).reserved, 0);
}
