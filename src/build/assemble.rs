//! From checked rows to a segment: orders the rows, encodes them stage by stage, links the graph, makes the clusters.

use super::account::Account;
use super::clusters::{self, EncodedRows, Shape, Tree};
use super::fields::CheckedFields;
use super::merge::LiveRows;
use super::options::BuildOptions;
use super::row_distances::RowDistances;
use super::{codes_recall, hnsw};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::features::CLUSTERS;
use crate::id::Ids;
use crate::metric::Metric;
use crate::quant::{self, CodecKind, Encode, Sq8};
use crate::rows::{Encoded, Reader};
use crate::segment::{self, FieldSizes, Header, Parts, Pieces, STAGES, SectionKind};
use crate::storage::Sink;
use std::borrow::Cow;

/// How the rows of a stage become bytes.
pub(super) enum Coding<'a> {
    /// By a codec that is trained on these rows.
    Trained(CodecKind),
    /// By a codec that was trained before.
    By(CodecKind, Box<dyn Encode>),
    /// The bytes are those of stored rows, of the stage of this number.
    Copied(CodecKind, Box<dyn Encode>, &'a LiveRows<'a>, usize),
    /// By a codec that was trained before; the bytes of stored rows that it encoded are copied.
    Kept(CodecKind, Box<dyn Encode>, &'a LiveRows<'a>),
}

impl Coding<'_> {
    pub(super) fn kind(&self) -> CodecKind {
        match self {
            Coding::Trained(kind)
            | Coding::By(kind, _)
            | Coding::Copied(kind, ..)
            | Coding::Kept(kind, ..) => *kind,
        }
    }

    /// The parameters of a codec that is not trained on the rows.
    pub(super) fn parameters(&self) -> Option<Vec<u8>> {
        match self {
            Coding::Trained(_) => None,
            Coding::By(_, codec) | Coding::Copied(_, codec, ..) | Coding::Kept(_, codec, _) => {
                Some(codec.parameters())
            }
        }
    }

    /// The bytes of the rows, in the order of the reader, which is `order`.
    fn encode(
        self,
        options: &BuildOptions,
        mean: &[f32],
        rows: Reader<'_>,
        order: &[u32],
    ) -> Result<Encoded, Error> {
        match self {
            Coding::Trained(kind) => Encoded::new(kind, options.metric, options.seed, mean, rows),
            Coding::By(kind, codec) => Encoded::by(kind, codec, options.metric, rows),
            Coding::Copied(kind, codec, stored, stage) => {
                let stride = kind.stride(rows.dim(), options.metric);
                Ok(Encoded { kind, stride, codec, bytes: stored.copy(stage, stride, order)? })
            }
            Coding::Kept(kind, codec, stored) => {
                let stride = kind.stride(rows.dim(), options.metric);
                let bytes = stored.keep(kind, &*codec, stride, order)?;
                Ok(Encoded { kind, stride, codec, bytes })
            }
        }
    }
}

/// Rows that were checked, and all else that a segment depends on beside the options.
pub(super) struct Checked<'a> {
    pub(super) rows: Reader<'a>,
    /// Their mean.
    pub(super) mean: Vec<f32>,
    pub(super) ids: Ids,
    /// The rows in the order of their ids.
    pub(super) by_id: Vec<u32>,
    pub(super) fields: Option<CheckedFields<'a>>,
    pub(super) file_id: [u8; 16],
    /// One for each stage.
    pub(super) codings: Vec<Coding<'a>>,
    /// What is reserved for the ids, and for rows in memory; and a stage that has made `by_id`.
    pub(super) account: Account,
}

