//! A set of positions that goes through its bytes after every change is the set that Roaring holds after the same
//! changes, and the bytes of either are read by the other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::PositionSet;
use roaring::RoaringBitmap;
use support::code;
use support::data::Random;

/// Four whole chunks and a part of one.
const ROWS: usize = 300_001;
const FILE: [u8; 16] = *b"0123456789abcdef";
const OPERATIONS: usize = 1_000_000;

/// Some positions: anywhere, near each other, a run, or every other one of a run.
fn drawn(random: &mut Random) -> Vec<u32> {
    let count = 1 + random.below(8_000);
    let start = random.below(ROWS);
    let (within, step) = match random.below(4) {
        0 => (ROWS, None),
        1 => (20_000, None),
        2 => (count, Some(1)),
        _ => (2 * count, Some(2)),
    };
    let at = |i: usize, random: &mut Random| step.map_or_else(|| random.below(within), |step| i * step);
    (0..count).map(|i| ((start + at(i, random)) % ROWS) as u32).collect()
}

fn through_bytes(set: &PositionSet, offset: u64) -> PositionSet {
    PositionSet::decode(&set.encode(&FILE, offset), ROWS, &FILE, offset).unwrap()
}

fn through_roaring(set: &PositionSet) -> RoaringBitmap {
    let bytes = set.to_roaring().unwrap();
    assert_eq!(PositionSet::from_roaring(&bytes, ROWS).unwrap(), *set);
    RoaringBitmap::deserialize_from(&bytes[..]).unwrap()
}

#[test]
fn after_a_million_operations() {
    let mut random = Random(12);
    let mut ours = PositionSet::from_positions(ROWS, []).unwrap();
    let mut theirs = RoaringBitmap::new();
    let (mut operations, mut fullest) = (0, 0);
    for step in 0u64.. {
        let positions = drawn(&mut random);
        let other =
            through_bytes(&PositionSet::from_positions(ROWS, positions.iter().copied()).unwrap(), step);
        // The set grows for a while, then it shrinks.
        match (random.below(16), step / 100 % 2) {
            (0, _) => {
                let kept = other.complement().unwrap();
                theirs &= through_roaring(&kept);
                ours = ours.and(&kept).unwrap();
                operations += 1;
            }
            (1, _) => {
                theirs |= through_roaring(&other);
                ours = ours.or(&other).unwrap();
                operations += 1;
            }
            (2..12, 0) | (12.., 1) => {
                theirs.extend(positions.iter().copied());
                ours = ours.or(&other).unwrap();
                operations += positions.len();
            }
            _ => {
                positions.iter().for_each(|&position| _ = theirs.remove(position));
                ours = ours.and(&other.complement().unwrap()).unwrap();
                operations += positions.len();
            }
        }
        ours = through_bytes(&ours, step);
        assert_eq!(through_roaring(&ours), theirs, "step {step}");
        assert!(ours.iter().eq(theirs.iter()), "step {step}");
        assert_eq!((ours.len() as u64, ours.is_empty()), (theirs.len(), theirs.is_empty()));
        for _ in 0..1_000 {
            let position = random.below(ROWS + 10) as u32;
            assert_eq!(ours.contains(position), theirs.contains(position), "step {step}: {position}");
        }
        operations += 1_000;
        fullest = fullest.max(ours.len());
        if operations >= OPERATIONS {
            break;
        }
    }
    assert!(fullest > ROWS / 2, "at most {fullest} positions: the dense kinds were not reached");
}

#[test]
fn a_bitmap_of_other_rows_is_refused() {
    let bytes = |bitmap: RoaringBitmap| {
        let mut bytes = Vec::new();
        bitmap.serialize_into(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(code(&PositionSet::from_roaring(&bytes(RoaringBitmap::from([10])), 10)), "argument");
    assert!(PositionSet::from_roaring(&bytes(RoaringBitmap::from([9])), 10).is_ok());
    // All 2^32 positions take some bytes only, and no time.
    let mut all = RoaringBitmap::full();
    all.optimize();
    assert_eq!(code(&PositionSet::from_roaring(&bytes(all), ROWS)), "argument");
    let longer = [bytes(RoaringBitmap::from([9])), vec![0]].concat();
    assert_eq!(code(&PositionSet::from_roaring(&longer, 10)), "corrupt");
    assert_eq!(code(&PositionSet::from_positions(3, [0, 3])), "argument");
    assert_eq!(code(&PositionSet::from_positions(1 << 31, [])), "argument");
}

#[test]
fn damaged_bitmaps_give_an_error_or_positions_of_rows() {
    let mut random = Random(13);
    let positions = (0..50).map(|i| i * 3).chain(70_000..71_000).chain((131_072..150_000).step_by(2));
    let right = PositionSet::from_positions(ROWS, positions).unwrap().to_roaring().unwrap();
    (0..right.len()).for_each(|end| _ = PositionSet::from_roaring(&right[..end], ROWS).unwrap_err());
    let mut refused = 0;
    for _ in 0..5_000 {
        let mut bytes = right.clone();
        let at = if random.below(2) == 0 { random.below(60) } else { random.below(bytes.len()) };
        bytes[at] = random.next() as u8;
        match PositionSet::from_roaring(&bytes, ROWS) {
            Ok(set) => assert!(set.iter().is_sorted() && set.iter().all(|p| (p as usize) < ROWS)),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 500, "only {refused} were refused");
}
