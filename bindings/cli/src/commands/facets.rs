//! `pagevec facets`: how many rows have each value of a field.

use super::arguments::{Filtered, Source};
use crate::failure::Failure;
use crate::output;
use pagevec::{FieldValue, ValueCounts};
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  pagevec facets site/index category
  pagevec facets site/index category --filter '{\"price\":{\"$lt\":50}}' --limit 20 --json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Facets {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    of: Of,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which values are counted.
#[derive(clap::Args)]
pub(super) struct Of {
    /// The field
    pub(super) field: String,
    #[command(flatten)]
    pub(super) filtered: Filtered,
    /// Show at most so many values, those of most rows
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(super) limit: usize,
}

impl Facets {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Of { field, filtered, limit } = &self.of;
        let counts = self.source.open()?.facets(field, filtered.filter()?, *limit)?;
        self.of.print(&counts, self.json)
    }
}

impl Of {
    pub(super) fn print(&self, counts: &ValueCounts, json: bool) -> Result<(), Failure> {
        if json {
            let facet =
                |(value, count): &(FieldValue, u64)| json!({ "value": as_json(value), "count": count });
            let facets: Vec<Value> = counts.values.iter().map(facet).collect();
            return output::json(
                &json!({ "field": self.field, "distinct": counts.distinct, "facets": facets }),
            );
        }
        output::text(|out| {
            for (value, count) in &counts.values {
                match as_json(value) {
                    Value::String(text) => writeln!(out, "{count:>10}  {}", output::printable(&text))?,
                    value => writeln!(out, "{count:>10}  {value}")?,
                }
            }
            match counts.distinct.saturating_sub(counts.values.len()) {
                0 => Ok(()),
                more => writeln!(out, "{more} more values: raise --limit"),
            }
        })
    }
}

/// A timestamp as RFC 3339 text.
fn as_json(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => Value::from(text.as_str()),
        FieldValue::Integer(number) => Value::from(*number),
        // As JavaScript prints it.
        FieldValue::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Value::from(*number as i64)
        }
        FieldValue::Float(number) => Value::from(*number),
        FieldValue::Boolean(value) => Value::from(*value),
        FieldValue::Timestamp(_) => Value::from(value.to_string()),
        _ => Value::Null,
    }
}
