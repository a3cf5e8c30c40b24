//! The writer: what it writes, and what a failure leaves.

use super::super::planted::{Fault as Planted, with};
use super::support::disk::Fault;
use super::*;
use crate::id::IdRef;

#[test]
fn a_group_is_one_write_and_one_sync() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    let room = wal.room();
    let before = disk.operations().len();
    append(&mut wal, &[0, 1, 2, 3]);
    wal.sync().unwrap();
    wal.sync().unwrap();
    let operations = disk.operations();
    assert_eq!(operations.len() - before, 2, "{operations:#?}");
    assert_eq!((wal.next_sequence(), wal.synced_sequence()), (4, 4));
    assert_eq!(room - wal.room(), 4096, "the next group starts in a new block");
    append(&mut wal, &[4]);
    append(&mut wal, &[5]);
    assert_eq!((wal.next_sequence(), wal.synced_sequence()), (6, 4));
    assert_eq!(recovered(&disk, &EXPECTED).1, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_batch_longer_than_the_log_makes_it_grow() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..1);
    let fields = vec![b' '; 3 * PREALLOCATED as usize];
    let op = Op::Put { id: IdRef::Number(1), vector: &[0.0; 3], fields: &fields };
    wal.append(&[&Frame::encode(&[op], SHAPE, None).unwrap()]).unwrap();
    assert_eq!(wal.room(), 0);
    append(&mut wal, &[2]);
    wal.sync().unwrap();
    assert_eq!(recovered(&disk, &EXPECTED).1, [0, 1, 2]);
    // The slot shrinks when it is used again.
    let second = roll(&disk, &wal, 1);
    let third = roll(&disk, &second, 2);
    assert_eq!(third.number(), 3);
    assert_eq!(disk.state().read(Path::new("wal-0")).unwrap().len() as u64, PREALLOCATED);
}

#[test]
fn slots_are_used_again_and_what_was_in_them_is_no_frame() {
    let stale = || {
        let disk = Disk::empty();
        let mut wal = begin(&disk, 1, 0, 0);
        for round in 0..9 {
            // The later logs are shorter, so that frames of the earlier ones are behind their ends.
            write(&mut wal, 10 * round..10 * round + 6 - round / 2);
            let needed = wal.number().saturating_sub(1).max(1);
            wal = roll(&disk, &wal, needed);
        }
        assert_eq!(names(&disk), ["wal-0", "wal-1", "wal-2"], "three are enough");
        let expected = Expected { first_log: 9, first_sequence: wal.next_sequence() - 2, ..EXPECTED };
        recovered(&disk, &expected)
    };
    let (end, ids) = stale();
    let end = end.unwrap();
    assert_eq!((end.torn, end.logs, ids), (false, vec![9, 10], vec![80, 81]));
    let wrong = with(Some(Planted::SeedWithoutLog), || stale().0);
    assert!(wrong.is_err() || wrong.is_ok_and(|end| end.torn), "this fault is noticed above");
}

#[test]
fn a_failed_write_or_sync_is_the_last() {
    let count = {
        let disk = Disk::empty();
        write(&mut begin(&disk, 1, 0, 0), 0..4);
        disk.operations().len()
    };
    let first = {
        let disk = Disk::empty();
        begin(&disk, 1, 0, 0);
        disk.operations().len()
    };
    let mut failed = 0;
    for (at, fault) in (first..count).flat_map(|at| [(at, Fault::Io), (at, Fault::Full), (at, Fault::Short)])
    {
        let disk = Disk::empty().fail(at, fault);
        let mut wal = begin(&disk, 1, 0, 0);
        let mut acknowledged = 0;
        let error = (0..4).find_map(|id| {
            let done = wal.append(&[&put(id)]).and_then(|_| wal.sync());
            acknowledged += u64::from(done.is_ok());
            done.err()
        });
        let Some(error) = error else { continue };
        failed += 1;
        assert_eq!(error.code(), "io");
        assert_eq!(wal.append(&[&put(7)]).unwrap_err().code(), "poisoned");
        assert_eq!(wal.sync().unwrap_err().code(), "poisoned");
        assert!(wal.sync().unwrap_err().to_string().contains("open the collection again"));
        // Opened again, it goes on in a new log.
        let mut next = go_on(&disk, &EXPECTED);
        write(&mut next, 9..10);
        let ids = recovered(&disk, &EXPECTED).1;
        let (last, before) = ids.split_last().unwrap();
        assert_eq!(*last, 9);
        assert!((acknowledged..=acknowledged + 1).contains(&(before.len() as u64)), "{ids:?}");
        assert!(before.iter().copied().eq(0..before.len() as u64));
    }
    assert!(failed > 10, "{failed}");
}

/// What [`a_failed_write_or_sync_is_the_last`] is for: a write behind torn bytes is acknowledged, and not found.
#[test]
fn a_write_behind_torn_bytes_would_be_lost() {
    let disk = Disk::empty();
    begin(&disk, 1, 0, 0);
    let writes = disk.operations().len();
    let disk = Disk::empty().fail(writes, Fault::Short);
    let mut wal = begin(&disk, 1, 0, 0);
    with(Some(Planted::GoOnBehindTornBytes), || {
        wal.append(&[&put(0)]).unwrap_err();
        write(&mut wal, 1..2);
    });
    assert_eq!(recovered(&disk, &EXPECTED).1, [] as [u64; 0]);
}

/// Wherever beginning a log fails, it is begun again, and the old log may go on meanwhile.
#[test]
fn a_log_that_could_not_be_begun_is_begun_again() {
    for grown in [false, true] {
        let mut tried = 0;
        for (at, fault) in (0..40).flat_map(|at| [(at, Fault::Io), (at, Fault::Full), (at, Fault::Short)]) {
            let start = {
                let disk = Disk::empty();
                write(&mut begin(&disk, 1, 0, 0), 0..2);
                disk.state()
            };
            let disk = Disk::of(&start);
            let mut old = go_on(&disk, &EXPECTED);
            write(&mut old, 2..3);
            let before = disk.operations().len();
            let disk = disk.fail(before + at, fault);
            let begun = begin_needing(&disk, 3, old.next_sequence(), old.last_sum(), 1);
            if begun.is_ok() {
                continue;
            }
            tried += 1;
            if grown {
                write(&mut old, 3..4);
                assert_eq!(recovered(&disk, &EXPECTED).1, [0, 1, 2, 3], "{at} {fault:?}");
            }
            let mut next = begin_needing(&disk, 3, old.next_sequence(), old.last_sum(), 1).unwrap();
            write(&mut next, 8..9);
            let ids = recovered(&disk, &EXPECTED).1;
            assert_eq!(ids, if grown { vec![0, 1, 2, 3, 8] } else { vec![0, 1, 2, 8] }, "{at} {fault:?}");
            assert_eq!(names(&disk), ["wal-0", "wal-1", "wal-2"], "{at} {fault:?}");
        }
        assert!(tried > 10, "{tried}");
    }
}
