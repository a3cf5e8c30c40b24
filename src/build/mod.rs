//! Builds a segment: checks the rows, clusters and orders them, encodes them, links the graph, writes the sections.

mod clusters;
mod codes_recall;
mod hnsw;
mod nearest;
mod options;
mod row_distances;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::id::Ids;
use crate::metric::Metric;
use crate::quant::{self, CodecKind, Encode, Sq8};
use crate::segment::{self, Header, Parts, STAGES, SectionKind, limits};
use crate::vectors::{Rows, check_row};
use clusters::Shape;
pub use options::BuildOptions;
use row_distances::RowDistances;
use std::borrow::Cow;

/// Builds the segment file of `vectors` (row-major, `dim` components each) and their `ids` (`None`: 0, 1, 2, …).
///
/// # Errors
/// `argument`, `dimension`; `not-finite` and `zero-vector`, which name the row of `vectors` or of the tuning queries;
/// `duplicate-id`, `out-of-memory`, `cancelled`.
pub fn build(
    mut vectors: Vec<f32>,
    dim: usize,
    ids: Option<Ids>,
    options: &BuildOptions,
    ctx: &Ctx<'_>,
) -> Result<Vec<u8>, Error> {
    options.check()?;
    if dim == 0 || dim > limits::MAX_DIM {
        return Err(Error::argument("dim", format!("{dim} is outside 1..={}", limits::MAX_DIM)));
    }
    options.check_codec(dim)?;
    let count = vectors.len() / dim;
    if vectors.len() != count * dim {
        return Err(Error::Dimension { expected: dim, got: vectors.len() - count * dim });
    }
    if count > limits::MAX_COUNT {
        return Err(Error::argument(
            "vectors",
            format!("a segment holds at most {} rows", limits::MAX_COUNT),
        ));
    }
    ctx.tick("check", 0, count)?;
    let ids = ids.unwrap_or_else(|| Ids::counting(count));
    let by_id = segment::check_ids(&ids, count)?;
    let mut queries = options.tuning_queries.to_vec();
    if !queries.len().is_multiple_of(dim) {
        return Err(Error::Dimension { expected: dim, got: queries.len() % dim });
    }
    let file_id = file_id(&vectors, dim, &ids, options);
    check_rows(&mut vectors, dim, options.metric)?;
    crate::search::check_queries(&mut queries, dim, options.metric)?;

    let shape = Shape {
        branching: options.branching_factor,
        max_leaf: options.max_leaf_size,
        max_iterations: options.max_iterations,
        seed: options.seed,
    };
    let tree = clusters::cluster(Rows { data: &vectors, dim }, shape, ctx)?;
    let order = &tree.order;
    ctx.tick("encode", 0, count)?;
    let rows = reorder(&vectors, dim, order)?;
    drop(vectors);

    let mut sections = vec![(SectionKind::Ids, segment::encode_ids(&ids, order))];
    let seed = segment::file_seed(&file_id);
    sections.push((SectionKind::IdOrder, segment::encode_order(&ids, &by_id, order, seed)));
    let stages = options.stages();
    let stored: Vec<Encoded> =
        stages.iter().map(|&kind| encode(kind, options, dim, &rows)).collect::<Result<_, _>>()?;
    codes_recall::check(options, Rows { data: &rows, dim }, &stored, ctx)?;
    let second = match options.graph || options.clusters {
        true => clusters::second_leaves(&tree, Rows { data: &rows, dim }),
        false => Vec::new(),
    };
    if options.graph && count > 0 {
        let graph = graph(options, dim, &rows, &stored, &tree, &second, ctx)?;
        let sums = segment::node_checksums(&file_id, &stored[0].bytes, stored[0].stride, &graph, options.m);
        sections.extend([(SectionKind::NodeChecksums, sums), (SectionKind::Graph, graph)]);
    }
    ctx.tick("write", 0, count)?;
    if let Some(finest) = stored.last().filter(|_| options.clusters && count > 0) {
        let sums = segment::row_checksums(&file_id, &finest.bytes, finest.stride);
        let input = clusters::Input {
            metric: options.metric,
            seed: options.seed,
            rows: Rows { data: &rows, dim },
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
    drop(rows);
    for (form, stage) in STAGES.iter().zip(stored) {
        let sums =
            form.checksums.map(|kind| (kind, segment::row_checksums(&file_id, &stage.bytes, stage.stride)));
        sections.extend(sums);
        sections.push((form.parameters, stage.codec.parameters()));
        sections.push((form.matrix, stage.bytes));
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
    let file = segment::write(Parts { header, sections })?;
    ctx.tick("write", count, count)?;
    Ok(file)
}

/// A hash of the input and the options, and of nothing else, so that equal builds have equal ids. Each part is preceded
/// by its kind and its length, so that two different inputs never hash the same bytes.
fn file_id(vectors: &[f32], dim: usize, ids: &Ids, options: &BuildOptions) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let mut part = |kind: u8, bytes: &[u8]| {
        hasher.update(&[kind]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(0, &segment::VERSION.to_le_bytes());
    part(1, options.fingerprint().as_bytes());
    part(2, &(dim as u64).to_le_bytes());
    // Little-endian in memory: kernels/mod.rs refuses to compile elsewhere.
    part(3, bytemuck::cast_slice(vectors));
    match ids {
        Ids::Numbers(numbers) => part(4, bytemuck::cast_slice(numbers)),
        Ids::Texts(texts) => texts.iter().for_each(|text| part(5, text.as_bytes())),
    }
    part(6, bytemuck::cast_slice(&options.tuning_queries));
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

/// Refuses rows for which no distance is defined, and under cosine scales every row to length 1.
fn check_rows(vectors: &mut [f32], dim: usize, metric: Metric) -> Result<(), Error> {
    const CHUNK: usize = 1024;
    exec::try_for_each_chunk_mut(vectors, dim * CHUNK, |chunk, rows| {
        let mut rows = rows.chunks_exact_mut(dim).zip(chunk * CHUNK..);
        rows.try_for_each(|(row, number)| check_row(row, number, metric))
    })
}

fn reorder(vectors: &[f32], dim: usize, order: &[u32]) -> Result<Vec<f32>, Error> {
    let mut rows = Vec::new();
    rows.try_reserve_exact(vectors.len())
        .map_err(|_| Error::OutOfMemory { bytes: vectors.len() as u64 * 4 })?;
    order.iter().for_each(|&r| rows.extend_from_slice(&vectors[r as usize * dim..][..dim]));
    Ok(rows)
}

/// All rows, encoded by one codec.
pub(super) struct Encoded {
    pub(super) kind: CodecKind,
    pub(super) stride: usize,
    pub(super) codec: Box<dyn Encode>,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn encode(
    kind: CodecKind,
    options: &BuildOptions,
    dim: usize,
    rows: &[f32],
) -> Result<Encoded, Error> {
    const CHUNK: usize = 1024;
    let codec = quant::train(kind, options.metric, dim, rows, options.seed);
    let stride = kind.stride(dim, options.metric);
    let length = rows.len() / dim * stride;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| Error::OutOfMemory { bytes: length as u64 })?;
    bytes.resize(length, 0u8);
    exec::try_for_each_chunk_mut(&mut bytes, stride * CHUNK, |chunk, codes| {
        let rows = rows[chunk * CHUNK * dim..].chunks_exact(dim);
        rows.zip(codes.chunks_exact_mut(stride)).try_for_each(|(row, code)| codec.encode(row, code))
    })?;
    Ok(Encoded { kind, stride, codec, bytes })
}

/// Builds the graph. Its links are chosen by SQ8 codes: the stored ones, or codes that are made for this only. Where
/// the graph will be searched by floats and the codes do not preserve the neighbours, its links are chosen by floats
/// too.
fn graph(
    options: &BuildOptions,
    dim: usize,
    rows: &[f32],
    stored: &[Encoded],
    tree: &clusters::Tree,
    second: &[u32],
    ctx: &Ctx<'_>,
) -> Result<Vec<u8>, Error> {
    let stored = stored.iter().find(|stage| stage.kind == CodecKind::Sq8);
    let made = match stored {
        Some(_) => None,
        None => Some(encode(CodecKind::Sq8, options, dim, rows)?),
    };
    let Some(codes) = stored.or(made.as_ref()) else { return Ok(Vec::new()) };
    let codec = Sq8::new(options.metric, quant::floats(&codes.codec.parameters()));
    let p = hnsw::Parameters { m: options.m, ef_construction: options.ef_construction, seed: options.seed };
    let mut coded = RowDistances::new(&codec, options.metric, Cow::Borrowed(&codes.bytes));
    let mut copies = hnsw::Copies::find(&coded);
    let floats = matches!(options.codec, CodecKind::F32 | CodecKind::F16);
    // If most rows are copies, few rows are linked: measuring these by floats takes no longer than many by codes.
    if copies.are_most_rows() || (floats && !coded.preserve_neighbours(rows)) {
        coded = RowDistances::floats(options.metric, dim, rows);
        copies = hnsw::Copies::find(&coded);
    }
    let wanted = |row| copies.is_first(row);
    let near = clusters::ListKnn::new(&coded, tree, second, wanted, |rows| coded.encode_alike(&codec, rows));
    Ok(hnsw::build(&near, &copies, p, ctx)?.encode())
}
