//! What the fields of rows mean: their types, their values, and conditions on them. It knows neither files nor vectors.
//!
//! | file | duty |
//! |---|---|
//! | `schema`  | the types of fields, and which fields are indexed |
//! | `declared` | a schema as JSON, and rows that are checked by it |
//! | `column`  | the indexed values of all rows of one field |
//! | `filter`  | conditions on fields, of JSON or built in Rust |
//! | `collect` | collects columns from rows, and infers types |
//! | `value`   | the values of one field of one row |
//! | `geo`     | points and areas |
//! | `time`    | points in time as text |
//! | `json`    | JSON values, read without loss |
//! | `key`     | numbers as whole numbers of the same order |
//! | `patch`   | changes of some fields of a row |
//! | `program` | a filter that was checked against the fields of one segment |

mod collect;
mod column;
mod declared;
mod filter;
mod geo;
mod json;
pub(crate) mod key;
mod patch;
mod program;
mod schema;
pub(crate) mod time;
mod value;

pub(crate) use collect::{Collector, members};
pub(crate) use column::{Column, FieldColumn, permuted};
pub(crate) use filter::facet_type;
pub(crate) use filter::suggest::nearest;
pub use filter::{Filter, Operand};
pub(crate) use geo::{Area, GeoBox, Point};
pub(crate) use key::{as_float, to_float, to_integer};
pub(crate) use patch::patched;
pub(crate) use program::{Op, Test};
pub(crate) use schema::{FieldKind, NotIndexed};
pub use schema::{FieldType, Schema};
