//! Parses one object of JSON lines: its id, its vector, and those of its other fields that are stored. Errors name what the author
//! of the file wrote, not what the parser expected.

use super::fields::{Object, Store};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

pub(super) struct Row {
    pub(super) id: Option<LineId>,
    pub(super) vector: Vec<f32>,
    /// Those of its other fields that are stored.
    pub(super) fields: Object,
    /// The value of the field that `--id-field` names.
    pub(super) named: Option<Value>,
    /// The names of all of its fields but these.
    pub(super) others: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id is a text or a whole number from 0")]
pub(super) enum LineId {
    Number(u64),
    Text(String),
}

impl Row {
    /// Reads one object. Its fields stand beside its vector, or all of them in an object `"fields"`, as `list` writes them.
    pub(super) fn parse(text: &[u8], store: &mut Store) -> serde_json::Result<Row> {
        Row::read(text, Fields { store, opens: true })
    }

    /// Reads one object, in which `"fields"` is a field as any other.
    pub(super) fn parse_closed(text: &[u8], store: &mut Store) -> serde_json::Result<Row> {
        Row::read(text, Fields { store, opens: false })
    }

    fn read(text: &[u8], fields: Fields<'_>) -> serde_json::Result<Row> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let row = fields.deserialize(&mut json)?;
        json.end()?;
        Ok(row)
    }
}

struct Fields<'a> {
    store: &'a mut Store,
    /// Whether an object `"fields"` that stands alone holds the fields.
    opens: bool,
}

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
        let id_name = self.store.id_of_lines().map(|field| field.name.clone());
        let (mut id, mut vector, mut held) = (None, None, None::<Value>);
        let mut found = Found { store: self.store, fields: Object::new(), named: None, others: Vec::new() };
        while let Some(name) = map.next_key::<String>()? {
            let is_id = id_name.as_ref() == Some(&name);
            match name.as_str() {
                "id" if is_id => found.named = map.next_value()?,
                "id" => id = map.next_value()?,
                "vector" if vector.is_some() => return Err(A::Error::custom("it has two vectors")),
                "vector" => vector = Some(map.next_value()?),
                // Whether it is the only one is known at the end.
                FIELDS if self.opens && found.others.is_empty() => held = Some(map.next_value()?),
                _ => {
                    if let Some(value) = held.take() {
                        found.keep(FIELDS, value, false);
                        found.others.push(FIELDS.to_owned());
                    }
                    if is_id {
                        found.keep(&name, map.next_value()?, true);
                    } else if found.store.takes(&name) {
                        found.fields.insert(name.clone(), map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                    found.others.push(name);
                }
            }
        }
        match held {
            Some(Value::Object(all)) => {
                for (name, value) in all {
                    found.keep(&name, value, id_name.as_ref() == Some(&name));
                    found.others.push(name);
                }
            }
            Some(value) => {
                found.keep(FIELDS, value, false);
                found.others.push(FIELDS.to_owned());
            }
            None => {}
        }
        let Found { fields, named, others, .. } = found;
        let Some(vector) = vector else {
            let names = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
            let message =
                format!("no field \"vector\" (others: {names}): rename the one that holds the vector");
            return Err(A::Error::custom(message));
        };
        Ok(Row { id, vector, fields, named, others })
    }
}

/// The object that `list` writes the fields of a row into.
pub(super) const FIELDS: &str = "fields";

/// The fields of a row so far.
struct Found<'a> {
    store: &'a mut Store,
    fields: Object,
    named: Option<Value>,
    others: Vec<String>,
}

impl Found<'_> {
    /// Keeps a value if it is stored, or is the row's id.
    fn keep(&mut self, name: &str, value: Value, is_id: bool) {
        if is_id {
            self.named = Some(value.clone());
        }
        if self.store.takes(name) {
            self.fields.insert(name.to_owned(), value);
        }
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
