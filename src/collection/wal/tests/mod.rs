//! The log keeps its promises: `frames` its bytes, `rules` what recovery finds, `writer` what a failure leaves, `crash`
//! all of it on a disk that loses, tears and reorders what was not synced.

mod crash;
mod frames;
mod rules;
mod support;
mod writer;

use crate::id::IdRef;
use std::path::Path;

use super::*;
use crate::error::Error;
use crate::storage::{Access, Dir, DirFile};
use support::disk::{Disk, now};

const COLLECTION: [u8; 16] = *b"a collection, id";
const SHAPE: Shape = Shape { dim: 3, text_ids: false };
const PREALLOCATED: u64 = 32 << 10;
const EXPECTED: Expected =
    Expected { collection: COLLECTION, shape: SHAPE, first_log: 1, first_sequence: 0, durable: 0 };

fn here() -> &'static Path {
    Path::new("")
}

fn begin(dir: &dyn Dir, number: u64, first_sequence: u64, before: u64) -> Wal {
    begin_needing(dir, number, first_sequence, before, 1).unwrap()
}

fn begin_needing(
    dir: &dyn Dir,
    number: u64,
    first_sequence: u64,
    before: u64,
    oldest_needed: u64,
) -> Result<Wal, Error> {
    let head = LogHead { collection: COLLECTION, number, first_sequence, before, shape: SHAPE };
    Wal::begin(dir, here(), &head, PREALLOCATED, oldest_needed)
}

/// The log after this one.
fn roll(dir: &dyn Dir, wal: &Wal, oldest_needed: u64) -> Wal {
    begin_needing(dir, wal.number() + 1, wal.next_sequence(), wal.last_sum(), oldest_needed).unwrap()
}

fn put(id: u64) -> Frame {
    let op = Op::Put { id: IdRef::Number(id), vector: &[id as f32, 0.5, -1.0], fields: br#"{"a":1}"# };
    Frame::encode(&[op], SHAPE, Some(Request { client: 9, number: id })).unwrap()
}

fn append(wal: &mut Wal, ids: &[u64]) {
    let frames: Vec<Frame> = ids.iter().map(|&id| put(id)).collect();
    wal.append(&frames.iter().collect::<Vec<_>>()).unwrap();
}

/// Writes and syncs each of these alone.
fn write(wal: &mut Wal, ids: std::ops::Range<u64>) {
    for id in ids {
        append(wal, &[id]);
        wal.sync().unwrap();
    }
}

/// What recovery says, and the ids of the batches that it has applied.
fn recovered(dir: &dyn Dir, expected: &Expected) -> (Result<Recovered, Error>, Vec<u64>) {
    let mut ids = Vec::new();
    let end = recover(dir, here(), expected, &mut |batch| {
        ids.extend(batch.ops().map(|op| id_of(&op)));
        Ok(())
    });
    (end, ids)
}

fn id_of(op: &Op<'_>) -> u64 {
    match op {
        Op::Put { id: IdRef::Number(id), .. } | Op::Delete { id: IdRef::Number(id) } => *id,
        other => panic!("{other:?} has no number"),
    }
}

/// Goes on as a program does that was started again.
fn go_on(dir: &dyn Dir, expected: &Expected) -> Wal {
    let end = recovered(dir, expected).0.unwrap();
    begin_needing(dir, end.next_log, end.next_sequence, end.last_sum, expected.first_log).unwrap()
}

fn open(dir: &dyn Dir, name: &str) -> Box<dyn DirFile> {
    now(dir.open(Path::new(name), Access::Write)).unwrap()
}

fn flip(dir: &dyn Dir, name: &str, offset: u64) {
    let mut byte = [0];
    open(dir, name).read_at(&mut byte, offset).unwrap();
    open(dir, name).write_at(&[byte[0] ^ 0x10], offset).unwrap();
}

/// The log, the offset and the operations of an error that tells of damage.
fn damage<T>(found: Result<T, Error>) -> (u64, u64, u64) {
    match found {
        Err(Error::WalDamaged { log, offset, operations, .. }) => (log, offset, operations),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no damage was found"),
    }
}

fn names(dir: &Disk) -> Vec<String> {
    now(dir.list(here())).unwrap().into_iter().map(|entry| entry.name).collect()
}
