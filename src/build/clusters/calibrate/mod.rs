//! Calibrates how many cells, lists and candidates a search needs for a wanted recall. It is measured when the segment
//! is built, by searches of the clusters for queries that the caller gives, or for queries made of rows
//! ([`super::questions`]).
//!
//! For each number of neighbours and each recall there are two steps. The first finds the cells and probes with the
//! fewest bytes whose lists hold enough of the true neighbours. The second scans these lists and finds how few
//! candidates can be read so that enough neighbours are among them. If even all candidates are not enough, both steps
//! are repeated with lists that may miss less. Neighbours that the stored rows themselves rank wrongly are not counted
//! here: `codes_recall` warns of them.

mod measure;
mod ranked;
mod sample;
mod truth;

use std::ops::Range;

use super::tree::Tree;
use crate::ctx::{Ctx, Warning};
use crate::exec;
use crate::metric::Metric;
use crate::quant::Rabitq;
use crate::segment::clusters::{CurvePoint, Curves, NEIGHBOURS, Shares, WIDTHS};
use measure::{Cost, Measure};
use ranked::{Ranked, caps, cheapest_scan, probes_needed};
pub(crate) use sample::Sample;

/// The number of queries, for each of [`NEIGHBOURS`].
const QUERIES: [usize; NEIGHBOURS.len()] = [160, 192, 48, 16];
/// From this one of [`NEIGHBOURS`] on, as many rows are wanted as a cluster may hold.
const MANY_WANTED: usize = 2;
/// The [`RECALLS`] that are measured; each measurement takes as long as a few hundred searches.
const MEASURED: [u32; 5] = [8000, 9000, 9500, 9800, 9900];
/// Codes are too coarse if a search reads more than so many rows for each row that is wanted. Wordnet reads 4.7.
const MANY: f64 = 8.0;
/// The recalls of the points of a curve, in parts of 10,000.
const RECALLS: [u32; WIDTHS] = [8000, 8500, 9000, 9300, 9500, 9700, 9800, 9900];
/// The part of the allowed misses that probing may use up; the rest is left for errors of the codes. The first value
/// that reaches the recall is taken.
const MISSED_BY_PROBING: [f64; 2] = [0.85, 0.4];
/// Each number of cells that is tried is this part of the one before.
const FEWER: f64 = 0.85;
/// The shares of their spread that are tried for ranking cells and leaves. The first are the best on ordinary rows.
const SHARES: [Shares; 3] = [
    Shares { of_cells: 0.5, of_leaves: 0.2 },
    Shares { of_cells: 0.8, of_leaves: 0.6 },
    Shares { of_cells: 1.0, of_leaves: 1.0 },
];
/// Other shares are taken only if they cost less than this part of the best before.
const WORTH: f64 = 0.9;
/// Candidates that are kept at most: so many for each row that is wanted, and so many more.
const KEEP: usize = 64;
const MORE: usize = 8;
/// The part of the allowed misses that queries made of rows may use up, since real queries miss more. With 20,000 rows
/// of wordnet, its text queries find 0.935 where queries made of rows find 0.95. Among some hundred nearest rows single
/// misses weigh little, so the part is larger there.
const HARDER: [f64; NEIGHBOURS.len()] = [0.6, 0.85, 0.85, 0.6];
/// A row is read if its estimate is within so many standard deviations of being near enough. This is calibrated instead
/// of the number of rows, since the estimates of some lists err more than those of others. With the last value all are
/// read.
const DOUBTS: [f32; 10] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 1e9];

/// The encoded tree that a search reads.
pub(crate) struct Levels<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) metric: Metric,
    /// The second leaf of each position (its own: none), if there are second leaves.
    pub(crate) second: &'a [u32],
    /// For each leaf the positions of other leaves' rows in its list.
    pub(crate) spilled: &'a [Vec<u32>],
    pub(crate) codec: &'a Rabitq,
    pub(crate) cell_codes: &'a [u8],
    pub(crate) cell_spreads: &'a [f32],
    pub(crate) leaf_codes: &'a [u8],
    pub(crate) leaf_spreads: &'a [f32],
    /// How many codes in a row encode the centroid of a leaf.
    pub(crate) centres: usize,
    /// For each leaf the codes of its centroid, then those of its list.
    pub(crate) list_codes: &'a [Vec<u8>],
    /// Bytes of all lists, about.
    pub(crate) list_bytes: usize,
    /// Bytes of a row that ranks hits.
    pub(crate) row_bytes: usize,
}

/// The result of a calibration.
#[derive(Default)]
pub(crate) struct Calibrated {
    pub(crate) shares: Shares,
    pub(crate) curves: Curves,
    /// The cost of a search for ten rows at the default recall.
    typical: Cost,
}

/// The search by whose cost codes and shares are compared: which of [`NEIGHBOURS`], and the recall.
const TYPICAL: (usize, u32) = (1, 9500);
/// The build warns if the recall reached is lower than wanted by more than this; a smaller difference may be chance.
const SHORT: u32 = 200;
/// Recalls that differ by no more than this, in parts of 10,000, count as equal.
const SLACK: u32 = 20;

impl Calibrated {
    fn last(&self) -> u32 {
        self.curves.iter().map(|curve| curve[WIDTHS - 1].reached).min().unwrap_or(0)
    }

    /// Whether the codes rank so well that few rows are read. Then more bits would only cost bytes.
    pub(crate) fn is_good(&self) -> bool {
        self.typical.rows <= MANY * f64::from(NEIGHBOURS[TYPICAL.0])
    }

    /// Compares the recall that is reached, then the bytes that it costs.
    pub(crate) fn is_better_than(&self, other: &Calibrated) -> bool {
        match self.last().abs_diff(other.last()) <= SLACK {
            true => self.typical.bytes < other.typical.bytes,
            false => self.last() > other.last(),
        }
    }

