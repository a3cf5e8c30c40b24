//! Rules that the units of an index keep together: the complete check names each that is broken, though all checksums are
//! right.

use super::model::{FILE_ID, Opened, field, file_of, keys, terms};
use crate::hash::hash;
use crate::payload::{Column, FieldType, Point};
use crate::segment::file_seed;
use crate::segment::payload::encode::EncodedPayload;
use crate::segment::payload::{IndexHead, PayloadField, SEEDS, encode};
use crate::segment::sets::{Place, encode_positions};
use crate::storage::checksum::sum_at;
use std::collections::{BTreeMap, BTreeSet};

const ROWS: u32 = 4_000;

/// A field of terms with large sets, one of keys with buckets, one of points; not all rows have a value.
fn encoded() -> EncodedPayload {
    let of = |from: u32| (from..ROWS).step_by(9).collect::<BTreeSet<u32>>();
    let texts: BTreeMap<String, _> = (0..6).map(|i| (format!("term {i}"), of(i))).collect();
    let rows: Vec<u32> = (0..ROWS).filter(|&row| !hash(row.into()).is_multiple_of(8)).collect();
    let numbers: BTreeMap<u64, _> =
        (0..rows.len()).map(|i| (i as u64 * 3, BTreeSet::from([rows[i * 7 % rows.len()]]))).collect();
    let points = rows.iter().map(|&row| (Point { lat: row as i32, lon: 7 }, row)).collect();
    let fields = vec![
        field("near", FieldType::Geo, Column::Points(points)),
        field("number", FieldType::Integer, keys(&numbers)),
        field("text", FieldType::Keyword, terms(&texts)),
    ];
    encode(fields, ROWS as usize, file_seed(&FILE_ID)).unwrap()
}

/// Puts other bytes of the same length in place of a unit, and its checksum where the old one is: in the head.
fn put(payload: &mut EncodedPayload, section: usize, unit: usize, bytes: &[u8]) {
    let pieces =
        [&mut payload.terms, &mut payload.sets, &mut payload.sorted].into_iter().nth(section).unwrap();
    let offset = pieces[..unit].iter().map(|piece| piece.len() as u64).sum();
    let sum =
        |bytes: &[u8]| (sum_at(file_seed(&FILE_ID) ^ SEEDS[section], offset, bytes) as u32).to_le_bytes();
    let (old, new) = (sum(&pieces[unit]), sum(bytes));
    assert_eq!(pieces[unit].len(), bytes.len(), "of the same length");
    pieces[unit] = bytes.to_vec();
    let at = payload.head.windows(4).position(|window| window == old).unwrap();
    payload.head[at..at + 4].copy_from_slice(&new);
}

/// What the complete check says of the field that is changed in a right head.
fn said(name: &str, change: impl FnOnce(&mut PayloadField)) -> String {
    let file = file_of(encoded(), ROWS as usize);
    let mut opened = Opened::new(&file).unwrap();
    opened.verify().unwrap();
    let payload = opened.segment.payload.as_mut().unwrap();
    let at = payload.field(name).unwrap();
    change(&mut payload.fields[at]);
    opened.verify().unwrap_err().to_string()
}

fn assert_says(said: &str, rule: &str) {
    assert!(said.contains(rule), "{said:?}, not {rule:?}");
}

#[test]
fn of_the_head() {
    for name in ["near", "number", "text"] {
        assert_says(&said(name, |field| field.rows += 1), "its set of rows");
    }
    assert_says(&said("text", |field| field.values += 1), "another number of terms or values");
    let of_terms = |field: &mut PayloadField| {
        if let IndexHead::Terms(head) = &mut field.index {
            head.terms += 1;
        }
    };
    assert_says(&said("text", of_terms), "another number of terms or values");
    let buckets = |field: &mut PayloadField| {
        if let IndexHead::Sorted(head) = &mut field.index {
            head.buckets.swap(0, 1);
        }
    };
    assert_says(&said("number", buckets), "bucket");
}

#[test]
fn of_sets() {
    let right = encoded();
    let places: Vec<u64> =
        right.sets.iter().scan(0, |at, set| Some(std::mem::replace(at, *at + set.len() as u64))).collect();
    // Of points their rows, of numbers the buckets and their rows, then of texts.
    let buckets = right.sets.len() - 1 - 1 - 6 - 1;
    assert!(buckets > 1);
    let file_seed = file_seed(&FILE_ID);
    for (unit, rule) in [(0, "other rows"), (1, "bucket"), (buckets, "bucket"), (buckets + 1, "other rows")] {
        let mut payload = encoded();
        let place = Place { file_seed, offset: places[unit] };
        let mut words = vec![0u64; ROWS as usize / 64 + 1];
        crate::segment::sets::add(&payload.sets[unit], ROWS as usize, place, &mut words).unwrap();
        let has = |row: u32| words[row as usize / 64] >> (row % 64) & 1 == 1;
        // One row gives its place to the next one, which the set does not have.
        let pairs = (1..ROWS).map(|row| (row - 1, row)).filter(|&(a, b)| has(a) && !has(b));
        let mut sets = pairs.map(|(gone, new)| {
            let mut other = (0..ROWS).filter(|&row| row == new || has(row) && row != gone);
            encode_positions(&mut other, ROWS as usize, place)
        });
        let set = sets.find(|set| set.len() == payload.sets[unit].len()).unwrap();
        put(&mut payload, 1, unit, &set);
        let file = file_of(payload, ROWS as usize);
        assert_says(&Opened::new(&file).unwrap().verify().unwrap_err().to_string(), rule);
    }
}

#[test]
fn of_blocks() {
    let right = encoded();
    let values = right_values();
    // The greatest key is that of the last pair; the first key of a block is in the head.
    let last = |block: &[u8]| {
        let (width, count) = (usize::from(block[1]), values % 1024);
        let bit = (count - 1) * width;
        (2 + bit / 8, 1 << (bit % 8))
    };
    let units = right.sorted.len();
    for (unit, change) in [(units - 1, None), (units - 2, Some((2, 1)))] {
        let mut payload = encoded();
        let mut block = right.sorted[unit].clone();
        let (at, bit) = change.unwrap_or_else(|| last(&block));
        block[at] ^= bit;
        put(&mut payload, 2, unit, &block);
        let file = file_of(payload, ROWS as usize);
        let said = Opened::new(&file).unwrap().verify().unwrap_err().to_string();
        let rules = ["a key or a row that may not be here", "greatest key", "begin with its key"];
        assert!(rules.iter().any(|rule| said.contains(rule)), "{said}");
        assert_eq!(said.contains("begin with its key"), change.is_some(), "{said}");
    }
}

/// Values of the field of keys.
fn right_values() -> usize {
    (0..ROWS).filter(|&row| !hash(row.into()).is_multiple_of(8)).count()
}
