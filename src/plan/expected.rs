//! What searches were measured to find, and for how many distances: by codec, rows and route.

use crate::quant::CodecKind;
use crate::search::plan::Route;

/// A set of real or generated vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasuredSet {
    /// What it is.
    pub name: &'static str,
    /// Components of its vectors.
    pub dim: u64,
    /// The day.
    pub date: &'static str,
}

/// What is expected of a search with default options, k 10: what was measured on a set.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Expected {
    /// The part of the ten nearest that is found.
    pub recall: f64,
    /// Distances that a search computes.
    pub distances: f64,
    /// The set. Of the sets that were measured, the number of its components is the nearest.
    pub set: MeasuredSet,
    /// Rows of the measurements between which this lies, or of the nearest.
    pub rows: [u64; 2],
}

struct Row {
    rows: u64,
    codec: CodecKind,
    /// Whether the finest rows are floats.
    fine: bool,
    /// Recall and distances of a walk of the graph, and of a search by clusters.
    graph: [f64; 2],
    clusters: [f64; 2],
}

const fn row(rows: u64, codec: CodecKind, fine: bool, graph: [f64; 2], clusters: [f64; 2]) -> Row {
    Row { rows, codec, fine, graph, clusters }
}

use CodecKind::{Binary, F16, F32, Pq, Sq4, Sq8};

/// Each line: 1,000 queries (of the generated set 200) by `pagevec eval --base`, k 10, default options of build and search.
const WORDNET: MeasuredSet =
    MeasuredSet { name: "wordnet, its text queries, cosine", dim: 384, date: "2026-11-26" };
#[rustfmt::skip]
const OF_WORDNET: &[Row] = &[
    row(5_000,   Sq8,    false, [0.9903, 1213.0], [0.9416, 1411.0]),
    row(20_000,  Sq8,    false, [0.9844, 1436.0], [0.9525, 3047.0]),
    row(117_791, Sq8,    false, [0.9856, 1637.0], [0.9633, 6035.0]),
    row(60_000,  Sq8,    true,  [0.9889, 1554.0], [0.9601, 3894.0]),
    row(5_000,   Sq4,    false, [0.9912, 1215.0], [0.9416, 1411.0]),
    row(20_000,  Sq4,    false, [0.9841, 1436.0], [0.9525, 3047.0]),
    row(5_000,   Pq(64), false, [0.9898, 1212.0], [0.9416, 1411.0]),
    row(20_000,  Pq(64), false, [0.9820, 1437.0], [0.9525, 3047.0]),
    row(5_000,   Binary, false, [0.9861, 3025.0], [0.9416, 1411.0]),
    row(20_000,  Binary, false, [0.9816, 4235.0], [0.9525, 3047.0]),
    row(5_000,   F32,    true,  [0.9944, 1213.0], [0.9444, 1411.0]),
    row(20_000,  F32,    true,  [0.9884, 1436.0], [0.9557, 3047.0]),
];

const GENERATED: MeasuredSet =
    MeasuredSet { name: "generated clusters, cosine", dim: 96, date: "2026-11-26" };
#[rustfmt::skip]
const OF_GENERATED: &[Row] = &[
    row(20_000,  Sq8,    false, [0.9905, 1373.0], [0.9800, 439.0]),
    row(20_000,  Binary, false, [0.9905, 4857.0], [0.9800, 439.0]),
    row(20_000,  F32,    true,  [1.0000, 1375.0], [0.9860, 439.0]),
];

/// What is expected of searches by these codes, whose candidates are ranked by the last of `stages`.
pub(super) fn of(stages: &[CodecKind], route: Route, rows: u64, dim: u64) -> Option<Expected> {
    let (codec, finest) = (*stages.first()?, *stages.last()?);
    let fine = matches!(finest, F16 | F32);
    let sets = [(WORDNET, OF_WORDNET), (GENERATED, OF_GENERATED)];
    // By their ratio; of two the first.
    let apart = |set: &MeasuredSet| set.dim.max(dim) as f64 / set.dim.min(dim).max(1) as f64;
    let sets = sets.into_iter().filter(|(_, table)| table.iter().any(|row| is_like(row.codec, codec)));
    let (set, table) = sets.min_by(|a, b| apart(&a.0).total_cmp(&apart(&b.0)))?;
    let of_codec = || table.iter().filter(|row| is_like(row.codec, codec));
    // Where floats behind these codes were not measured, they find no less than what was.
    let as_fine = of_codec().any(|row| row.fine == fine);
    let rows_of = of_codec().filter(|row| !as_fine || row.fine == fine);
    let below = rows_of.clone().filter(|row| row.rows <= rows).max_by_key(|row| row.rows);
    let above = rows_of.filter(|row| row.rows >= rows).min_by_key(|row| row.rows);
    let (low, high) = (below.or(above)?, above.or(below)?);
    let of = |row: &Row| if route == Route::Clusters { row.clusters } else { row.graph };
    // Both grow with the logarithm of the rows.
    let log = |rows: u64| (rows as f64).log2();
    let share = if low.rows == high.rows {
        0.0
    } else {
        (log(rows) - log(low.rows)) / (log(high.rows) - log(low.rows))
    };
    let between = |at: usize| of(low)[at] + share * (of(high)[at] - of(low)[at]);
    let [recall, mut distances] = [between(0), between(1)];
    if route == Route::Flat {
        distances = rows as f64;
    }
    Some(Expected { recall, distances, set, rows: [low.rows, high.rows] })
}

/// Whether what was measured of a codec is said of another.
fn is_like(measured: CodecKind, codec: CodecKind) -> bool {
    let like = match codec {
        F16 => F32,
        Pq(_) => Pq(64),
        other => other,
    };
    measured == like
}
