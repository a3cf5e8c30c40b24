//! What the fields of a type have to be for a condition: texts, or ranges of keys.

use super::field::{box_of, radius_of};
use super::{FieldTest, Operand};
use crate::payload::geo::Area;
use crate::payload::json::{Json, MAX_SAFE};
use crate::payload::program::Test;
use crate::payload::schema::FieldType;
use crate::payload::{key, time};
use crate::sort;
use std::ops::Bound;

/// A condition that does not fit a type.
pub(super) struct Misfit {
    /// The operator, as the end of a path.
    pub(super) part: &'static str,
    pub(super) detail: String,
    /// Whether it is wrong wherever the field has this type. Else no value of the type can match, though one of another
    /// type could.
    pub(super) is_wrong: bool,
}

/// Whether a condition fits a type.
pub(super) fn check(test: &FieldTest, of: FieldType) -> Result<(), Misfit> {
    match test {
        FieldTest::Exists => Ok(()),
        FieldTest::In(operands) => operands.iter().try_for_each(|operand| fits(operand, of, "")),
        FieldTest::Range { low, high } if !is_ordered(of) => Err(unordered([low, high], of)),
        FieldTest::Range { low, high } => {
            bounded(low, of, [".$gte", ".$gt"])?;
            bounded(high, of, [".$lte", ".$lt"])
        }
        FieldTest::Radius { .. } | FieldTest::Box { .. } => {
            let misfit = |detail: String, is_wrong| Err(Misfit { part: ".$geo", detail, is_wrong });
            match area_of(test) {
                Err(detail) => misfit(detail.to_owned(), true),
                Ok(_) if of == FieldType::Geo => Ok(()),
                Ok(_) => {
                    let name = of.name();
                    misfit(format!("the field is of type {name}: $geo takes fields of type geo"), false)
                }
            }
        }
    }
}

/// What a value of a type has to pass; `None` where none can.
pub(super) fn test_of(test: &FieldTest, of: FieldType) -> Option<Test> {
    match test {
        FieldTest::Exists => Some(Test::Exists),
        FieldTest::In(operands) if matches!(of, FieldType::Keyword | FieldType::Boolean) => {
            Some(terms(operands, of)).filter(|texts| !texts.is_empty()).map(Test::Terms)
        }
        FieldTest::In(operands) => {
            Some(keys(operands, of)).filter(|ranges| !ranges.is_empty()).map(Test::Keys)
        }
        FieldTest::Range { .. } if !is_ordered(of) => None,
        FieldTest::Range { low, high } => {
            let range = least(low, of).zip(most(high, of)).filter(|(low, high)| low <= high);
            range.map(|range| Test::Keys(vec![range]))
        }
        FieldTest::Radius { .. } | FieldTest::Box { .. } => area_of(test).ok().map(Test::Area),
    }
}

fn area_of(test: &FieldTest) -> Result<Area, &'static str> {
    match *test {
        FieldTest::Radius { lat, lon, meters } => radius_of(lat, lon, meters),
        FieldTest::Box { south, west, north, east } => box_of([south, west, north, east]),
        _ => Err("it is no area"),
    }
}

/// Texts, rising, each once.
fn terms(operands: &[Operand], of: FieldType) -> Vec<Box<str>> {
    let text = |operand: &Operand| match (operand, of) {
        (Operand::Text(text), FieldType::Keyword) => Some(text.as_str().into()),
        (Operand::Boolean(value), FieldType::Boolean) => Some(if *value { "true" } else { "false" }.into()),
        _ => None,
    };
    let mut texts: Vec<Box<str>> = operands.iter().filter_map(text).collect();
    sort::by(&mut texts, Ord::cmp);
    texts.dedup();
    texts
}

/// Ranges of keys, rising and apart.
fn keys(operands: &[Operand], of: FieldType) -> Vec<(u64, u64)> {
    let mut keys: Vec<u64> = operands.iter().filter_map(|operand| key_of(operand, of)).collect();
    keys.sort_unstable();
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for key in keys {
        match ranges.last_mut() {
            Some((_, last)) if key <= last.saturating_add(1) => *last = key,
            _ => ranges.push((key, key)),
        }
    }
    ranges
}

/// The key of the values that equal an operand; `None` where none can.
fn key_of(operand: &Operand, of: FieldType) -> Option<u64> {
    match (operand, of) {
        (Operand::Integer(number), FieldType::Float) => Some(key::of_float(*number as f64)),
        (Operand::Float(number), FieldType::Float) => Some(key::of_float(*number)),
        (Operand::Integer(number), FieldType::Integer | FieldType::Timestamp) => {
            Some(key::of_integer(*number))
        }
        (Operand::Float(number), FieldType::Integer | FieldType::Timestamp) => {
            let is_whole = number.trunc() == *number && number.abs() <= MAX_SAFE as f64;
            is_whole.then(|| key::of_integer(*number as i64))
        }
        (Operand::Text(text), FieldType::Timestamp) => time::parse(text).map(key::of_integer),
        _ => None,
    }
}

