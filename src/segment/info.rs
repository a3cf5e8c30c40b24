//! The facts of a segment, for `inspect` and for programs.

use super::clusters::NEIGHBOURS;
use super::payload::{IndexHead, PayloadField};
use super::reader::Segment;
use crate::metric::Metric;
use crate::payload::{FieldKind, FieldType};
use crate::quant::CodecKind;

/// One section of the file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SectionInfo {
    /// Its name.
    pub name: &'static str,
    /// From the start of the file.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
    /// `length` / rows.
    pub bytes_per_vector: f64,
}

/// A point of the clustered index's curve: how wide a search is for a wanted recall, and the recall that this reached
/// when the index was built.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CurveStep {
    /// How many nearest rows are searched for.
    pub k: usize,
    /// The recall that is wanted.
    pub wanted: f64,
    /// The recall that was reached.
    pub reached: f64,
    /// Cells whose leaves are ranked.
    pub cells: usize,
    /// Leaves whose lists are scanned.
    pub probes: usize,
}

/// A field of the rows, and what its index takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Its name.
    pub name: String,
    /// The type of its values; `None` if it is not indexed.
    pub of: Option<FieldType>,
    /// Why it is not indexed: the end of a sentence. `None` if it is.
    pub why: Option<&'static str>,
    /// Rows that have a value; 0 if it is not indexed.
    pub rows: u64,
    /// Values of all rows, which may have several.
    pub values: u64,
    /// Different values, of keywords and booleans.
    pub distinct: Option<u64>,
    /// Bytes of its index that `open` reads.
    pub front_bytes: u64,
    /// Bytes of its texts.
    pub terms_bytes: u64,
    /// Bytes of its sets of rows.
    pub sets_bytes: u64,
    /// Bytes of its numbers or points.
    pub sorted_bytes: u64,
}

impl FieldInfo {
    /// All bytes of its index.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.front_bytes + self.terms_bytes + self.sets_bytes + self.sorted_bytes
    }

    /// Adds a field of another segment to those that are there, rising by name. One that is there keeps its type; how
    /// many different values there are together is not known then.
    pub(crate) fn add(fields: &mut Vec<FieldInfo>, field: &FieldInfo) {
        match fields.binary_search_by(|there| there.name.cmp(&field.name)) {
            Ok(at) => {
                let there = &mut fields[at];
                there.rows += field.rows;
                there.values += field.values;
                there.distinct = None;
                there.front_bytes += field.front_bytes;
                there.terms_bytes += field.terms_bytes;
                there.sets_bytes += field.sets_bytes;
                there.sorted_bytes += field.sorted_bytes;
            }
            Err(at) => fields.insert(at, field.clone()),
        }
    }
}

/// A segment's facts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// Rows.
    pub count: usize,
    /// Components per vector.
    pub dim: usize,
    /// The measure of nearness.
    pub metric: Metric,
    /// How the codes that are searched are stored.
    pub codec: CodecKind,
    /// How the `refine` rows are stored, by which candidates are ranked again; `None` if there are none.
    pub refine: Option<CodecKind>,
    /// How the `exact` rows are stored, by which the best candidates are ranked once more; `None` if there are none.
    pub exact: Option<CodecKind>,
    /// Whether there is an HNSW graph.
    pub graph: bool,
    /// Whether there is a clustered index.
    pub clusters: bool,
    /// The recall that the clustered index reaches, by ascending k and recall; empty without one.
    pub curve: Vec<CurveStep>,
    /// Links per node above layer 0 (layer 0 has twice as many); 0 without a graph.
    pub m: usize,
    /// Candidates considered for each node when the graph was built.
    pub ef_construction: usize,
    /// The seed it was built with.
    pub seed: u64,
    /// `"number"` or `"text"`.
    pub ids: &'static str,
    /// Bytes of the file.
    pub file_length: u64,
    /// BLAKE3 of options and input, 32 hex digits.
    pub file_id: String,
    /// The fields of the rows, by name; empty if none is known.
    pub fields: Vec<FieldInfo>,
    /// All sections in order.
    pub sections: Vec<SectionInfo>,
    /// Bytes that `open` reads and holds. Nothing else is in memory before the first search.
    pub memory_to_open: u64,
    /// The kernels that this machine runs.
    pub kernels: &'static str,
}

impl Segment {
    /// The segment's facts.
    pub fn info(&self) -> Info {
        let h = &self.header;
        let [codec, refine, exact] = [0, 1, 2].map(|stage| h.stages.get(stage).copied());
        let section = |s: &super::format::Section| SectionInfo {
            name: s.kind.name(),
            offset: s.extent.offset,
            length: s.extent.length,
            bytes_per_vector: s.extent.length as f64 / h.count.max(1) as f64,
        };
        Info {
            count: h.count,
            dim: h.dim,
            metric: h.metric,
            codec: codec.unwrap_or(CodecKind::F32),
            refine,
            exact,
            graph: h.m > 0,
            clusters: self.clusters.is_some(),
            curve: self.curve(),
            m: h.m,
            ef_construction: h.ef_construction,
            seed: h.seed,
            ids: if h.text_ids { "text" } else { "number" },
            file_length: h.file_length,
            file_id: h.file_id.iter().map(|b| format!("{b:02x}")).collect(),
            fields: self.field_infos(),
            sections: h.sections.iter().map(section).collect(),
            memory_to_open: h.front_length,
            kernels: crate::kernels::kernels().name,
        }
    }

    fn field_infos(&self) -> Vec<FieldInfo> {
        let info = |field: &PayloadField| {
            let [front_bytes, terms_bytes, sets_bytes, sorted_bytes] = field.bytes;
            let (of, why) = match field.kind {
                FieldKind::Indexed(of) => (Some(of), None),
                FieldKind::Stored(reason) => (None, Some(reason.text())),
            };
            let distinct = match &field.index {
                IndexHead::Terms(head) => Some(head.terms.into()),
                _ => None,
            };
            let (name, rows, values) = (field.name.to_string(), field.rows.into(), field.values);
            FieldInfo {
                name,
                of,
                why,
                rows,
                values,
                distinct,
                front_bytes,
                terms_bytes,
                sets_bytes,
                sorted_bytes,
            }
        };
        self.payload.iter().flat_map(|payload| &payload.fields).map(info).collect()
    }

    fn curve(&self) -> Vec<CurveStep> {
        let Some(clusters) = &self.clusters else { return Vec::new() };
        let parts = |recall: u32| f64::from(recall) / 10_000.0;
        let mut steps = Vec::new();
        for (k, widths) in NEIGHBOURS.iter().zip(&clusters.cells.curves) {
            steps.extend(widths.iter().map(|w| CurveStep {
                k: *k as usize,
                wanted: parts(w.wanted),
                reached: parts(w.reached),
                cells: w.cells as usize,
                probes: w.probes as usize,
            }));
        }
        steps
    }
}
