//! The live rows of several segments, one after another. They are decoded as a source of rows, or copied as bytes.

use super::fields::StoredFields;
use super::{Live, ids};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::id::Ids;
use crate::kernels::kernels;
use crate::memory::room_for;
use crate::metric::Metric;
use crate::quant::{Codec, CodecKind, Encode};
use crate::rows::{InputHash, RowSource};
use crate::segment::{IdView, STAGES, SectionKind};
use crate::storage::{Expected, Extent, Read};
use crate::vectors::check_row;

/// Bytes that are compared with their checksums at a time, about.
const PIECE: u64 = 8 << 20;
/// Rows that one task copies.
const CHUNK: usize = 1024;

/// See the head of this file.
pub(crate) struct LiveRows<'a> {
    metric: Metric,
    dim: usize,
    /// The segments that have rows here.
    parts: Vec<Part<'a>>,
    /// The position of each row in its segment.
    positions: Vec<u32>,
    /// The parameters of each stage, where all segments have the codec of the model.
    common: Vec<Option<&'a [u8]>>,
}

/// The rows of one segment.
struct Part<'a> {
    /// Of the last stage.
    codec: &'a dyn Codec,
    /// The number of its first row.
    first: usize,
    stages: Vec<Stage<'a>>,
    fields: Option<StoredFields<'a>>,
}

/// All that a segment has of one stage.
#[derive(Clone, Copy)]
struct Stage<'a> {
    kind: CodecKind,
    stride: usize,
    parameters: &'a [u8],
    /// The rows by position, dead ones too.
    rows: &'a [u8],
}

