//! The target whose input is a segment with payload indexes.

use crate::segments::{self, Changed};
use crate::support::data;
use crate::support::paged::Remote;
use crate::support::survive::told;
use crate::support::{self, indexed_fields};
use crate::{Target, Tell};
use pagevec::{CodecKind, Error, FieldInfo, FieldType, Filter, Index, Metric, Operation, Outcome};
use std::sync::OnceLock;

/// A segment, of which filters, counts and facets are asked.
pub const PAYLOAD: Target = Target {
    name: "payload",
    run: |input, tell| segments::sealed(input, &mut |file| use_file(file, tell)),
    seeds,
    change: |input, random| segments::change(input, random, &CHANGED),
};

static CHANGED: Changed = Changed(seeds, OnceLock::new(), &["payload", "units of indexes"]);

/// Most fields that are asked for: hostile heads may have many.
const MOST_FIELDS: usize = 12;

/// Indexes in the front alone, and with units of each kind.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let seed = |count: usize| {
        let (fields, schema) = indexed_fields(count);
        let options = support::options(Metric::L2, CodecKind::F32).graph(false).clusters(false);
        support::file(&data::clustered(count, 1, 191), 1, None, &options.fields(fields).schema(schema))
    };
    vec![("few".into(), seed(30)), ("many".into(), seed(150))]
}

fn use_file(file: &[u8], tell: &mut Tell) {
    let index = Index::from_bytes(file);
    told(&index, tell);
    let Ok(index) = index else { return };
    told(&index.verify(), tell);
    let info = index.info();
    let indexed = |field: &&FieldInfo| field.of.is_some();
    let fields: Vec<&FieldInfo> = info.fields.iter().filter(indexed).take(MOST_FIELDS).collect();
    let filters: Vec<Filter> = fields.iter().flat_map(|field| filters(field)).collect();
    let bounded = |counted: Result<u64, Error>, tell: &mut Tell| {
        told(&counted, tell);
        assert!(counted.unwrap_or(0) <= info.count as u64, "more rows than there are");
    };
    for filter in &filters {
        bounded(index.count(filter.clone()), tell);
    }
    for field in &fields {
        told(&index.facets(&field.name, None, 5), tell);
    }
    let least = match Remote::open(file, 0).err() {
        Some(Error::Budget { needed, .. }) => needed,
        _ => 0,
    };
    let remote = Remote::open(file, least);
    told(&remote, tell);
    let Ok(mut remote) = remote else { return };
    for filter in filters {
        let counted = remote.run(Operation::Count(Some(filter))).map(|(outcome, _)| match outcome {
            Outcome::Count(count) => count,
            _ => u64::MAX,
        });
        bounded(counted, tell);
    }
}

/// Each kind of test of a field.
fn filters(field: &FieldInfo) -> Vec<Filter> {
    let name = || field.name.clone();
    let mut all = vec![Filter::exists(name())];
    all.extend(match field.of {
        Some(FieldType::Keyword) => {
            vec![Filter::eq(name(), "t3"), Filter::is_in(name(), ["ü", "the long", "t1"])]
        }
        Some(FieldType::Boolean) => vec![Filter::eq(name(), true)],
        Some(FieldType::Integer | FieldType::Float) => {
            vec![Filter::between(name(), 3, 400), Filter::eq(name(), 9), Filter::ne(name(), 1)]
        }
        Some(FieldType::Timestamp) => vec![Filter::gt(name(), "2026-11-09")],
        Some(FieldType::Geo) => {
            vec![
                Filter::within_radius(name(), 30.0, 60.0, 3e6),
                Filter::within_box(name(), 0.0, 90.0, 80.0, -90.0),
            ]
        }
        _ => Vec::new(),
    });
    all
}
