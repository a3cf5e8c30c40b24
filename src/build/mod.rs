//! Builds a segment: checks the rows, clusters and orders them, encodes them, links the graph, writes the sections.
//!
//! | file | duty |
//! |---|---|
//! | `options` | the options of a build |
//! | `codes_recall` | warns where the codes lose the nearest rows |
//! | `row_distances`, `nearest` | distances between rows; the nearest of a row |
//! | `clusters/`, `hnsw/` | the clustered index, which also orders the rows; the graph |
//!
//! No stage holds all rows as floats: each reads them in blocks ([`crate::rows`]). What grows with the rows is codes,
//! lists, the graph, ids, and some bytes for each row.

mod clusters;
mod codes_recall;
mod hnsw;
mod nearest;
mod options;
mod row_distances;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Ids;
use crate::metric::Metric;
use crate::quant::{self, CodecKind, Sq8};
use crate::rows::{BuildInput, Encoded, InputHash, Reader};
use crate::segment::{self, Header, Parts, STAGES, SectionKind, limits};
use crate::storage::Sink;
use clusters::{EncodedRows, Shape, Tree};
pub use options::BuildOptions;
use row_distances::RowDistances;
use std::borrow::Cow;

/// Builds the segment file of `vectors` (row-major, `dim` components each) and their `ids` (`None`: 0, 1, 2, …).
///
/// # Errors
/// `argument`, `dimension`; `not-finite` and `zero-vector`, which name the row of `vectors` or of the tuning queries;
/// `duplicate-id`, `out-of-memory`, `cancelled`.
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
    mut input: BuildInput<'_>,
    ids: Option<Ids>,
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let (count, dim) = shape(options, &input)?;
    ctx.tick("check", 0, count)?;
    let ids = ids.unwrap_or_else(|| Ids::counting(count));
    let by_id = segment::check_ids(&ids, count)?;
    let mut queries = options.tuning_queries.to_vec();
    if !queries.len().is_multiple_of(dim) {
        return Err(Error::Dimension { expected: dim, got: queries.len() % dim });
    }
    let mut hash = InputHash::new(segment::VERSION, &options.fingerprint(), dim);
    let mean = input.check(options.metric, &mut hash, |done| ctx.tick("check", done, count))?;
    let file_id = hash.finish(&ids, &options.tuning_queries);
    crate::search::check_queries(&mut queries, dim, options.metric)?;

    let rows = input.reader(options.metric);
    let (tree, second) = order(options, &mean, rows, ctx)?;
    let order = &tree.order;
    ctx.tick("encode", 0, count)?;
    let mut sections = vec![(SectionKind::Ids, vec![segment::encode_ids(&ids, order)])];
    let seed = segment::file_seed(&file_id);
    sections.push((SectionKind::IdOrder, vec![segment::encode_order(&ids, &by_id, order, seed)]));
    drop(by_id);
    let rows = rows.select(order);
    let stages = options.stages();
    let encode = |&kind| {
        ctx.check()?;
        Encoded::new(kind, options.metric, options.seed, &mean, rows)
    };
    let stored: Vec<Encoded> = stages.iter().map(encode).collect::<Result<_, _>>()?;
    codes_recall::check(options, rows, &mean, &stored, ctx)?;
    if options.graph && count > 0 {
        let graph = graph(options, &mean, rows, &stored, &tree, &second, ctx)?;
        let sums = segment::node_checksums(&file_id, &stored[0].bytes, stored[0].stride, &graph, options.m);
        sections.extend([(SectionKind::NodeChecksums, vec![sums]), (SectionKind::Graph, vec![graph])]);
    }
    ctx.tick("write", 0, count)?;
    if let Some(finest) = stored.last().filter(|_| options.clusters && count > 0) {
        let sums = segment::row_checksums(&file_id, &finest.bytes, finest.stride);
        let input = clusters::Input {
            metric: options.metric,
            seed: options.seed,
            rows,
            mean: &mean,
            tree: &tree,
            second: &second,
            ids: &ids,
            row_bytes: finest.stride,
            row_checksums: &sums,
            file_id,
            queries: &queries,
        };
        sections.extend(clusters::sections(&input, ctx)?);
    }
    for (form, stage) in STAGES.iter().zip(stored) {
        let sums = form
            .checksums
            .map(|kind| (kind, vec![segment::row_checksums(&file_id, &stage.bytes, stage.stride)]));
        sections.extend(sums);
        sections.push((form.parameters, vec![stage.codec.parameters()]));
        sections.push((form.matrix, vec![stage.bytes]));
    }
    let graph = options.graph && count > 0;
    let header = Header {
        file_length: 0,
        front_length: 0,
        file_id,
        count,
        dim,
        metric: options.metric,
        stages,
        text_ids: matches!(ids, Ids::Texts(_)),
        m: if graph { options.m } else { 0 },
        ef_construction: if graph { options.ef_construction } else { 0 },
        seed: options.seed,
        sections: Vec::new(),
    };
    ctx.check()?;
    // The rows and their order are not needed any more, and the sections are freed as they are written.
    drop((tree, second, ids, input));
    let mut tick = |written: u64, length: u64| {
        let done = u128::from(written) * count as u128 / u128::from(length.max(1));
        ctx.report("write", done as usize, count);
    };
    segment::write(Parts { header, sections }, sink, &mut tick)
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

