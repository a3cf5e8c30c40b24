//! A set of positions takes no more bytes than the smallest of its kinds, is read by FORMAT.md alone, and its bytes are
//! an error wherever one bit is changed; where somebody makes the checksums right again, they are an error or a set.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::PositionSet;
use std::collections::BTreeSet;
use support::code;
use support::data::Random;
use support::positions::{CHUNK, FILE, OFFSET, change, number, seal, small};

fn set(rows: usize, positions: &BTreeSet<u32>) -> PositionSet {
    PositionSet::from_positions(rows, positions.iter().copied()).unwrap()
}

fn decode(bytes: &[u8], rows: usize) -> Result<PositionSet, pagevec::Error> {
    PositionSet::decode(bytes, rows, &FILE, OFFSET)
}

fn drawn(rows: usize, one_in: usize, random: &mut Random) -> BTreeSet<u32> {
    (0..rows as u32).filter(|_| random.below(one_in) == 0).collect()
}

/// Sets with these rows: empty, full, of one position, in steps, in runs, at random.
fn sets(rows: usize, random: &mut Random) -> Vec<BTreeSet<u32>> {
    let all = || 0..rows as u32;
    let mut sets: Vec<BTreeSet<u32>> = vec![BTreeSet::new(), all().collect()];
    sets.extend([0, rows / 2, rows.saturating_sub(1)].map(|p| all().filter(|&q| q as usize == p).collect()));
    sets.extend([2, 3, 1_000].map(|step| all().step_by(step).collect()));
    sets.push(all().skip(1).step_by(2).collect());
    sets.extend([7, 900, 70_000].map(|run| all().filter(|&p| p / run % 2 == 1).collect()));
    sets.extend([2, 5, 17, 300, 20_000].map(|one_in| drawn(rows, one_in, random)));
    sets
}

#[test]
fn sets_come_back_and_are_small() {
    let mut random = Random(31);
    let around = [1, 2, 3].map(|chunks| chunks * CHUNK).into_iter().flat_map(|rows| rows - 1..=rows + 1);
    let mut kinds = [0; 3];
    for rows in [0, 1, 2, 7, 63, 64, 65, 127, 128, 129, 5_000].into_iter().chain(around).chain([200_003]) {
        for positions in sets(rows, &mut random) {
            let set = set(rows, &positions);
            let bytes = set.encode(&FILE, OFFSET);
            let back = decode(&bytes, rows).unwrap();
            assert!(back == set && back.iter().eq(positions.iter().copied()), "{rows} rows");
            assert_eq!((back.rows(), back.len()), (rows, positions.len()));
            assert_eq!(
                second_reading(&bytes, rows, &mut kinds),
                positions.iter().copied().collect::<Vec<_>>()
            );
            let chunks: BTreeSet<usize> = positions.iter().map(|&p| p as usize / CHUNK).collect();
            let least: usize = chunks.iter().map(|&chunk| smallest(chunk, rows, &positions)).sum();
            assert_eq!(bytes.len(), 12 + 16 * chunks.len() + least, "{rows} rows, {}", positions.len());
        }
    }
    assert!(kinds.iter().all(|&count| count > 30), "{kinds:?} chunks of each kind");
}

/// Bytes of the smallest kind of a chunk, computed from what FORMAT.md says of each.
fn smallest(chunk: usize, rows: usize, positions: &BTreeSet<u32>) -> usize {
    let start = chunk * CHUNK;
    let end = rows.min(start + CHUNK);
    let here: Vec<u32> = positions.range(start as u32..end as u32).copied().collect();
    let runs = 1 + here.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    let block = |block: &[u32]| {
        let most = block.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(0);
        let bits = (0..).find(|&bits| most < 1 << bits).unwrap();
        3 + ((block.len() - 1) * bits).div_ceil(8)
    };
    let gaps: usize = here.chunks(128).map(block).sum();
    gaps.min((end - start).div_ceil(8)).min(4 * runs)
}

