//! What a collection is made of, in numbers.

use super::files::open::Losses;
use super::options::Settings;
use super::state::State;
use super::write::Writer;
use crate::metric::Metric;
use crate::quant::CodecKind;

/// What a collection is fixed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionInfo {
    /// Components of a vector.
    pub dim: usize,
    /// The measure of nearness.
    pub metric: Metric,
    /// The codec of the codes.
    pub codec: CodecKind,
    /// Finer rows that are kept beside the codes.
    pub refine: Option<CodecKind>,
    /// Whether ids are texts; `None` before the first row.
    pub text_ids: Option<bool>,
}

impl CollectionInfo {
    /// The kind of ids: `"text"` or `"number"`; `None` before the first row.
    pub fn ids(&self) -> Option<&'static str> {
        self.text_ids.map(|texts| if texts { "text" } else { "number" })
    }
}

/// What a collection is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionStats {
    /// What it is fixed to.
    pub info: CollectionInfo,
    /// Live rows.
    pub count: usize,
    /// Operations that were ever written.
    pub sequence: u64,
    /// Rows in memory that are live, and those that are dead.
    pub memtable: RowCounts,
    /// About the bytes that the rows in memory have allocated.
    pub memtable_bytes: u64,
    /// The segments, in order.
    pub segments: Vec<SegmentCounts>,
    /// Live rows that are in memory or in segments without a graph: every search scans them.
    pub unindexed: usize,
    /// Bytes of the log since the last flush; 0 where the collection is read only.
    pub log_bytes: u64,
    /// Whether the codecs are trained; before, rows are kept as f32.
    pub trained: bool,
    /// Whether the log ended in a torn write when the collection was opened: it was never acknowledged.
    pub torn: bool,
    /// The segments that are missing, each with the reason: only where the collection was opened `degraded`.
    pub missing: Vec<String>,
    /// Why a part of the log is missing: only where the collection was opened `degraded`.
    pub damage: Option<String>,
    /// Whether a write has failed, so that the collection must be opened again to be written.
    pub failed: bool,
    /// Why the last flush failed, if it did.
    pub flush_error: Option<String>,
    /// Whether others are kept out: not on systems without locks.
    pub locked: bool,
}

/// Rows, live and dead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCounts {
    /// Rows that searches find.
    pub live: usize,
    /// Rows that were deleted or replaced, and are still stored.
    pub dead: usize,
}

/// One segment of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentCounts {
    /// Its rows.
    pub rows: RowCounts,
    /// Bytes of its file.
    pub bytes: u64,
    /// Whether it has a graph and clusters: a flushed segment has none before it is merged.
    pub merged: bool,
}

pub(super) fn info_of(state: &State, writer: Option<&Writer>) -> CollectionInfo {
    let Settings { dim, metric, codec, refine } = state.settings;
    let text_ids = state.text_ids().or_else(|| writer?.manifest.text_ids);
    CollectionInfo { dim, metric, codec, refine, text_ids }
}

pub(super) fn of(state: &State, writer: Option<&Writer>, losses: &Losses) -> CollectionStats {
    let segment = |facts: &crate::index::SegmentFacts| SegmentCounts {
        rows: RowCounts { live: facts.info.count - facts.dead, dead: facts.dead },
        bytes: facts.info.file_length,
        merged: facts.info.graph,
    };
    let index = state.index.as_deref();
    let segments: Vec<SegmentCounts> =
        index.map_or(Vec::new(), |index| index.segments().iter().map(segment).collect());
    let memtable = &state.memtable;
    CollectionStats {
        info: info_of(state, writer),
        count: segments.iter().map(|segment| segment.rows.live).sum::<usize>() + memtable.live(),
        sequence: state.sequence,
        memtable: RowCounts { live: memtable.live(), dead: memtable.count() - memtable.live() },
        memtable_bytes: memtable.bytes(),
        unindexed: state.unindexed(),
        segments,
        log_bytes: writer.map_or(0, |writer| writer.logged),
        trained: memtable.epoch.is_trained(&state.settings),
        torn: losses.torn,
        missing: losses.segments.iter().map(|(name, error)| format!("{name}: {error}")).collect(),
        damage: losses.log.as_ref().map(ToString::to_string),
        failed: writer.is_some_and(|writer| writer.failed),
        flush_error: writer.and_then(|writer| writer.flush_error.as_ref()).map(ToString::to_string),
        locked: writer.is_some_and(|writer| writer.lock.is_held()),
    }
}
