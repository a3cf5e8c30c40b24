//! Wherever the power fails or the process is killed, every batch that was acknowledged is found, none is found in part,
//! and what is found is a beginning of what was written. The disk is simulated: what was not synced is lost, torn, or
//! happens in another order.
//!
//! `PAGEVEC_CRASH_IMAGES` is how many images to try, `PAGEVEC_CRASH_SEED` the first round. A failure prints its seed, its
//! round and the operations.

use super::super::planted::{Fault, planted, with};
use super::support::data::Random;
use super::support::disk::state::{LOSSES, Loss, State};
use super::*;
use crate::id::IdRef;

/// What the test tries, unless told.
const IMAGES: u64 = 40_000;
/// So many times in a row a program crashes and goes on.
const DEPTH: usize = 3;
/// Of so many images, one is gone on from.
const AGAIN: u64 = 149;
/// Short, so that logs are rolled and slots reused often.
const SHORT: u64 = 16 << 10;

/// A batch that was written: its first sequence, the sequence after it, and its bytes.
#[derive(Clone)]
struct Written {
    from: u64,
    to: u64,
    body: Vec<u8>,
}

/// What a program has done to the disk, by how many operations of the disk had been before.
#[derive(Clone)]
struct Program {
    written: Vec<Written>,
    /// Up to where batches were acknowledged.
    acknowledged: Vec<(usize, u64)>,
    /// The manifests that were committed; they never fail here.
    manifests: Vec<(usize, Expected)>,
}

impl Program {
    fn new() -> Self {
        let none = Expected { first_log: 0, ..EXPECTED };
        Program { written: Vec::new(), acknowledged: vec![(0, 0)], manifests: vec![(0, none)] }
    }

    fn manifest(&self, at: usize) -> Expected {
        self.manifests.iter().rev().find(|(when, _)| *when <= at).unwrap().1
    }

    fn acknowledged(&self, at: usize) -> u64 {
        self.acknowledged.iter().filter(|(when, _)| *when <= at).map(|(_, to)| *to).max().unwrap()
    }

    /// What recovery finds on a disk that was crashed after `at` operations, or what is wrong with it.
    fn check(&self, disk: &Disk, at: usize) -> Result<Recovered, String> {
        let (manifest, acknowledged) = (self.manifest(at), self.acknowledged(at));
        let mut left = self.written.iter().skip_while(|written| written.from < manifest.first_sequence);
        let mut wrong = None;
        let changes = disk.history().len();
        let found = recover(disk, here(), &manifest, &mut |batch| {
            let right = left.next().is_some_and(|written| {
                (written.from, &written.body[..]) == (batch.first_sequence, batch.body)
                    && written.to == written.from + u64::from(batch.len())
            });
            if !right {
                wrong.get_or_insert(format!("the batch at {} was not written", batch.first_sequence));
            }
            Ok(())
        });
        let found = found.map_err(|error| error.to_string())?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if disk.history().len() != changes {
            return Err("recovery writes".to_owned());
        }
        if found.next_sequence < acknowledged {
            return Err(format!("{} is found, {acknowledged} was acknowledged", found.next_sequence));
        }
        Ok(found)
    }

    /// The program that is started again and has found this.
    fn after(&self, found: &Recovered, at: usize) -> Self {
        let written = self.written.iter().take_while(|written| written.to <= found.next_sequence);
        Program {
            written: written.cloned().collect(),
            acknowledged: vec![(0, self.acknowledged(at))],
            manifests: vec![(0, self.manifest(at))],
        }
    }

    /// Goes on from what was found: a new log, groups, syncs, rolls, manifests.
    fn run(&mut self, disk: &Disk, found: &Recovered, random: &mut Random, steps: usize) {
        let begin = |number, first_sequence, before, oldest_needed| {
            let head = LogHead { collection: COLLECTION, number, first_sequence, before, shape: SHAPE };
            Wal::begin(disk, here(), &head, SHORT, oldest_needed).unwrap()
        };
        let now = || disk.operations().len();
        let first_log = self.manifest(0).first_log;
        let mut wal = begin(found.next_log, found.next_sequence, found.last_sum, first_log);
        // What was found was shown to somebody.
        self.acknowledged.push((now(), found.next_sequence));
        for _ in 0..steps {
            if random.below(6) == 0 || wal.room() < 4096 {
                if random.below(2) == 0 {
                    wal.sync().unwrap();
                }
                let oldest = self.manifest(usize::MAX).first_log;
                wal = begin(wal.number() + 1, wal.next_sequence(), wal.last_sum(), oldest);
                self.acknowledged.push((now(), wal.synced_sequence()));
                if random.below(2) == 0 {
                    let (first_log, first_sequence) = (wal.number(), wal.next_sequence());
                    let manifest =
                        Expected { first_log, first_sequence, durable: first_sequence, ..EXPECTED };
                    self.manifests.push((now(), manifest));
                }
            } else {
                let frames: Vec<Frame> = (0..1 + random.below(3)).map(|_| batch(random)).collect();
                let mut from = wal.next_sequence();
                for frame in &frames {
                    let to = from + u64::from(frame.operations);
                    self.written.push(Written { from, to, body: frame.body.clone() });
                    from = to;
                }
                wal.append(&frames.iter().collect::<Vec<_>>()).unwrap();
            }
            if planted(Fault::EarlyAck) {
                self.acknowledged.push((now(), wal.next_sequence()));
            }
            if random.below(3) > 0 {
                wal.sync().unwrap();
                self.acknowledged.push((now(), wal.synced_sequence()));
            }
            if random.below(9) == 0 {
                let last = self.manifest(usize::MAX);
                self.manifests.push((now(), Expected { durable: wal.synced_sequence(), ..last }));
            }
        }
    }
}

