//! What a search prints.

use crate::failure::Failure;
use crate::input::fields::Object;
use crate::output;
use crate::size;
use pagevec::{Id, SegmentStats};
use serde::Serialize;

#[derive(Serialize)]
pub(in crate::commands) struct Report {
    pub(super) hits: Vec<Hit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explain: Option<Explain>,
}

#[derive(Serialize)]
pub(super) struct Hit {
    pub(super) id: JsonId,
    /// The number of the row's segment in the index.
    pub(super) segment: u32,
    /// Larger is nearer.
    pub(super) score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Object>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::commands) enum JsonId {
    Number(u64),
    Text(String),
}

#[derive(Serialize)]
pub(super) struct Explain {
    pub(super) index: &'static str,
    pub(super) distances: u64,
    pub(super) rescored: u64,
    pub(super) bytes: u64,
    pub(super) requests: u64,
    pub(super) waves: u64,
    pub(super) microseconds: u64,
    /// The cost by segment, where the index has several.
    pub(super) segments: Vec<BySegment>,
}

#[derive(Serialize)]
pub(super) struct BySegment {
    pub(super) index: &'static str,
    pub(super) distances: u64,
    pub(super) rescored: u64,
}

impl Report {
    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return output::json(self);
        }
        output::text(|out| {
            for hit in &self.hits {
                match &hit.id {
                    JsonId::Number(id) => writeln!(out, "{:>12.6}  {id}", hit.score)?,
                    JsonId::Text(id) => writeln!(out, "{:>12.6}  {}", hit.score, output::printable(id))?,
                }
                for (name, value) in hit.fields.iter().flatten() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    writeln!(out, "{:>14}{}: {}", "", output::printable(name), output::printable(&value))?;
                }
            }
            let Some(e) = &self.explain else { return Ok(()) };
            writeln!(
                out,
                "\n{}: {} distances, {} rows rescored, {} µs",
                e.index, e.distances, e.rescored, e.microseconds
            )?;
            for (number, s) in e.segments.iter().enumerate() {
                let (distances, rescored) = (s.distances, s.rescored);
                writeln!(
                    out,
                    "segment {number}: {}, {distances} distances, {rescored} rows rescored",
                    s.index
                )?;
            }
            writeln!(out, "read {} in {} requests, {} waves", size::show(e.bytes), e.requests, e.waves)
        })
    }
}

pub(super) fn by_segment(stats: SegmentStats) -> BySegment {
    BySegment { index: stats.index, distances: stats.distances, rescored: stats.rescored }
}

impl From<Id> for JsonId {
    fn from(id: Id) -> Self {
        match id {
            Id::Number(n) => JsonId::Number(n),
            Id::Text(t) => JsonId::Text(t),
        }
    }
}
