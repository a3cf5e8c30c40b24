//! The fields of rows: which are stored, and how they are kept until the build reads them. They are written to a temporary
//! file without a name, so that it is gone however the program ends.
//!
//! Fields are stored as `JSON.stringify(JSON.parse(text))` of JavaScript writes them, so that the npm package builds the
//! same file. There is one exception: whole numbers of 64 bits keep all their digits.

use super::id_field::IdField;
use crate::failure::Failure;
use pagevec::{Extent, FieldSource, Fields, PositionedFile, ReadAt as _};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The fields of one row.
pub(crate) type Object = Map<String, Value>;

/// Which fields are stored.
#[derive(Clone)]
pub(crate) struct Store {
    which: Which,
    /// Names of fields that rows have, stored or not: the first ones.
    known: Vec<String>,
    /// Those of them that are stored.
    pub(crate) stored: Vec<String>,
    /// The field that ids are taken from. It is stored only if it is named: each row has it as its id.
    pub(crate) id_field: Option<IdField>,
    /// The column that has the vectors in Parquet.
    pub(crate) vectors: String,
}

#[derive(Clone)]
enum Which {
    None,
    All,
    Named(Vec<String>),
}

/// So many names are kept.
const MAX_KNOWN: usize = 100;

impl Default for Store {
    /// Stores nothing.
    fn default() -> Self {
        let (known, stored) = (Vec::new(), Vec::new());
        Store { which: Which::None, known, stored, id_field: None, vectors: "vector".to_owned() }
    }
}

impl Store {
    /// The fields of these names (`None`: all), or none at all.
    pub(crate) fn of(names: Option<&[String]>, none: bool) -> Result<Self, Failure> {
        let own = |name: &&String| matches!(name.as_str(), "id" | "vector" | "");
        let which = match names {
            _ if none => Which::None,
            None => Which::All,
            Some(names) => match names.iter().find(own) {
                None => Which::Named(names.to_vec()),
                Some(name) => {
                    let why = "name other fields; an index has ids and vectors anyway";
                    return Err(Failure::usage(format!("--store {name:?}: {why}")));
                }
            },
        };
        Ok(Store { which, ..Store::default() })
    }

    /// Whether a field of a row is stored.
    pub(crate) fn takes(&mut self, name: &str) -> bool {
        let takes = match &self.which {
            Which::None => false,
            Which::All => !self.is_id(name),
            Which::Named(names) => names.iter().any(|other| other == name),
        };
        for names in [Some(&mut self.known), takes.then_some(&mut self.stored)].into_iter().flatten() {
            if names.len() < MAX_KNOWN && !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        takes
    }

    /// Whether ids are taken from the field.
    pub(super) fn is_id(&self, name: &str) -> bool {
        self.id_field.as_ref().is_some_and(|field| field.name == name)
    }

    /// The field of the input's lines that ids are taken from.
    pub(super) fn id_of_lines(&mut self) -> Option<&mut IdField> {
        self.id_field.as_mut().filter(|field| !field.in_payload)
    }

    /// Refuses a name that no row has: most likely it is misspelled.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Which::Named(names) = &self.which else { return Ok(()) };
        let Some(name) = names.iter().find(|name| !self.stored.contains(name)) else { return Ok(()) };
        let known = match self.known.as_slice() {
            [] => "none besides id and vector; --payload FILE brings those of another file".to_owned(),
            known => known.join(", "),
        };
        Err(Failure::usage(format!("--store {name}: no row has this field. They have {known}")))
    }
}

/// The fields of rows, one after another.
pub(crate) struct Spool {
    file: BufWriter<File>,
    folder: PathBuf,
    line: Vec<u8>,
    /// Where each row ends, after a 0.
    ends: Vec<u64>,
}

