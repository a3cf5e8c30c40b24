//! How wide a search must look for a wanted recall: measured once, when the segment is built, by whole searches of the
//! clusters for queries the caller gives, or else for queries made of the rows ([`super::questions`]).
//!
//! Two steps for each number of rows and each recall. First the cells and probes with the fewest bytes that hold enough of
//! the true neighbours in the lists. Then these lists are scanned, and as few candidates kept as leave enough of the
//! neighbours among those whose rows are read. Where that is not enough the lists may miss less. What the rows themselves
//! do not tell any more no width brings back: it is not counted here, and `codes_recall` warns of it.

use super::questions::Question;
use super::tree::Tree;
use crate::ctx::{Ctx, Warning};
use crate::exec;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::{Prepared, Rabitq, Turned, centroid};
use crate::search::clusters::nth;
use crate::search::clusters::{ListCodes, ListScratch, QueryBound, copies_last};
use crate::segment::clusters::{CurvePoint, Curves, NEIGHBOURS, Shares, WIDTHS};
use crate::topk::Key;
use crate::vectors::Rows;

/// Queries measured with, for each of [`NEIGHBOURS`].
const QUERIES: [usize; NEIGHBOURS.len()] = [160, 192, 48, 16];
/// So many at the most.
pub(crate) const MOST_QUERIES: usize = QUERIES[1];
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
    /// Bytes of a row that is read.
    pub(crate) row_bytes: usize,
}

/// What calibration found.
pub(crate) struct Calibrated {
    pub(crate) shares: Shares,
    pub(crate) curves: Curves,
    /// Of a search for ten rows at the default recall.
    typical: Cost,
}

