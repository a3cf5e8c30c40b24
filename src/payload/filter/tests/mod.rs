//! The language, its meaning, and its errors.

mod check;
mod matches;
mod meaning;
mod model;
mod parse;

use super::Filter;
use crate::payload::geo::Point;
use crate::payload::schema::{FieldKind, FieldType, NotIndexed};
use crate::payload::value::ValueRef;
use crate::payload::{key, time};
use serde_json::Value;

/// The fields of the rows in tests; the last one is not indexed.
const FIELDS: [(&str, FieldKind); 8] = [
    ("pos", FieldKind::Indexed(FieldType::Keyword)),
    ("count", FieldKind::Indexed(FieldType::Integer)),
    ("price", FieldKind::Indexed(FieldType::Float)),
    ("sold", FieldKind::Indexed(FieldType::Boolean)),
    ("at", FieldKind::Indexed(FieldType::Timestamp)),
    ("place", FieldKind::Indexed(FieldType::Geo)),
    ("__proto__", FieldKind::Indexed(FieldType::Integer)),
    ("definition", FieldKind::Stored(NotIndexed::Distinct)),
];

/// Whether a row, an object, matches by its program.
fn matches(filter: &Filter, row: &Value) -> bool {
    filter.check(FIELDS).expect("a filter that fits");
    let find = |name: &str| FIELDS.iter().position(|(field, _)| *field == name).map(|at| (at, FIELDS[at].1));
    let program = filter.compile(find).expect("a filter that fits");
    let values = |field: usize| match row.get(FIELDS[field].0) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => {
            values.iter().filter(|v| !v.is_null()).map(|v| typed(field, v)).collect()
        }
        Some(value) => vec![typed(field, value)],
    };
    program.matches(values, &mut vec![true; 3])
}

/// A value as its column holds it.
fn typed(field: usize, value: &Value) -> ValueRef<'_> {
    let FieldKind::Indexed(of) = FIELDS[field].1 else { panic!("a value of a field that is not indexed") };
    match (of, value) {
        (FieldType::Keyword, Value::String(text)) => ValueRef::Text(text),
        (FieldType::Boolean, Value::Bool(value)) => ValueRef::Text(if *value { "true" } else { "false" }),
        (FieldType::Float, value) => ValueRef::Key(key::of_float(value.as_f64().expect("a number"))),
        (FieldType::Timestamp, Value::String(text)) => {
            ValueRef::Key(key::of_integer(time::parse(text).expect("a time")))
        }
        (FieldType::Integer | FieldType::Timestamp, value) => {
            ValueRef::Key(key::of_integer(value.as_i64().expect("a whole number")))
        }
        (_, value) => {
            let degrees = |name: &str| value[name].as_f64().expect("degrees");
            ValueRef::Point(Point::new(degrees("lat"), degrees("lon")).expect("a point"))
        }
    }
}

/// The path and the detail of a `filter` error.
fn fault<T: std::fmt::Debug>(result: Result<T, crate::Error>) -> (String, String) {
    let error = result.expect_err("an error");
    assert_eq!(error.code(), "filter");
    let crate::Error::Filter { path, detail } = error else { panic!("{error}") };
    (path, detail)
}
