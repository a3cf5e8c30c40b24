//! What recovery finds, case by case.

use super::super::header::{BLOCK, START};
use super::super::planted::{Fault, with};
use super::*;
use crate::id::IdRef;

#[test]
fn recovery_begins_at_the_manifests_position() {
    let disk = Disk::empty();
    assert_eq!(recovered(&disk, &Expected { first_log: 0, ..EXPECTED }).0.unwrap().next_log, 1);
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    let mut wal = roll(&disk, &wal, 1);
    write(&mut wal, 3..5);
    for first_log in [0, 1] {
        let (end, ids) = recovered(&disk, &Expected { first_log, ..EXPECTED });
        assert_eq!(ids, [0, 1, 2, 3, 4]);
        let end = end.unwrap();
        assert_eq!((end.next_log, end.next_sequence, end.torn, end.logs), (3, 5, false, vec![1, 2]));
        assert_eq!(end.last_sum, wal.last_sum());
    }
    let later = Expected { first_log: 2, first_sequence: 4, durable: 5, ..EXPECTED };
    let (end, ids) = recovered(&disk, &later);
    assert_eq!((end.unwrap().next_sequence, ids), (5, vec![4]));
    // Between two operations of one batch there is no position.
    let two = [Op::Delete { id: IdRef::Number(5) }, Op::Delete { id: IdRef::Number(6) }];
    wal.append(&[&Frame::encode(&two, SHAPE, None).unwrap()]).unwrap();
    assert_eq!(
        recovered(&disk, &Expected { first_sequence: 6, ..later }).0.unwrap_err().code(),
        "wal-damaged"
    );
}

#[test]
fn a_batch_that_is_cut_anywhere_is_not_applied() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    append(&mut wal, &[0, 1]);
    let before = wal.bytes();
    append(&mut wal, &[2]);
    for length in (before..wal.bytes()).rev() {
        open(&disk, "wal-0").set_length(length).unwrap();
        let (end, ids) = recovered(&disk, &EXPECTED);
        assert_eq!((end.unwrap().next_sequence, ids), (2, vec![0, 1]), "{length}");
    }
    open(&disk, "wal-0").set_length(before).unwrap();
    assert!(!recovered(&disk, &EXPECTED).0.unwrap().torn);
}

#[test]
fn frames_behind_a_torn_one_are_void() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..2);
    let torn = wal.bytes().next_multiple_of(BLOCK);
    append(&mut wal, &[2, 3]);
    append(&mut wal, &[4]);
    flip(&disk, "wal-0", torn + 80);
    let (end, ids) = recovered(&disk, &EXPECTED);
    let end = end.unwrap();
    assert_eq!((end.next_sequence, end.torn, ids), (2, true, vec![0, 1]));
    // They stay so when the writer has gone on.
    let mut next = go_on(&disk, &EXPECTED);
    write(&mut next, 5..7);
    let (end, ids) = recovered(&disk, &EXPECTED);
    assert_eq!((end.unwrap().next_sequence, ids), (4, vec![0, 1, 5, 6]));
}

#[test]
fn damage_before_what_was_synced_is_told() {
    let offsets = |bytes: u64| [0, 30, 70, bytes - 1];
    for synced_after in [2, 3] {
        let disk = Disk::empty();
        let mut wal = begin(&disk, 1, 0, 0);
        write(&mut wal, 0..1);
        let at = START + BLOCK;
        write(&mut wal, 1..synced_after);
        append(&mut wal, &[7]);
        for offset in offsets(put(1).length()) {
            let state = disk.state();
            let wrong = Disk::of(&state);
            flip(&wrong, "wal-0", at + offset);
            let (end, ids) = recovered(&wrong, &EXPECTED);
            assert_eq!(damage(end), (1, START + put(0).length(), 1));
            assert_eq!(ids, [0], "the rows before it are there");
            let blind = with(Some(Fault::NoLookingOn), || recovered(&wrong, &EXPECTED).0);
            assert!(blind.is_ok(), "this fault is noticed above");
        }
    }
}

#[test]
fn zeros_in_the_middle_are_damage() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..5);
    open(&disk, "wal-0").write_at(&[0; BLOCK as usize], START + 2 * BLOCK).unwrap();
    let (end, ids) = recovered(&disk, &EXPECTED);
    assert_eq!((damage(end).2, ids), (2, vec![0, 1]));
}

#[test]
fn what_the_manifest_knows_to_be_synced_is_missed() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    assert!(recovered(&disk, &Expected { durable: 3, ..EXPECTED }).0.is_ok());
    flip(&disk, "wal-0", wal.bytes() - 1);
    // Nothing else was written after the last batch, so only the manifest can know.
    assert_eq!(recovered(&disk, &EXPECTED).0.unwrap().next_sequence, 2);
    let (end, ids) = recovered(&disk, &Expected { durable: 3, ..EXPECTED });
    assert_eq!((damage(end).2, ids), (2, vec![0, 1]));
}