/// What a search reads, about: bytes in all, and rows.
#[derive(Clone, Copy, Default)]
struct Cost {
    bytes: f64,
    rows: f64,
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

/// Widths for queries (row-major), which are at most so many as [`QUERIES`] tells. Where they are `made` of rows real
/// queries will miss more, so less may be missed.
pub(crate) fn calibrate(
    levels: &Levels<'_>,
    queries: &[Question],
    truths: &[Truth],
    made: bool,
) -> Calibrated {
    let caps = caps(levels.tree.cells.len() - 1);
    let ranked = |shares: Shares| -> Vec<Ranked> {
        exec::map_chunks(queries.len(), 1, |q| Ranked::new(levels, &queries[q.start].query, shares))
    };
    let mut best = (ranked(SHARES[0]), SHARES[0]);
    let price = |ranked: &[Ranked]| {
        let price = |number: usize| {
            let found = found(levels, ranked, truths, &caps, number);
            let cheapest = cheapest(levels, &caps, &found, part(TYPICAL.1), MISSED_BY_PROBING[0]);
            cheapest.map_or(f64::INFINITY, |p| p.2)
        };
        // Where a few rows are far from all others, what is nearest to them alone tells.
        (0..=TYPICAL.0).map(price).sum::<f64>()
    };
    let mut least = price(&best.0);
    for shares in SHARES.into_iter().skip(1) {
        let others = ranked(shares);
        let cost = price(&others);
        if cost < least * WORTH {
            (least, best) = (cost, (others, shares));
        }
    }
    let (ranked, shares) = best;
    let mut curves = Curves::default();
    let mut typical = Cost::default();
    for (number, curve) in curves.iter_mut().enumerate() {
        let count = QUERIES[number].min(queries.len());
        let (ranked, truths) = (&ranked[..count], &truths[..count]);
        let found = found(levels, ranked, truths, &caps, number);
        let harder = if made { HARDER[number] } else { 1.0 };
        let mut measure =
            Measure { levels, queries: &queries[..count], ranked, truths, number, harder, scanned: None };
        for (at, wanted) in RECALLS.into_iter().enumerate().rev() {
            // From the widest on: those that are not measured are as the next wider one.
            let wider = curve.get(at + 1).filter(|_| !MEASURED.contains(&wanted)).copied();
            let (width, cost) = match wider {
                Some(wider) => (CurvePoint { wanted, ..wider }, Cost::default()),
                None => measure.width(&caps, &found, wanted),
            };
            curve[at] = width;
            if (number, wanted) == TYPICAL {
                typical = cost;
            }
        }
        rise(curve);
    }
    Calibrated { shares, curves, typical }
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

/// The truth of each query.
pub(crate) fn truths(rows: Rows<'_>, metric: Metric, questions: &[Question]) -> Vec<Truth> {
    exec::map_chunks(questions.len(), 1, |q| Truth::new(rows, metric, &questions[q.start], q.start))
}

/// The rows that are nearest to one query, by their exact distance.
pub(crate) struct Truth {
    /// For each of [`NEIGHBOURS`]: how many are wanted, and how far the last of them is.
    far: [(usize, f32); NEIGHBOURS.len()],
    /// Positions no farther than the last wanted, by distance.
    near: Vec<(f32, u32)>,
}

impl Truth {
    /// `number` is that of the query: the first few are measured with more rows.
    fn new(rows: Rows<'_>, metric: Metric, question: &Question, number: usize) -> Self {
        let mut distances = exact(rows, metric, &question.query);
        for &row in &question.without {
            if let Some(distance) = distances.get_mut(row as usize) {
                *distance = f32::INFINITY;
            }
        }
        let wanted = NEIGHBOURS.map(|n| (n as usize).min(distances.len()));
        let deepest = (0..NEIGHBOURS.len()).rev().find(|&at| number < QUERIES[at]).unwrap_or(0);
        let last = wanted[deepest].saturating_sub(1);
        let limit = match distances.is_empty() {
            true => 0.0,
            false => *distances.clone().select_nth_unstable_by(last, f32::total_cmp).1,
        };
        let mut near: Vec<(f32, u32)> = distances.drain(..).zip(0..).filter(|&(d, _)| d <= limit).collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let far = wanted.map(|count| (count, near.get(count.saturating_sub(1)).map_or(limit, |n| n.0)));
        Truth { far, near }
    }

    /// The rows as near as the last that is wanted, and how many are wanted.
    fn of(&self, number: usize) -> (&[(f32, u32)], usize) {
        let (count, far) = self.far[number];
        (&self.near[..self.near.partition_point(|n| n.0 <= far)], count)
    }
}

/// The distances of a query to all rows.
fn exact(rows: Rows<'_>, metric: Metric, query: &[f32]) -> Vec<f32> {
    let dim = rows.dim;
    let mut all = Vec::with_capacity(rows.count());
    for four in rows.data.chunks(4 * dim) {
        let each = std::array::from_fn(|i| four.get(i * dim..(i + 1) * dim).unwrap_or(&four[..dim]));
        let distances = match metric {
            Metric::L2 => (kernels().l2_f32x4)(query, each),
            Metric::Cosine | Metric::Dot => (kernels().dot_f32x4)(query, each).map(|dot| -dot),
        };
        all.extend_from_slice(&distances[..four.len() / dim]);
    }
    all
}

/// Cells and leaves in the order in which one query looks at them.
struct Ranked {
    turned: Turned,
    shares: Shares,
    /// For each of [`NEIGHBOURS`] the leaves, each with the rank of its cell, from 0.
    leaves: [Vec<(u32, u32)>; NEIGHBOURS.len()],
}

impl Ranked {
    fn new(levels: &Levels<'_>, query: &[f32], shares: Shares) -> Self {
        let Levels { tree, codec, .. } = levels;
        let (mut turned, mut prepared) = (Turned::default(), Prepared::default());
        codec.ask(query, &mut turned);
        let bound = QueryBound { metric: levels.metric, codec, turned: &turned, shares };
        let cells: Vec<&[u8]> = levels.cell_codes.chunks_exact(centroid::stride(codec.dim())).collect();
        let priorities = cells.iter().zip(levels.cell_spreads);
        let priorities: Vec<f32> =
            priorities.map(|(code, &spread)| bound.cell((code, centroid::square(code)), spread)).collect();
        let mut ranks = vec![0; priorities.len()];
        order(&priorities).iter().zip(0..).for_each(|(&cell, rank)| ranks[cell as usize] = rank);
        let stride = codec.stride();
        let (mut all, mut some, mut centre) = (Vec::with_capacity(tree.leaves.len()), Vec::new(), Vec::new());
        for (code, leaves) in cells.iter().zip(tree.cells.windows(2)) {
            let leaves = leaves[0] as usize..leaves[1] as usize;
            centroid::decode(code, &mut centre);
            let codes = &levels.leaf_codes[leaves.start * stride..leaves.end * stride];
            // As the file has them.
            let spreads = levels.leaf_spreads[leaves].iter().map(|&s| half::bf16::from_f32(s).to_f32());
            bound.leaves(&centre, &mut prepared, codes, spreads, &mut some);
            all.extend_from_slice(&some);
        }
        let held: Vec<u32> = tree.leaves.windows(2).map(|w| w[1] - w[0]).collect();
        let leaves = NEIGHBOURS.map(|k| {
            let mut priorities = all.clone();
            let spreads = levels.leaf_spreads.iter().copied();
            copies_last(&mut priorities, k as usize, spreads.zip(held.iter().copied()));
            order(&priorities).into_iter().map(|leaf| (leaf, ranks[tree.cell_of(leaf)])).collect()
        });
        Ranked { turned, shares, leaves }
    }

    /// The leaves of the first `cells` cells, for one of [`NEIGHBOURS`].
    fn within(&self, number: usize, cells: u32) -> impl Iterator<Item = u32> + '_ {
        self.leaves[number].iter().filter(move |leaf| leaf.1 < cells).map(|leaf| leaf.0)
    }
}

/// Numbers in order of priority, the lowest first; ties to the lower number.
fn order(priorities: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..priorities.len() as u32).collect();
    order
        .sort_unstable_by(|&a, &b| priorities[a as usize].total_cmp(&priorities[b as usize]).then(a.cmp(&b)));
    order
}

