//! How wide a search must look for a wanted recall: measured once, when the segment is built, by whole searches of the
//! clusters for queries the caller gives, or else for queries made of the rows ([`super::questions`]).
//!
//! Two steps for each number of rows and each recall. First the cells and probes with the fewest bytes that hold enough of
//! the true neighbours in the lists. Then these lists are scanned, and as few candidates kept as leave enough of the
//! neighbours among those whose rows are read. Where that is not enough the lists may miss less. What the rows themselves
//! do not tell any more no width brings back: it is not counted here, and `codes_recall` warns of it.

mod measure;
mod ranked;
mod truth;

use std::ops::Range;

use super::questions::{Question, questions};
use super::tree::Tree;
use crate::ctx::{Ctx, Warning};
use crate::exec;
use crate::metric::Metric;
use crate::quant::Rabitq;
use crate::segment::clusters::{CurvePoint, Curves, NEIGHBOURS, Shares, WIDTHS};
use crate::vectors::Rows;
use measure::{Cost, Measure};
use ranked::{Ranked, caps, cheapest, found};
use truth::Truth;

/// Queries measured with, for each of [`NEIGHBOURS`].
const QUERIES: [usize; NEIGHBOURS.len()] = [160, 192, 48, 16];
/// From this one of [`NEIGHBOURS`] on as many rows are wanted as a cluster may hold.
const MANY_WANTED: usize = 2;
/// How far a query made of a row is from it, as a part of the distance from the row to its eighth neighbour.
const ASIDE: f32 = 0.75;
/// Of [`RECALLS`], those that are measured; each measurement takes as long as a few hundred searches.
const MEASURED: [u32; 5] = [8000, 9000, 9500, 9800, 9900];
/// Codes are too coarse if a search reads so many times the rows that are wanted. Wordnet reads 4.7.
const MANY: f64 = 8.0;
/// The recalls that widths are found for, in parts of 10,000.
const RECALLS: [u32; WIDTHS] = [8000, 8500, 9000, 9300, 9500, 9700, 9800, 9900];
/// Of the neighbours that may be missed, the part that probing may miss; estimates of codes miss the others. The first
/// that does is taken.
const MISSED_BY_PROBING: [f64; 2] = [0.85, 0.4];
/// Each number of cells tried is this part of the one before.
const FEWER: f64 = 0.85;
/// Shares of their spread that cells and leaves are ranked by. The first are the best on ordinary rows.
const SHARES: [Shares; 3] = [
    Shares { of_cells: 0.5, of_leaves: 0.2 },
    Shares { of_cells: 0.8, of_leaves: 0.6 },
    Shares { of_cells: 1.0, of_leaves: 1.0 },
];
/// Others are taken only where they cost less than this part of what the first cost.
const WORTH: f64 = 0.9;
/// Candidates kept at the most, per row wanted, and some more where few are wanted.
const KEEP: usize = 64;
const MORE: usize = 8;
/// Of what real queries may miss, the part that queries made of rows may. Wordnet, 20,000 rows, 0.95 wanted: its own text
/// queries find 0.935 where queries made of rows find 0.95. Of some hundred nearest rows one more or less is by chance.
const HARDER: [f64; NEIGHBOURS.len()] = [0.6, 0.85, 0.85, 0.6];
/// Standard deviations of an estimate within which a row is read. Estimates of some lists err more than those of others, so
/// it is this that is calibrated and not how many are read: in the last resort all are.
const DOUBTS: [f32; 10] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 1e9];

/// What a search reads.
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
    /// Codes of a leaf's centroid.
    pub(crate) centres: usize,
    /// For each leaf the codes of its centroid, then those of its list.
    pub(crate) list_codes: &'a [Vec<u8>],
    /// Bytes of all lists, about.
    pub(crate) list_bytes: usize,
    /// Bytes of a row that is read.
    pub(crate) row_bytes: usize,
}

/// What calibration found.
#[derive(Default)]
pub(crate) struct Calibrated {
    pub(crate) shares: Shares,
    pub(crate) curves: Curves,
    /// Of a search for ten rows at the default recall.
    typical: Cost,
}

/// A search for so many of [`NEIGHBOURS`] at this recall is what bytes are compared by.
const TYPICAL: (usize, u32) = (1, 9500);
/// The caller is told where so much less is reached than is wanted: less may be by chance.
const SHORT: u32 = 200;
/// Two ways to code lists reach as much if they differ by no more than this, in parts of 10,000.
const SLACK: u32 = 20;

impl Calibrated {
    fn last(&self) -> u32 {
        self.curves.iter().map(|curve| curve[WIDTHS - 1].reached).min().unwrap_or(0)
    }

