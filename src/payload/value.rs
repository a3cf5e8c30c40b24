//! The values of one field of one row: from JSON to those of a type.

use super::geo::Point;
use super::json::{Json, MAX_SAFE};
use super::key::{of_float, of_integer};
use super::schema::{FieldType, MAX_KEYWORD};
use super::time;
use crate::error::Quoted;
use crate::sort;

/// A value of an indexed field, as its column holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ValueRef<'a> {
    /// Of keywords, and of booleans (`false`, `true`).
    Text(&'a str),
    /// Of integers, floats and timestamps (see `key`).
    Key(u64),
    Point(Point),
}

/// Appends the values of a field of a type: of `null` and `[]` none, of an array those of its items, each once.
///
/// # Errors
/// What the value is, and what it has to be.
pub(crate) fn values<'a>(json: &'a Json, of: FieldType, into: &mut Vec<ValueRef<'a>>) -> Result<(), String> {
    let before = into.len();
    for item in items(json) {
        into.extend(value(item, of)?);
    }
    if into.len() > before + 1 {
        sort::by(&mut into[before..], Ord::cmp);
        let mut last = None;
        let mut at = 0;
        into.retain(|&value| {
            let is_first = at < before || last.replace(value) != Some(value);
            at += 1;
            is_first
        });
    }
    Ok(())
}

/// The items of an array, or the value itself.
pub(super) fn items(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        value => std::slice::from_ref(value),
    }
}

fn value(json: &Json, of: FieldType) -> Result<Option<ValueRef<'_>>, String> {
    Ok(Some(match (of, json) {
        (_, Json::Null) => return Ok(None),
        (_, Json::Array(_)) => return Err("there is an array within an array: write one array".to_owned()),
        (FieldType::Keyword, Json::Text(text)) if text.len() <= MAX_KEYWORD => ValueRef::Text(text),
        (FieldType::Keyword, Json::Text(text)) => {
            return Err(format!(
                "a text has {} bytes, a keyword at most {MAX_KEYWORD}: shorten it, or make the field \"stored\"",
                text.len()
            ));
        }
        (FieldType::Boolean, Json::Bool(value)) => ValueRef::Text(boolean(*value)),
        (FieldType::Integer, Json::Integer(_) | Json::Big(_) | Json::Float(_)) => {
            ValueRef::Key(of_integer(integer(json, "make the field \"float\"")?))
        }
        (FieldType::Float, Json::Integer(_) | Json::Big(_) | Json::Float(_)) => {
            ValueRef::Key(of_float(number(json).unwrap_or_default()))
        }
        (FieldType::Timestamp, Json::Integer(_) | Json::Big(_) | Json::Float(_)) => {
            ValueRef::Key(of_integer(integer(json, "give whole milliseconds")?))
        }
        (FieldType::Timestamp, Json::Text(text)) => match time::parse(text) {
            Some(ms) => ValueRef::Key(of_integer(ms)),
            None => {
                return Err(format!(
                    "{} is no RFC 3339 time: write \"2026-01-31\" or \"2026-01-31T12:00:00Z\"",
                    shown(text)
                ));
            }
        },
        (FieldType::Geo, Json::Object(_)) => ValueRef::Point(point(json)?),
        _ => return Err(format!("{} is given, the schema wants {}", described(json), wanted(of))),
    }))
}

/// A point of `{ "lat": …, "lon": … }`, or of `lng`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn point(json: &Json) -> Result<Point, String> {
    let refused = || format!("{} is given, the schema wants {}", described(json), wanted(FieldType::Geo));
    let Json::Object(fields) = json else { return Err(refused()) };
    let (mut lat, mut lon) = (None, None);
    for (name, degrees) in fields {
        let axis = match name.as_str() {
            "lat" => &mut lat,
            "lon" | "lng" => &mut lon,
            _ => return Err(refused()),
        };
        let degrees =
            number(degrees).ok_or_else(|| format!("{name} is {}, no number", described(degrees)))?;
        if axis.replace(degrees).is_some() {
            return Err("it has both lon and lng: keep one".to_owned());
        }
    }
    let (Some(lat), Some(lon)) = (lat, lon) else { return Err(refused()) };
    Point::new(lat, lon).ok_or_else(|| {
        format!("{lat}, {lon} is no point: lat is from -90 to 90 degrees, lon from -180 to 180")
    })
}

pub(super) fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

pub(super) fn number(json: &Json) -> Option<f64> {
    match *json {
        Json::Integer(number) => Some(number as f64),
        Json::Big(number) | Json::Float(number) => Some(number),
        _ => None,
    }
}

/// Whether it is a whole number that JS holds exactly.
pub(super) fn is_integer(number: f64) -> bool {
    number.trunc() == number && is_safe(number)
}

pub(super) fn is_safe(number: f64) -> bool {
    number.abs() <= MAX_SAFE as f64
}

/// A whole number that is exact. 2.0 is one: JS does not tell it from 2.
fn integer(json: &Json, advice: &str) -> Result<i64, String> {
    let number = number(json).unwrap_or_default();
    if !is_safe(number) {
        return Err(format!(
            "a whole number is beyond 2^53 - 1 ({MAX_SAFE}), where JSON and JavaScript round: keep such numbers as text"
        ));
    }
    is_integer(number)
        .then_some(number as i64)
        .ok_or_else(|| format!("{number} is no whole number: {advice}"))
}

fn wanted(of: FieldType) -> &'static str {
    match of {
        FieldType::Keyword => "text (keyword)",
        FieldType::Integer => "a whole number (integer)",
        FieldType::Float => "a number (float)",
        FieldType::Boolean => "true or false (boolean)",
        FieldType::Timestamp => "RFC 3339 text or milliseconds since 1970 (timestamp)",
        FieldType::Geo => "{\"lat\": …, \"lon\": …} in degrees (geo)",
    }
}