impl<'a> LiveRows<'a> {
    /// The rows of these segments and their ids: of rows with the same id the last. All that is used of a file is
    /// compared with its checksums. `model` has the kinds of codecs, and their parameters if there are no rows.
    pub(super) fn open(model: &Live<'a>, segments: &[Live<'a>], ctx: &Ctx<'_>) -> Result<(Ids, Self), Error> {
        let header = &model.segment.header;
        let mut all = if header.text_ids { Ids::Texts(Vec::new()) } else { Ids::Numbers(Vec::new()) };
        let (mut parts, mut positions) = (Vec::new(), Vec::new());
        for live in segments {
            let own = live.positions();
            let view =
                IdView::new(live.section(SectionKind::Ids, ctx)?, live.segment.count(), header.text_ids)?;
            ids::add(&mut all, &view, &own)?;
            let (stages, fields) = (live.stages(ctx)?, StoredFields::open(live, ctx)?);
            parts.push((Part { codec: &*live.segment.finest().codec, first: 0, stages, fields }, own.len()));
            positions.extend(own);
        }
        let last = ids::last(&all)?;
        let (mut from, mut first) = (0, 0);
        for (part, count) in &mut parts {
            let rows = from..from + *count;
            from = rows.end;
            *count = last.as_ref().map_or(*count, |last| last[rows].iter().filter(|&&last| last).count());
            part.first = first;
            first += *count;
        }
        if let Some(last) = last {
            ids::retain(&mut all, &last);
            let mut last = last.into_iter();
            positions.retain(|_| last.next().unwrap_or(true));
        }
        let parts: Vec<Part<'_>> =
            parts.into_iter().filter(|(_, count)| *count > 0).map(|part| part.0).collect();
        let common = match parts.is_empty() {
            true => model.stages(ctx)?.iter().map(|stage| Some(stage.parameters)).collect(),
            false => header.stages.iter().enumerate().map(|(at, &kind)| common(&parts, at, kind)).collect(),
        };
        Ok((all, LiveRows { metric: header.metric, dim: header.dim, parts, positions, common }))
    }

    /// The parameters of a stage, if all segments encoded it by the model's codec.
    pub(super) fn parameters(&self, stage: usize) -> Option<&'a [u8]> {
        self.common.get(stage).copied().flatten()
    }

    /// The segment of a row, and the row's position in it.
    fn place(&self, row: usize) -> (&Part<'a>, usize) {
        (&self.parts[self.part_of(row)], self.positions[row] as usize)
    }

    /// The number of the segment of a row.
    fn part_of(&self, row: usize) -> usize {
        self.parts.partition_point(|part| part.first <= row) - 1
    }

    /// Whether some of the segments have stored fields.
    pub(super) fn have_fields(&self) -> bool {
        self.parts.iter().any(|part| part.fields.is_some())
    }

    /// The stored fields of a row's segment, and the row's position in it.
    pub(super) fn fields_of(&self, row: usize) -> (Option<&StoredFields<'a>>, u32) {
        let (part, position) = self.place(row);
        (part.fields.as_ref(), position as u32)
    }

    /// The bytes of a stage that all segments have, `stride` bytes for each of the rows `order`.
    pub(crate) fn copy(&self, stage: usize, stride: usize, order: &[u32]) -> Result<Vec<u8>, Error> {
        let mut bytes = room_for(order.len() * stride)?;
        bytes.resize(order.len() * stride, 0);
        exec::for_each_chunk_mut(&mut bytes, stride * CHUNK, |chunk, into| {
            let rows = &order[chunk * CHUNK..];
            for (into, &row) in into.chunks_exact_mut(stride).zip(rows) {
                let (part, position) = self.place(row as usize);
                into.copy_from_slice(part.stages[stage].row(position));
            }
        });
        Ok(bytes)
    }

    /// The bytes of the rows `order` by this codec, `stride` each: those that it encoded as they are, and others encoded
    /// from their finest rows.
    pub(crate) fn keep(
        &self,
        kind: CodecKind,
        codec: &dyn Encode,
        stride: usize,
        order: &[u32],
    ) -> Result<Vec<u8>, Error> {
        let parameters = codec.parameters();
        let same = |stage: &Stage<'_>| stage.kind == kind && stage.parameters == parameters;
        let stages: Vec<Option<&Stage<'_>>> =
            self.parts.iter().map(|part| part.stages.iter().find(|stage| same(stage))).collect();
        let mut bytes = room_for(order.len() * stride)?;
        bytes.resize(order.len() * stride, 0);
        exec::try_for_each_chunk_mut(&mut bytes, stride * CHUNK, |chunk, into| {
            let mut row = vec![0.0; self.dim];
            for (into, &number) in into.chunks_exact_mut(stride).zip(&order[chunk * CHUNK..]) {
                let part = self.part_of(number as usize);
                if let Some(stage) = stages[part] {
                    into.copy_from_slice(stage.row(self.positions[number as usize] as usize));
                    continue;
                }
                self.read(number as usize, &mut row)?;
                // Rows of f32 have length 1 under cosine as they were given; others about, as far as their codes allow.
                let exact = self.parts[part].stages.last().is_some_and(|stage| stage.kind == CodecKind::F32);
                if self.metric == Metric::Cosine && !exact {
                    check_row(&mut row, number as usize, self.metric)?;
                }
                codec.encode(&row, into)?;
            }
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Adds all stored bytes of the rows, and what they are decoded by.
    pub(super) fn hash(&self, hash: &mut InputHash, ctx: &Ctx<'_>) -> Result<(), Error> {
        for (number, part) in self.parts.iter().enumerate() {
            let end = self.parts.get(number + 1).map_or(self.positions.len(), |next| next.first);
            let positions = &self.positions[part.first..end];
            for stage in &part.stages {
                ctx.check()?;
                let [low, high] = stage.kind.parts().to_le_bytes();
                hash.parameters(&[stage.kind.number(), low, high]);
                hash.parameters(stage.parameters);
                let pieces = positions.chunk_by(|a, b| a + 1 == *b).map(|run| {
                    let first = run[0] as usize * stage.stride;
                    &stage.rows[first..first + run.len() * stage.stride]
                });
                hash.stored((positions.len() * stage.stride) as u64, pieces);
            }
        }
        Ok(())
    }

    /// Refuses a row that no build would have stored.
    fn check(&self, row: &[f32], position: usize) -> Result<(), Error> {
        let square = (kernels().dot_f32)(row, row);
        // Rows may be a little longer than a build allows, since a code stands for a row beside the one that was given.
        let ranks = square <= f32::MAX / 4.0 && (self.metric != Metric::Cosine || square > 0.0);
        match ranks {
            true => Ok(()),
            false => Err(Error::corrupt("rows", format!("no distance is defined for the row at {position}"))),
        }
    }
}

/// The parameters of a stage, if all of these encoded it by the same codec, of this kind.
fn common<'a>(parts: &[Part<'a>], at: usize, kind: CodecKind) -> Option<&'a [u8]> {
    let parameters = parts.first()?.stages.get(at)?.parameters;
    let same = |stage: &Stage<'_>| stage.kind == kind && stage.parameters == parameters;
    parts.iter().all(|part| part.stages.get(at).is_some_and(same)).then_some(parameters)
}