/// Clusters the rows, and chooses the second leaf of each, if the file needs it. Both compare rows by SQ8 codes, which
/// live no longer.
fn order(
    options: &BuildOptions,
    mean: &[f32],
    rows: Reader<'_>,
    ctx: &Ctx<'_>,
) -> Result<(Tree, Vec<u32>), Error> {
    ctx.tick("order", 0, rows.count())?;
    let shape = Shape {
        branching: options.branching_factor,
        max_leaf: options.max_leaf_size,
        max_iterations: options.max_iterations,
        seed: options.seed,
    };
    let codec = Sq8::new(Metric::Cosine, mean.to_vec());
    let codes = RowDistances::encode_all(&codec, Metric::Cosine, rows)?;
    let tree = clusters::cluster(EncodedRows { rows, codes: &codes, codec: &codec }, shape, ctx)?;
    let second = match options.graph || options.clusters {
        true => clusters::second_leaves(&tree, &codec, &codes),
        false => Vec::new(),
    };
    Ok((tree, second))
}

/// Builds the graph. Its links are chosen by SQ8 codes: the stored ones, or codes that are made for this only. Where
/// the graph will be searched by floats and the codes do not preserve the neighbours, its links are chosen by floats
/// too.
fn graph(
    options: &BuildOptions,
    mean: &[f32],
    rows: Reader<'_>,
    stored: &[Encoded],
    tree: &Tree,
    second: &[u32],
    ctx: &Ctx<'_>,
) -> Result<Vec<u8>, Error> {
    let stored = stored.iter().find(|stage| stage.kind == CodecKind::Sq8);
    let made = match stored {
        Some(_) => None,
        None => Some(Encoded::new(CodecKind::Sq8, options.metric, options.seed, mean, rows)?),
    };
    let Some(codes) = stored.or(made.as_ref()) else { return Ok(Vec::new()) };
    let codec = Sq8::new(options.metric, quant::floats(&codes.codec.parameters()));
    let p = hnsw::Parameters { m: options.m, ef_construction: options.ef_construction, seed: options.seed };
    let mut coded = RowDistances::new(&codec, options.metric, Cow::Borrowed(&codes.bytes));
    let mut copies = hnsw::Copies::find(&coded);
    let floats = matches!(options.codec, CodecKind::F32 | CodecKind::F16);
    // If most rows are copies, few rows are linked: measuring these by floats takes no longer than many by codes.
    if copies.are_most_rows() || (floats && !coded.preserve_neighbours(rows)?) {
        let all: Vec<u32> = (0..rows.count() as u32).collect();
        coded = RowDistances::floats(options.metric, rows.dim(), rows.gather(&all)?);
        copies = hnsw::Copies::find(&coded);
    }
    let wanted = |row| copies.is_first(row);
    let near = clusters::ListKnn::new(&coded, tree, second, wanted, |rows| coded.encode_alike(&codec, rows));
    Ok(hnsw::build(&near, &copies, p, ctx)?.encode())
}
