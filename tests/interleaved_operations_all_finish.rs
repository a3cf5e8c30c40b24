//! Many operations share a small budget: whatever the order of steps, deliveries and cancellations, those that are
//! not cancelled finish, with the hits they have alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    CodecKind, Extent, Id, Index, IndexChoice, Metric, Operation, Outcome, RowPlace, SearchOptions, Stepped,
    Ticket,
};
use support::data::Random;
use support::paged::{Remote, least_budget};
use support::{data, file, options};

const DIM: usize = 32;
const N: usize = 6000;

struct Under {
    ticket: Ticket,
    expected: Outcome,
    wanted: Vec<Extent>,
}

fn operation(random: &mut Random, rows: &[f32], choice: IndexChoice) -> Operation {
    let row = random.below(N);
    match random.below(6) {
        0 => Operation::Find(Id::Number(row as u64)),
        1 => Operation::Vector(Id::Number(row as u64)),
        2 => {
            let from = RowPlace { segment: 0, position: row as u32 };
            Operation::Rows {
                from,
                count: 1 + random.below(200),
                vectors: row.is_multiple_of(2),
                fields: false,
            }
        }
        _ => {
            let batch = 1 + random.below(3);
            let queries = data::queries(rows, DIM, batch, random.next()).concat();
            let k = 1 + random.below(40);
            let rescore = Some(k + random.below(150));
            let options = SearchOptions::new(k).rescore(rescore).index(choice);
            Operation::Search { queries, options }
        }
    }
}

fn expected(index: &Index, operation: &Operation) -> Outcome {
    match operation {
        Operation::Search { queries, options } => {
            Outcome::Answers(index.search_batch(queries, options).unwrap())
        }
        Operation::Find(id) => Outcome::Row(index.find(id).unwrap()),
        Operation::Vector(id) => Outcome::Vector(index.vector(id).unwrap()),
        Operation::Rows { .. } => {
            Remote::open(index.file().unwrap(), 1 << 30).unwrap().run(operation.clone()).unwrap().0
        }
        Operation::Load => Outcome::Loaded,
        other => panic!("{other:?} is not drawn"),
    }
}

/// One random schedule. Returns how often a step had to wait.
fn schedule(index: &Index, remote: &mut Remote<'_>, rows: &[f32], seed: u64, cancels: bool) -> usize {
    let mut random = Random(seed);
    let clusters =
        Index::from_bytes(remote.files[0]).unwrap().info().sections.iter().any(|s| s.name == "lists");
    let mut running: Vec<Under> = Vec::new();
    let (mut begun, mut waits, mut idle) = (0, 0, 0);
    while begun < 25 || !running.is_empty() {
        if begun < 25 && (running.is_empty() || random.below(3) == 0) {
            let choice = if clusters { IndexChoice::Clusters } else { IndexChoice::Flat };
            let operation = operation(&mut random, rows, choice);
            let expected = expected(index, &operation);
            let ticket = remote.session.begin(operation).unwrap();
            running.push(Under { ticket, expected, wanted: Vec::new() });
            begun += 1;
        }
        let at = random.below(running.len());
        if cancels && random.below(12) == 0 {
            // Its bytes may still arrive.
            let gone = running.swap_remove(at);
            remote.session.cancel(gone.ticket);
            gone.wanted.into_iter().for_each(|e| remote.deliver(e).unwrap());
            assert_eq!(support::code(&remote.session.step(gone.ticket)), "argument");
            continue;
        }
        if !running[at].wanted.is_empty() {
            let pick = random.below(running[at].wanted.len());
            let extent = running[at].wanted.swap_remove(pick);
            remote.deliver(extent).unwrap();
            idle = 0;
            continue;
        }
        match remote.session.step(running[at].ticket).unwrap() {
            Stepped::Need(extents) => (running[at].wanted, idle) = (extents, 0),
            Stepped::Done(outcome) => {
                assert_eq!(outcome, running.swap_remove(at).expected, "seed {seed}");
                idle = 0;
            }
            Stepped::Wait => {
                waits += 1;
                idle += 1;
                assert!(idle < 2000, "nobody moves (seed {seed}, {} operations)", running.len());
            }
        }
        assert!(remote.session.stats().resident <= remote.budget);
    }
    assert_eq!(remote.session.stats().operations, 0);
    waits
}

#[test]
fn under_random_schedules() {
    let rows = data::clustered(N, DIM, 81);
    let cases = [
        (CodecKind::Binary, None, false, false),
        (CodecKind::Sq8, None, false, false),
        (CodecKind::Sq8, Some(CodecKind::F16), false, false),
        (CodecKind::Binary, None, false, true),
        (CodecKind::Binary, None, true, false),
        (CodecKind::Sq8, None, true, false),
        (CodecKind::Sq8, None, true, true),
    ];
    for (codec, stored, clusters, cancels) in cases {
        let build = options(Metric::Cosine, codec).refine(stored).graph(false).clusters(clusters);
        let file = file(&rows, DIM, None, &build);
        let index = Index::from_bytes(&file).unwrap();
        let least = least_budget(&file);
        let mut waits = 0;
        for seed in 0..12 {
            let mut remote = Remote::open(&file, least + seed % 3 * 2000).unwrap();
            waits += schedule(&index, &mut remote, &rows, seed, cancels);
        }
        assert!(waits > 0, "{codec:?}: the room was never scarce, so this tested nothing");
    }
}

/// One operation is cancelled after exactly so many calls; another that shares its room still finishes.
#[test]
fn a_cancel_at_every_point_leaves_the_rest_whole() {
    let rows = data::clustered(N, DIM, 82);
    let build = support::plain(Metric::Cosine, CodecKind::Binary).graph(false);
    let file = file(&rows, DIM, None, &build);
    let index = Index::from_bytes(&file).unwrap();
    let search = |row: usize| Operation::Search {
        queries: rows[row * DIM..(row + 1) * DIM].to_vec(),
        options: support::top(10).rescore(200),
    };
    let budget = least_budget(&file);
    for calls in 0.. {
        let mut remote = Remote::open(&file, budget).unwrap();
        let ticket = remote.session.begin(search(3)).unwrap();
        let mut left = calls;
        let mut wanted = Vec::new();
        let mut done = false;
        while left > 0 && !done {
            left -= 1;
            match wanted.pop() {
                Some(extent) => remote.deliver(extent).unwrap(),
                None => match remote.session.step(ticket).unwrap() {
                    Stepped::Need(extents) => wanted = extents,
                    stepped => done = matches!(stepped, Stepped::Done(_)),
                },
            }
        }
        remote.session.cancel(ticket);
        remote.session.cancel(ticket);
        let other = search(4000);
        let truth = expected(&index, &other);
        assert_eq!(remote.run(other).unwrap().0, truth, "after {calls} calls");
        wanted.into_iter().for_each(|extent| remote.deliver(extent).unwrap());
        if done {
            assert!(calls > 50, "only {calls} calls");
            break;
        }
    }
}
