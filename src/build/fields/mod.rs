//! The fields of a segment: checks the fields of the rows, compresses them in blocks of neighbours, and makes the indexes of those
//! that the schema names or that are inferred.
//!
//! | file | duty |
//! |---|---|
//! | `source` | the fields of the rows, and where they are |
//! | `dictionary` | chooses a dictionary for the blocks |
//! | `lz4`    | compresses a block |

mod dictionary;
mod lz4;
mod source;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::payload::{Collector, FieldColumn, Schema};
use crate::rows::InputHash;
use crate::segment::fields::{Encoded, FieldGroup, MAX_GROUP, encode};
use crate::segment::{FieldSizes, Pieces, SectionKind, payload};
use lz4::Dictionary;
pub use source::{FieldSource, Fields};

/// A block takes rows up to so many bytes; a longer row has a block of its own.
const BLOCK: usize = 4 << 10;
/// A group has about so many blocks, or more, so that there are no more groups than this.
const BLOCKS: usize = 64;
const GROUPS: usize = 1024;
/// The dictionary has at most so many bytes, and at most one for so many of the rows'.
const DICTIONARY: usize = 16 << 10;
const PART: usize = 16;
/// Of about so many bytes of rows it is made.
const SAMPLE: usize = 2 << 20;
/// Groups that are compressed between two looks at whether the build goes on.
const AT_ONCE: usize = 32;
/// Rows between two looks at whether the build goes on.
const CHECKED: usize = 4096;

/// The fields of all rows, which were checked.
pub(super) struct CheckedFields<'a> {
    source: &'a dyn FieldSource,
    /// Of all lines.
    bytes: u64,
    /// The values of the fields that are indexed, by row.
    columns: Vec<FieldColumn>,
}

impl<'a> CheckedFields<'a> {
    /// Checks the fields of all rows, collects the values that are indexed, and adds all to the hash of the input.
    ///
    /// # Errors
    /// `argument` for fields that are no JSON object; `field` for a value that is not of the type that the schema says.
    pub(super) fn new(
        source: &'a dyn FieldSource,
        rows: usize,
        schema: &Schema,
        hash: &mut InputHash,
        ctx: &Ctx<'_>,
    ) -> Result<Self, Error> {
        let count = source.count();
        if count != rows {
            let detail =
                format!("there are fields of {count} rows, but {rows} rows: give each row an object");
            return Err(Error::argument("fields", detail));
        }
        let (mut bytes, mut line) = (0, Vec::new());
        let mut values = Collector::new(schema, rows)?;
        for row in 0..rows {
            if row.is_multiple_of(CHECKED) {
                ctx.check()?;
            }
            line.clear();
            read(source, row, &mut line)?;
            hash.fields(&line);
            bytes += line.len() as u64;
            values.add(row as u32, &line)?;
        }
        hash.schema(&schema.fingerprint());
        Ok(CheckedFields { source, bytes, columns: values.finish() })
    }

