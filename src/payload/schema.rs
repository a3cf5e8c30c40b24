//! The types of fields, and which fields are indexed.

use std::collections::BTreeMap;

use super::json::Json;
use super::value::shown;
use crate::error::Error;

/// The most bytes of a keyword.
pub(super) const MAX_KEYWORD: usize = 64;
/// The most fields of an index that filters may name.
pub(super) const MAX_FIELDS: usize = 256;
/// The most bytes of their names.
pub(super) const MAX_NAME: usize = 255;
/// What a schema calls a field that is not indexed.
pub(super) const STORED: &str = "stored";

/// What the values of an indexed field are. A row may have one value, several (an array), or none: a field that is
/// missing, `null` or `[]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldType {
    /// Text that is compared as a whole, at most 64 bytes of UTF-8.
    Keyword = 1,
    /// A whole number between -(2^53 - 1) and 2^53 - 1, so that JS holds it exactly.
    Integer = 2,
    /// A finite number.
    Float = 3,
    /// `true` or `false`.
    Boolean = 4,
    /// A point in time in milliseconds since 1970-01-01T00:00:00Z: in JSON such a number, or RFC 3339 text.
    Timestamp = 5,
    /// A point on the earth: `{ "lat": …, "lon": … }` in degrees, kept to 1e-7 of a degree.
    Geo = 6,
}

impl FieldType {
    pub(crate) const ALL: [FieldType; 6] = [
        FieldType::Keyword,
        FieldType::Integer,
        FieldType::Float,
        FieldType::Boolean,
        FieldType::Timestamp,
        FieldType::Geo,
    ];

    /// Its name in schemas and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Keyword => "keyword",
            FieldType::Integer => "integer",
            FieldType::Float => "float",
            FieldType::Boolean => "boolean",
            FieldType::Timestamp => "timestamp",
            FieldType::Geo => "geo",
        }
    }
}

/// Whether a field is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Filters may name it.
    Indexed(FieldType),
    /// It is among the stored fields only; filters that name it are refused with this reason.
    Stored(NotIndexed),
}

/// Why a field is not indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum NotIndexed {
    /// The schema says so, or does not name it.
    Declared = 1,
    /// Some of its values are of different types.
    Mixed = 2,
    /// A text is longer than 64 bytes.
    Long = 3,
    /// Its texts are nearly all different: more than one for each four rows that have some.
    Distinct = 4,
    /// Values are objects, or arrays of arrays.
    Nested = 5,
    /// A whole number beyond 2^53 - 1 among whole numbers: it would be rounded.
    Large = 6,
}

impl NotIndexed {
    /// The reason, as the end of a sentence.
    pub(crate) fn text(self) -> &'static str {
        match self {
            NotIndexed::Declared => "the schema does not give it a type",
            NotIndexed::Mixed => "its values are of different types",
            NotIndexed::Long => "some of its texts are longer than 64 bytes",
            NotIndexed::Distinct => "nearly all of its texts are different",
            NotIndexed::Large => "some of its whole numbers are beyond 2^53 - 1",
            NotIndexed::Nested => "some of its values are objects, or arrays within arrays",
        }
    }
}

/// Which fields of the rows are indexed, and of which types: inferred from their values, or declared. All fields are
/// stored, whatever the schema says.
///
/// ```
/// use pagevec::{FieldType, Schema};
///
/// let built = Schema::new().field("pos", FieldType::Keyword).field("price", FieldType::Float).stored("url");
/// let parsed = Schema::parse(r#"{ "pos": "keyword", "price": "float", "url": "stored" }"#)?;
/// assert_eq!(built, parsed);
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// A field without a type is stored only.
    fields: BTreeMap<Box<str>, Option<FieldType>>,
    /// Whether the types of other fields are inferred; else they are stored only.
    pub(super) infer: bool,
    /// Where they are inferred: texts are keywords also where nearly all of them are different.
    pub(super) every_text: bool,
}

/// All types are inferred.
impl Default for Schema {
    fn default() -> Self {
        Schema { fields: BTreeMap::new(), infer: true, every_text: false }
    }
}