fn bit(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at / 8] >> (at % 8) & 1)
}

/// The positions, by FORMAT.md alone; counts the chunks of each kind.
fn second_reading(bytes: &[u8], rows: usize, kinds: &mut [usize; 3]) -> Vec<u32> {
    let mut found = Vec::new();
    let chunks = number(&bytes[..4]);
    let mut at = 4 + 16 * chunks + 8;
    for entry in bytes[4..4 + 16 * chunks].chunks(16) {
        let (chunk, count, length) = (number(&entry[..2]), number(&entry[2..4]) + 1, number(&entry[4..6]));
        let start = chunk * CHUNK;
        let span = CHUNK.min(rows - start);
        let data = &bytes[at..at + length];
        at += length;
        kinds[usize::from(entry[6])] += 1;
        let here: Vec<usize> = match entry[6] {
            0 => read_gaps(data, count),
            1 => (0..span).filter(|&p| bit(data, p) == 1).collect(),
            _ => data
                .chunks(4)
                .flat_map(|run| number(&run[..2])..=number(&run[..2]) + number(&run[2..]))
                .collect(),
        };
        assert_eq!(here.len(), count);
        found.extend(here.into_iter().map(|p| (start + p) as u32));
    }
    assert_eq!(at, bytes.len());
    found
}

fn read_gaps(mut data: &[u8], count: usize) -> Vec<usize> {
    let mut found = Vec::new();
    while found.len() < count {
        let (mut position, bits) = (number(&data[..2]), usize::from(data[2]));
        data = &data[3..];
        found.push(position);
        let more = (count - found.len()).min(127);
        for gap in 0..more {
            position += 1 + (0..bits).map(|b| bit(data, gap * bits + b) << b).sum::<usize>();
            found.push(position);
        }
        data = &data[(more * bits).div_ceil(8)..];
    }
    assert!(data.is_empty());
    found
}

#[test]
fn every_flipped_bit_and_every_cut_is_an_error() {
    let (rows, right) = small();
    assert!(decode(&right, rows).is_ok());
    for at in 0..right.len() * 8 {
        let mut bytes = right.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let code = code(&decode(&bytes, rows));
        assert!(["checksum", "corrupt"].contains(&code), "bit {at}: {code}");
    }
    for end in 0..right.len() {
        let code = code(&decode(&right[..end], rows));
        assert!(["length", "corrupt"].contains(&code), "cut at {end}: {code}");
    }
    assert_eq!(code(&decode(&[&right[..], &[0]].concat(), rows)), "length");
    // The set of another file, of another place, of other rows.
    assert_eq!(code(&PositionSet::decode(&right, rows, &[0; 16], OFFSET)), "checksum");
    assert_eq!(code(&PositionSet::decode(&right, rows, &FILE, 0)), "checksum");
    assert_eq!(code(&decode(&right, rows - 1)), "corrupt");
    assert_eq!(code(&decode(&right, CHUNK)), "corrupt");
    assert_eq!(code(&decode(&right, 0)), "corrupt");
    assert_eq!(code(&decode(&right, 1 << 31)), "argument");
}

#[test]
fn hostile_sets_are_an_error_or_a_set() {
    let (rows, right) = small();
    let mut sealed = right.clone();
    seal(&mut sealed);
    assert_eq!(sealed, right, "the checksums are those of FORMAT.md");
    let mut random = Random(32);
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..60_000 {
        let mut bytes = right.clone();
        change(&mut bytes, &mut random);
        match decode(&bytes, rows) {
            Ok(set) => {
                assert!(set.iter().is_sorted() && set.iter().all(|p| (p as usize) < rows));
                assert_eq!(set.iter().count(), set.len());
                assert_eq!(decode(&set.encode(&FILE, OFFSET), rows).unwrap(), set);
                taken += 1;
            }
            Err(error) => {
                assert!(["corrupt", "length", "checksum"].contains(&error.code()), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 10_000 && taken > 1_000, "{refused} refused, {taken} taken");
}