#[test]
fn a_log_that_ends_before_its_successor_begins_is_damage() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..2);
    let border = wal.bytes();
    write(&mut wal, 2..3);
    let second = roll(&disk, &wal, 1);
    assert_eq!(recovered(&disk, &EXPECTED).0.unwrap().logs, [1, 2]);
    // Cut exactly behind a frame; then all of it.
    for (length, count) in [(border, 2), (START, 0)] {
        open(&disk, "wal-0").set_length(length).unwrap();
        let (end, ids) = recovered(&disk, &EXPECTED);
        assert_eq!(
            (damage(end), ids.len()),
            ((1, if count == 0 { START } else { border }, count), count as usize)
        );
    }
    assert_eq!(second.next_sequence(), 3);
}

/// The log is that of another time: its frames are right, but the next log goes on from others.
#[test]
fn a_log_that_was_replaced_is_damage() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    let mut second = roll(&disk, &wal, 1);
    write(&mut second, 3..4);
    let other = Disk::empty();
    let mut wal = begin(&other, 1, 0, 0);
    write(&mut wal, 10..13);
    let replaced = other.state().read(Path::new("wal-0")).unwrap().to_vec();
    open(&disk, "wal-0").write_at(&replaced, 0).unwrap();
    assert_eq!(damage(recovered(&disk, &EXPECTED).0).2, 3);
    let blind = with(Some(Fault::NoChain), || recovered(&disk, &EXPECTED).0);
    assert!(blind.is_ok(), "this fault is noticed above");
}

#[test]
fn a_damaged_header_of_a_log_is_told() {
    let disk = Disk::empty();
    let mut first = begin(&disk, 1, 0, 0);
    write(&mut first, 0..2);
    let mut second = roll(&disk, &first, 1);
    write(&mut second, 2..4);
    let mut third = roll(&disk, &second, 1);
    write(&mut third, 4..6);
    for (slot, count) in [("wal-0", 0), ("wal-1", 2), ("wal-2", 4)] {
        let wrong = Disk::of(&disk.state());
        flip(&wrong, slot, 20);
        let (end, ids) = recovered(&wrong, &EXPECTED);
        assert_eq!((damage(end).2, ids.len()), (count, count as usize), "{slot}");
    }
    // A log that nothing was written to is no loss.
    let empty = roll(&disk, &third, 1);
    flip(&disk, "wal-3", 20);
    let end = recovered(&disk, &EXPECTED).0.unwrap();
    assert_eq!((end.next_sequence, end.logs), (6, vec![1, 2, 3]));
    assert!(end.next_log > empty.number(), "its number is not used again");
}

#[test]
fn a_missing_log_and_one_that_is_there_twice_are_told() {
    let disk = Disk::empty();
    let mut first = begin(&disk, 1, 0, 0);
    write(&mut first, 0..2);
    let mut second = roll(&disk, &first, 1);
    write(&mut second, 2..4);
    for (slot, count) in [("wal-0", 0), ("wal-1", 2)] {
        let wrong = Disk::of(&disk.state());
        now(wrong.remove(Path::new(slot))).unwrap();
        let (end, ids) = recovered(&wrong, &Expected { durable: 4, ..EXPECTED });
        assert_eq!((damage(end).2, ids.len()), (count, count as usize), "{slot}");
    }
    let bytes = disk.state().read(Path::new("wal-1")).unwrap().to_vec();
    now(disk.open(Path::new("wal-7"), Access::Create)).unwrap().write_at(&bytes, 0).unwrap();
    assert_eq!(recovered(&disk, &EXPECTED).0.unwrap_err().code(), "wal-damaged");
}

#[test]
fn recovery_never_appends_to_an_old_log() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    for round in 1..4 {
        write(&mut wal, round * 10..round * 10 + 2);
        // Torn.
        append(&mut wal, &[99]);
        let name = format!("wal-{}", round - 1);
        open(&disk, &name).set_length(wal.bytes() - 8).unwrap();
        let old = begin_needing(&disk, wal.number(), wal.next_sequence(), wal.last_sum(), 1);
        assert_eq!(old.err().unwrap().code(), "internal");
        wal = go_on(&disk, &EXPECTED);
        assert_eq!(wal.number(), round + 1);
    }
    write(&mut wal, 40..41);
    assert_eq!(recovered(&disk, &EXPECTED).1, [10, 11, 20, 21, 30, 31, 40]);
}

#[test]
fn a_hundred_recoveries_write_nothing() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    append(&mut wal, &[3, 4]);
    flip(&disk, "wal-0", wal.bytes() - put(4).length());
    let again = Disk::of(&disk.state());
    let first = recovered(&again, &EXPECTED);
    for _ in 0..100 {
        let (end, ids) = recovered(&again, &EXPECTED);
        assert_eq!((end.unwrap(), &ids), (first.0.as_ref().unwrap().clone(), &first.1));
    }
    assert_eq!(again.history().len(), 1, "no operation has changed anything");
    assert!(again.state().all() == disk.state().all());
}

