//! What is found is what the maps have, whose values went through a file.

use super::model::{Opened, Random, field, file, keys, terms};
use crate::payload::{Area, Column, FieldColumn, FieldKind, FieldType, NotIndexed, Point};
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet};

/// Draws a key.
type Draw<'a> = &'a dyn Fn(&mut Random) -> u64;
type Map<K> = BTreeMap<K, BTreeSet<u32>>;

/// A map that gives each row up to `most` values, some rows none.
fn drawn<K: Ord>(rows: u32, most: u64, seed: u64, value: impl Fn(&mut Random) -> K) -> Map<K> {
    let (mut random, mut map) = (Random(seed), Map::new());
    for row in 0..rows {
        for _ in 0..random.below(most + 1) {
            map.entry(value(&mut random)).or_default().insert(row);
        }
    }
    map
}

fn word(random: &mut Random, of: u64) -> String {
    let number = random.below(of) * random.below(of) / of.max(1);
    let syllables = ["ä", "ka", "mo", "", "ti", "ß", "ru", "nel"];
    let text: String = (0..5).map(|i| syllables[(number >> (3 * i) & 7) as usize]).collect();
    format!("{text}{}", number % 3)
}

#[test]
fn terms_are_found_with_their_rows() {
    for (rows, most, of) in
        [(0, 1, 3), (1, 1, 1), (300, 1, 2), (5_000, 1, 60), (70_001, 3, 30_000), (2_000, 9, 90_000)]
    {
        let map = drawn(rows, most, 7, |random| word(random, of));
        let file = file(vec![field("tags", FieldType::Keyword, terms(&map))], rows as usize);
        let opened = Opened::new(&file).unwrap();
        opened.verify().unwrap();
        assert_eq!(opened.all_terms("tags").unwrap(), map, "{rows} rows");
        assert_eq!(opened.terms("tags").terms as usize, map.len());
        for (text, rows) in map.iter().step_by(1 + map.len() / 500) {
            let found = opened.term("tags", text).unwrap().unwrap();
            assert_eq!(found, (rows.len() as u32, rows.iter().copied().collect()), "{text}");
            for other in [format!("{text}x"), text[..0].to_owned(), format!("a{text}")] {
                assert_eq!(opened.term("tags", &other).unwrap().is_some(), map.contains_key(&other));
            }
        }
    }
}

