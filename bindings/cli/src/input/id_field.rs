//! Ids out of a field of the rows, which `--id-field` names: texts or whole numbers, one for each row.

use crate::failure::Failure;
use pagevec::Ids;
use serde_json::Value;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

/// The field, and the ids so far.
#[derive(Clone)]
pub(crate) struct IdField {
    pub(crate) name: String,
    /// Whether it is a field of `--payload`, and not of the input.
    pub(crate) in_payload: bool,
    ids: Option<Ids>,
}

impl IdField {
    pub(crate) fn new(name: &str, in_payload: bool) -> Self {
        IdField { name: name.to_owned(), in_payload, ids: None }
    }

    /// Takes the id of the next row out of the value of its field. `names` are those of the row's fields. The error says
    /// what is wrong with it.
    pub(crate) fn push<'a>(
        &mut self,
        value: Option<&Value>,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        let name = &self.name;
        match (value, &mut self.ids) {
            (None | Some(Value::Null), _) => {
                let names: Vec<&str> =
                    names.map(String::as_str).filter(|other| other != name).take(SHOWN).collect();
                let others = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(format!(
                    "no value in its field {name:?}, where --id-field expects its id (others: {others})"
                ));
            }
            (Some(Value::String(text)), _) if text.len() > Ids::MAX_TEXT => {
                return Err(format!(
                    "its id in the field {name:?} has {} bytes, the limit is {}",
                    text.len(),
                    Ids::MAX_TEXT
                ));
            }
            (Some(Value::String(text)), ids @ None) => *ids = Some(Ids::Texts(vec![text.clone()])),
            (Some(Value::String(text)), Some(Ids::Texts(all))) => all.push(text.clone()),
            (Some(Value::String(_)), Some(Ids::Numbers(_))) => {
                return Err(format!(
                    "its field {name:?} is a text, those of other rows are numbers: ids are all texts or all numbers"
                ));
            }
            (Some(value), ids) => {
                let Some(number) = whole(value) else {
                    return Err(format!(
                        "its field {name:?} is no id: an id is a text or a whole number from 0 to {}",
                        Ids::MAX_NUMBER
                    ));
                };
                match ids {
                    None => *ids = Some(Ids::Numbers(vec![number])),
                    Some(Ids::Numbers(all)) => all.push(number),
                    Some(Ids::Texts(_)) => {
                        return Err(format!(
                            "its field {name:?} is a number, those of other rows are texts: ids are all texts or all numbers"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// The ids of all rows, which must be different.
    pub(crate) fn finish(self, path: &Path) -> Result<Option<Ids>, Failure> {
        let twice = match &self.ids {
            None => None,
            Some(Ids::Numbers(all)) => twice(all),
            Some(Ids::Texts(all)) => twice(all),
        };
        let Some((first, again, id)) = twice else { return Ok(self.ids) };
        let message = format!(
            "{}: rows {first} and {again} both have {id} in the field {:?}: ids name one row each",
            path.display(),
            self.name
        );
        Err(Failure::Told { exit: 1, code: "duplicate-id", message })
    }
}

/// Names that are shown.
const SHOWN: usize = 20;

/// A number that may be an id. `1.0` is 1, as in JavaScript.
fn whole(value: &Value) -> Option<u64> {
    let number = value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        (float.fract() == 0.0 && (0.0..=Ids::MAX_NUMBER as f64).contains(&float)).then_some(float as u64)
    });
    number.filter(|&number| number <= Ids::MAX_NUMBER)
}

/// The first row whose id another one before it has: both, and the id.
fn twice<T: Hash + Eq + serde::Serialize>(all: &[T]) -> Option<(usize, usize, String)> {
    let mut seen = HashMap::with_capacity(all.len());
    all.iter().enumerate().find_map(|(row, id)| {
        let first = seen.insert(id, row)?;
        Some((first, row, serde_json::json!(id).to_string()))
    })
}