/// Whether a bound can be compared with the values of a type.
fn bounded(
    bound: &Bound<Operand>,
    of: FieldType,
    [included, excluded]: [&'static str; 2],
) -> Result<(), Misfit> {
    let (operand, part) = match bound {
        Bound::Included(operand) => (operand, included),
        Bound::Excluded(operand) => (operand, excluded),
        Bound::Unbounded => return Ok(()),
    };
    if matches!(operand, Operand::Boolean(_)) {
        let detail = "booleans have no order: compare with $eq or $ne".to_owned();
        return Err(Misfit { part, detail, is_wrong: true });
    }
    fits(operand, of, part)
}

fn is_ordered(of: FieldType) -> bool {
    matches!(of, FieldType::Integer | FieldType::Float | FieldType::Timestamp)
}

/// The least key at or above a bound; `None` where there is none.
fn least(bound: &Bound<Operand>, of: FieldType) -> Option<u64> {
    match bound {
        Bound::Unbounded => Some(0),
        Bound::Included(operand) => key_at(operand, of, f64::ceil),
        // Of whole numbers above 2.5, the least is the first above 2.
        Bound::Excluded(operand) => key_at(operand, of, f64::floor)?.checked_add(1),
    }
}

/// The greatest key at or below a bound; `None` where there is none.
fn most(bound: &Bound<Operand>, of: FieldType) -> Option<u64> {
    match bound {
        Bound::Unbounded => Some(u64::MAX),
        Bound::Included(operand) => key_at(operand, of, f64::floor),
        Bound::Excluded(operand) => key_at(operand, of, f64::ceil)?.checked_sub(1),
    }
}

/// The key of a bound, rounded where the field has whole numbers. Those beyond all of them end up at the first or last
/// key, which no value has.
fn key_at(operand: &Operand, of: FieldType, rounded: fn(f64) -> f64) -> Option<u64> {
    match operand {
        Operand::Float(number) if of != FieldType::Float => Some(key::of_integer(rounded(*number) as i64)),
        _ => key_of(operand, of),
    }
}

/// Whether an operand is of a type that can be compared with the field's.
fn fits(operand: &Operand, of: FieldType, part: &'static str) -> Result<(), Misfit> {
    if let Some(detail) = operand.fault() {
        return Err(Misfit { part, detail, is_wrong: true });
    }
    let what = match (of, operand) {
        (FieldType::Keyword, Operand::Text(_))
        | (FieldType::Boolean, Operand::Boolean(_))
        | (FieldType::Integer | FieldType::Float | FieldType::Timestamp, Operand::Integer(_) | Operand::Float(_)) => {
            return Ok(());
        }
        (FieldType::Timestamp, Operand::Text(text)) if time::parse(text).is_some() => return Ok(()),
        (FieldType::Keyword, _) => format!("compare it with text, such as \"{operand}\""),
        (FieldType::Boolean, _) => "compare it with true or false".to_owned(),
        (FieldType::Integer | FieldType::Float, Operand::Text(text)) if is_number(text) => {
            let number: String = text.chars().take(40).collect();
            format!("compare it with a number, without quotes: {number}")
        }
        (FieldType::Integer | FieldType::Float, _) => "compare it with a number".to_owned(),
        (FieldType::Timestamp, _) => {
            "compare it with RFC 3339 text, such as \"2026-01-31\" or \"2026-01-31T12:00:00Z\", or with milliseconds \
             since 1970"
                .to_owned()
        }
        (FieldType::Geo, _) => "compare it by {\"$geo\": {\"lat\": …, \"lon\": …, \"radius\": metres}}".to_owned(),
    };
    let detail =
        format!("the field is of type {}, and {operand} is {}: {what}", of.name(), operand.describe());
    Err(Misfit { part, detail, is_wrong: false })
}

/// A range of a type that has no order. Text could be a time where the field is a timestamp; over keywords it would
/// seem to work.
fn unordered(bounds: [&Bound<Operand>; 2], of: FieldType) -> Misfit {
    let has_text = bounds
        .iter()
        .any(|bound| matches!(bound, Bound::Included(Operand::Text(_)) | Bound::Excluded(Operand::Text(_))));
    let name = of.name();
    let detail = format!(
        "the field is of type {name}, which has no order: $gt, $gte, $lt and $lte take numbers and times"
    );
    Misfit { part: "", detail, is_wrong: of == FieldType::Keyword && has_text }
}

/// Whether a text is a number of JSON.
fn is_number(text: &str) -> bool {
    matches!(Json::parse(text), Ok(Json::Integer(_) | Json::Float(_) | Json::Big(_)))
}
