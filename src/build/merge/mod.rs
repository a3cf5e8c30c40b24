//! Merges segments: one segment of all live rows of several. Of an id that several have, the last row is taken.
//!
//! | file | duty |
//! |---|---|
//! | `rows` | the live rows of the segments: decoded as a source of rows, or copied as bytes |
//! | `fields` | their stored fields
//! | `ids`  | their ids, and which row of each is the last |
//!
//! Codes are copied where all segments encoded a stage by one codec with the same parameters. An sq8 code that is
//! decoded and encoded again is not the same code, so rows would move with each merge. Order, graph, lists and
//! calibration are made anew, from rows that are decoded in blocks from the finest stage.

mod fields;
mod ids;
mod rows;

use super::account::Account;
use super::assemble::{Checked, Coding, assemble, write};
use super::fields::CheckedFields;
use super::plain::{PlainRows, PlainStage, plain};
use super::{BuildOptions, FieldSource, check_tuning};
use crate::ctx::{Ctx, Warning};
use crate::error::Error;
use crate::metric::Metric;
use crate::payload::Schema;
use crate::quant::{self, CodecKind, MeanSum};
use crate::row_set::RowSet;
use crate::rows::{InputHash, Reader};
use crate::segment::payload::PayloadHead;
use crate::segment::{self, STAGES, Segment, limits};
use crate::storage::{Sink, Source};
pub(super) use rows::LiveRows;

/// A segment of a merge, whose file is local as a whole.
#[derive(Clone, Copy)]
pub(crate) struct Live<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) source: &'a dyn Source,
    /// The rows that are alive; `None`: all.
    pub(crate) alive: Option<&'a RowSet>,
}

/// A codec, and its parameters as they are stored.
pub(crate) type Frozen = (CodecKind, Vec<u8>);

