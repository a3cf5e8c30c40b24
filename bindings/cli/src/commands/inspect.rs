//! `pagevec inspect`: shows what an index holds and the size of each part.

use super::arguments::Source;
use super::build::summary::merge_hint;
use crate::failure::Failure;
use crate::output::{self, Step, field};
use crate::size;
use pagevec::{FieldInfo, FieldType, Form, Info, PublishedSegment, SegmentFacts};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  pagevec inspect site/index
  pagevec inspect site/index --json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    #[command(flatten)]
    source: Source,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Facts {
    count: usize,
    dim: usize,
    metric: &'static str,
    codec: String,
    refine: Option<String>,
    exact: Option<String>,
    graph: bool,
    clusters: bool,
    curve: Vec<Step>,
    m: usize,
    ef_construction: usize,
    seed: u64,
    ids: &'static str,
    file_length: u64,
    bytes_per_vector: f64,
    memory_to_open: u64,
    kernels: &'static str,
    /// How often the folder has changed; null for a file without a manifest.
    generation: Option<u64>,
    /// The model that made the vectors; null where none is named.
    model: Option<String>,
    /// The stored fields and their indexes; of several segments the types of the first that has them.
    schema: Vec<Field>,
    /// Each segment by itself.
    segments: Vec<SegmentReport>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    /// Null for a field that is stored only.
    r#type: Option<&'static str>,
    /// Why it is stored only.
    why: Option<&'static str>,
    rows: u64,
    values: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct SegmentReport {
    /// Null for a segment that is published in parts only.
    file: Option<PathBuf>,
    content_id: Option<String>,
    file_id: String,
    /// Rows, also the dead ones.
    count: usize,
    /// Rows whose ids later segments have.
    dead: usize,
    codec: String,
    graph: bool,
    clusters: bool,
    file_length: u64,
    memory_to_open: u64,
    /// Null where the segment is one file only.
    parts: Option<Parts>,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Parts {
    folder: PathBuf,
    count: u64,
    largest: u64,
    beside_file: bool,
}

#[derive(Serialize)]
struct Section {
    name: &'static str,
    offset: u64,
    length: u64,
    bytes_per_vector: f64,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let index = self.source.open()?;
        let folder = self.source.folder()?;
        let published = |segment: &SegmentFacts| {
            let mut all = folder.iter().flat_map(|folder| &folder.segments);
            all.find(|published| Some(&published.content_id) == segment.content_id.as_ref())
        };
        let segments = index.segments().iter().map(|segment| report(segment, published(segment)));
        let mut facts = facts(index.info(), segments.collect());
        facts.generation = folder.as_ref().map(|folder| folder.generation);
        facts.model = folder.as_ref().and_then(|folder| folder.model.clone());
        let hint = folder.as_ref().and_then(|folder| merge_hint(&self.source.path, folder));
        if self.json { output::json(&facts) } else { print(&facts, hint) }
    }
}

/// What is told of one segment, with what the manifest says of it.
fn report(segment: &SegmentFacts, published: Option<&PublishedSegment>) -> SegmentReport {
    let SegmentFacts { info, dead, path, content_id, .. } = segment;
    let parts = published.and_then(|published| published.parts.as_ref()).map(|parts| Parts {
        folder: parts.folder.clone(),
        count: parts.count,
        largest: parts.largest,
        beside_file: published.is_some_and(|published| published.form == Form::Both),
    });
    let sections = info.sections.iter().map(|s| Section {
        name: s.name,
        offset: s.offset,
        length: s.length,
        bytes_per_vector: s.bytes_per_vector,
    });
    SegmentReport {
        file: path.clone(),
        content_id: content_id.clone(),
        file_id: info.file_id.clone(),
        count: info.count,
        dead: *dead,
        codec: info.codec.to_string(),
        graph: info.graph,
        clusters: info.clusters,
        file_length: info.file_length,
        memory_to_open: info.memory_to_open,
        parts,
        sections: sections.collect(),
    }
}

fn named(field: &FieldInfo) -> Field {
    Field {
        name: field.name.clone(),
        r#type: field.of.map(FieldType::name),
        why: field.why,
        rows: field.rows,
        values: field.values,
        bytes: field.bytes(),
    }
}

/// The facts of all segments together.
fn facts(info: &Info, segments: Vec<SegmentReport>) -> Facts {
    Facts {
        count: info.count,
        dim: info.dim,
        metric: info.metric.name(),
        codec: info.codec.to_string(),
        refine: info.refine.map(|r| r.to_string()),
        exact: info.exact.map(|e| e.to_string()),
        graph: info.graph,
        clusters: info.clusters,
        curve: output::curve(&info.curve),
        m: info.m,
        ef_construction: info.ef_construction,
        seed: info.seed,
        ids: info.ids,
        file_length: info.file_length,
        bytes_per_vector: info.file_length as f64 / info.count.max(1) as f64,
        memory_to_open: info.memory_to_open,
        kernels: info.kernels,
        generation: None,
        model: None,
        schema: info.fields.iter().map(named).collect(),
        segments,
    }
}

fn print(facts: &Facts, hint: Option<String>) -> Result<(), Failure> {
    let several = facts.segments.len() > 1 || facts.segments.iter().any(|segment| segment.dead > 0);
    output::text(|out| {
        field(out, "vectors", format!("{} of {} components, {}", facts.count, facts.dim, facts.metric))?;
        field(out, "codes", &facts.codec)?;
        field(out, "refine rows", facts.refine.as_deref().unwrap_or("none: hits are ranked by the codes"))?;
        if let Some(exact) = &facts.exact {
            field(out, "exact rows", exact)?;
        }
        let graph = format!("M {}, efConstruction {}, seed {}", facts.m, facts.ef_construction, facts.seed);
        field(out, "graph", if facts.graph { &graph } else { "none" })?;
        field(out, "clusters", if facts.clusters { "yes" } else { "none" })?;
        if several && !facts.curve.is_empty() {
            field(out, "recall", "of segment 0 alone, as its build measured it:")?;
        }
        output::print_curve(out, &facts.curve)?;
        field(out, "ids", facts.ids)?;
        field(out, "file size", size::show(facts.file_length))?;
        field(out, "bytes per vector", format!("{:.1}", facts.bytes_per_vector))?;
        field(out, "memory to open", size::show(facts.memory_to_open))?;
        field(out, "kernels", facts.kernels)?;
        if let Some(generation) = facts.generation {
            field(out, "generation", generation)?;
        }
        if let Some(model) = &facts.model {
            field(out, "model", model)?;
        }
        print_schema(out, &facts.schema)?;
        match facts.segments.as_slice() {
            [segment] if !several => print_segment(out, segment),
            segments => print_segments(out, segments, hint),
        }
    })
}

/// A line for each field.
fn print_schema(out: &mut dyn Write, schema: &[Field]) -> std::io::Result<()> {
    if schema.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:<18} {:<14} {:>14} {:>14} {:>14}", "field", "type", "rows", "values", "bytes")?;
    for Field { name, r#type, why, rows, values, bytes } in schema {
        let name = output::printable(name);
        match r#type {
            Some(of) => writeln!(out, "{name:<18} {of:<14} {rows:>14} {values:>14} {bytes:>14}")?,
            None => writeln!(out, "{name:<18} stored only: {}", why.unwrap_or_default())?,
        }
    }
    writeln!(out)
}

