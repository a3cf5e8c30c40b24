//! `Session::deliver` compares with their checksums the bytes that somebody waits for, and says whether those are all
//! that came: what it dropped may be anything, and must not be kept as what the file holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{CodecKind, Extent, IndexChoice, Metric, Operation, Session, SessionOptions, Stepped};
use support::data::Random;
use support::paged::segment;
use support::{code, data};

const DIM: usize = 24;

fn bytes(file: &[u8], extent: Extent) -> &[u8] {
    &file[extent.offset as usize..extent.end() as usize]
}

fn file(clusters: bool) -> (Vec<f32>, Vec<u8>) {
    let rows = data::clustered(4000, DIM, 391);
    let build = support::options(Metric::L2, CodecKind::Sq8).clusters(clusters).max_iterations(2);
    let file = support::file(&rows, DIM, None, &build);
    (rows, file)
}

fn needs(session: &mut Session, rows: &[f32], index: IndexChoice) -> Vec<Extent> {
    let options = support::top(5).index(index);
    let ticket = session.begin(Operation::Search { queries: rows[..DIM].to_vec(), options }).unwrap();
    match session.step(ticket).unwrap() {
        Stepped::Need(extents) => extents,
        other => panic!("{other:?} of an empty session"),
    }
}

#[test]
fn true_only_for_bytes_that_could_be_refused() {
    let mut random = Random(392);
    let (mut checked, mut dropped) = (0, 0);
    for (clusters, index) in
        [(true, IndexChoice::Clusters), (true, IndexChoice::Hnsw), (false, IndexChoice::Flat)]
    {
        let (rows, file) = file(clusters);
        let fresh = || Session::new(segment(&file).unwrap(), &SessionOptions::new(1 << 30)).unwrap();
        for _ in 0..60 {
            let mut session = fresh();
            let wanted = needs(&mut session, &rows, index);
            let whole = wanted[random.below(wanted.len())];
            // Some of what is wanted: all, from a block's start, or anything.
            let grain = session.block_size(whole.offset).min(whole.length);
            let from = [0, 0, grain.min(whole.length - 1), random.below(whole.length as usize) as u64]
                [random.below(4)];
            let length = [
                whole.length - from,
                grain.min(whole.length - from),
                1 + random.below((whole.length - from) as usize) as u64,
            ][random.below(3)];
            let part = Extent { offset: whole.offset + from, length };
            let all = session.deliver(part, bytes(&file, part)).unwrap();
            // The same bytes with one wrong among them, in a session that waits for the same.
            let mut damaged = bytes(&file, part).to_vec();
            let mut refused = 0;
            for _ in 0..8 {
                let at = random.below(damaged.len());
                damaged[at] ^= 1;
                let mut session = fresh();
                needs(&mut session, &rows, index);
                refused += usize::from(code(&session.deliver(part, &damaged)) == "checksum");
                damaged[at] ^= 1;
            }
            assert!(
                !all || refused == 8,
                "{part:?} was said to be checked, and {refused} of 8 wrong bits were found"
            );
            assert!(all || part != whole, "all that is wanted is checked");
            checked += usize::from(all);
            dropped += usize::from(!all);
            // A second time nobody waits for it.
            assert!(!all || !session.deliver(part, &vec![0xAB; length as usize]).unwrap());
        }
    }
    assert!(checked > 20 && dropped > 20, "{checked} checked, {dropped} not");
}

#[test]
fn a_cancelled_operation_waits_for_nothing() {
    let (rows, file) = file(true);
    let mut session = Session::new(segment(&file).unwrap(), &SessionOptions::new(1 << 30)).unwrap();
    let options = support::top(5).index(IndexChoice::Clusters);
    let ticket = session.begin(Operation::Search { queries: rows[..DIM].to_vec(), options }).unwrap();
    let Stepped::Need(extents) = session.step(ticket).unwrap() else { panic!() };
    session.cancel(ticket);
    for extent in extents {
        // Room that nobody holds may still be filled: then by checked bytes alone.
        let got = session.deliver(extent, &vec![0xAB; extent.length as usize]);
        assert!(matches!(got, Ok(false)) || code(&got) == "checksum", "{got:?}");
    }
}
