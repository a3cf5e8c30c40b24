//! What a query takes of memory, by the allocator: what it allocates, and the memory that it shares with later ones. The rows
//! that were visited grow with the index, and are told apart. A hundred queries at once keep to a small budget.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    CodecKind, Extent, Index, IndexChoice, Metric, OpenOptions, Operation, Part, SearchOptions, Stepped,
};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use support::bytes::Bytes;
use support::paged::Remote;
use support::{alloc, data, file, options, top};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 96;
const N: usize = 16_000;

fn built() -> (Vec<f32>, Vec<u8>) {
    let rows = data::clustered(N, DIM, 301);
    let file = file(&rows, DIM, None, &options(Metric::Cosine, CodecKind::Sq8).ef_construction(40));
    (rows, file)
}

#[test]
fn a_query_takes_little() {
    let (rows, file) = built();
    // The allocator counts what one thread does.
    pagevec::with_threads(1, || measure(&rows, &file)).unwrap();
}

fn measure(rows: &[f32], file: &[u8]) {
    let table = [
        ("ef 128, k 10", 1, 10, 128, 8_000),
        ("ef 2048, k 100", 1, 100, 2048, 60_000),
        ("32 queries, ef 128, k 10", 32, 10, 128, 256_000),
    ];
    for (what, count, k, ef, most) in table {
        let queries: Vec<f32> = data::queries(rows, DIM, count, 302).concat();
        let o = SearchOptions::new(k).ef(ef).index(IndexChoice::Hnsw);
        let index = Index::from_bytes(file).unwrap();
        let scored = std::cell::Cell::new(0);
        let search = || {
            let answers = match count {
                1 => vec![index.search(&queries, &o).unwrap()],
                _ => index.search_batch(&queries, &o).unwrap(),
            };
            scored.set(answers.iter().map(|answer| answer.stats.distances).max().unwrap());
        };
        search();
        let ((), later) = alloc::used(search);
        let scratch = index.memory().of(Part::Scratch).reserved;
        // A bit for each row, and the numbers of those that were scored in a vector that grows by doubling.
        let visited = N as u64 / 8 + 8 * scored.get();
        let own = scratch.saturating_sub(visited);
        eprintln!(
            "{what}: {scratch} bytes are reused, at most {visited} of them for {} visited rows; {} beside in {} allocations",
            scored.get(),
            later.peak,
            later.times
        );
        assert_eq!(later.kept, 0, "{what}");
        assert!(own + later.peak <= most, "{what}: {own} and {} bytes", later.peak);
    }
}

/// What the ledger allows runs; one more is refused with `budget`, and finds the same when it comes again.
#[test]
fn a_hundred_at_once_keep_to_a_small_budget() {
    let (rows, file) = built();
    let budget = file.len() as u64 / 4;
    let index = Index::from_reader(Bytes(file), &OpenOptions::new().memory_budget(budget)).unwrap();
    let queries = data::queries(&rows, DIM, 100, 303);
    let found = |query: &Vec<f32>| index.search(query, &top(10)).map(|answer| support::paged::hits(&answer));
    let truth: Vec<_> = queries.iter().map(|query| found(query).unwrap()).collect();
    let alone = index.memory();
    let working: u64 =
        Part::ALL.into_iter().filter(|part| !part.is_in_budget()).map(|part| alone.of(part).peak).sum();
    // Room for what a few queries need.
    let limit = 4 * working;
    index.ledger().set_working(limit);
    let (refused, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (query, truth) in queries.iter().zip(&truth) {
            let (index, refused, most, found) = (&index, &refused, &most, &found);
            scope.spawn(move || {
                for _ in 0..20 {
                    let hits = loop {
                        match found(query) {
                            Err(pagevec::Error::Budget { .. }) => refused.fetch_add(1, Relaxed),
                            other => break other.unwrap(),
                        };
                        std::thread::yield_now();
                    };
                    assert_eq!(hits, *truth);
                    let memory = index.memory();
                    let of = |inside| {
                        let parts = Part::ALL.into_iter().filter(|part| part.is_in_budget() == inside);
                        parts.map(|part| memory.of(part).reserved).sum::<u64>()
                    };
                    assert!(of(true) <= budget && of(false) <= limit, "{memory:?}");
                    most.fetch_max((of(true) + of(false)) as usize, Relaxed);
                }
            });
        }
    });
    let peak: u64 = Part::ALL.map(|part| index.memory().of(part).peak).iter().sum();
    eprintln!(
        "{} refused; {} of {} bytes at the most, peaks {peak}",
        refused.into_inner(),
        most.into_inner(),
        budget + limit
    );
    assert_eq!(index.memory().of(Part::Operations).reserved, 0);
}

