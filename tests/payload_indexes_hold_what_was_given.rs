//! FORMAT.md is enough to read payload indexes: a reader written from it alone finds in them the values that the rows were
//! given, each of them and no other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use pagevec::{CodecKind, Error, Id, Index, Metric};
use serde_json::Value;
use support::{data, format, indexes, payload};

const COUNT: usize = 3_000;

/// A value as the indexes have it: `None` of one that has none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Object(point) => {
            let units = |name: &str| (point[name].as_f64().unwrap() * 1e7).round() as i64;
            Some(format!("{}, {}", units("lat"), units("lon")))
        }
        Value::Null | Value::Array(_) => None,
    }
}

#[test]
fn by_a_second_reader() {
    let rows = payload::rows(COUNT, 91);
    let fields = pagevec::Fields::of(rows.iter().map(|row| serde_json::to_string(row).unwrap()));
    let options = support::options(Metric::L2, CodecKind::Sq8).graph(false).fields(fields);
    let file = support::file(&data::clustered(COUNT, 4, 92), 4, None, &options);
    let index = Index::from_bytes(&file).unwrap();
    let place = |row: usize| index.find(&Id::Number(row as u64)).unwrap().unwrap().position;
    let positions: Vec<u32> = (0..COUNT).map(place).collect();
    let mut compared = 0;
    for field in indexes::fields(&file).iter().filter(|field| field.kind > 0) {
        let mut wanted: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (row, &position) in rows.iter().zip(&positions) {
            let own = row.get(&field.name).unwrap_or(&Value::Null);
            let own = own.as_array().map_or(std::slice::from_ref(own), Vec::as_slice);
            for value in own.iter().filter_map(text) {
                let value = match (field.kind, value.parse::<f64>()) {
                    (3, Ok(number)) => number.to_string(),
                    (5, Err(_)) => continue,
                    _ => value,
                };
                wanted.entry(value).or_default().insert(position);
            }
        }
        let found = indexes::values(&file, field);
        let has: BTreeSet<u32> = found.values().flatten().copied().collect();
        assert_eq!(
            (has.len() as u64, found.values().map(BTreeSet::len).sum::<usize>() as u64),
            (field.rows, field.values)
        );
        if let Some(present) = &field.present {
            assert!(has.iter().eq(&indexes::set(&file, present)), "{}", field.name);
        }
        // Times are texts in the rows.
        if field.kind != 5 {
            assert_eq!(found, wanted, "{}", field.name);
            compared += 1;
        }
    }
    assert!(compared >= 4, "{compared} fields");
    let mut sealed = file.clone();
    format::seal(&mut sealed);
    assert!(sealed == file, "its sums are those of the file");
}

/// A byte of a unit that was changed, its sums right again: an error or an answer, and `verify` finds what breaks a rule.
#[test]
fn sums_are_made_right_again() {
    let (fields, schema) = support::indexed_fields(700);
    let options = support::options(Metric::L2, CodecKind::Sq8).graph(false).fields(fields).schema(schema);
    let file = support::file(&data::clustered(700, 4, 93), 4, None, &options);
    Index::from_bytes(&file).unwrap().verify().unwrap();
    let mut codes = BTreeMap::new();
    for unit in indexes::units(&file) {
        for at in unit.bytes.step_by(41) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            format::seal(&mut changed);
            let code = Index::from_bytes(&changed)
                .and_then(|index| index.verify())
                .err()
                .map_or("ok", |e: Error| e.code());
            *codes.entry(code).or_insert(0) += 1;
        }
    }
    assert!(codes.keys().all(|code| ["ok", "corrupt", "length", "checksum"].contains(code)), "{codes:?}");
    assert!(codes["corrupt"] > 100, "{codes:?}");
    // Sets have sums of their own, which are right again as well.
    assert!(codes.get("checksum").copied().unwrap_or(0) * 20 < codes["corrupt"], "{codes:?}");
}
