//! A plain segment: rows that are encoded already, in the order in which they are given, without a graph and without
//! clusters. Nothing is trained, ordered or decoded, so it takes little longer than writing the bytes. Searches of it
//! score every row.

use std::borrow::Cow;

use super::assemble::{push_stages, write};
use super::fields::{CheckedFields, FieldSource};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Ids;
use crate::metric::Metric;
use crate::payload::Schema;
use crate::quant::{self, CodecKind};
use crate::rows::InputHash;
use crate::segment::{self, FieldSizes, Header, Parts, STAGES, SectionKind, limits};
use crate::storage::Sink;

/// Rows that are encoded already, in the order of their positions.
pub(crate) struct PlainRows<'a> {
    pub(crate) metric: Metric,
    pub(crate) dim: usize,
    /// Only stored: nothing is drawn.
    pub(crate) seed: u64,
    /// One to three, each finer than the one before.
    pub(crate) stages: Vec<PlainStage<'a>>,
    pub(crate) ids: Ids,
    pub(crate) fields: Option<&'a dyn FieldSource>,
    pub(crate) schema: &'a Schema,
}

/// All rows by one codec.
pub(crate) struct PlainStage<'a> {
    pub(crate) kind: CodecKind,
    /// Of the codec, as they are stored.
    pub(crate) parameters: Vec<u8>,
    /// One code a row.
    pub(crate) rows: Cow<'a, [u8]>,
}

/// Writes the segment of these rows. The same rows give the same file.
///
/// The codes are believed: no row is decoded, and none is refused for what it holds.
///
/// # Errors
/// `argument` for a shape that no segment has, or codes of another number of rows than there are ids; `corrupt` for
/// parameters that are not of the codec; `duplicate-id`; those of `fields` and of the sink; `cancelled`.
pub(crate) fn plain(rows: PlainRows<'_>, sink: &mut dyn Sink, ctx: &Ctx<'_>) -> Result<(), Error> {
    let PlainRows { metric, dim, seed, stages, ids, fields, schema } = rows;
    let count = ids.len();
    check_shape(metric, dim, count, &stages)?;
    let by_id = segment::check_ids(&ids, count)?;
    let mut hash = InputHash::new(segment::VERSION, &format!("plain {metric:?} {seed}"), dim);
    for stage in &stages {
        ctx.check()?;
        let [low, high] = stage.kind.parts().to_le_bytes();
        hash.parameters(&[stage.kind.number(), low, high]);
        hash.parameters(&stage.parameters);
        hash.stored(stage.rows.len() as u64, std::iter::once(&*stage.rows));
    }
    let fields =
        fields.map(|fields| CheckedFields::new(fields, count, schema, &mut hash, ctx)).transpose()?;
    let file_id = hash.finish(&ids, &[]);
    let order: Vec<u32> = (0..count as u32).collect();
    let file_seed = segment::file_seed(&file_id);
    let mut sections = vec![
        (SectionKind::Ids, vec![segment::encode_ids(&ids, &order)]),
        (SectionKind::IdOrder, vec![segment::encode_order(&ids, &by_id, &order, file_seed)]),
    ];
    let mut sizes = FieldSizes::default();
    if let Some(fields) = fields.filter(|_| count > 0) {
        sizes = fields.push(&mut sections, &order, file_seed, ctx)?;
    }
    let header = Header {
        file_length: 0,
        front_length: 0,
        file_id,
        count,
        dim,
        metric,
        stages: stages.iter().map(|stage| stage.kind).collect(),
        text_ids: matches!(ids, Ids::Texts(_)),
        m: 0,
        ef_construction: 0,
        seed,
        fields: sizes,
        sections: Vec::new(),
    };
    let stored = stages.into_iter().map(|stage| {
        let stride = stage.kind.stride(dim, metric);
        (stride, stage.parameters, stage.rows.into_owned())
    });
    push_stages(&mut sections, &file_id, stored);
    write(Parts { header, sections }, sink, ctx)
}

/// Refuses what no segment holds.
fn check_shape(metric: Metric, dim: usize, count: usize, stages: &[PlainStage<'_>]) -> Result<(), Error> {
    if dim == 0 || dim > limits::MAX_DIM {
        return Err(Error::argument("dim", format!("{dim} is outside 1..={}", limits::MAX_DIM)));
    }
    if count > limits::MAX_COUNT {
        let detail = format!("a segment holds at most {} rows", limits::MAX_COUNT);
        return Err(Error::argument("rows", detail));
    }
    let finer = stages.windows(2).all(|pair| pair[1].kind.is_finer_than(pair[0].kind));
    if stages.is_empty() || stages.len() > STAGES.len() || !finer {
        let detail = format!("give one to {} codecs, each finer than the one before", STAGES.len());
        return Err(Error::argument("codec", detail));
    }
    for PlainStage { kind, parameters, rows } in stages {
        quant::load(*kind, metric, dim, parameters)?;
        let expected = count * kind.stride(dim, metric);
        if rows.len() != expected {
            let detail = format!("{count} {kind} rows are {expected} bytes, not {}", rows.len());
            return Err(Error::argument("rows", detail));
        }
    }
    Ok(())
}