/// Where searches wait for the memory of others, none is refused, within the same limit.
#[test]
fn a_hundred_at_once_wait_for_one_another() {
    let (rows, file) = built();
    let queries = data::queries(&rows, DIM, 100, 304);
    let open = || {
        let budget = file.len() as u64 / 4;
        [
            Index::from_bytes(&file).unwrap(),
            Index::from_reader(Bytes(file.clone()), &OpenOptions::new().memory_budget(budget)).unwrap(),
        ]
    };
    for index in open() {
        let found =
            |query: &Vec<f32>| index.search(query, &top(10)).map(|answer| support::paged::hits(&answer));
        let truth: Vec<_> = queries.iter().map(|query| found(query).unwrap()).collect();
        let alone = index.memory();
        let outside = || Part::ALL.into_iter().filter(|part| !part.is_in_budget());
        let limit = 2 * outside().map(|part| alone.of(part).peak).sum::<u64>();
        index.ledger().set_working(limit);
        index.set_admission_wait(Duration::from_secs(60));
        let refused = index.ledger().refused();
        std::thread::scope(|scope| {
            for (query, truth) in queries.iter().zip(&truth) {
                let (index, found, outside) = (&index, &found, &outside);
                scope.spawn(move || {
                    for _ in 0..20 {
                        assert_eq!(found(query).unwrap(), *truth);
                        let memory = index.memory();
                        assert!(
                            outside().map(|part| memory.of(part).reserved).sum::<u64>() <= limit,
                            "{memory:?}"
                        );
                    }
                });
            }
        });
        eprintln!("{} reservations waited", index.ledger().refused() - refused);
        assert_eq!(index.memory().of(Part::Operations).reserved, 0);
    }
}

/// Nobody else can give memory back: then there is nothing to wait for.
#[test]
fn a_search_that_never_fits_does_not_wait() {
    let (rows, file) = built();
    let index = Index::from_bytes(&file).unwrap();
    index.ledger().set_working(1);
    index.set_admission_wait(Duration::from_secs(3600));
    let query = data::queries(&rows, DIM, 1, 305).concat();
    assert!(matches!(index.search(&query, &top(10)), Err(pagevec::Error::Budget { .. })));
}

/// The leaves that a search by clusters ranked are forgotten once it has chosen its lists: many searches may wait for theirs at once.
#[test]
fn a_search_that_waits_for_lists_holds_little() {
    const SEARCHES: usize = 50;
    let (rows, file) = built();
    let mut remote = Remote::open(&file, 2 * file.len() as u64).unwrap();
    let reserved = |remote: &Remote<'_>| remote.session.ledger().memory().of(Part::Operations).reserved;
    let mut waiting = Vec::new();
    for query in data::queries(&rows, DIM, SEARCHES, 306) {
        // All leaves, so that many are ranked.
        let options = SearchOptions::new(10).recall(Some(0.999)).index(IndexChoice::Clusters);
        waiting.push(remote.session.begin(Operation::Search { queries: query, options }).unwrap());
    }
    let info = remote.session.segment().info();
    let lists = info.sections.iter().find(|section| section.name == "lists").unwrap();
    let of_lists = |read: &Extent| read.offset >= lists.offset && read.end() <= lists.offset + lists.length;
    for &ticket in &waiting {
        loop {
            let Stepped::Need(reads) = remote.session.step(ticket).unwrap() else {
                panic!("no list is there")
            };
            if reads.iter().any(of_lists) {
                break;
            }
            reads.into_iter().for_each(|read| remote.deliver(read).unwrap());
        }
    }
    let each = reserved(&remote) / SEARCHES as u64;
    eprintln!("{each} bytes a search");
    assert!(each <= 12_000, "{each}");
}
