//! A JSON value as it was written: fields in order, each once, whole numbers that are not rounded, and floats that are
//! rounded once.
//!
//! A reader of our own, since pages download it: it takes 9.3 kB gzipped of wasm, serde_json 14.6, or 27.1 where it
//! rounds floats once (`float_roundtrip`), and that does not tell a whole number beyond 64 bits from a float.
//!
//! | file | duty |
//! |---|---|
//! | `mod`    | values, and the loop that reads them |
//! | `token`  | texts, words and numbers |
//! | `number` | decimal digits to the nearest float |

mod number;
#[cfg(test)]
mod tests;
mod token;

use crate::error::Quoted;
use token::Tokens;

/// The greatest whole number that JS holds exactly, 2^53 - 1.
pub(crate) const MAX_SAFE: i64 = (1 << 53) - 1;

/// Arrays and objects stand within each other at most so deep.
const MOST_DEPTH: usize = 127;

/// A value. Drops and walks may recurse over it: the parser takes no more than 127 levels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A number without point and exponent, between -[`MAX_SAFE`] and [`MAX_SAFE`].
    Integer(i64),
    /// A number without point and exponent beyond that, rounded: JS writes floats up to 1e21 in this way.
    Big(f64),
    /// A finite number with a point or an exponent.
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    /// In the order of the text; no name stands twice.
    Object(Vec<(String, Json)>),
}

/// An array or object whose end was not read yet.
enum Open {
    Array(Vec<Json>),
    /// With the name of the field whose value is being read.
    Object(Vec<(String, Json)>, String),
}

impl Json {
    /// Reads one value. The error says what is wrong and where in the text.
    pub(crate) fn parse(text: &str) -> Result<Json, String> {
        let mut tokens = Tokens::new(text);
        Self::read(&mut tokens).map_err(|fault| tokens.located(&fault))
    }

    fn read(tokens: &mut Tokens<'_>) -> Result<Json, String> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // Here a value begins.
            let mut value = match tokens.next_byte() {
                Some(b'[') => {
                    tokens.skip(1);
                    if tokens.takes(b']') {
                        Json::Array(Vec::new())
                    } else {
                        open.push(Open::Array(Vec::new()));
                        within(&open)?;
                        continue;
                    }
                }
                Some(b'{') => {
                    tokens.skip(1);
                    if tokens.takes(b'}') {
                        Json::Object(Vec::new())
                    } else {
                        open.push(Open::Object(Vec::new(), tokens.name()?));
                        within(&open)?;
                        continue;
                    }
                }
                _ => tokens.scalar()?,
            };
            // Here it is complete, and may be the last one of what it is in.
            loop {
                let goes_on = tokens.takes(b',');
                value = match (open.pop(), goes_on) {
                    (None, false) if tokens.next_byte().is_none() => return Ok(value),
                    (None, _) => return Err("more follows the value".to_owned()),
                    (Some(Open::Array(mut items)), goes_on) => {
                        items.push(value);
                        if goes_on {
                            open.push(Open::Array(items));
                            break;
                        }
                        tokens.end(b']')?;
                        Json::Array(items)
                    }
                    (Some(Open::Object(mut fields, name)), goes_on) => {
                        fields.push((name, value));
                        if goes_on {
                            open.push(Open::Object(fields, tokens.name()?));
                            break;
                        }
                        tokens.end(b'}')?;
                        if let Some(name) = doubled(&fields) {
                            return Err(format!("the name {} stands twice in one object", Quoted(name)));
                        }
                        Json::Object(fields)
                    }
                };
            }
        }
    }

    /// Whether a field of it has no value: it is `null`, or an array of nothing else.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Json::Null => true,
            Json::Array(items) => items.iter().all(|item| matches!(item, Json::Null)),
            _ => false,
        }
    }

    /// What it is, with an article, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Integer(_) | Json::Big(_) | Json::Float(_) => "a number",
            Json::Text(_) => "a text",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

fn within(open: &[Open]) -> Result<(), String> {
    if open.len() > MOST_DEPTH {
        return Err(format!("more than {MOST_DEPTH} levels of arrays and objects"));
    }
    Ok(())
}

/// A name that stands twice.
fn doubled(fields: &[(String, Json)]) -> Option<&str> {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    crate::sort::by(&mut names, |a, b| a.cmp(b));
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