impl Spool {
    /// The temporary file is written into `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self, Failure> {
        let file = tempfile::tempfile_in(folder).map_err(|error| Failure::io(folder, &error))?;
        let file = BufWriter::with_capacity(1 << 18, file);
        Ok(Spool { file, folder: folder.to_owned(), line: Vec::new(), ends: vec![0] })
    }

    /// Adds the next row. The error says what is wrong with it.
    pub(crate) fn push(&mut self, object: &Object) -> Result<(), Failure> {
        self.line.clear();
        write_row(object, &mut self.line);
        self.file.write_all(&self.line).map_err(|error| Failure::io(&self.folder, &error))?;
        self.ends.push(self.ends[self.ends.len() - 1] + self.line.len() as u64);
        Ok(())
    }

    /// The bytes of the row that was added last.
    pub(crate) fn last(&self) -> usize {
        self.line.len()
    }

    pub(crate) fn finish(self) -> Result<Spooled, Failure> {
        let file = self.file.into_inner().map_err(|error| Failure::io(&self.folder, &error.into_error()))?;
        Ok(Spooled { reader: PositionedFile::new(file, &self.folder)?, ends: self.ends })
    }
}

/// The fields of all rows.
pub(crate) struct Spooled {
    reader: PositionedFile,
    ends: Vec<u64>,
}

impl Spooled {
    /// What a build stores; `None` where no row has fields.
    pub(crate) fn into_fields(self) -> Option<Fields> {
        self.ends.last().is_some_and(|&bytes| bytes > 0).then(|| Fields::new(self))
    }

    /// The fields of a row.
    pub(crate) fn object(&self, row: usize) -> Result<Object, Failure> {
        let mut line = Vec::new();
        self.read(row, &mut line)?;
        Ok(if line.is_empty() { Object::new() } else { serde_json::from_slice(&line).unwrap_or_default() })
    }
}

impl FieldSource for Spooled {
    fn count(&self) -> usize {
        self.ends.len() - 1
    }

    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), pagevec::Error> {
        let (offset, start) = (self.ends[row], into.len());
        let length = self.ends[row + 1] - offset;
        into.resize(start + length as usize, 0);
        self.reader.read(Extent { offset, length }, &mut into[start..])
    }
}

/// Writes the fields of a row as they are stored: nothing where it has none.
pub(crate) fn write_row(object: &Object, out: &mut Vec<u8>) {
    if !object.is_empty() {
        write_object(object, out);
    }
}

fn write_object(object: &Object, out: &mut Vec<u8>) {
    // JavaScript has whole numbers from 0 to 2^32 - 2 before other names, in order.
    let number = |name: &str| match name.parse::<u32>() {
        Ok(number) if number < u32::MAX && number.to_string() == name => Some(number),
        _ => None,
    };
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    members.sort_by_key(|(name, _)| number(name).map_or(u64::MAX, u64::from));
    out.push(b'{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Appends a value. Values are not deep: the parser refuses those.
fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(value) => out.extend(value.to_string().into_bytes()),
        Value::String(text) => write_text(text, out),
        Value::Object(object) => write_object(object, out),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.extend_from_slice(ryu_js::Buffer::new().format_finite(float).as_bytes()),
            None => out.extend(number.to_string().into_bytes()),
        },
        Value::Array(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend(Value::from(text).to_string().into_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&serde_json::from_str(text).expect("JSON"), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    /// What Node prints for `JSON.stringify(JSON.parse(text))`.
    #[test]
    fn json_is_written_as_javascript_writes_it() {
        for (text, json) in [
            ("[1.0, 1e2, 0.1, -0, -0.0, 5e-324, 1.5e300]", "[1,100,0.1,0,0,5e-324,1.5e+300]"),
            (
                "[1e21, 123456789e12, 1e20, 0.000001, 0.0000001]",
                "[1e+21,123456789000000000000,100000000000000000000,0.000001,1e-7]",
            ),
            ("[-1.25, 1234.5, 2e-7, 1.7976931348623157e308]", "[-1.25,1234.5,2e-7,1.7976931348623157e+308]"),
            (
                r#"{"b": 1, "10": 2, "a": null, "9": [ ], "01": { } }"#,
                r#"{"9":[],"10":2,"b":1,"a":null,"01":{}}"#,
            ),
            (r#""\u00e4\/\u2028\u0001\b\ud83e\udd80\"""#, "\"ä/\u{2028}\\u0001\\b🦀\\\"\""),
            ("true", "true"),
        ] {
            assert_eq!(written(text), json, "{text}");
        }
        assert_eq!(
            written("[18446744073709551615, -9007199254740993]"),
            "[18446744073709551615,-9007199254740993]"
        );
    }
}