/// Numbers of cells to try, falling.
fn caps(cells: usize) -> Vec<u32> {
    let mut caps = vec![cells as u32];
    while let Some(&last) = caps.last().filter(|&&l| l > 1) {
        caps.push(((f64::from(last) * FEWER) as u32).clamp(1, last - 1));
    }
    caps
}

/// For each of `caps`, the probes with which each neighbour of each query is found (`u32::MAX`: in none of the cells),
/// sorted. Rows as near as the last wanted are as good as it: those found first count.
fn found(
    levels: &Levels<'_>,
    ranked: &[Ranked],
    truths: &[Truth],
    caps: &[u32],
    number: usize,
) -> Vec<Vec<u32>> {
    let tree = levels.tree;
    let each = exec::map_chunks(ranked.len(), 1, |q| {
        let (ranked, (near, count)) = (&ranked[q.start], truths[q.start].of(number));
        let mut probes = vec![u32::MAX; tree.leaves.len() - 1];
        let per_cap = caps.iter().map(|&cap| {
            probes.fill(u32::MAX);
            ranked.within(number, cap).zip(1..).for_each(|(leaf, rank)| probes[leaf as usize] = rank);
            let of = |&(_, position): &(f32, u32)| {
                let own = probes[tree.leaf_of(position) as usize];
                levels.second(position).map_or(own, |second| own.min(probes[second as usize]))
            };
            let mut needed: Vec<u32> = near.iter().map(of).collect();
            needed.sort_unstable();
            needed.truncate(count);
            needed
        });
        per_cap.collect::<Vec<_>>()
    });
    let all = |cap: usize| {
        let mut probes: Vec<u32> = each.iter().flat_map(|found| found[cap].iter().copied()).collect();
        probes.sort_unstable();
        probes
    };
    (0..caps.len()).map(all).collect()
}