impl Schema {
    /// The type of each field is the one that all of its values have:
    ///
    /// | values | type |
    /// |---|---|
    /// | `true` and `false` | boolean |
    /// | whole numbers up to 2^53 - 1 | integer |
    /// | numbers, some of which have fractions | float |
    /// | RFC 3339 texts: dates, or dates with time and zone | timestamp |
    /// | texts up to 64 bytes, at most 64 distinct ones, or at most one for each four rows that have some | keyword |
    /// | `{"lat": …, "lon": …}` in degrees; `lng` will do | geo |
    ///
    /// Fields with other values are stored only. This is the default.
    #[must_use]
    pub fn infer() -> Self {
        Schema::default()
    }

    /// As [`Schema::infer`], for parts of a collection: whether texts are keywords must not depend on how many rows a part has.
    pub(crate) fn of_parts() -> Self {
        Schema { every_text: true, ..Schema::default() }
    }

    /// This one, or where its types are inferred, the types on which the segments agree; `fields` are those of all segments.
    /// Types on which they do not agree are inferred anew.
    pub(crate) fn like<'a>(&self, fields: impl IntoIterator<Item = (&'a str, FieldKind)>) -> Self {
        if !self.infer {
            return self.clone();
        }
        let mut kinds: BTreeMap<&str, Option<FieldKind>> = BTreeMap::new();
        for (name, kind) in fields {
            let of = kinds.entry(name).or_insert(Some(kind));
            *of = of.filter(|&of| of == kind);
        }
        let declared = kinds.into_iter().filter_map(|(name, kind)| match kind? {
            FieldKind::Indexed(of) => Some((name.into(), Some(of))),
            FieldKind::Stored(NotIndexed::Declared) => Some((name.into(), None)),
            // More rows may be a reason less.
            FieldKind::Stored(_) => None,
        });
        Schema { fields: declared.collect(), ..self.clone() }
    }

    /// A schema to which fields are added. Fields that it does not name are stored only.
    #[must_use]
    pub fn new() -> Self {
        Schema { infer: false, ..Schema::default() }
    }

    /// Gives a field a type. A value of another type is then an error.
    #[must_use]
    pub fn field(self, name: impl Into<String>, of: FieldType) -> Self {
        self.with(name, Some(of))
    }

    /// Stores a field without an index.
    #[must_use]
    pub fn stored(self, name: impl Into<String>) -> Self {
        self.with(name, None)
    }

    /// Reads a schema from a JSON object with the type of each field, or `"stored"`.
    ///
    /// # Errors
    /// `argument`, with the field and what its type may be.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let parsed = Json::parse(json).map_err(|why| refused(format!("it is no JSON: {why}")))?;
        let Json::Object(fields) = parsed else {
            return Err(refused(format!("it is {}: {EXAMPLE}", parsed.describe())));
        };
        let mut schema = Schema::new();
        for (name, of) in fields {
            let of = kind(&of).map_err(|why| refused(format!("{}: {why}", shown(&name))))?;
            schema = schema.with(name, of);
        }
        schema.check()?;
        Ok(schema)
    }

    /// A text that is the same for equal schemas only.
    pub(crate) fn fingerprint(&self) -> String {
        let others = match (self.infer, self.every_text) {
            (false, _) => STORED,
            (true, false) => "inferred",
            (true, true) => "inferred, every text",
        };
        let fields = self.fields.iter();
        let fields = fields.map(|(name, of)| format!("{name:?}: {}", of.map_or(STORED, FieldType::name)));
        fields.chain([others.to_owned()]).collect::<Vec<_>>().join(", ")
    }

    /// The type that was declared for a field.
    #[must_use]
    pub fn field_type(&self, name: &str) -> Option<FieldType> {
        self.fields.get(name).copied().flatten()
    }

    /// Checks the limits, which the setters do not.
    pub(super) fn check(&self) -> Result<(), Error> {
        let fields = &self.fields;
        if fields.len() > MAX_FIELDS {
            let count = fields.len();
            return Err(refused(format!(
                "it has {count} fields, the limit is {MAX_FIELDS}: leave out those that no filter names"
            )));
        }
        match fields.keys().find(|name| name.len() > MAX_NAME) {
            None => Ok(()),
            Some(name) => {
                let (name, length) = (shown(name), name.len());
                Err(refused(format!("{name}: the name has {length} bytes, the limit is {MAX_NAME}")))
            }
        }
    }

    /// The fields that were declared, by name, with their types.
    pub(super) fn declared(&self) -> &BTreeMap<Box<str>, Option<FieldType>> {
        &self.fields
    }

    fn with(mut self, name: impl Into<String>, of: Option<FieldType>) -> Self {
        self.fields.insert(name.into().into_boxed_str(), of);
        self
    }
}

