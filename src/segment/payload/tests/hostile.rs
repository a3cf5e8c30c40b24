//! Bytes that were changed: an error or the same answer where checksums are compared; where they are not, an error or an
//! answer in bounded time.

use super::model::{Opened, Random, field, file, keys, terms};
use crate::error::Error;
use crate::payload::{Area, Column, FieldColumn, FieldKind, FieldType, NotIndexed, Point};
use crate::segment::payload::{IndexHead, PayloadHead, extents};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const ROWS: u32 = 3_000;

/// Every kind of index, with blocks in the head and outside it, sets beside their terms and outside.
fn every_kind() -> Vec<u8> {
    let mut random = Random(23);
    let rows: BTreeSet<u32> = (0..ROWS).collect();
    let some = |random: &mut Random, one_in: u64| -> BTreeSet<u32> {
        rows.iter().copied().filter(|_| random.below(one_in) == 0).collect()
    };
    let few =
        BTreeMap::from([("a".to_owned(), some(&mut random, 2)), ("b".to_owned(), some(&mut random, 900))]);
    let mut many: BTreeMap<String, BTreeSet<u32>> =
        (0..900).map(|i| (format!("the text {i}"), some(&mut random, 700))).collect();
    many.retain(|_, rows| !rows.is_empty());
    many.insert("zz".to_owned(), some(&mut random, 3));
    let mut numbers: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    for &row in &rows {
        numbers.entry(random.below(500) << 20).or_default().insert(row);
    }
    let points: Vec<_> = rows
        .iter()
        .map(|&row| {
            let [lat, lon] = [0; 2].map(|_| random.below(1_000_000) as i32);
            (Point { lat, lon }, row)
        })
        .collect();
    let stored =
        FieldColumn { name: "long".into(), kind: FieldKind::Stored(NotIndexed::Long), column: Column::None };
    let points = Column::Points(points);
    let fields = vec![
        field("few", FieldType::Keyword, terms(&few)),
        field("many", FieldType::Keyword, terms(&many)),
        field("number", FieldType::Integer, keys(&numbers)),
        field("near", FieldType::Geo, points),
        stored,
    ];
    file(fields, ROWS as usize)
}

/// An answer to each kind of query of each field, and how many values were read for them.
fn everything(opened: &Opened<'_>) -> Result<(Vec<Vec<u32>>, usize), Error> {
    let (mut answers, mut values) = (Vec::new(), 0);
    for of in &opened.head().fields {
        let name = &*of.name;
        opened.present(name)?;
        match &of.index {
            IndexHead::Terms(head) => {
                let all = opened.all_terms(name)?;
                values += all.len();
                for text in ["", "a", "the text 77", "zz", "zzz"] {
                    answers.push(opened.term(name, text)?.map_or(Vec::new(), |(_, rows)| rows));
                }
                answers.push(vec![head.terms]);
                answers.extend(all.into_values().map(|rows| rows.into_iter().collect()));
            }
            IndexHead::Sorted(_) => {
                let all = opened.pairs(name)?;
                values += all.len();
                answers.push(all.into_iter().map(|(key, row)| row ^ key as u32).collect());
                for (low, high) in [(0, u64::MAX), (100 << 20, 107 << 20), (60 << 20, 480 << 20), (9, 3)] {
                    answers.push(opened.range(name, low, high)?.0);
                }
            }
            IndexHead::Geo(head) => {
                let everywhere = Area::Box { south: -900_000_000, west: 1, north: 900_000_000, east: 0 };
                let here = Area::Box { south: 1000, west: 2000, north: 300_000, east: 700_000 };
                for area in [everywhere, here, Area::Radius { center: Point { lat: 0, lon: 0 }, meters: 9e3 }]
                {
                    answers.push(opened.area(name, &area)?.0);
                }
                values += head.blocks();
            }
            IndexHead::None => {}
        }
    }
    Ok((answers, values))
}