    /// Warns if a recall is not reached.
    pub(crate) fn warn(&self, ctx: &Ctx<'_>) {
        // The curve of one neighbour is left out: with so few neighbours the measured recall varies by chance.
        for (curve, k) in self.curves.iter().zip(NEIGHBOURS).skip(TYPICAL.0) {
            let short = |w: &&CurvePoint| w.wanted == TYPICAL.1 && w.reached + SHORT < w.wanted;
            if let Some(width) = curve.iter().find(short) {
                let [wanted, reached] = [width.wanted, width.reached].map(|recall| part(recall) as f32);
                return ctx.warn(Warning::ClustersRecall { k, wanted, reached });
            }
        }
    }
}

fn part(recall: u32) -> f64 {
    f64::from(recall) / 10_000.0
}

/// Measures the curves for queries like these.
pub(crate) fn calibrate(levels: &Levels<'_>, samples: &[Sample]) -> Calibrated {
    let caps = caps(levels.tree.cell_starts.len() - 1);
    let ranked = |sample: &Sample, shares: Shares| -> Vec<Ranked> {
        let rank = |q: Range<usize>| Ranked::new(levels, &sample.questions[q.start].query, shares);
        exec::map_chunks(sample.questions.len(), 1, rank)
    };
    let mut calibrated = Calibrated::default();
    for sample in samples {
        let ranked = match sample.first {
            0 => {
                let (ranked, shares) = best_shares(levels, sample, &caps, |shares| ranked(sample, shares));
                calibrated.shares = shares;
                ranked
            }
            _ => ranked(sample, calibrated.shares),
        };
        for number in sample.first..NEIGHBOURS.len() {
            let mut measure = Measure::new(levels, sample, &ranked, number, &caps);
            let (mut curve, cost) = curve(&mut measure);
            if number == TYPICAL.0 {
                calibrated.typical = cost;
            }
            let before = &mut calibrated.curves[number];
            if sample.first > 0 {
                curve.iter_mut().zip(&*before).for_each(|(point, before)| *point = covering(point, before));
            }
            *before = curve;
        }
    }
    calibrated
}

/// The shares with which the fewest bytes hold the neighbours, and the order of cells and leaves by them.
fn best_shares(
    levels: &Levels<'_>,
    sample: &Sample,
    caps: &[u32],
    ranked: impl Fn(Shares) -> Vec<Ranked>,
) -> (Vec<Ranked>, Shares) {
    let price = |ranked: &[Ranked]| {
        let price = |number: usize| {
            let probes = probes_needed(levels, ranked, &sample.truths, caps, number);
            let cheapest = cheapest_scan(levels, caps, &probes, part(TYPICAL.1), MISSED_BY_PROBING[0]);
            cheapest.map_or(f64::INFINITY, |p| p.2)
        };
        // Ten neighbours and one: if a few rows are far from all others, only the nearest one shows the difference.
        (0..=TYPICAL.0).map(price).sum::<f64>()
    };
    let mut best = (ranked(SHARES[0]), SHARES[0]);
    let mut least = price(&best.0);
    for shares in SHARES.into_iter().skip(1) {
        let others = ranked(shares);
        let cost = price(&others);
        if cost < least * WORTH {
            (least, best) = (cost, (others, shares));
        }
    }
    best
}

/// The curve for one number of neighbours, and the cost of a search at the recall of [`TYPICAL`].
fn curve(measure: &mut Measure<'_>) -> ([CurvePoint; WIDTHS], Cost) {
    let mut curve = [CurvePoint::default(); WIDTHS];
    let mut typical = Cost::default();
    measure.scan_for(&MEASURED);
    for (at, wanted) in RECALLS.into_iter().enumerate().rev() {
        // From the highest recall down: a point that is not measured equals the next higher one.
        let wider = curve.get(at + 1).filter(|_| !MEASURED.contains(&wanted)).copied();
        let (width, cost) = match wider {
            Some(wider) => (CurvePoint { wanted, ..wider }, Cost::default()),
            None => measure.width(wanted),
        };
        curve[at] = width;
        if wanted == TYPICAL.1 {
            typical = cost;
        }
    }
    rise(&mut curve);
    (curve, typical)
}

/// A point that is as wide as both.
fn covering(a: &CurvePoint, b: &CurvePoint) -> CurvePoint {
    CurvePoint {
        reached: a.reached.min(b.reached),
        cells: a.cells.max(b.cells),
        probes: a.probes.max(b.probes),
        doubt: a.doubt.max(b.doubt),
        ..*a
    }
}

/// Makes the recall that is reached rise along the curve.
fn rise(curve: &mut [CurvePoint; WIDTHS]) {
    for at in 1..WIDTHS {
        let before = curve[at - 1];
        let width = &mut curve[at];
        if width.reached < before.reached {
            *width = CurvePoint { wanted: width.wanted, ..before };
        }
    }
}

impl Levels<'_> {
    fn second(&self, position: u32) -> Option<u32> {
        self.second.get(position as usize).copied()
    }

    /// About how many bytes the leaves of so many cells and so many lists have.
    fn bytes(&self, cells: u32, probes: u32) -> f64 {
        let (all_cells, leaves) =
            (self.tree.cell_starts.len() as f64 - 1.0, self.tree.leaf_starts.len() as f64 - 1.0);
        // A leaf has about twenty bytes beside its code.
        let leaf = (self.codec.stride() + 20) as f64;
        f64::from(cells) * leaves / all_cells * leaf + f64::from(probes) * self.list_bytes as f64 / leaves
    }
}