/// Cells and probes that hold enough of the neighbours with the fewest bytes, and how many that are.
fn cheapest(
    levels: &Levels<'_>,
    caps: &[u32],
    found: &[Vec<u32>],
    recall: f64,
    missed: f64,
) -> Option<(u32, u32, f64)> {
    let wanted = 1.0 - (1.0 - recall) * missed;
    let mut best: Option<(u32, u32, f64)> = None;
    for (&cap, probes) in caps.iter().zip(found) {
        let at = (probes.len() as f64 * wanted).ceil() as usize;
        let Some(&probes) = probes.get(at.saturating_sub(1)).filter(|&&p| p != u32::MAX) else { continue };
        let bytes = levels.bytes(cap, probes);
        if best.is_none_or(|b| bytes < b.2) {
            best = Some((cap, probes, bytes));
        }
    }
    best
}

impl Levels<'_> {
    fn second(&self, position: u32) -> Option<u32> {
        self.second.get(position as usize).copied()
    }

    /// Bytes of the leaves of so many cells and of so many lists.
    fn bytes(&self, cells: u32, probes: u32) -> f64 {
        let (all_cells, leaves) = (self.tree.cells.len() as f64 - 1.0, self.tree.leaves.len() as f64 - 1.0);
        let lists: usize = self.list_codes.iter().map(Vec::len).sum();
        // Beside its code a leaf has about twenty bytes, a row of a list about six.
        let rows = self.tree.order.len() + self.spilled.iter().map(Vec::len).sum::<usize>();
        let leaf = (self.codec.stride() + 20) as f64;
        f64::from(cells) * leaves / all_cells * leaf + f64::from(probes) * (lists + rows * 6) as f64 / leaves
    }
}

/// A candidate of one query: its estimate, the error of that, and whether it is one of the nearest that are wanted.
#[derive(Clone, Copy)]
struct Candidate {
    distance: f32,
    error: f32,
    good: bool,
}

/// Of each query the candidates, and how many cells and probes they come from.
type Scanned = ((u32, u32), Vec<Vec<Candidate>>);

struct Measure<'a> {
    levels: &'a Levels<'a>,
    queries: &'a [Question],
    ranked: &'a [Ranked],
    truths: &'a [Truth],
    /// Which of [`NEIGHBOURS`].
    number: usize,
    /// What these queries may miss for what real ones miss.
    harder: f64,
    /// The candidates in the lists that were scanned last.
    scanned: Option<Scanned>,
}

