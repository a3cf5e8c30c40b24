//! A segment that is not built yet: its sections have the lengths that it will have, and no bytes. So a plan can ask it what
//! an opening asks a real one.

use super::clusters::{Cells, Counts};
use super::format::{FieldSizes, Header, STAGES, SectionKind};
use super::payload::PayloadHead;
use super::reader::{Clusters, Matrix, Segment};
use super::writer::arrange;
use super::{graph, packed};
use crate::error::Error;
use crate::metric::Metric;
use crate::quant::{self, CodecKind, Rabitq};
use crate::storage::Extent;

/// What is known of a segment before it is built.
pub(crate) struct Planned {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) metric: Metric,
    /// Each finer than the one before.
    pub(crate) stages: Vec<CodecKind>,
    /// Links of a node; 0: there is no graph.
    pub(crate) m: usize,
    pub(crate) clusters: Option<Counts>,
    /// Mean bytes of an id that is a text; `None`: ids are the numbers of rows.
    pub(crate) text_ids: Option<u64>,
    pub(crate) fields: Option<PlannedFields>,
}

/// The stored fields and their indexes, as a sample of the rows has them.
#[derive(Clone)]
pub(crate) struct PlannedFields {
    /// Bytes of the field directory, and of the fields.
    pub(crate) stored: [u64; 2],
    pub(crate) sizes: FieldSizes,
    /// The head of the indexes of the sample, and its rows.
    pub(crate) head: Vec<u8>,
    pub(crate) sample: usize,
    /// Bytes of terms, sets and sorted: those of the sample, and of all rows.
    pub(crate) of_sample: [u64; 3],
    pub(crate) indexes: [u64; 3],
}

const INDEXES: [SectionKind; 3] = [SectionKind::Terms, SectionKind::Sets, SectionKind::Sorted];

impl Segment {
    /// See the head of this file.
    ///
    /// # Errors
    /// Those of the head of the indexes.
    pub(crate) fn planned(planned: &Planned) -> Result<Self, Error> {
        let header = header(planned);
        let Header { dim, metric, .. } = header;
        let matrices = STAGES.iter().zip(&planned.stages).map(|(form, &codec)| {
            let extent = header.section(form.matrix).map_or(EMPTY, |section| section.extent);
            let stride = codec.stride(dim, metric) as u64;
            let stored = vec![0; codec.parameter_bytes(dim)];
            let codec = quant::load(codec, metric, dim, &stored)?;
            Ok(Matrix { extent, stride, codec, checksums: form.checksums })
        });
        let mut matrices = matrices.collect::<Result<Vec<_>, Error>>()?.into_iter();
        let codes = matrices.next().ok_or_else(|| Error::internal("a plan of no codes"))?;
        let clusters = planned.clusters.as_ref().map(|counts| Clusters {
            cells: Cells::planned(counts),
            list_codec: Rabitq::new(metric, vec![0.0; dim], counts.bits),
        });
        let payload = planned.fields.as_ref().map(|fields| {
            let extents = fields.of_sample.map(|length| Extent { offset: 0, length });
            PayloadHead::decode(&fields.head, extents, fields.sample, 0)
        });
        let blocks = header.section(SectionKind::Checksums).map_or(0, |sums| sums.extent.length / 8);
        Ok(Segment {
            codes,
            finer: matrices.collect(),
            clusters,
            payload: payload.transpose()?,
            seed: 0,
            checksums: vec![0; blocks as usize],
            header,
        })
    }
}

impl Planned {
    /// Bytes that `open` would read.
    pub(crate) fn front_length(&self) -> u64 {
        header(self).front_length
    }
}

const EMPTY: Extent = Extent { offset: 0, length: 0 };

fn header(planned: &Planned) -> Header {
    let mut header = Header {
        file_length: 0,
        front_length: 0,
        file_id: [0; 16],
        count: planned.rows,
        dim: planned.dim,
        metric: planned.metric,
        stages: planned.stages.clone(),
        text_ids: planned.text_ids.is_some(),
        m: planned.m,
        ef_construction: 0,
        seed: 0,
        fields: planned.fields.as_ref().map_or(FieldSizes::default(), |fields| fields.sizes),
        sections: Vec::new(),
    };
    arrange(&mut header, sections(planned));
    header
}

/// The sections and their lengths, but those of checksums.
fn sections(planned: &Planned) -> Vec<(SectionKind, u64)> {
    let &Planned { dim, metric, m, .. } = planned;
    let rows = planned.rows as u64;
    let mut sections = Vec::new();
    for (form, codec) in STAGES.iter().zip(&planned.stages) {
        sections.push((form.parameters, codec.parameter_bytes(dim) as u64));
        sections.push((form.matrix, rows * codec.stride(dim, metric) as u64));
        sections.extend(form.checksums.map(|kind| (kind, rows * 4)));
    }
    let ids = match planned.text_ids {
        Some(bytes) => 4 * (rows + 1) + bytes * rows,
        None => packed::bytes(rows, rows.saturating_sub(1)),
    };
    sections.extend([(SectionKind::Ids, ids), (SectionKind::IdOrder, rows * 8)]);
    if m > 0 {
        // A node is in layer l with a probability of 1 in m to the l.
        let m64 = m as u64;
        let above = [rows / m64, rows * m64 / (m64 - 1).max(1)];
        sections.push((SectionKind::Graph, graph::section_bytes(planned.rows, m, above)));
        sections.push((SectionKind::NodeChecksums, rows * 8));
    }
    if let Some(counts) = &planned.clusters {
        let kinds = [SectionKind::Cells, SectionKind::Leaves, SectionKind::Lists];
        sections.push((SectionKind::ListParameters, dim as u64 * 4));
        sections.extend(kinds.into_iter().zip(counts.section_bytes()));
    }
    if let Some(fields) = &planned.fields {
        let kinds = [SectionKind::FieldDirectory, SectionKind::Fields];
        sections.extend(kinds.into_iter().zip(fields.stored));
        sections.push((SectionKind::Payload, fields.head.len() as u64));
        sections.extend(INDEXES.into_iter().zip(fields.indexes).filter(|&(_, length)| length > 0));
    }
    sections
}