const EXAMPLE: &str =
    "give an object such as {\"pos\": \"keyword\", \"price\": \"float\", \"url\": \"stored\"}";

fn refused(detail: impl Into<String>) -> Error {
    Error::argument("schema", detail)
}

/// The type of a field in a schema, `None` of one that is stored only.
fn kind(json: &Json) -> Result<Option<FieldType>, String> {
    let names = || FieldType::ALL.map(FieldType::name).join(", ");
    let Json::Text(text) = json else {
        return Err(format!("{} is no type: give one of {}, {STORED}", json.describe(), names()));
    };
    if text == STORED {
        return Ok(None);
    }
    let known = FieldType::ALL.into_iter().find(|of| of.name() == text);
    let meant = match text.to_ascii_lowercase().as_str() {
        "string" | "str" | "text" | "tag" | "enum" | "category" => FieldType::Keyword.name(),
        "int" | "long" | "i64" | "int64" | "int32" => FieldType::Integer.name(),
        "number" | "double" | "f64" | "float64" | "float32" => FieldType::Float.name(),
        "bool" => FieldType::Boolean.name(),
        "date" | "time" | "datetime" | "date-time" => FieldType::Timestamp.name(),
        "point" | "geo_point" | "geopoint" | "location" => FieldType::Geo.name(),
        "none" | "object" | "json" => STORED,
        other => {
            FieldType::ALL.map(FieldType::name).into_iter().find(|name| *name == other).unwrap_or_default()
        }
    };
    let meant = if meant.is_empty() { String::new() } else { format!(", it could be {meant:?}") };
    known
        .map(Some)
        .ok_or_else(|| format!("{} is no type{meant}. There are: {}, {STORED}", shown(text), names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_read_from_json() {
        let schema = Schema::parse(r#"{"a": "keyword", "b": "stored", "__proto__": "geo", "": "integer"}"#);
        let built = Schema::new()
            .field("a", FieldType::Geo)
            .field("a", FieldType::Keyword)
            .stored("b")
            .field("__proto__", FieldType::Geo)
            .field("", FieldType::Integer);
        assert_eq!(schema.unwrap(), built);
        for of in FieldType::ALL {
            let schema = Schema::parse(&format!("{{\"a\": \"{}\"}}", of.name())).unwrap();
            assert_eq!(schema, Schema::new().field("a", of));
        }
        assert_eq!(Schema::parse("{}").unwrap(), Schema::new());
        assert_ne!(Schema::new(), Schema::infer());
        assert_eq!(Schema::default(), Schema::infer());
    }

    #[test]
    fn what_is_no_schema_is_named() {
        let long = format!("{{\"{}\": \"float\"}}", "n".repeat(256));
        let names: Vec<String> = (0..257).map(|at| format!("\"{at}\": \"float\"")).collect();
        let many = format!("{{{}}}", names.join(", "));
        let cases = [
            ("", "it is no JSON: a value is expected"),
            ("[]", "it is an array: give an object such as"),
            (r#"{"a": 1}"#, "\"a\": a number is no type: give one of keyword, integer"),
            (r#"{"a": null}"#, "\"a\": null is no type"),
            (r#"{"a": {"type": "float"}}"#, "\"a\": an object is no type"),
            (r#"{"price": "double"}"#, "\"price\": \"double\" is no type, it could be \"float\"."),
            (r#"{"price": "Float"}"#, "it could be \"float\". There are: keyword"),
            (r#"{"price": "money"}"#, "\"money\" is no type. There are: keyword, integer, float, boolean"),
            (r#"{"a": "float", "a": "float"}"#, "\"a\" stands twice"),
            (&long, "the name has 256 bytes, the limit is 255"),
            (&many, "it has 257 fields, the limit is 256"),
        ];
        for (json, part) in cases {
            let error = Schema::parse(json).expect_err(part);
            assert_eq!(error.code(), "argument");
            let told = error.to_string();
            assert!(told.starts_with("schema: ") && told.contains(part), "{told:?} does not have {part:?}");
        }
        let fields =
            |count: usize| (0..count).fold(Schema::new(), |schema, at| schema.stored(at.to_string()));
        assert!(fields(256).check().is_ok() && fields(257).check().is_err());
    }
}