/// Where the four sections are.
fn sections(file: &[u8]) -> Vec<Range<usize>> {
    let header = Opened::new(file).unwrap().segment.header;
    let four = header.sections.iter().filter(|s| [7, 28, 29, 31].contains(&(s.kind as u32)));
    let four: Vec<_> = four.map(|s| s.extent.offset as usize..s.extent.end() as usize).collect();
    assert_eq!(four.len(), 4);
    four
}

#[test]
fn every_flipped_bit_is_found_where_sums_are_compared() {
    let file = every_kind();
    let right = everything(&Opened::new(&file).unwrap()).unwrap();
    let (mut random, mut found) = (Random(29), 0);
    let bytes: Vec<usize> = sections(&file).into_iter().flatten().collect();
    for at in bytes.into_iter().step_by(7) {
        let mut changed = file.clone();
        changed[at] ^= 1 << random.below(8);
        match Opened::new(&changed) {
            Err(error) => assert_eq!(error.code(), "checksum"),
            Ok(opened) => {
                // A query that does not read it has the same answer.
                match everything(&opened) {
                    Ok(answers) => assert!(answers == right, "byte {at}"),
                    Err(_) => found += 1,
                }
                assert!(opened.verify().is_err(), "byte {at}");
            }
        }
    }
    assert!(found > 1000, "{found} bytes are read by some query");
    for end in (0..file.len()).step_by(97) {
        assert!(Opened::new(&file[..end]).is_err());
    }
}

/// As of a mapped file, or by somebody who makes the checksums right again.
#[test]
fn changed_units_are_survived() {
    let file = every_kind();
    let mut random = Random(31);
    let [mut same, mut other, mut errors] = [0; 3];
    let right = everything(&Opened::new(&file).unwrap()).unwrap();
    let units: Vec<usize> = sections(&file).into_iter().skip(1).flatten().collect();
    for _ in 0..3_000 {
        let mut changed = file.clone();
        for _ in 0..1 + random.below(3) {
            change(&mut random, &mut changed, &units);
        }
        let mut opened = Opened::new(&changed).unwrap();
        opened.checked = false;
        match everything(&opened) {
            Ok(found) if found == right => same += 1,
            Ok((_, values)) => {
                assert!(values < 8 * file.len());
                other += 1;
            }
            Err(error) => {
                assert!(["corrupt", "checksum", "length"].contains(&error.code()), "{error}");
                errors += 1;
            }
        }
    }
    assert!(other > 100 && errors > 100, "{same} {other} {errors}");
}

#[test]
fn changed_heads_are_survived() {
    let file = every_kind();
    let mut random = Random(37);
    let [mut open, mut refused] = [0; 2];
    let place = sections(&file)[0].clone();
    let at: Vec<usize> = (0..place.len()).collect();
    let opened = Opened::new(&file).unwrap();
    let (sections, seed) = (extents(&opened.segment.header), opened.segment.seed);
    let decode = |head: &[u8]| PayloadHead::decode(head, sections, ROWS as usize, seed);
    for end in 0..place.len() {
        assert!(decode(&file[place.start..place.start + end]).is_err());
    }
    for _ in 0..4_000 {
        let mut head = file[place.clone()].to_vec();
        for _ in 0..1 + random.below(3) {
            change(&mut random, &mut head, &at);
        }
        match decode(&head) {
            Ok(head) => {
                let mut opened = Opened::new(&file).unwrap();
                opened.checked = false;
                opened.segment.payload = Some(head);
                if let Ok((_, values)) = everything(&opened) {
                    assert!(values < 8 * file.len());
                }
                let _ = opened.verify();
                open += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), "corrupt");
                refused += 1;
            }
        }
    }
    assert!(open > 500 && refused > 500, "{open} {refused}");
}

/// Changes a byte as somebody would who means harm.
fn change(random: &mut Random, bytes: &mut [u8], at: &[usize]) {
    let byte = &mut bytes[at[random.below(at.len() as u64) as usize]];
    *byte = match random.below(4) {
        0 => *byte ^ 1 << random.below(8),
        1 => byte.wrapping_add(1),
        2 => [0, 0x7F, 0x80, 0xFF][random.below(4) as usize],
        _ => random.next() as u8,
    };
}
