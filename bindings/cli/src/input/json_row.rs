//! Parses one object of JSON lines: its id, its vector, and those of its other fields that are stored. Errors name what the author
//! of the file wrote, not what the parser expected.

use super::fields::{Object, Store};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

pub(super) struct Row {
    pub(super) id: Option<LineId>,
    pub(super) vector: Vec<f32>,
    pub(super) fields: Object,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id is a text or a whole number from 0")]
pub(super) enum LineId {
    Number(u64),
    Text(String),
}

impl Row {
    /// Reads one object.
    pub(super) fn parse(text: &[u8], store: &mut Store) -> serde_json::Result<Row> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let row = Fields(store).deserialize(&mut json)?;
        json.end()?;
        Ok(row)
    }
}

struct Fields<'a>(&'a mut Store);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Row;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"id\": \"king\", \"vector\": [0.1, 0.2]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let (mut id, mut vector, mut fields, mut others) = (None, None, Object::new(), Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "id" => id = map.next_value()?,
                "vector" if vector.is_some() => return Err(A::Error::custom("it has two vectors")),
                "vector" => vector = Some(map.next_value()?),
                _ if self.0.takes(&name) => {
                    others.push(name.clone());
                    fields.insert(name, map.next_value()?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    others.push(name);
                }
            }
        }
        let Some(vector) = vector else {
            let names = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
            let message =
                format!("no field \"vector\" (others: {names}): rename the one that holds the vector");
            return Err(A::Error::custom(message));
        };
        Ok(Row { id, vector, fields })
    }
}

/// The message for an object that could not be parsed.
pub(super) fn complaint(text: &[u8], error: &serde_json::Error) -> String {
    if std::str::from_utf8(text).is_err() {
        return "not UTF-8: convert the file, for example with iconv".to_owned();
    }
    if let Some(word) = no_number(text) {
        return format!(
            "{word} is not JSON (Python writes it so), and no component of a vector: remove or repair the row"
        );
    }
    let told = error.to_string();
    // One object is one line here, whatever line of it serde counts.
    let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(what, _)| what);
    let known = [
        (
            "null, expected f32",
            "null in its vector, which is how NaN is often written: remove or repair the row",
        ),
        ("expected a sequence", "its vector is no list: write \"vector\": [0.1, 0.2]"),
        ("trailing characters", "more follows the object: write one object a line"),
    ];
    if let Some((_, message)) = known.into_iter().find(|(part, _)| told.contains(part)) {
        return message.to_owned();
    }
    let told: String = told.chars().take(200).collect();
    if error.is_eof() {
        return format!("{told}: the object does not end where its line does; write one object a line");
    }
    format!("{told} (column {})", error.column())
}

/// The first of Python's words for what is no number, outside texts.
fn no_number(text: &[u8]) -> Option<&'static str> {
    let (mut in_text, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'N' | b'I' | b'-' if !in_text => {
                let rest = text.get(at..).unwrap_or_default();
                let found =
                    ["NaN", "Infinity", "-Infinity"].into_iter().find(|w| rest.starts_with(w.as_bytes()));
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
    }
    None
}