#[test]
fn ranges_are_those_of_a_map() {
    let wide = |random: &mut Random| random.next();
    let narrow = |random: &mut Random| (1 << 63) + random.below(30) * random.below(30);
    let even = |random: &mut Random| crate::payload::key::of_float(random.below(4000) as f64 / 8.0);
    let draws: [(&str, Draw<'_>); 3] = [("wide", &wide), ("narrow", &narrow), ("even", &even)];
    for (rows, most) in [(0, 1), (1, 1), (900, 1), (3_000, 3), (40_000, 1), (40_000, 4)] {
        for (name, draw) in draws {
            let map = drawn(rows, most, 11, draw);
            let file = file(vec![field(name, FieldType::Float, keys(&map))], rows as usize);
            let opened = Opened::new(&file).unwrap();
            opened.verify().unwrap();
            let all = opened.pairs(name).unwrap();
            assert!(
                all.iter()
                    .copied()
                    .eq(map.iter().flat_map(|(&key, rows)| rows.iter().map(move |&r| (key, r))))
            );
            let known: Vec<u64> = map.keys().copied().collect();
            let mut random = Random(3);
            for query in 0..60 {
                let mut end = || match (random.below(3), known.len()) {
                    (0, 1..) => known[random.below(known.len() as u64) as usize],
                    (1, _) => draw(&mut random).wrapping_add(random.below(3)).wrapping_sub(1),
                    _ => [0, u64::MAX, 1 << 63][random.below(3) as usize],
                };
                let (a, b) = (end(), end());
                let (low, high) = if query % 9 == 0 { (a, a) } else { (a.min(b), a.max(b)) };
                let wanted: BTreeSet<u32> =
                    map.range(low..=high).flat_map(|(_, rows)| rows).copied().collect();
                let (found, _) = opened.range(name, low, high).unwrap();
                assert!(found.iter().eq(&wanted), "{name}, {rows} rows of {most}, {low}..={high}");
            }
            let backwards = opened.sorted(name).plan(9, 3);
            assert!(backwards.sets.is_empty() && backwards.blocks.is_empty() && !backwards.complement);
        }
    }
}

#[test]
fn areas_hold_their_points() {
    for (rows, most) in [(0, 1), (1, 1), (700, 2), (20_000, 1), (20_000, 3)] {
        let mut random = Random(5);
        let mut points: Vec<(Point, u32)> = Vec::new();
        for row in 0..rows {
            for _ in 0..random.below(most + 1) {
                let (lat, lon) = match random.below(4) {
                    0 => (
                        900_000_000 - random.below(90) as i32,
                        random.below(3_600_000_000) as i64 - 1_800_000_000,
                    ),
                    1 => (
                        480_000_000 + random.below(9_000_000) as i32,
                        110_000_000 + random.below(9_000_000) as i64,
                    ),
                    _ => (
                        random.below(1_800_000_001) as i64 as i32 - 900_000_000,
                        1_799_999_999 - random.below(1000) as i64,
                    ),
                };
                let point = (Point { lat, lon: lon as i32 }, row);
                if !points.contains(&point) || rows > 1000 {
                    points.push(point);
                }
            }
        }
        points.sort_unstable_by_key(|(point, row)| (point.lat, point.lon, *row));
        points.dedup();
        let file = file(vec![field("near", FieldType::Geo, Column::Points(points.clone()))], rows as usize);
        let opened = Opened::new(&file).unwrap();
        opened.verify().unwrap();
        let blocks = opened.geo("near").blocks();
        for query in 0..60u64 {
            let (lat, lon) = points
                .get((query * 331) as usize % points.len().max(1))
                .map_or((0, 0), |p| (p.0.lat, p.0.lon));
            let area = match query % 3 {
                0 => Area::Radius { center: Point { lat, lon }, meters: (1u64 << (query / 3 % 24)) as f64 },
                1 => Area::Box {
                    south: lat.saturating_sub(1 << 20),
                    west: lon - (1 << 21),
                    north: lat + (1 << 18),
                    east: lon,
                },
                _ => Area::Box {
                    south: -900_000_000,
                    west: 1_700_000_000,
                    north: lat,
                    east: -1_700_000_000 + query as i32,
                },
            };
            let wanted: BTreeSet<u32> =
                points.iter().filter(|(p, _)| area.contains(*p)).map(|p| p.1).collect();
            let (found, read) = opened.area("near", &area).unwrap();
            assert!(found.iter().eq(&wanted), "{rows} rows, {area:?}");
            assert!(read <= blocks);
        }
    }
}

#[test]
fn fields_say_what_they_are() {
    let rows = 2_000u32;
    let few = drawn(rows, 1, 1, |random| word(random, 3));
    let all: Map<u64> = (0..rows).map(|row| (u64::from(row) / 3, BTreeSet::from([row]))).collect();
    let all = (0..rows).fold(all, |mut map, row| {
        map.entry(u64::from(row) / 3).or_default().insert(row);
        map
    });
    let flags = BTreeMap::from([
        ("false".to_owned(), BTreeSet::from([1, 5])),
        ("true".to_owned(), BTreeSet::from([5])),
    ]);
    let stored =
        FieldColumn { name: "text".into(), kind: FieldKind::Stored(NotIndexed::Long), column: Column::None };
    let fields = vec![
        field("z", FieldType::Integer, keys(&all)),
        stored,
        field("few", FieldType::Keyword, terms(&few)),
        field("flags", FieldType::Boolean, terms(&flags)),
        field("none", FieldType::Geo, Column::Points(Vec::new())),
    ];
    let file = file(fields, rows as usize);
    let opened = Opened::new(&file).unwrap();
    opened.verify().unwrap();
    let head = opened.head();
    let told: Vec<_> = head
        .fields
        .iter()
        .map(|f| (&*f.name, f.kind, f.rows, f.values, f.values > f.rows.into(), f.present().is_some()))
        .collect();
    let has: BTreeSet<u32> = few.values().flatten().copied().collect();
    let indexed = FieldKind::Indexed;
    assert_eq!(
        told,
        [
            ("few", indexed(FieldType::Keyword), has.len() as u32, has.len() as u64, false, true),
            ("flags", indexed(FieldType::Boolean), 2, 3, true, true),
            ("none", indexed(FieldType::Geo), 0, 0, false, false),
            ("text", FieldKind::Stored(NotIndexed::Long), 0, 0, false, false),
            ("z", indexed(FieldType::Integer), rows, u64::from(rows), false, false),
        ]
    );
    assert_eq!([head.field("none"), head.field("zz"), head.field("")], [Some(2), None, None]);
    let beside = section(&file, 7) - head.fields.iter().map(|f| f.bytes[0]).sum::<u64>() as usize;
    assert!((4..=16).contains(&beside), "{beside}");
    for (number, kind) in [(1, 28), (2, 29), (3, 31)] {
        assert_eq!(head.fields.iter().map(|f| f.bytes[number]).sum::<u64>() as usize, section(&file, kind));
    }
    // A dictionary of few values is in the head.
    assert_eq!(head.fields[0].bytes[1], 0);
}

/// The length of the section of this kind.
fn section(file: &[u8], kind: u32) -> usize {
    let entry = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let found = (96..).step_by(40).find(|&at| entry(at) == kind).unwrap();
    u64::from_le_bytes(file[found + 16..found + 24].try_into().unwrap()) as usize
}

/// A million values are added and removed; every so often they go through a file, and what is found is what bitmaps of
/// another library have.
#[test]
fn after_a_million_operations() {
    const ROWS: u64 = 70_000;
    let mut random = Random(17);
    let (mut tags, mut numbers) =
        (BTreeMap::<String, RoaringBitmap>::new(), BTreeMap::<u64, RoaringBitmap>::new());
    let (mut operations, mut files) = (0, 0);
    while operations < 1_000_000 {
        for _ in 0..40_000 {
            let row = (random.below(ROWS) & random.below(ROWS)) as u32;
            let (tag, number) =
                (format!("t{}", random.below(900) * random.below(900) / 700), random.below(5000) << 40);
            if random.below(8) < 5 + 2 * (files / 6 % 2) - 1 {
                tags.entry(tag).or_default().insert(row);
                numbers.entry(number).or_default().insert(row);
            } else {
                tags.get_mut(&tag).map(|rows| rows.remove(row));
                numbers.get_mut(&number).map(|rows| rows.remove(row));
            }
            operations += 2;
        }
        tags.retain(|_, rows| !rows.is_empty());
        numbers.retain(|_, rows| !rows.is_empty());
        let texts = tags.iter().map(|(text, rows)| (text.clone(), rows.iter().collect())).collect();
        let pairs = numbers.iter().map(|(&key, rows)| (key, rows.iter().collect())).collect();
        let fields = vec![
            field("tags", FieldType::Keyword, terms(&texts)),
            field("numbers", FieldType::Integer, keys(&pairs)),
        ];
        let file = file(fields, ROWS as usize);
        let opened = Opened::new(&file).unwrap();
        opened.verify().unwrap();
        for (text, rows) in &tags {
            let (count, found) = opened.term("tags", text).unwrap().unwrap();
            assert!(rows.iter().eq(found) && u64::from(count) == rows.len(), "{text}");
        }
        for _ in 0..40 {
            let (a, b) = (random.below(5100) << 40, random.below(5100) << 40);
            let (low, high) = (a.min(b), a.max(b));
            let mut wanted = RoaringBitmap::new();
            numbers.range(low..=high).for_each(|(_, rows)| wanted |= rows);
            assert!(wanted.iter().eq(opened.range("numbers", low, high).unwrap().0), "{low}..={high}");
        }
        files += 1;
    }
}
