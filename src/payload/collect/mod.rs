//! Collects the indexed values of rows, field by field, and infers the types of fields.
//!
//! | file | duty |
//! |---|---|
//! | `field`    | the values of one field, and what they tell of its type |
//! | `interner` | the distinct texts of a field, each once |

mod field;
mod interner;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::column::FieldColumn;
use super::json::Json;
use super::schema::{FieldKind, MAX_FIELDS, MAX_NAME, NotIndexed, Schema};
use crate::error::Error;
use field::Field;

/// The fields of a row: those of a JSON object, or none.
///
/// # Errors
/// `argument` if they are no JSON object.
pub(crate) fn members(row: u32, line: &[u8]) -> Result<Vec<(String, Json)>, Error> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(Vec::new());
    }
    let refused = |why: &str| Error::argument("fields", format!("the fields of row {row} {why}"));
    let text = std::str::from_utf8(line).map_err(|_| refused("are not UTF-8"))?;
    match Json::parse(text).map_err(|why| refused(&format!("are no JSON: {why}")))? {
        Json::Object(fields) => Ok(fields),
        json => Err(refused(&format!("are {}: give {{\"name\": value, …}}", json.describe()))),
    }
}

/// Collects the values of rows. It keeps 8 bytes for a value of a keyword or boolean, 12 for a point, 16 for a number or
/// a time, and each distinct text of a field once; values that turn out not to be indexed are freed at once.
pub(crate) struct Collector {
    /// The fields of the schema.
    declared: BTreeMap<Box<str>, Field>,
    /// The other fields of the rows: those of the least names, so that it does not matter which row comes first.
    others: BTreeMap<Box<str>, Field>,
    /// What the others are; `None`: they are inferred.
    kind: Option<FieldKind>,
    every_text: bool,
    most: usize,
}

impl Collector {
    /// For at most so many rows.
    ///
    /// # Errors
    /// `argument` if the schema has too many fields or too long names.
    pub(crate) fn new(schema: &Schema, most: usize) -> Result<Self, Error> {
        schema.check()?;
        let stored = FieldKind::Stored(NotIndexed::Declared);
        let kind = |of: &Option<_>| Some(of.map_or(stored, FieldKind::Indexed));
        let declared = schema.declared().iter();
        let declared = declared.map(|(name, of)| (name.clone(), Field::new(kind(of), false))).collect();
        let others = (!schema.infer).then_some(stored);
        Ok(Collector { declared, others: BTreeMap::new(), kind: others, every_text: schema.every_text, most })
    }

    /// Adds the fields of a row: a JSON object, or nothing. A row is added once.
    ///
    /// # Errors
    /// `argument` if they are no JSON object, `field` if a value is not what the schema says.
    pub(crate) fn add(&mut self, row: u32, line: &[u8]) -> Result<(), Error> {
        for (name, json) in members(row, line)? {
            let most = self.most;
            let Some(field) = self.field(&name, &json) else { continue };
            field.add(row, &json, most).map_err(|detail| Error::Field {
                field: name,
                row: row as usize,
                id: None,
                detail,
            })?;
        }
        Ok(())
    }

    /// The field of a name, if it is or may become one of the index.
    fn field(&mut self, name: &str, json: &Json) -> Option<&mut Field> {
        if self.declared.contains_key(name) {
            return self.declared.get_mut(name);
        }
        if !self.others.contains_key(name) {
            if name.len() > MAX_NAME || json.is_missing() {
                return None;
            }
            self.others.insert(name.into(), Field::new(self.kind, self.every_text));
            // A field that goes never comes back, since only lesser names follow.
            if self.declared.len() + self.others.len() > MAX_FIELDS {
                self.others.pop_last();
            }
        }
        self.others.get_mut(name)
    }

    /// The fields by name. Those in which no row has a value are left out, unless the schema has them.
    pub(crate) fn finish(self) -> Vec<FieldColumn> {
        let mut fields = self.declared;
        fields.extend(self.others);
        fields.into_iter().filter_map(|(name, field)| field.finish(name)).collect()
    }

    /// The memory of all values.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        let fields = self.declared.values().chain(self.others.values());
        fields.map(|field| (field.heap_bytes() + size_of::<Field>()) as u64).sum()
    }
}
