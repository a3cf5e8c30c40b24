//! The bytes of stored fields and their indexes: two samples of rows are made, and stored and indexed as a build does it. Each
//! section grows by as much for each further row as from the smaller sample to the larger.

use super::options::PayloadField;
use crate::build::{FieldSource, sections_of};
use crate::error::Error;
use crate::hash::hash;
use crate::payload::{FieldType, Schema};
use crate::segment::{FieldSizes, PlannedFields, SectionKind};

/// Rows of the larger sample, if there are so many.
const SAMPLE: u64 = 1 << 16;

struct Sample<'a> {
    fields: &'a [PayloadField],
    rows: usize,
}

impl FieldSource for Sample<'_> {
    fn count(&self) -> usize {
        self.rows
    }

    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        for (number, field) in self.fields.iter().enumerate() {
            let comma = if number == 0 { "{" } else { "," };
            let value = value(*field, hash((row as u64) << 8 | number as u64));
            into.extend(format!("{comma}\"field{number}\":{value}").into_bytes());
        }
        into.push(b'}');
        Ok(())
    }
}

/// One of the values of a field, evenly spread.
fn value(field: PayloadField, random: u64) -> String {
    let of = |count: u64| random % count.max(1);
    match field.of {
        FieldType::Keyword => format!("\"value{}\"", of(field.distinct)),
        FieldType::Integer => of(1_000_000).to_string(),
        FieldType::Float => format!("{}.{:02}", of(10_000), of(99)),
        FieldType::Boolean => (of(2) == 0).to_string(),
        FieldType::Timestamp => {
            format!("\"2026-{:02}-{:02}T{:02}:{:02}:00Z\"", 1 + of(12), 1 + of(28), of(24), of(60))
        }
        FieldType::Geo => {
            format!("{{\"lat\":{}.{:04},\"lon\":{}.{:04}}}", of(90), of(9973), of(179), of(9967))
        }
    }
}

/// What the fields of so many rows take; `None` without fields.
///
/// # Errors
/// Those of a build of fields.
pub(super) fn of(fields: &[PayloadField], rows: u64) -> Result<Option<PlannedFields>, Error> {
    if fields.is_empty() {
        return Ok(None);
    }
    let large = rows.min(SAMPLE);
    let small = (large / 2).max(1);
    let [few, many] = [small, large].map(|rows| sections(fields, rows as usize));
    let (few, many) = (few?, many?);
    let grown = |kind: SectionKind| {
        let [few, now] = [few.length(kind), many.length(kind)];
        let each = now.saturating_sub(few) as f64 / (large - small).max(1) as f64;
        now + (each * (rows - large) as f64) as u64
    };
    let of_sample = INDEXES.map(|kind| many.length(kind));
    Ok(Some(PlannedFields {
        stored: [SectionKind::FieldDirectory, SectionKind::Fields].map(grown),
        sizes: many.sizes,
        of_sample,
        indexes: INDEXES.map(grown),
        head: many.head,
        sample: large as usize,
    }))
}

const INDEXES: [SectionKind; 3] = [SectionKind::Terms, SectionKind::Sets, SectionKind::Sorted];

struct Stored {
    lengths: Vec<(SectionKind, u64)>,
    sizes: FieldSizes,
    head: Vec<u8>,
}

impl Stored {
    fn length(&self, kind: SectionKind) -> u64 {
        self.lengths.iter().find(|section| section.0 == kind).map_or(0, |section| section.1)
    }
}

fn sections(fields: &[PayloadField], rows: usize) -> Result<Stored, Error> {
    let schema = fields
        .iter()
        .enumerate()
        .fold(Schema::new(), |schema, (number, field)| schema.field(format!("field{number}"), field.of));
    let (made, sizes) = sections_of(&Sample { fields, rows }, &schema)?;
    let length = |pieces: &Vec<Vec<u8>>| pieces.iter().map(|piece| piece.len() as u64).sum();
    let lengths = made.iter().map(|(kind, pieces)| (*kind, length(pieces))).collect();
    let head = made.into_iter().find(|section| section.0 == SectionKind::Payload);
    Ok(Stored { lengths, sizes, head: head.map_or(Vec::new(), |(_, pieces)| pieces.concat()) })
}
