//! The memory budget of an open session becomes less and more: what is held fits it at once, its memory is given back, and hits stay
//! the same. So it is with what is evicted.

mod support;

use pagevec::{
    BuildOptions, CodecKind, Error, Held, IndexChoice, Metric, Operation, Part, SearchOptions, SessionOptions,
};
use support::paged::{Remote, hits, least_budget};
use support::{alloc, data, file, plain, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 64;
/// What the allocator counts beside the ledger.
const OUTSIDE: u64 = 4096;

fn cases() -> Vec<(&'static str, usize, BuildOptions)> {
    let of = |codec| plain(Metric::Cosine, codec).ef_construction(20);
    vec![
        ("sq8, clusters", 4000, of(CodecKind::Sq8).clusters(true)),
        ("sq8, f16 rows, clusters", 3000, of(CodecKind::Sq8).refine(CodecKind::F16).clusters(true)),
        ("binary, sq8 rows", 3000, of(CodecKind::Binary)),
        ("f32, no graph", 700, of(CodecKind::F32).graph(false)),
        ("three rows", 3, of(CodecKind::Sq8)),
    ]
}

fn bytes_of(remote: &Remote<'_>) -> u64 {
    let memory = remote.session.stats().memory;
    [Part::Fronts, Part::Sections, Part::Slots].iter().map(|&part| memory.of(part).reserved).sum()
}

/// Lowers and raises the budget of both sessions' files, and compares hits each time.
#[test]
fn hits_stay_the_same_while_the_budget_changes() {
    for (name, n, build) in cases() {
        let rows = data::clustered(n, DIM, 61);
        let files: Vec<Vec<u8>> = (0..2).map(|_| file(&rows, DIM, Some(texts(n)), &build)).collect();
        let queries = data::queries(&rows, DIM, 8, 62);
        for segments in [1, 2] {
            let all: u64 = files.iter().take(segments).map(|file| file.len() as u64).sum();
            let of: Vec<_> = files.iter().take(segments).map(|file| (&file[..], None)).collect();
            let mut remote = Remote::of_segments(&of, &SessionOptions::new(2 * all)).unwrap();
            let least = match remote.session.set_memory_budget(0) {
                Err(Error::Budget { needed, budget: 0 }) => needed,
                other => panic!("{name}: {other:?}"),
            };
            if segments == 1 {
                assert_eq!(least, least_budget(&files[0]), "{name}");
            }
            for (step, share) in [2.0, 0.5, 0.0, 0.3, 1.0, 0.0, 2.0, 0.7].into_iter().enumerate() {
                let budget = least + (share * all as f64) as u64;
                let before = remote.session.stats();
                remote.session.set_memory_budget(budget).unwrap();
                remote.budget = budget;
                let after = remote.session.stats();
                let what = format!("{name}, {segments} segments, step {step}: {budget} of {all}");
                assert!(bytes_of(&remote) <= budget && after.resident <= budget, "{what}: {after:?}");
                assert!(after.resident <= before.resident && after.evictions >= before.evictions, "{what}");
                assert!(
                    after.resident >= bytes_of(&remote).min(before.resident) / 4,
                    "{what}: what fits stays"
                );
                let mut fresh = Remote::of_segments(&of, &SessionOptions::new(budget)).unwrap();
                for (i, query) in queries.iter().enumerate() {
                    let k = [1, 10, 200][i % 3];
                    for choice in [IndexChoice::Flat, IndexChoice::Clusters, IndexChoice::Auto] {
                        let o = SearchOptions::new(k).index(choice);
                        let (truth, found) = (fresh.search(query, &o), remote.search(query, &o));
                        assert_eq!(support::code(&found), support::code(&truth), "{what}, {choice:?}");
                        let ((found, _), (truth, _)) = match (found, truth) {
                            (Ok(found), Ok(truth)) => (found, truth),
                            _ => continue,
                        };
                        // What is in memory decides which index answers.
                        if found.stats.index == truth.stats.index {
                            assert_eq!(hits(&found), hits(&truth), "{what}, k {k}, {choice:?}");
                        }
                    }
                }
                if share == 2.0 && build.graph {
                    remote.run(Operation::Load).unwrap();
                }
            }
        }
    }
}

#[test]
fn what_is_evicted_is_given_back_to_the_allocator() {
    let (n, build) = (4000, plain(Metric::Cosine, CodecKind::Sq8).ef_construction(20).clusters(true));
    let rows = data::clustered(n, DIM, 63);
    let file = file(&rows, DIM, None, &build);
    let queries = data::queries(&rows, DIM, 60, 64);
    let (mut remote, opened) = alloc::used(|| Remote::open(&file, 2 * file.len() as u64).unwrap());
    let o = support::top(10).index(IndexChoice::Clusters);
    let (truth, mut kept) = alloc::used(|| {
        queries.iter().map(|query| hits(&remote.search(query, &o).unwrap().0)).collect::<Vec<_>>()
    });
    for bytes in [1, 10_000, 100_000, u64::MAX] {
        let before = remote.session.stats();
        let (dropped, used) = alloc::used(|| remote.session.evict(bytes).unwrap());
        let after = remote.session.stats();
        assert_eq!(before.resident - after.resident, dropped);
        assert!(
            dropped >= bytes.min(before.resident - after.memory.of(Part::Fronts).reserved),
            "{dropped} of {bytes}"
        );
        let given = before.memory.reserved() - after.memory.reserved();
        assert!((used.kept + given as i64).unsigned_abs() <= OUTSIDE, "{used:?}, {given} given back");
        assert_eq!(after.memory.of(Part::Scratch).reserved, 0);
        kept.kept += used.kept;
    }
    let fronts = remote.session.stats().memory.of(Part::Fronts).reserved;
    assert_eq!(remote.session.stats().resident, fronts, "nothing but the front");
    let (again, later) = alloc::used(|| {
        queries.iter().map(|query| hits(&remote.search(query, &o).unwrap().0)).collect::<Vec<_>>()
    });
    assert_eq!(again, truth);
    let all = (opened.kept + kept.kept + later.kept) as u64;
    let reserved = remote.session.stats().memory.reserved();
    // The hits are held here too.
    assert!(all.abs_diff(reserved) < all / 5, "{all} allocated, {reserved} reserved");
}

#[test]
fn nothing_changes_while_an_operation_is_under_way() {
    let rows = data::clustered(500, DIM, 65);
    let file = file(&rows, DIM, None, &plain(Metric::Cosine, CodecKind::Sq8).ef_construction(20));
    let mut remote = Remote::open(&file, 2 * file.len() as u64).unwrap();
    let ticket = remote
        .session
        .begin(Operation::Search { queries: rows[..DIM].to_vec(), options: support::top(1) })
        .unwrap();
    assert_eq!(support::code(&remote.session.evict(1)), "argument");
    assert_eq!(support::code(&remote.session.set_memory_budget(file.len() as u64)), "argument");
    remote.session.cancel(ticket);
    remote.session.evict(1).unwrap();
}

/// All units lie in memory that is told of their region, and those that a query reads are touched.
#[test]
fn what_is_held_is_told_with_its_place() {
    let rows = data::clustered(4000, DIM, 66);
    let file =
        file(&rows, DIM, None, &plain(Metric::Cosine, CodecKind::Sq8).ef_construction(20).clusters(true));
    let mut remote = Remote::open(&file, 2 * file.len() as u64).unwrap();
    let o = support::top(10).index(IndexChoice::Clusters);
    for query in data::queries(&rows, DIM, 20, 67) {
        remote.search(&query, &o).unwrap();
    }
    let held = |remote: &Remote<'_>| {
        let (mut pieces, mut units) = (Vec::new(), Vec::new());
        remote.session.held(&mut |held| match held {
            Held::Region { .. } => pieces.clear(),
            Held::Memory { address, length } => pieces.push(address..address + length),
            Held::Unit { extent, address, touched } => {
                assert!(pieces.iter().any(|piece| {
                    piece.contains(&address) && address + extent.length as usize <= piece.end
                }));
                units.push((extent, touched));
            }
            _ => {}
        });
        units
    };
    let units = held(&remote);
    let sum: u64 = units.iter().map(|(extent, _)| extent.length).sum();
    let stats = remote.session.stats();
    assert_eq!(sum, stats.resident - stats.memory.of(Part::Fronts).reserved);
    assert!(units.iter().any(|(_, touched)| *touched));
    assert!(held(&remote).iter().all(|(_, touched)| !touched), "it is told once");
    remote.search(&rows[..DIM], &o).unwrap();
    let touched = held(&remote).iter().filter(|(_, touched)| *touched).count();
    assert!(touched > 0 && touched < units.len(), "{touched} of {}", units.len());
}