/// Builds one segment of these segments' live rows, in their order.
pub(crate) fn merge(
    segments: &[Live<'_>],
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    merge_by(segments, None, options, sink, ctx)
}

/// As [`merge`], into these stages. Rows that one of their codecs encoded are copied, bit for bit; all others are
/// encoded from their finest rows. Nothing is trained.
pub(crate) fn merge_as(
    segments: &[Live<'_>],
    stages: &[Frozen],
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    merge_by(segments, Some(stages), options, sink, ctx)
}

/// The live rows of these segments as one plain segment, in their order, by these codecs: copied where they encoded them.
pub(crate) fn copy_as(
    segments: &[Live<'_>],
    stages: &[Frozen],
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let live = check_alike(segments)?;
    let Some(model) = live.first().or(segments.first()) else {
        return Err(Error::argument("indexes", "there is none to copy: give at least one"));
    };
    let (metric, dim) = (model.segment.header.metric, model.segment.dim());
    let (ids, stored) = LiveRows::open(model, &live, ctx)?;
    let order: Vec<u32> = (0..ids.len() as u32).collect();
    let stage = |(kind, parameters): &Frozen| {
        ctx.check()?;
        let codec = quant::load_encoder(*kind, metric, dim, parameters)?;
        let rows = stored.keep(*kind, &*codec, kind.stride(dim, metric), &order)?;
        Ok(PlainStage { kind: *kind, parameters: parameters.clone(), rows: rows.into() })
    };
    let stages = stages.iter().map(stage).collect::<Result<Vec<_>, Error>>()?;
    let fields = stored.have_fields().then_some(&stored as &dyn FieldSource);
    let schema = &schema_like(&Schema::of_parts(), &live);
    plain(PlainRows { metric, dim, seed: 0, stages, ids, fields, schema }, sink, ctx)
}

/// The types of fields: where they are inferred, those on which the segments agree.
fn schema_like(schema: &Schema, live: &[Live<'_>]) -> Schema {
    schema.like(live.iter().filter_map(|live| live.segment.payload.as_ref()).flat_map(PayloadHead::kinds))
}

fn merge_by(
    segments: &[Live<'_>],
    stages: Option<&[Frozen]>,
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let live = check_alike(segments)?;
    let Some(model) = live.first().or(segments.first()) else {
        return Err(Error::argument("indexes", "there is none to merge: give at least one"));
    };
    let header = &model.segment.header;
    let options = &match stages {
        None => options.like(header),
        Some(stages) => {
            let kinds: Vec<CodecKind> = stages.iter().map(|stage| stage.0).collect();
            options.of_stages(header.metric, &kinds)
        }
    };
    let dim = model.segment.dim();
    options.check()?;
    check_tuning(options, dim)?;
    let most = live.iter().map(|live| live.alive.map_or(live.segment.count(), RowSet::count)).sum();
    let mut account = Account::new(options, most, dim)?;
    let (ids, stored) = LiveRows::open(model, &live, ctx)?;
    let count = ids.len();
    ctx.tick("check", 0, count)?;
    account.given(None, &ids)?;
    let by_id = segment::check_ids(&ids, count)?;
    let codings = match stages {
        None => codings(model, &stored, ctx)?,
        Some(stages) => kept(stages, options.metric, dim, &stored)?,
    };
    let anew = codings.iter().any(|coding| matches!(coding, Coding::Trained(_)));
    // Decoded rows have about length 1 under cosine. That is scaled only where they are encoded again.
    let rows = match anew && options.metric == Metric::Cosine {
        true => Reader::source(&stored, Metric::Cosine),
        false => Reader::decoded(&stored),
    };
    let mut hash = InputHash::new(segment::VERSION, &options.fingerprint(), dim);
    codings.iter().filter_map(Coding::parameters).for_each(|parameters| hash.parameters(&parameters));
    stored.hash(&mut hash, ctx)?;
    let schema = schema_like(&options.schema, &live);
    let fields = stored.have_fields().then(|| CheckedFields::new(&stored, count, &schema, &mut hash, ctx));
    let fields = fields.transpose()?;
    let file_id = hash.finish(&ids, &options.tuning_queries);
    let mut sum = MeanSum::new(dim);
    rows.blocks(|range, block| {
        block.chunks_exact(dim).for_each(|row| sum.add(row));
        ctx.tick("check", range.end, count)
    })?;
    let checked = Checked { rows, mean: sum.mean(), ids, by_id, fields, file_id, codings, account };
    let parts = assemble(checked, options, ctx)?;
    drop(stored);
    write(parts, sink, ctx)
}

/// Refuses segments that do not fit together. Returns those that have live rows.
fn check_alike<'a>(segments: &[Live<'a>]) -> Result<Vec<Live<'a>>, Error> {
    let is_live = |live: &&Live<'_>| live.alive.map_or(live.segment.count(), RowSet::count) > 0;
    let live: Vec<Live<'_>> = segments.iter().filter(is_live).copied().collect();
    let differ = |what: &str, found: String, first: String| {
        let detail = format!("one has {what} {found}, another {first}: build them with the same");
        Err(Error::argument("indexes", detail))
    };
    let mut rows = 0u64;
    for each in segments {
        let (header, first) = (&each.segment.header, &segments[0].segment.header);
        if header.dim != first.dim {
            return Err(Error::Dimension { expected: first.dim, got: header.dim });
        }
        if header.metric != first.metric {
            return differ("the metric", header.metric.name().to_owned(), first.metric.name().to_owned());
        }
        rows += header.count as u64;
    }
    let kind = |text: bool| if text { "text" } else { "number" }.to_owned();
    for each in &live {
        let (text, first) = (each.segment.header.text_ids, live[0].segment.header.text_ids);
        if text != first {
            return differ("ids of the kind", kind(text), kind(first));
        }
    }
    match rows > limits::MAX_COUNT as u64 {
        true => {
            Err(Error::argument("indexes", format!("a segment holds at most {} rows", limits::MAX_COUNT)))
        }
        false => Ok(live),
    }
}

/// One coding for each stage: a copy where all segments have the same codec, else the codec is trained on all rows.
fn codings<'a>(model: &Live<'_>, stored: &'a LiveRows<'a>, ctx: &Ctx<'_>) -> Result<Vec<Coding<'a>>, Error> {
    let header = &model.segment.header;
    let mut anew = Vec::new();
    let mut codings = Vec::new();
    for (stage, &kind) in header.stages.iter().enumerate() {
        codings.push(match stored.parameters(stage) {
            Some(parameters) => {
                let codec = quant::load_encoder(kind, header.metric, header.dim, parameters)?;
                Coding::Copied(kind, codec, stored, stage)
            }
            None => {
                anew.push(kind.to_string());
                Coding::Trained(kind)
            }
        });
    }
    if !anew.is_empty() {
        ctx.warn(Warning::EncodedAnew { codec: anew.join(", ") });
    }
    Ok(codings)
}

/// One coding for each of these stages.
fn kept<'a>(
    stages: &[Frozen],
    metric: Metric,
    dim: usize,
    stored: &'a LiveRows<'a>,
) -> Result<Vec<Coding<'a>>, Error> {
    if stages.is_empty() || stages.len() > STAGES.len() {
        return Err(Error::argument("codec", format!("give one to {} codecs", STAGES.len())));
    }
    let coding = |(kind, parameters): &Frozen| {
        let codec = quant::load_encoder(*kind, metric, dim, parameters)?;
        Ok(Coding::Kept(*kind, codec, stored))
    };
    stages.iter().map(coding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, Ids};
    use crate::storage::InMemory;

    /// One component each, by which a row is known; ids from `first` on.
    fn segment(rows: &[f32], first: u64) -> (Segment, Vec<u8>) {
        let ids = Ids::Numbers((first..first + rows.len() as u64).collect());
        let options = BuildOptions::new(Metric::L2).codec(quant::CodecKind::F32);
        let file = crate::build::build(rows.to_vec(), 1, Some(ids), &options, &Ctx::default()).unwrap();
        (Segment::open(&file, file.len() as u64).unwrap(), file)
    }

    #[test]
    fn dead_rows_are_left_out() {
        let rows: Vec<f32> = (0..200u16).map(f32::from).collect();
        let files = [(&rows[..120], 0), (&rows[100..], 100), (&[], 0)].map(|(rows, id)| segment(rows, id));
        let sources = files.each_ref().map(|(_, file)| InMemory(&file[..]));
        // Without the row 100 of the second segment the one of the first counts, and that is there.
        let position = |number: usize, id| files[number].0.find(&sources[number], &Id::Number(id));
        let at = |number, id| position(number, id).unwrap().unwrap().unwrap();
        for dead in [vec![], vec![(0, 7), (0, 119)], vec![(1, 100)], vec![(0, 100), (1, 100)]] {
            let alive = |number: usize, count| {
                let dead = dead.iter().filter(|dead| dead.0 == number).map(|dead| at(number, dead.1));
                RowSet::of(count, dead.collect::<Vec<u32>>()).unwrap().complement().unwrap()
            };
            let alive = [alive(0, 120), alive(1, 100), alive(2, 0)];
            let live: Vec<Live<'_>> = (0..3)
                .map(|i| Live { segment: &files[i].0, source: &sources[i], alive: Some(&alive[i]) })
                .collect();
            let mut merged = Vec::new();
            merge(&live, &BuildOptions::default(), &mut merged, &Ctx::default()).unwrap();
            let segment = Segment::open(&merged, merged.len() as u64).unwrap();
            let source = InMemory(&merged[..]);
            let mut count = 0;
            for id in 0..200 {
                let gone = |number| dead.contains(&(number, id));
                let lives = (id < 120 && !gone(0)) || (id >= 100 && !gone(1));
                let found = segment.find(&source, &Id::Number(id)).unwrap().unwrap();
                assert_eq!(found.is_some(), lives, "{id} without {dead:?}");
                count += usize::from(lives);
                if let Some(position) = found {
                    let row = source.get(segment.finest().row(position)).unwrap();
                    assert_eq!(row, (id as f32).to_le_bytes());
                }
            }
            assert_eq!(segment.count(), count);
        }
        let none = RowSet::of(120, []).unwrap();
        let live = Live { segment: &files[0].0, source: &sources[0], alive: Some(&none) };
        let mut merged = Vec::new();
        merge(&[live], &BuildOptions::default(), &mut merged, &Ctx::default()).unwrap();
        assert_eq!(Segment::open(&merged, merged.len() as u64).unwrap().count(), 0);
    }
}