    /// Whether codes tell the candidates apart, so that few rows are read; more bits would only cost bytes.
    pub(crate) fn is_good(&self) -> bool {
        self.typical.rows <= MANY * f64::from(NEIGHBOURS[TYPICAL.0])
    }

    /// By what it reaches, then by what that costs.
    pub(crate) fn is_better_than(&self, other: &Calibrated) -> bool {
        match self.last().abs_diff(other.last()) <= SLACK {
            true => self.typical.bytes < other.typical.bytes,
            false => self.last() > other.last(),
        }
    }

    /// Tells where less is reached than is promised.
    pub(crate) fn warn(&self, ctx: &Ctx<'_>) {
        // Of one nearest row a few more or fewer are by chance, and wider searches are for who asks for them.
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

/// Queries to measure with, and their exact answers.
pub(crate) struct Sample {
    questions: Vec<Question>,
    truths: Vec<Truth>,
    /// They are made of rows: real queries will miss more.
    made: bool,
    /// The first of [`NEIGHBOURS`] they are measured for.
    first: usize,
}

impl Sample {
    fn new(rows: Rows<'_>, metric: Metric, questions: Vec<Question>, made: bool, first: usize) -> Self {
        let truths = truth::truths(rows, metric, &questions);
        Sample { questions, truths, made, first }
    }

    /// The caller's queries (row-major).
    pub(crate) fn told(rows: Rows<'_>, metric: Metric, queries: &[f32]) -> Vec<Self> {
        let told = queries.chunks_exact(rows.dim).take(QUERIES[TYPICAL.0]).map(Question::told).collect();
        vec![Sample::new(rows, metric, told, false, 0)]
    }

    /// Rows pushed aside, and where as many neighbours are wanted as a cluster may hold rows also as they are: pushed
    /// towards a row of another cluster, a row has clearer neighbours beyond its own.
    pub(crate) fn made(
        rows: Rows<'_>,
        tree: &Tree,
        spilled: &[Vec<u32>],
        metric: Metric,
        seed: u64,
    ) -> Vec<Self> {
        let made = |push, seed, first: usize| {
            let made = questions(rows, tree, spilled, metric, push, seed, QUERIES[first.max(TYPICAL.0)]);
            Sample::new(rows, metric, made, true, first)
        };
        vec![made(ASIDE, seed, 0), made(0.0, !seed, MANY_WANTED)]
    }
}

/// Widths for queries like these.
pub(crate) fn calibrate(levels: &Levels<'_>, samples: &[Sample]) -> Calibrated {
    let caps = caps(levels.tree.cells.len() - 1);
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

/// The shares of spreads with which the fewest bytes hold the neighbours, and the order of cells and leaves by them.
fn best_shares(
    levels: &Levels<'_>,
    sample: &Sample,
    caps: &[u32],
    ranked: impl Fn(Shares) -> Vec<Ranked>,
) -> (Vec<Ranked>, Shares) {
    let price = |ranked: &[Ranked]| {
        let price = |number: usize| {
            let found = found(levels, ranked, &sample.truths, caps, number);
            let cheapest = cheapest(levels, caps, &found, part(TYPICAL.1), MISSED_BY_PROBING[0]);
            cheapest.map_or(f64::INFINITY, |p| p.2)
        };
        // Where a few rows are far from all others, what is nearest to them alone tells.
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

/// The widths for one number of rows, and what a search at [`TYPICAL`]'s recall reads.
fn curve(measure: &mut Measure<'_>) -> ([CurvePoint; WIDTHS], Cost) {
    let mut curve = [CurvePoint::default(); WIDTHS];
    let mut typical = Cost::default();
    measure.scan_for(&MEASURED);
    for (at, wanted) in RECALLS.into_iter().enumerate().rev() {
        // From the widest on: those that are not measured are as the next wider one.
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

/// A width that finds what both of these find.
fn covering(a: &CurvePoint, b: &CurvePoint) -> CurvePoint {
    CurvePoint {
        reached: a.reached.min(b.reached),
        cells: a.cells.max(b.cells),
        probes: a.probes.max(b.probes),
        doubt: a.doubt.max(b.doubt),
        ..*a
    }
}

/// No width is narrower than one for less.
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

    /// Bytes of the leaves of so many cells and of so many lists.
    fn bytes(&self, cells: u32, probes: u32) -> f64 {
        let (all_cells, leaves) = (self.tree.cells.len() as f64 - 1.0, self.tree.leaves.len() as f64 - 1.0);
        // Beside its code a leaf has about twenty bytes.
        let leaf = (self.codec.stride() + 20) as f64;
        f64::from(cells) * leaves / all_cells * leaf + f64::from(probes) * self.list_bytes as f64 / leaves
    }
}
