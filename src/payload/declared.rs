//! A schema that is declared for rows that change: it is kept as JSON, and each row is checked by it.

use super::json::Json;
use super::schema::{FieldType, STORED, Schema};
use super::value;
use crate::error::Error;
use crate::id::Id;

impl Schema {
    /// Refuses a row with a value that is not of the type of its field. `members` are those of its object.
    ///
    /// # Errors
    /// `field`, which names row, id and field.
    pub(crate) fn check_row(&self, row: usize, id: &Id, members: &[(String, Json)]) -> Result<(), Error> {
        for (name, json) in members {
            let Some(of) = self.field_type(name) else { continue };
            value::values(json, of, &mut Vec::new()).map_err(|detail| {
                let id = Some(id.to_string());
                Error::Field { field: name.clone(), row, id, detail }
            })?;
        }
        Ok(())
    }

    /// Whether types of fields that it does not name are inferred.
    pub(crate) fn infers(&self) -> bool {
        self.infer
    }

    /// Whether it declares nothing.
    pub(crate) fn infers_all(&self) -> bool {
        self.infer && self.declared().is_empty()
    }

    /// The JSON that [`Schema::parse`] reads. That types are inferred it does not say.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (name, of) in self.declared() {
            json.push_str(if json.len() > 1 { "," } else { "" });
            write_text(name, &mut json);
            json.push(':');
            write_text(of.map_or(STORED, FieldType::name), &mut json);
        }
        json.push('}');
        json
    }
}

/// Writes a text as JSON.
fn write_text(text: &str, into: &mut String) {
    into.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => into.extend(['\\', c]),
            '\0'..' ' => {
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                into.push_str("\\u00");
                into.extend([digit(c as u32 >> 4), digit(c as u32 & 15)]);
            }
            _ => into.push(c),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_the_one_that_was_written() {
        let names = ["a", "", "\"\\\n\u{1}", "größe 日本", "__proto__"];
        let mut schema = Schema::new().stored("url");
        for (name, of) in names.into_iter().zip(FieldType::ALL) {
            schema = schema.field(name, of);
        }
        assert_eq!(Schema::parse(&schema.to_json()).unwrap(), schema);
        assert_eq!(Schema::new().to_json(), "{}");
        assert!(Schema::infer().infers_all() && !schema.infers_all());
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let schema = Schema::new().field("n", FieldType::Integer).stored("any");
        let check = |json: &str| {
            let Json::Object(members) = Json::parse(json).unwrap() else { panic!("{json}") };
            schema.check_row(3, &Id::from("a"), &members)
        };
        for fits in [r#"{}"#, r#"{"n":[1,2,null]}"#, r#"{"n":null,"any":{"x":[[]]},"other":"n"}"#] {
            assert!(check(fits).is_ok(), "{fits}");
        }
        let error = check(r#"{"any":1,"n":[1,"x"]}"#).unwrap_err();
        assert_eq!(error.code(), "field");
        let told = error.to_string();
        assert!(told.starts_with(r#"row 3, id "a", field "n": the text "x" is given"#), "{told}");
    }
}
