//! The target whose input are the files of a write-ahead log, each after its length.

use crate::support::data::Random;
use crate::support::log::{End, change, clear, delete, log, put, put_text};
use crate::{Target, Tell};
use pagevec::{Access, Dir, MemoryDir, wal_info};
use std::path::PathBuf;
use std::task::Poll;

/// The logs of a folder, read as recovery reads them.
pub const WAL: Target = Target { name: "wal", run, seeds, change: change_one };

/// The least bytes of a batch: a frame's header and one operation.
const LEAST: u64 = 72 + 16;
/// Slots of an input; what is longer is the last one's.
const SLOTS: usize = 4;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let start: End = (0, 0);
    let groups = [
        vec![vec![put(1, b"{\"a\":1}"), delete(2)], vec![put(3, b"")]],
        vec![vec![clear(), put(4, b"{}")]],
        vec![vec![delete(4)]],
    ];
    let (first, end) = log(1, start, false, &groups);
    let (second, end) = log(2, end, false, &groups[1..]);
    let (third, _) = log(3, end, false, &[]);
    let texts = [vec![vec![put_text("one", b"{\"b\":\"x\"}"), put_text("", b"")]], vec![vec![clear()]]];
    let (text, _) = log(9, (40, 5), true, &texts);
    vec![
        ("one".into(), join(std::slice::from_ref(&first))),
        ("three".into(), join(&[third, first.clone(), second.clone()])),
        ("text".into(), join(&[text])),
        ("new-slot".into(), join(&[first, vec![0; 4096], second])),
        ("none".into(), join(&[])),
    ]
}

fn join(slots: &[Vec<u8>]) -> Vec<u8> {
    slots.iter().flat_map(|slot| [&(slot.len() as u32).to_le_bytes()[..], slot].concat()).collect()
}

fn split(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut slots = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<4>().filter(|_| slots.len() < SLOTS) {
        let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
        let (slot, after) = rest.split_at(length);
        slots.push(slot.to_vec());
        input = after;
    }
    slots
}

fn change_one(input: &mut Vec<u8>, random: &mut Random) {
    let mut slots = split(input);
    if slots.is_empty() {
        return;
    }
    let one = random.below(slots.len());
    if random.below(24) == 0 {
        slots.remove(one);
    } else {
        change(&mut slots[one], random);
    }
    *input = join(&slots);
}

fn run(input: &[u8], tell: &mut Tell) {
    let dir = MemoryDir::default();
    for (number, slot) in split(input).into_iter().enumerate() {
        let Poll::Ready(Ok(mut file)) = dir.open(&PathBuf::from(format!("wal-{number}")), Access::Create)
        else {
            unreachable!("the folder is empty");
        };
        file.write_at(&slot, 0).expect("there is memory");
    }
    let info = wal_info(&dir, "");
    tell(info.as_ref().err());
    let Ok(info) = info else { return };
    assert!(info.batches * LEAST <= input.len() as u64, "{info:?} of {} bytes", input.len());
    assert!(info.next_sequence - info.first_sequence >= info.batches, "{info:?}");
    assert!(info.logs.is_sorted_by(|a, b| a < b), "{info:?}");
}
