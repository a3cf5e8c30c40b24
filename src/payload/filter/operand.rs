//! A value that a filter compares a field with.

use crate::error::Quoted;
use crate::payload::json::{Json, MAX_SAFE};
use std::fmt;

/// A value that a filter compares a field with. `From` makes it of texts, numbers and booleans.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// A keyword, or a point in time as RFC 3339 text (a date alone is its midnight in UTC).
    Text(String),
    /// A whole number between -(2^53 - 1) and 2^53 - 1, or milliseconds since 1970-01-01T00:00:00Z.
    Integer(i64),
    /// A number that is no NaN. Infinite bounds of a range leave it open.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
}

impl Operand {
    /// The bytes that it has allocated.
    pub(super) fn bytes(&self) -> u64 {
        if let Operand::Text(text) = self { text.capacity() as u64 } else { 0 }
    }

    /// A text, number or boolean. The error says what to write instead.
    pub(super) fn of_json(value: &Json) -> Result<Self, String> {
        match value {
            Json::Text(text) => Ok(Operand::Text(text.clone())),
            Json::Integer(number) => Ok(Operand::Integer(*number)),
            Json::Float(number) => Ok(Operand::Float(*number)),
            Json::Bool(value) => Ok(Operand::Boolean(*value)),
            Json::Big(_) => Err(too_large()),
            Json::Null => {
                Err("nothing equals null: write {\"$exists\": false} for rows without a value, or \
                               {\"$exists\": true} for rows with one"
                    .to_owned())
            }
            Json::Array(_) => {
                Err("one value stands here, not an array: use $in for any of several values, or $all \
                                   for all of them"
                    .to_owned())
            }
            Json::Object(_) => Err("a text, a number or a boolean stands here, not an object".to_owned()),
        }
    }

    /// What is wrong with it, whatever the field. Only builders make such operands.
    pub(super) fn fault(&self) -> Option<String> {
        match self {
            Operand::Integer(number) if number.unsigned_abs() > MAX_SAFE.unsigned_abs() => Some(too_large()),
            Operand::Float(number) if number.is_nan() => {
                Some("NaN equals nothing and has no order".to_owned())
            }
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Operand::Text(_) => "text",
            Operand::Integer(_) | Operand::Float(_) => "a number",
            Operand::Boolean(_) => "a boolean",
        }
    }
}

fn too_large() -> String {
    "whole numbers beyond 2^53 - 1 (9007199254740991) are not exact in JSON and JavaScript: keep such numbers as text"
        .to_owned()
}

/// As in JSON; of a long text, its beginning.
impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Text(text) => {
                let mut rest = text.chars();
                let mut shown: String = rest.by_ref().take(40).collect();
                shown.extend(rest.next().map(|_| '…'));
                Quoted(&shown).fmt(f)
            }
            Operand::Integer(number) => write!(f, "{number}"),
            Operand::Float(number) => f.write_str(&decimal(*number)),
            Operand::Boolean(value) => write!(f, "{value}"),
        }
    }
}

/// A number for a message, to six digits behind the point. The shortest exact digits take 7 kB of a WebAssembly module.
fn decimal(number: f64) -> String {
    const MOST: f64 = 1e15;
    if number.is_nan() || number.abs() >= MOST {
        return "a number beyond 10^15".to_owned();
    }
    let parts = (number.abs() * 1e6 + 0.5) as u64;
    let sign = if number < 0.0 { "-" } else { "" };
    let text = format!("{sign}{}.{:06}", parts / 1_000_000, parts % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        Operand::Text(text.to_owned())
    }
}

impl From<String> for Operand {
    fn from(text: String) -> Self {
        Operand::Text(text)
    }
}

impl From<bool> for Operand {
    fn from(value: bool) -> Self {
        Operand::Boolean(value)
    }
}

/// Numbers of other types are converted without loss.
macro_rules! from_numbers {
    ($variant:ident, $held:ty: $($number:ty)*) => {
        $(impl From<$number> for Operand {
            fn from(number: $number) -> Self {
                Operand::$variant(<$held>::from(number))
            }
        })*
    };
}

from_numbers!(Integer, i64: i8 u8 i16 u16 i32 u32 i64);
from_numbers!(Float, f64: f32 f64);
