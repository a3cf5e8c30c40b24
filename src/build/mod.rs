//! Builds a segment: checks the rows, clusters and orders them, encodes them, links the graph, writes the sections.
//!
//! | file | duty |
//! |---|---|
//! | `options` | the options of a build |
//! | `account` | what each stage reserves of the memory budget |
//! | `assemble` | from checked rows to the sections: order, codes, graph, clusters |
//! | `fields/` | the stored fields of the rows, in compressed blocks |
//! | `merge/` | one segment of the live rows of several: copies their codes |
//! | `plain` | one segment of rows that are encoded already, in the order in which they are given |
//! | `codes_recall` | warns where the codes lose the nearest rows |
//! | `row_distances`, `nearest` | distances between rows; the nearest of a row |
//! | `clusters/`, `hnsw/` | the clustered index, which also orders the rows; the graph |
//!
//! No stage holds all rows as floats: each reads them in blocks ([`crate::rows`]). What grows with the rows is codes,
//! lists, the graph, ids, and some bytes for each row.

mod account;
mod assemble;
mod clusters;
mod codes_recall;
mod fields;
mod hnsw;
mod merge;
mod nearest;
mod options;
mod plain;
mod row_distances;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Ids;
use crate::quant;
use crate::rows::{BuildInput, InputHash};
use crate::segment::{self, Segment, limits};
use crate::storage::Sink;
use account::Account;
use assemble::{Checked, Coding, assemble, write};
use fields::CheckedFields;
pub use fields::{FieldSource, Fields};
pub(crate) use fields::{check_line, sections_of};
#[cfg(test)]
pub(crate) use merge::Frozen;
pub(crate) use merge::{Live, copy_as, merge, merge_as};
pub use options::BuildOptions;
pub(crate) use plain::{PlainRows, PlainStage, plain};

/// Builds the segment file of `vectors` (row-major, `dim` components each) and their `ids` (`None`: 0, 1, 2, …).
///
/// # Errors
/// `argument`, `dimension`; `not-finite` and `zero-vector`, which name the row of `vectors` or of the tuning queries;
/// `duplicate-id`, `out-of-memory`, `cancelled`; `budget` where [`BuildOptions::memory_budget`] is too small.
pub fn build(
    vectors: Vec<f32>,
    dim: usize,
    ids: Option<Ids>,
    options: &BuildOptions,
    ctx: &Ctx<'_>,
) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    build_into(BuildInput::Memory { vectors, dim }, ids, options, &mut file, ctx)?;
    Ok(file)
}

/// Builds a segment file and hands it to `sink`, piece by piece. The file is that of [`build()`], byte for byte.
///
/// Rows of a source are never in memory at once: a build holds codes, lists, graph and ids, and beside them some
/// hundred bytes for each row. Cancelling has no effect once the sink was given the first bytes; a sink ends the build
/// by an error.
///
/// # Errors
/// Those of [`build()`], of the source and of the sink.
pub fn build_into(
    input: BuildInput<'_>,
    ids: Option<Ids>,
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let codings = options.stages().into_iter().map(Coding::Trained).collect();
    build_by(input, ids, options, codings, sink, ctx)
}

/// Builds a segment whose rows are encoded as those of `like` are, by codecs of the same parameters: `parameters` are
/// those of its stages, as they are stored. A segment without rows has learned no parameters: only the kinds of its
/// codecs are taken, and they are trained on the new rows.
pub(crate) fn append(
    like: &Segment,
    parameters: &[Vec<u8>],
    input: BuildInput<'_>,
    ids: Option<Ids>,
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let (header, dim) = (&like.header, input.dim());
    if dim != header.dim {
        return Err(Error::Dimension { expected: header.dim, got: dim });
    }
    let text = matches!(ids, Some(Ids::Texts(_)));
    if text != header.text_ids && header.count > 0 {
        let kind = if header.text_ids { "texts: give each row one" } else { "numbers" };
        return Err(Error::argument("ids", format!("the ids of the index are {kind}")));
    }
    let coding = |(&kind, parameters): (_, &Vec<u8>)| match header.count {
        0 => Ok(Coding::Trained(kind)),
        _ => quant::load_encoder(kind, header.metric, dim, parameters).map(|codec| Coding::By(kind, codec)),
    };
    let codings = header.stages.iter().zip(parameters).map(coding).collect::<Result<_, _>>()?;
    build_by(input, ids, &options.like(header), codings, sink, ctx)
}

/// Builds a segment whose stages are encoded by these codings.
fn build_by(
    mut input: BuildInput<'_>,
    ids: Option<Ids>,
    options: &BuildOptions,
    codings: Vec<Coding<'_>>,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let (count, dim) = shape(options, &input)?;
    ctx.tick("check", 0, count)?;
    let mut account = Account::new(options, count, dim)?;
    let ids = ids.unwrap_or_else(|| Ids::counting(count));
    account.given(Some(&input), &ids)?;
    let by_id = segment::check_ids(&ids, count)?;
    check_tuning(options, dim)?;
    let mut hash = InputHash::new(segment::VERSION, &options.fingerprint(), dim);
    codings.iter().filter_map(Coding::parameters).for_each(|parameters| hash.parameters(&parameters));
    let mean = input.check(options.metric, &mut hash, |done| ctx.tick("check", done, count))?;
    let fields = options.fields.as_ref();
    let fields = fields
        .map(|fields| CheckedFields::new(fields.source(), count, &options.schema, &mut hash, ctx))
        .transpose()?;
    let file_id = hash.finish(&ids, &options.tuning_queries);
    let rows = input.reader(options.metric);
    let checked = Checked { rows, mean, ids, by_id, fields, file_id, codings, account };
    let parts = assemble(checked, options, ctx)?;
    // The rows are not needed any more, and the sections are freed as they are written.
    drop(input);
    write(parts, sink, ctx)
}

/// The number of rows and of their components. Refuses options and a shape that no segment has.
fn shape(options: &BuildOptions, input: &BuildInput<'_>) -> Result<(usize, usize), Error> {
    options.check()?;
    let dim = input.dim();
    if dim == 0 || dim > limits::MAX_DIM {
        return Err(Error::argument("dim", format!("{dim} is outside 1..={}", limits::MAX_DIM)));
    }
    options.check_codec(dim)?;
    let count = input.count()?;
    if count > limits::MAX_COUNT {
        let detail = format!("a segment holds at most {} rows", limits::MAX_COUNT);
        return Err(Error::argument("vectors", detail));
    }
    Ok((count, dim))
}

/// Refuses tuning queries that are no whole number of vectors.
fn check_tuning(options: &BuildOptions, dim: usize) -> Result<(), Error> {
    match options.tuning_queries.len() % dim {
        0 => Ok(()),
        got => Err(Error::Dimension { expected: dim, got }),
    }
}