/// Makes all sections. The metric and the codecs of `options` are those of the codings.
pub(super) fn assemble(checked: Checked<'_>, options: &BuildOptions, ctx: &Ctx<'_>) -> Result<Parts, Error> {
    let Checked { rows, mean, ids, by_id, fields, file_id, codings, mut account } = checked;
    let (count, dim) = (rows.count(), rows.dim());
    let mut queries = options.tuning_queries.to_vec();
    crate::search::check_queries(&mut queries, dim, options.metric)?;
    account.end(4 * count);
    account.begin(account.order())?;
    let (tree, second) = order(options, &mean, rows, ctx)?;
    account.end(tree.bytes() + 4 * second.len());
    let order = &tree.order;
    ctx.tick("encode", 0, count)?;
    account.begin(account.ids(&ids))?;
    let mut sections = vec![(SectionKind::Ids, vec![segment::encode_ids(&ids, order)])];
    let seed = segment::file_seed(&file_id);
    sections.push((SectionKind::IdOrder, vec![segment::encode_order(&ids, &by_id, order, seed)]));
    account.end(length(&sections));
    drop(by_id);
    account.freed(4 * count);
    let mut sizes = FieldSizes::default();
    if let Some(fields) = fields.filter(|_| count > 0) {
        account.begin(account.fields(fields.bytes()))?;
        let before = length(&sections);
        sizes = fields.push(&mut sections, order, seed, ctx)?;
        account.end(length(&sections) - before);
    }
    let rows = rows.select(order);
    let stages: Vec<CodecKind> = codings.iter().map(Coding::kind).collect();
    let encode = |coding: Coding<'_>| {
        ctx.check()?;
        let kind = coding.kind();
        account.begin(account.codes(kind, kind.stride(dim, options.metric)))?;
        let encoded = coding.encode(options, &mean, rows, order)?;
        account.end(encoded.bytes.len());
        Ok(encoded)
    };
    let stored: Vec<Encoded> = codings.into_iter().map(encode).collect::<Result<_, _>>()?;
    account.begin(account.recall())?;
    codes_recall::check(options, rows, &mean, &stored, ctx)?;
    if options.graph && count > 0 {
        account.begin(account.graph(options, &stages))?;
        let graph = graph(options, &mean, rows, &stored, &tree, &second, ctx)?;
        let sums = segment::node_checksums(&file_id, &stored[0].bytes, stored[0].stride, &graph, options.m);
        account.end(sums.len() + graph.len());
        sections.extend([(SectionKind::NodeChecksums, vec![sums]), (SectionKind::Graph, vec![graph])]);
    }
    ctx.tick("write", 0, count)?;
    if let Some(finest) = stored.last().filter(|_| CLUSTERS && options.clusters && count > 0) {
        account.begin(account.clusters(&ids))?;
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
        let made = clusters::sections(&input, ctx)?;
        account.end(length(&made));
        sections.extend(made);
    }
    account.begin(account.ends())?;
    let stored = stored.into_iter().map(|stage| (stage.stride, stage.codec.parameters(), stage.bytes));
    push_stages(&mut sections, &file_id, stored);
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
        fields: sizes,
        sections: Vec::new(),
    };
    Ok(Parts { header, sections })
}

/// Adds the sections of all stages: of each the bytes of a row, the parameters of its codec, and its rows.
pub(super) fn push_stages(
    sections: &mut Vec<(SectionKind, Pieces)>,
    file_id: &[u8; 16],
    stages: impl Iterator<Item = (usize, Vec<u8>, Vec<u8>)>,
) {
    for (form, (stride, parameters, rows)) in STAGES.iter().zip(stages) {
        let sums = form.checksums.map(|kind| (kind, vec![segment::row_checksums(file_id, &rows, stride)]));
        sections.extend(sums);
        sections.push((form.parameters, vec![parameters]));
        sections.push((form.matrix, vec![rows]));
    }
}

/// The bytes of sections.
fn length(sections: &[(SectionKind, Pieces)]) -> usize {
    sections.iter().flat_map(|(_, pieces)| pieces).map(Vec::len).sum()
}

/// Writes the file; cancelling has no effect from here on.
pub(super) fn write(parts: Parts, sink: &mut dyn Sink, ctx: &Ctx<'_>) -> Result<(), Error> {
    ctx.check()?;
    let count = parts.header.count;
    let mut tick = |written: u64, length: u64| {
        let done = u128::from(written) * count as u128 / u128::from(length.max(1));
        ctx.report("write", done as usize, count);
    };
    segment::write(parts, sink, &mut tick)
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
