//! Frames: what is written is read, and nothing else.

use super::super::frame::{FrameHead, HEAD};
use super::super::header::{HEADER, START};
use super::super::reader::Reader;
use super::support::data::Random;
use super::*;
use crate::id::IdRef;
use crate::storage::MemoryDir;
use xxhash_rust::xxh3::xxh3_64;

const SEED: u64 = 99;
/// Codes of two stages, of no multiple of 8 bytes.
const CODED: Codes<'_> = Codes { kinds: [2, 1, 0, 0], bytes: b"eleven of b" };

/// A frame at the start of a log, as a writer makes it.
fn bytes(body: &[u8], operations: u32) -> Vec<u8> {
    let head = FrameHead {
        body_length: body.len() as u32,
        first_sequence: 5,
        durable: 4,
        before: 3,
        operations,
        updates: false,
        unknown_flags: 0,
        request: Some(Request { client: 1, number: 2 }),
        body_sum: xxh3_64(body),
    };
    [&head.encode(SEED, START).0[..], body].concat()
}

/// Reads the frame at the start of a log that has these bytes there.
fn read(frame: &[u8]) -> Option<(FrameHead, Vec<u8>)> {
    let dir = MemoryDir::default();
    let mut file = now(dir.open(Path::new("log"), Access::Create)).unwrap();
    file.write_at(frame, START).unwrap();
    let mut reader = Reader::new(file).unwrap();
    let read = reader.next(SEED, START, 5, 3).unwrap()?;
    Some((read.head.clone(), read.body.to_vec()))
}

fn text<'a>(id: &'a str, vector: &'a [f32], fields: &'a [u8]) -> Op<'a> {
    Op::Put { id: IdRef::Text(id), vector, fields }
}

#[test]
fn every_operation_comes_back() {
    let vector = [1.5, -0.0, f32::MIN_POSITIVE];
    let long = "é".repeat(32_767);
    let numbers = [
        Op::Put { id: IdRef::Number(0), vector: &vector, fields: b"" },
        Op::Put { id: IdRef::Number((1 << 53) - 1), vector: &vector, fields: b"{\"a\":[1,2,3]}" },
        Op::Delete { id: IdRef::Number(7) },
        Op::Update { id: IdRef::Number(8), codes: CODED, fields: b"{\"a\":1}" },
        Op::Clear,
    ];
    let texts = [
        text("", &vector, b""),
        text("a", &vector, b"{}"),
        text(&long, &vector, b"{\"b\":\"\"}"),
        Op::Clear,
        Op::Delete { id: IdRef::Text("a longer id") },
        Op::Update { id: IdRef::Text("u"), codes: Codes { kinds: [0; 4], bytes: b"" }, fields: b"" },
        Op::Update { id: IdRef::Text(""), codes: CODED, fields: b"{}" },
    ];
    for (ops, text_ids) in [(&numbers[..], false), (&texts[..], true)] {
        let shape = Shape { dim: 3, text_ids };
        for count in 1..=ops.len() {
            let dir = MemoryDir::default();
            let request = (count % 2 == 0).then_some(Request { client: u64::MAX, number: 1 });
            let frame = Frame::encode(&ops[..count], shape, request).unwrap();
            assert_eq!(frame.length() % 8, 0);
            let head = LogHead { collection: COLLECTION, number: 1, first_sequence: 40, before: 0, shape };
            let mut wal = Wal::begin(&dir, here(), &head, PREALLOCATED, 1).unwrap();
            assert_eq!(wal.append(&[&frame, &frame]).unwrap(), 40 + 2 * count as u64);
            let expected = Expected { shape, first_sequence: 40, durable: 40, ..EXPECTED };
            let mut batches = 0;
            let end = recover(&dir, here(), &expected, &mut |batch| {
                assert_eq!(batch.ops().collect::<Vec<_>>(), ops[..count]);
                assert_eq!(batch.first_sequence, 40 + batches * count as u64);
                assert_eq!((batch.request, batch.len() as usize), (request, count));
                batches += 1;
                Ok(())
            });
            assert_eq!(end.unwrap().batches, 2);
        }
    }
}