/// What a value is, and the beginning of a text.
fn described(json: &Json) -> String {
    match json {
        Json::Text(text) => format!("the text {}", shown(text)),
        Json::Integer(number) => format!("the number {number}"),
        Json::Big(number) | Json::Float(number) => format!("the number {number}"),
        Json::Bool(value) => boolean(*value).to_owned(),
        Json::Object(fields) => {
            let names: Vec<String> = fields.iter().take(4).map(|(name, _)| shown(name)).collect();
            let more = if fields.len() > names.len() { ", …" } else { "" };
            format!("an object with the names [{}{more}]", names.join(", "))
        }
        other => other.describe().to_owned(),
    }
}

/// A text in quotes; of a long one, its beginning.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", Quoted(&text[..end])),
        None => Quoted(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{to_float, to_integer};

    fn of(text: &str, of: FieldType) -> Result<String, String> {
        let json = Json::parse(text).unwrap();
        let mut found = Vec::new();
        values(&json, of, &mut found)?;
        let shown = |value: &ValueRef<'_>| match *value {
            ValueRef::Text(text) => text.to_owned(),
            ValueRef::Key(key) if of == FieldType::Float => to_float(key).to_string(),
            ValueRef::Key(key) => to_integer(key).to_string(),
            ValueRef::Point(Point { lat, lon }) => format!("{lat},{lon}"),
        };
        Ok(found.iter().map(shown).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn values_are_those_of_the_type() {
        use FieldType::{Boolean, Float, Geo, Integer, Keyword, Timestamp};
        let long = format!("\"{}\"", "ä".repeat(32));
        let table = [
            (Keyword, r#""n""#, "n"),
            (Keyword, r#""""#, ""),
            (Keyword, &long, &long[1..65]),
            (Keyword, r#"["b", "a", null, "b"]"#, "a b"),
            (Integer, "9007199254740991", "9007199254740991"),
            (Integer, "[2.0, 2, -0.0, 1e3, -9007199254740991]", "-9007199254740991 0 2 1000"),
            (Float, "[1, 2.5, -0.0, 0, 100000000000000000000]", "0 1 2.5 100000000000000000000"),
            (Boolean, "[true, false, true]", "false true"),
            (Timestamp, r#"["1970-01-01T00:00:01Z", 1000, "1970-01-02", 1.0]"#, "1 1000 86400000"),
            (Geo, r#"{"lat": 1.5, "lon": -2}"#, "15000000,-20000000"),
            (Geo, r#"[{"lng": 180, "lat": -90}, {"lat": -90, "lon": -180}]"#, "-900000000,-1800000000"),
        ];
        for (kind, text, expected) in table {
            assert_eq!(of(text, kind).as_deref(), Ok(expected), "{text}");
        }
        for kind in FieldType::ALL {
            for missing in ["null", "[]", "[null, null]"] {
                assert_eq!(of(missing, kind).as_deref(), Ok(""), "{missing}");
            }
        }
    }

    #[test]
    fn other_values_are_errors_that_tell_what_they_are() {
        use FieldType::{Boolean, Float, Geo, Integer, Keyword, Timestamp};
        let long = format!("\"{}x\"", "ä".repeat(32));
        let table = [
            (Keyword, "1", "the number 1 is given, the schema wants text (keyword)"),
            (Keyword, "true", "true is given"),
            (Keyword, &long, "65 bytes, a keyword at most 64"),
            (Integer, "2.5", "2.5 is no whole number: make the field \"float\""),
            (Integer, "9007199254740992", "beyond 2^53 - 1"),
            (Integer, "-9007199254740992", "beyond 2^53 - 1"),
            (Integer, "18446744073709551616", "beyond 2^53 - 1"),
            (Integer, "1e300", "beyond 2^53 - 1"),
            (Integer, r#""7""#, "the text \"7\" is given, the schema wants a whole number"),
            (Float, r#"[1, "x"]"#, "the text \"x\" is given, the schema wants a number"),
            (Boolean, "0", "the number 0 is given, the schema wants true or false"),
            (Timestamp, r#""yesterday""#, "\"yesterday\" is no RFC 3339 time"),
            (Timestamp, "0.5", "0.5 is no whole number"),
            (Geo, "[1, 2]", "the number 1 is given"),
            (Geo, r#"{"lat": 91, "lon": 0}"#, "91, 0 is no point"),
            (Geo, r#"{"lat": 1}"#, "the names [\"lat\"]"),
            (Geo, r#"{"lat": 1, "lon": 2, "alt": 3}"#, "the names [\"lat\", \"lon\", \"alt\"]"),
            (Geo, r#"{"lat": 1, "lon": 2, "lng": 3}"#, "both lon and lng"),
            (Geo, r#"{"lat": "1", "lon": 2}"#, "lat is the text \"1\", no number"),
            (Keyword, r#"[["a"]]"#, "an array within an array"),
            (Integer, "[[]]", "an array within an array"),
        ];
        for (kind, text, part) in table {
            let told = of(text, kind).expect_err(text);
            assert!(told.contains(part), "{text}: {told:?} does not have {part:?}");
        }
    }

    #[test]
    fn values_are_added_to_those_before() {
        let (first, second) = (Json::parse(r#"["b", "a"]"#).unwrap(), Json::parse(r#"["b", "b"]"#).unwrap());
        let mut found = Vec::new();
        values(&first, FieldType::Keyword, &mut found).unwrap();
        values(&second, FieldType::Keyword, &mut found).unwrap();
        assert_eq!(found, ["a", "b", "b"].map(ValueRef::Text));
    }
}