impl Measure<'_> {
    /// The width for a recall, and the bytes it reads.
    fn width(&mut self, caps: &[u32], found: &[Vec<u32>], wanted: u32) -> (CurvePoint, Cost) {
        let recall = 1.0 - (1.0 - part(wanted)) * self.harder;
        let all = (caps[0], self.levels.tree.leaves.len() as u32 - 1);
        let mut best = None;
        for missed in MISSED_BY_PROBING {
            let (cells, probes, bytes) = cheapest(self.levels, caps, found, recall, missed).unwrap_or((
                all.0,
                all.1,
                self.levels.bytes(all.0, all.1),
            ));
            let kept = self.keep(cells, probes, recall);
            let reached = 1.0 - (1.0 - kept.recall) / self.harder;
            let reached = (reached.max(0.0) * 10_000.0).round() as u32;
            let keep = keep(NEIGHBOURS[self.number] as usize) as u32;
            let width = CurvePoint { wanted, reached, cells, probes, keep, doubt: kept.doubt, bound: 0.0 };
            let cost = Cost { bytes: bytes + kept.rows * self.levels.row_bytes as f64, rows: kept.rows };
            if best.is_none_or(|(best, _): (CurvePoint, Cost)| reached > best.reached) {
                best = Some((width, cost));
            }
            if kept.recall >= recall {
                break;
            }
        }
        best.unwrap_or_default()
    }

    /// As few candidates as leave enough good ones in these lists.
    fn keep(&mut self, cells: u32, probes: u32, recall: f64) -> Kept {
        let each = match self.scanned.take() {
            Some((width, each)) if width == (cells, probes) => each,
            _ => exec::map_chunks(self.queries.len(), 1, |q| self.candidates(q.start, cells, probes)),
        };
        let wanted: usize = self.truths.iter().map(|t| t.of(self.number).1).sum();
        let mut best = Kept { recall: 0.0, rows: 0.0, doubt: 0.0 };
        for doubt in DOUBTS {
            let all = each
                .iter()
                .zip(self.truths)
                .map(|(candidates, truth)| kept(candidates, truth.of(self.number).1, doubt));
            let (good, rows) = all.fold((0, 0), |sum, kept| (sum.0 + kept.0, sum.1 + kept.1));
            best = Kept {
                recall: good as f64 / wanted.max(1) as f64,
                rows: rows as f64 / self.queries.len().max(1) as f64,
                doubt,
            };
            if best.recall >= recall {
                break;
            }
        }
        self.scanned = Some(((cells, probes), each));
        best
    }

    /// The candidates in the first `probes` lists of the first `cells` cells, nearest first, each row once.
    fn candidates(&self, q: usize, cells: u32, probes: u32) -> Vec<Candidate> {
        let Levels { tree, codec, .. } = self.levels;
        let (ranked, stride) = (&self.ranked[q], centroid::stride(codec.dim()));
        let bound =
            QueryBound { metric: self.levels.metric, codec, turned: &ranked.turned, shares: ranked.shares };
        let without = &self.queries[q].without;
        let mut scratch = ListScratch::default();
        let mut seen: Vec<(u32, f32, f32)> = Vec::new();
        for leaf in ranked.within(self.number, cells).take(probes as usize) {
            let cell = &self.levels.cell_codes[tree.cell_of(leaf) * stride..][..stride];
            let leaf = leaf as usize;
            let (centre, rows) = self.levels.list_codes[leaf].split_at(stride * self.levels.centres);
            let own = tree.leaves[leaf]..tree.leaves[leaf + 1];
            let positions = own.chain(self.levels.spilled[leaf].iter().copied());
            let estimates = bound.rows(ListCodes { cell, centre, rows }, &mut scratch);
            let estimates = positions.zip(estimates).filter(|(position, _)| !without.contains(position));
            seen.extend(estimates.map(|(position, (distance, error))| (position, error, distance)));
        }
        // Errors are not below 0, so their bits rise with them.
        seen.sort_unstable_by_key(|s| u64::from(s.0) << 32 | u64::from(s.1.to_bits()));
        seen.dedup_by_key(|s| s.0);
        seen.sort_unstable_by_key(|s| Key::new(s.2, s.0));
        let k = self.truths[q].of(self.number).1;
        seen.truncate(keep(k));
        let mut near: Vec<u32> = self.truths[q].of(self.number).0.iter().map(|n| n.1).collect();
        near.sort_unstable();
        let candidate = |&(position, error, distance)| Candidate {
            distance,
            error,
            good: near.binary_search(&position).is_ok(),
        };
        seen.iter().map(candidate).collect()
    }
}

fn keep(k: usize) -> usize {
    k * KEEP + MORE
}

/// What reading rows within so many standard deviations came to.
struct Kept {
    recall: f64,
    rows: f64,
    doubt: f32,
}

/// How many good ones are read, and how many in all: as `Probe::candidates` chooses them.
fn kept(candidates: &[Candidate], k: usize, doubt: f32) -> (usize, usize) {
    let mut worst: Vec<u64> =
        candidates.iter().map(|c| Key::new(c.distance + doubt * c.error, 0).0).collect();
    let limit = nth(&mut worst, k);
    let read = candidates.iter().filter(|c| c.distance - doubt * c.error <= limit);
    let (good, rows) = read.fold((0, 0), |(good, rows), c| (good + usize::from(c.good), rows + 1));
    // Rows as near as the last that is wanted may be more than are wanted.
    (good.min(k), rows)
}
