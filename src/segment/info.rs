//! The facts of a segment, for `inspect` and for programs.

use super::clusters::NEIGHBOURS;
use super::reader::Segment;
use crate::metric::Metric;
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
            sections: h.sections.iter().map(section).collect(),
            memory_to_open: h.front_length,
            kernels: crate::kernels::kernels().name,
        }
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