/// One to four operations, now and then long.
fn batch(random: &mut Random) -> Frame {
    let vector = random.vector(SHAPE.dim);
    let length = if random.below(20) == 0 { 9_000 } else { random.below(900) };
    let fields: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
    let op = |random: &mut Random| match random.below(8) {
        0 => Op::Clear,
        1 | 2 => Op::Delete { id: IdRef::Number(random.next() >> 11) },
        _ => Op::Put { id: IdRef::Number(random.next() >> 11), vector: &vector, fields: &fields },
    };
    let ops: Vec<Op<'_>> = (0..1 + random.below(4)).map(|_| op(random)).collect();
    Frame::encode(&ops, SHAPE, None).unwrap()
}

/// Crashes a program everywhere, and goes on from some of what is left. Counts the images, by depth.
fn crash(
    program: &Program,
    disk: &Disk,
    seed: u64,
    depth: usize,
    images: &mut [u64; DEPTH + 1],
) -> Result<(), String> {
    let history = disk.history();
    for (at, state) in &history {
        for (number, loss) in LOSSES.into_iter().enumerate() {
            let count = if matches!(loss, Loss::Nothing | Loss::Everything) { 1 } else { 2 };
            for image in 0..count {
                images[depth] += 1;
                let mut random = Random(seed ^ (*at as u64) << 20 ^ (number as u64) << 8 ^ image);
                let left = state.crash(loss, &mut random);
                let told = |what: String| {
                    let operations = &disk.operations()[..*at];
                    let unsynced = state.unsynced();
                    format!("{what}\nseed {seed}, {loss:?} of:\n{unsynced:#?}\nafter {operations:#?}")
                };
                let found = program.check(&Disk::of(&left), *at).map_err(told)?;
                if depth < DEPTH && random.next().is_multiple_of(AGAIN) {
                    go_on_from(program, &left, &found, *at, &mut random, depth, images).map_err(told)?;
                }
            }
        }
    }
    if depth < DEPTH {
        // The process is killed: what it has written is seen, and still not synced.
        let mut random = Random(seed);
        for _ in 0..2 {
            let (at, state) = &history[random.below(history.len())];
            let found = program.check(&Disk::of(state), *at)?;
            go_on_from(program, state, &found, *at, &mut random, depth, images)?;
        }
    }
    Ok(())
}

fn go_on_from(
    program: &Program,
    left: &State,
    found: &Recovered,
    at: usize,
    random: &mut Random,
    depth: usize,
    images: &mut [u64; DEPTH + 1],
) -> Result<(), String> {
    let disk = Disk::of(left);
    let mut again = program.after(found, at);
    let steps = 4 + random.below(8);
    again.run(&disk, found, random, steps);
    crash(&again, &disk, random.next(), depth + 1, images)
}

/// Tries at least so many images, from this round on; returns how many there were, by depth.
fn rounds(first: u64, wanted: u64) -> Result<[u64; DEPTH + 1], String> {
    let mut images = [0; DEPTH + 1];
    let mut round = first;
    while images.iter().sum::<u64>() < wanted {
        let mut random = Random(round);
        let disk = Disk::empty();
        let mut program = Program::new();
        let found = program.check(&disk, 0)?;
        program.run(&disk, &found, &mut random, 24);
        let told = |what| format!("PAGEVEC_CRASH_SEED={round}: {what}");
        crash(&program, &disk, random.next(), 0, &mut images).map_err(told)?;
        round += 1;
    }
    Ok(images)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
#[expect(clippy::print_stdout, reason = "a campaign is told by its figures")]
fn a_crash_loses_nothing_that_was_acknowledged() {
    let images = rounds(number("PAGEVEC_CRASH_SEED", 0), number("PAGEVEC_CRASH_IMAGES", IMAGES));
    let images = images.unwrap_or_else(|what| panic!("{what}"));
    println!("crash | write-ahead log, by how many crashes were before | {images:?}");
    assert!(images.iter().all(|count| *count > 1_000), "{images:?}");
}

/// What the test above would not notice it does not prove.
#[test]
fn each_planted_fault_is_noticed() {
    for fault in [Fault::NoSync, Fault::NoSyncOfLogsBefore, Fault::EarlyAck] {
        let noticed = with(Some(fault), || rounds(0, IMAGES)).is_err();
        assert!(noticed, "{fault:?} is not noticed");
    }
}