#[test]
fn other_files_are_nothing_to_the_log() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    let log = disk.state().read(Path::new("wal-0")).unwrap().to_vec();
    for name in ["wal-", "wal-00", "wal-01", "wal-x", "wal-4294967296", "wal-0.tmp", "WAL-1", "seg-3"] {
        now(disk.open(Path::new(name), Access::Create)).unwrap().write_at(&log, 0).unwrap();
    }
    now(disk.create_folder(Path::new("wal-1"))).unwrap();
    // The log of another collection, which is not written over either.
    let foreign = LogHead { collection: [1; 16], number: 5, first_sequence: 0, before: 0, shape: SHAPE };
    now(disk.open(Path::new("wal-2"), Access::Create)).unwrap().write_at(&foreign.encode(), 0).unwrap();
    now(disk.open(Path::new("wal-3"), Access::Create)).unwrap();
    assert_eq!(recovered(&disk, &EXPECTED).1, [0, 1, 2]);
    let mut next = go_on(&disk, &EXPECTED);
    write(&mut next, 3..4);
    assert_eq!(recovered(&disk, &EXPECTED).1, [0, 1, 2, 3]);
    assert!(disk.state().read(Path::new("wal-2")).unwrap().starts_with(&foreign.encode()));
    assert!(
        disk.state().read(Path::new("wal-3")).unwrap().len() as u64 == PREALLOCATED,
        "an empty slot is used"
    );
    let other = Expected { shape: Shape { dim: 4, text_ids: false }, ..EXPECTED };
    assert_eq!(recovered(&disk, &other).0.unwrap_err().code(), "corrupt");
}

#[test]
fn an_error_of_the_applier_ends_recovery() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..3);
    let mut count = 0;
    let end = recover(&disk, here(), &EXPECTED, &mut |_| {
        count += 1;
        if count == 2 { Err(Error::Cancelled) } else { Ok(()) }
    });
    assert_eq!((end.unwrap_err().code(), count), ("cancelled", 2));
}

#[test]
fn a_repair_goes_on_before_the_damage_and_keeps_a_copy() {
    let disk = Disk::empty();
    let mut wal = begin(&disk, 1, 0, 0);
    write(&mut wal, 0..4);
    let mut second = roll(&disk, &wal, 1);
    write(&mut second, 4..6);
    flip(&disk, "wal-0", START + 2 * BLOCK);
    let before = disk.state();
    let fix = |disk: &Disk| {
        let mut ids = Vec::new();
        let (end, kept) = repair(disk, here(), &EXPECTED, &mut |batch| {
            ids.extend(batch.ops().map(|op| id_of(&op)));
            Ok(())
        })
        .unwrap();
        (end, kept, ids)
    };
    let (end, kept, ids) = fix(&disk);
    assert_eq!((end.next_sequence, end.next_log, ids), (2, 3, vec![0, 1]));
    assert_eq!(kept, ["damaged-wal-0-0", "damaged-wal-1-0"]);
    for (copy, slot) in [("damaged-wal-0-0", "wal-0"), ("damaged-wal-1-0", "wal-1")] {
        for state in [&before, &disk.state()] {
            assert!(disk.state().read(Path::new(copy)) == state.read(Path::new(slot)), "{copy}");
        }
    }
    // Again there is nothing more to copy.
    let all = names(&disk);
    assert_eq!(fix(&disk).1, kept);
    assert_eq!(names(&disk), all);
    // Until a log is begun, recovery refuses as before; then it finds the repaired log, and what was lost stays so.
    assert_eq!(damage(recovered(&disk, &EXPECTED).0).2, 2);
    let mut next = begin_needing(&disk, end.next_log, end.next_sequence, end.last_sum, 1).unwrap();
    write(&mut next, 20..23);
    let (again, ids) = recovered(&disk, &EXPECTED);
    assert_eq!((again.unwrap().logs, ids), (vec![1, 3], vec![0, 1, 20, 21, 22]));
    // Where nothing is damaged, nothing is copied.
    assert!(fix(&disk).1.is_empty());
}

#[test]
fn the_logs_of_a_folder_are_told() {
    let disk = Disk::empty();
    assert_eq!(wal_info(&disk, "").unwrap(), WalInfo::default());
    let mut wal = begin(&disk, 4, 10, 77);
    write(&mut wal, 0..3);
    append(&mut roll(&disk, &wal, 1), &[3, 4]);
    let told = wal_info(&disk, "").unwrap();
    let wanted = WalInfo { logs: vec![4, 5], first_sequence: 10, next_sequence: 15, batches: 5, torn: false };
    assert_eq!(told, wanted);
    flip(&disk, "wal-0", START);
    assert_eq!(damage(wal_info(&disk, "")), (4, START, 0));
}