impl<'a> Stage<'a> {
    fn row(&self, position: usize) -> &'a [u8] {
        &self.rows[position * self.stride..][..self.stride]
    }
}

impl<'a> Live<'a> {
    /// The positions that are alive, rising.
    fn positions(&self) -> Vec<u32> {
        let count = self.segment.count() as u32;
        match self.alive {
            Some(alive) => alive.within(0..count).collect(),
            None => (0..count).collect(),
        }
    }

    /// A section, compared with its checksums.
    pub(super) fn section(&self, kind: SectionKind, ctx: &Ctx<'_>) -> Result<&'a [u8], Error> {
        let missing = || Error::corrupt(kind.name(), "the section is missing");
        let section = self.segment.header.section(kind).ok_or_else(missing)?;
        let extent = section.extent;
        let short = Error::Length { section: kind.name(), expected: extent.length, got: 0 };
        let bytes = self.source.get(extent).ok_or(short)?;
        // Whole blocks, each with a checksum.
        let piece = (PIECE / section.block_size).max(1).saturating_mul(section.block_size);
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        let mut offset = extent.offset;
        for bytes in bytes.chunks(piece) {
            ctx.check()?;
            let extent = Extent { offset, length: bytes.len() as u64 };
            self.source.prefetch(&mut std::iter::once(extent));
            self.segment.check(Read { extent, expected: Expected::Blocks }, bytes)?;
            offset = extent.end();
        }
        Ok(bytes)
    }

    /// All stages, compared with their checksums.
    fn stages(&self, ctx: &Ctx<'_>) -> Result<Vec<Stage<'a>>, Error> {
        let header = &self.segment.header;
        let mut stages = Vec::with_capacity(STAGES.len());
        for (form, &kind) in STAGES.iter().zip(&header.stages) {
            let (stride, rows) = (kind.stride(header.dim, header.metric), self.section(form.matrix, ctx)?);
            let parameters = match kind.parameter_bytes(header.dim) {
                0 => &[],
                _ => self.section(form.parameters, ctx)?,
            };
            stages.push(Stage { kind, stride, parameters, rows });
        }
        Ok(stages)
    }
}

impl RowSource for LiveRows<'_> {
    fn count(&self) -> usize {
        self.positions.len()
    }

    fn dim(&self) -> usize {
        self.dim
    }

    /// Decodes the finest rows.
    fn read(&self, first: usize, into: &mut [f32]) -> Result<(), Error> {
        for (row, into) in (first..).zip(into.chunks_exact_mut(self.dim)) {
            let (part, position) = self.place(row);
            if let Some(finest) = part.stages.last() {
                part.codec.decode(finest.row(position), into);
            }
            self.check(into, position)?;
        }
        Ok(())
    }
}