    /// Bytes that its lines and values take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.columns.iter().map(FieldColumn::bytes).sum::<u64>()
    }

    /// Adds the sections: stored fields, and indexes, of rows in this order.
    pub(super) fn push(
        self,
        sections: &mut Vec<(SectionKind, Pieces)>,
        order: &[u32],
        file_seed: u64,
        ctx: &Ctx<'_>,
    ) -> Result<FieldSizes, Error> {
        let stored = self.encode(order, file_seed, ctx)?;
        sections.push((SectionKind::FieldDirectory, vec![stored.directory]));
        sections.push((SectionKind::Fields, stored.fields));
        if !self.columns.is_empty() {
            ctx.check()?;
            let columns = crate::payload::permuted(self.columns, order);
            let made = payload::encode(columns, order.len(), file_seed)?;
            sections.push((SectionKind::Payload, vec![made.head]));
            let units = [made.terms, made.sets, made.sorted];
            let kinds = [SectionKind::Terms, SectionKind::Sets, SectionKind::Sorted];
            sections.extend(kinds.into_iter().zip(units).filter(|(_, pieces)| !pieces.is_empty()));
        }
        Ok(stored.sizes)
    }

    fn rows_of_a_group(&self) -> usize {
        let rows = self.source.count();
        let mean = (self.bytes as usize / rows.max(1)).max(1);
        let many = (BLOCKS * BLOCK / mean).max(rows / GROUPS);
        many.clamp(1, MAX_GROUP).next_power_of_two()
    }

    /// Some rows, evenly spread.
    fn sample(&self) -> Result<Vec<u8>, Error> {
        let step = (self.bytes as usize / SAMPLE).max(1);
        let mut sample = Vec::new();
        (0..self.source.count()).step_by(step).try_for_each(|row| read(self.source, row, &mut sample))?;
        Ok(sample)
    }

    /// The sections, of rows in this order.
    fn encode(&self, order: &[u32], file_seed: u64, ctx: &Ctx<'_>) -> Result<Encoded, Error> {
        let size = DICTIONARY.min(self.bytes as usize / PART);
        let dictionary = dictionary::train(&self.sample()?, size);
        let lz4 = Dictionary::new(&dictionary);
        let rows = self.rows_of_a_group();
        let mut groups = Vec::with_capacity(order.len().div_ceil(rows));
        for some in order.chunks(rows * AT_ONCE) {
            ctx.check()?;
            let made = exec::map_chunks(some.len(), rows, |range| self.group(&some[range], &lz4));
            groups.extend(made.into_iter().collect::<Result<Vec<_>, Error>>()?);
        }
        Ok(encode(groups, rows, &dictionary, file_seed))
    }

    fn group(&self, rows: &[u32], lz4: &Dictionary<'_>) -> Result<FieldGroup, Error> {
        let (mut group, mut block) = (FieldGroup::default(), Vec::with_capacity(2 * BLOCK));
        for (number, &row) in rows.iter().enumerate() {
            let before = block.len();
            read(self.source, row as usize, &mut block)?;
            if before > 0 && block.len() > BLOCK {
                group.push(number, before, |out| lz4.store(&block[..before], out));
                block.drain(..before);
            }
        }
        group.push(rows.len(), block.len(), |out| lz4.store(&block, out));
        Ok(group)
    }
}

/// The sections of the fields of these rows, in their order, and the sizes for the header.
///
/// # Errors
/// Those of [`CheckedFields::new`].
pub(crate) fn sections_of(source: &dyn FieldSource, schema: &Schema) -> Result<Sections, Error> {
    let (ctx, rows) = (Ctx::default(), source.count());
    let fields = CheckedFields::new(source, rows, schema, &mut InputHash::new(0, "", 0), &ctx)?;
    let (mut sections, order) = (Vec::new(), (0..rows as u32).collect::<Vec<_>>());
    let sizes = fields.push(&mut sections, &order, 0, &ctx)?;
    Ok((sections, sizes))
}

type Sections = (Vec<(SectionKind, Pieces)>, FieldSizes);

/// Appends the line of a row, with its end.
fn read(source: &dyn FieldSource, row: usize, into: &mut Vec<u8>) -> Result<(), Error> {
    let start = into.len();
    source.read(row, into)?;
    if !check_line(&mut into[start..], row)? {
        into.truncate(start);
    }
    into.push(b'\n');
    Ok(())
}

/// Checks the fields of a row, and puts spaces in place of line ends. Returns whether there are any.
///
/// # Errors
/// `argument`, which names the row.
pub(crate) fn check_line(line: &mut [u8], row: usize) -> Result<bool, Error> {
    let refused = |why: &str| Err(Error::argument("fields", format!("the fields of row {row} {why}")));
    if line.len() > Fields::MAX_ROW {
        return refused(&format!(
            "have {} bytes, the limit is {}: shorten them",
            line.len(),
            Fields::MAX_ROW
        ));
    }
    if std::str::from_utf8(line).is_err() {
        return refused("are not UTF-8");
    }
    let text = line.trim_ascii();
    let is_object = text.starts_with(b"{") && text.ends_with(b"}");
    if !(text.is_empty() || is_object) {
        return refused("are no JSON object: give {\"name\": value, …}, or nothing for a row without fields");
    }
    // JSON has line ends between its tokens only, where a space does as well.
    line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    Ok(!matches!(line.trim_ascii(), b"" | b"{}"))
}