#[test]
fn what_does_not_fit_the_collection_is_refused() {
    let vector = [1.0; 3];
    let texts = Shape { dim: 3, text_ids: true };
    let code = |ops: &[Op<'_>], shape| Frame::encode(ops, shape, None).unwrap_err().code();
    assert_eq!(code(&[], SHAPE), "argument");
    assert_eq!(
        code(&[Op::Put { id: IdRef::Number(1), vector: &vector[..2], fields: b"" }], SHAPE),
        "dimension"
    );
    assert_eq!(code(&[Op::Delete { id: IdRef::Number(1 << 53) }], SHAPE), "argument");
    assert_eq!(code(&[Op::Delete { id: IdRef::Text("a") }], SHAPE), "argument");
    assert_eq!(code(&[Op::Delete { id: IdRef::Number(1) }], texts), "argument");
    assert_eq!(code(&[Op::Delete { id: IdRef::Text(&"a".repeat(65_536)) }], texts), "argument");
}

#[test]
fn each_flipped_bit_and_each_cut_of_a_frame_is_found() {
    let ops: Vec<Op<'_>> = (0..5).map(|id| Op::Delete { id: IdRef::Number(id) }).collect();
    let frame = Frame::encode(&ops, SHAPE, None).unwrap();
    let right = bytes(&frame.body, 5);
    assert_eq!(read(&right).unwrap().1, frame.body);
    for bit in 0..8 * right.len() {
        let mut wrong = right.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&wrong).is_none(), "bit {bit}");
    }
    for length in 0..right.len() {
        assert!(read(&right[..length]).is_none(), "cut to {length}");
        let mut zeroed = right.clone();
        zeroed[length..].fill(0);
        assert!(zeroed == right || read(&zeroed).is_none(), "zeros from {length}");
    }
}

#[test]
fn each_flipped_bit_of_a_log_header_is_found() {
    let head = LogHead { collection: COLLECTION, number: 3, first_sequence: 4, before: 5, shape: SHAPE };
    let right = head.encode();
    assert_eq!(LogHead::decode(&right).unwrap(), Some(head));
    for bit in 0..8 * HEADER {
        let mut wrong = right;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(LogHead::decode(&wrong).unwrap().is_none(), "bit {bit}");
    }
}

#[test]
fn a_frame_is_one_of_its_log_and_its_place_only() {
    let right = bytes(&put(1).body, 1);
    let head = &right[..HEAD];
    assert!(FrameHead::decode(head, SEED, START).is_some());
    for (seed, offset) in [(SEED + 1, START), (SEED, START + 8), (SEED, START - 8), (SEED, 2 * START)] {
        assert!(FrameHead::decode(head, seed, offset).is_none(), "{seed} {offset}");
    }
}

/// Somebody has made the sums right. Whatever the bytes are, they are operations by the rules or none.
#[test]
fn bodies_that_somebody_made_up_are_operations_or_none() {
    let mut random = Random(4);
    let vector = [0.5; 3];
    let (mut good, mut bad) = (0, 0);
    for round in 0..20_000 {
        let text_ids = round % 2 == 0;
        let shape = Shape { dim: 3, text_ids };
        let id = if text_ids { IdRef::Text("abc") } else { IdRef::Number(7) };
        let put = Op::Put { id, vector: &vector, fields: b"{\"x\":1}" };
        let ops = [put, Op::Update { id, codes: CODED, fields: b"{}" }, Op::Delete { id }, Op::Clear];
        let mut body = Frame::encode(&ops, shape, None).unwrap().body;
        for _ in 0..random.below(3) {
            let at = random.below(body.len());
            body[at] = random.next() as u8;
        }
        if random.below(4) == 0 {
            body.truncate(random.below(body.len()) / 8 * 8);
        }
        let operations = 4 + (random.below(8) == 0) as u32;
        let dir = MemoryDir::default();
        let head = LogHead { collection: COLLECTION, number: 1, first_sequence: 0, before: 0, shape };
        let mut wal = Wal::begin(&dir, here(), &head, PREALLOCATED, 1).unwrap();
        let frame = Frame { body_sum: xxh3_64(&body), body, operations, updates: true, request: None };
        wal.append(&[&frame]).unwrap();
        let mut finite = true;
        let end = recover(&dir, here(), &Expected { shape, ..EXPECTED }, &mut |batch| {
            assert_eq!(batch.ops().count(), batch.len() as usize);
            for op in batch.ops() {
                if let Op::Put { vector, .. } = op {
                    finite &= vector.len() == 3 && vector.iter().all(|x| x.is_finite());
                }
            }
            Ok(())
        });
        assert!(finite);
        match end {
            Ok(end) => good += end.batches,
            Err(error) => {
                assert_eq!(error.code(), "wal-damaged");
                bad += 1;
            }
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} {bad}");
}