/// A line for each segment: there may be hundreds.
fn print_segments(
    out: &mut dyn Write,
    segments: &[SegmentReport],
    hint: Option<String>,
) -> std::io::Result<()> {
    field(out, "segments", segments.len())?;
    hint.map_or(Ok(()), |hint| field(out, "hint", hint))?;
    writeln!(out, "\n{:<8} {:>10} {:>10} {:>14}  file", "segment", "rows", "dead rows", "bytes")?;
    for (number, s) in segments.iter().enumerate() {
        let parts = s.parts.as_ref().map(|parts| &parts.folder);
        let place = s.file.as_ref().or(parts).map(|path| path.display().to_string()).unwrap_or_default();
        let also = s.parts.as_ref().filter(|parts| parts.beside_file).map_or("", |_| ", and in parts");
        writeln!(out, "{number:<8} {:>10} {:>10} {:>14}  {place}{also}", s.count, s.dead, s.file_length)?;
    }
    writeln!(out, "\n--json shows the sections of each, `pagevec inspect` of a seg-….bin those of one")
}

fn print_segment(out: &mut dyn Write, segment: &SegmentReport) -> std::io::Result<()> {
    field(out, "file id", &segment.file_id)?;
    field(out, "content id", segment.content_id.as_deref().unwrap_or("no manifest"))?;
    if let Some(parts) = &segment.parts {
        let place = if parts.beside_file { "beside the file" } else { "no whole file" };
        let largest = size::show(parts.largest);
        field(out, "part files", format!("{}, the largest {largest}, {place}", parts.count))?;
    }
    writeln!(out, "\n{:<18} {:>14} {:>14} {:>14}", "section", "offset", "bytes", "bytes/vector")?;
    for s in &segment.sections {
        writeln!(out, "{:<18} {:>14} {:>14} {:>14.2}", s.name, s.offset, s.length, s.bytes_per_vector)?;
    }
    Ok(())
}
