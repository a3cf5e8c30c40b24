//! Measures how many candidates must be read for a recall, by scans of lists.

use std::collections::HashMap;

use super::ranked::{Ranked, cheapest_scan, probes_needed};
use super::truth::Truth;
use super::{DOUBTS, HARDER, KEEP, Levels, MISSED_BY_PROBING, MORE, QUERIES, Sample, part};
use crate::build::clusters::questions::Question;
use crate::exec;
use crate::quant::centroid;
use crate::search::clusters::{ListCodes, ListScratch, QueryBound, nth};
use crate::segment::clusters::{CurvePoint, NEIGHBOURS};
use crate::sort;
use crate::topk::Key;

/// A candidate of one query: its estimated distance, the error of the estimate, and whether it is a true neighbour.
#[derive(Clone, Copy)]
struct Candidate {
    distance: f32,
    error: f32,
    good: bool,
}

/// About how much a search reads: bytes in all, and rows.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) bytes: f64,
    pub(super) rows: f64,
}

/// Cells and probes of a scan.
type Scanned = (u32, u32);

/// The measurements for one number of neighbours.
pub(super) struct Measure<'a> {
    levels: &'a Levels<'a>,
    queries: &'a [Question],
    ranked: &'a [Ranked],
    truths: &'a [Truth],
    /// The index of that number in [`NEIGHBOURS`].
    number: usize,
    /// The part of the allowed misses that these queries may use up.
    harder: f64,
    caps: &'a [u32],
    probes: Vec<Vec<u32>>,
    /// The candidates of each query, for each scan.
    scanned: Vec<(Scanned, Vec<Vec<Candidate>>)>,
}

impl<'a> Measure<'a> {
    pub(super) fn new(
        levels: &'a Levels<'a>,
        sample: &'a Sample,
        ranked: &'a [Ranked],
        number: usize,
        caps: &'a [u32],
    ) -> Self {
        let count = QUERIES[number].min(sample.questions.len());
        let (ranked, truths) = (&ranked[..count], &sample.truths[..count]);
        let harder = if sample.made { HARDER[number] } else { 1.0 };
        let probes = probes_needed(levels, ranked, truths, caps, number);
        let queries = &sample.questions[..count];
        Measure { levels, queries, ranked, truths, number, harder, caps, probes, scanned: Vec::new() }
    }

    /// The recall that these queries must reach so that real ones reach `wanted`.
    fn recall(&self, wanted: u32) -> f64 {
        1.0 - (1.0 - part(wanted)) * self.harder
    }

    /// Cells, probes and bytes for a recall, if probing may use up the part `missed` of the allowed misses.
    fn lists(&self, recall: f64, missed: f64) -> (u32, u32, f64) {
        let all = (self.caps[0], self.levels.tree.leaf_starts.len() as u32 - 1);
        let cheapest = cheapest_scan(self.levels, self.caps, &self.probes, recall, missed);
        cheapest.unwrap_or((all.0, all.1, self.levels.bytes(all.0, all.1)))
    }

    /// Makes the scans for several recalls at once, so that each list of a query is scanned once.
    pub(super) fn scan_for(&mut self, recalls: &[u32]) {
        let lists = recalls.iter().map(|&wanted| self.lists(self.recall(wanted), MISSED_BY_PROBING[0]));
        let mut scans: Vec<Scanned> = lists.map(|(cells, probes, _)| (cells, probes)).collect();
        sort::by(&mut scans, Ord::cmp);
        scans.dedup();
        self.scan(&scans);
    }

    fn scan(&mut self, scans: &[Scanned]) {
        let each = exec::map_chunks(self.queries.len(), 1, |q| self.candidates(q.start, scans));
        let mut by_scan: Vec<Vec<Vec<Candidate>>> = scans.iter().map(|_| Vec::new()).collect();
        for candidates in each {
            by_scan.iter_mut().zip(candidates).for_each(|(scan, candidates)| scan.push(candidates));
        }
        self.scanned.extend(scans.iter().copied().zip(by_scan));
    }

    /// The point of the curve for a recall, and its cost.
    pub(super) fn width(&mut self, wanted: u32) -> (CurvePoint, Cost) {
        let recall = self.recall(wanted);
        let mut best = None;
        for missed in MISSED_BY_PROBING {
            let (cells, probes, bytes) = self.lists(recall, missed);
            let kept = self.fewest_candidates((cells, probes), recall);
            let reached = 1.0 - (1.0 - kept.recall) / self.harder;
            let reached = (reached.max(0.0) * 10_000.0).round() as u32;
            let keep = most_candidates(NEIGHBOURS[self.number] as usize) as u32;
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

    /// The fewest candidates of a scan that reach the recall.
    fn fewest_candidates(&mut self, scan: Scanned, recall: f64) -> Reranked {
        if !self.scanned.iter().any(|scanned| scanned.0 == scan) {
            self.scan(&[scan]);
        }
        let wanted: usize = self.truths.iter().map(|t| t.of(self.number).1).sum();
        let mut best = Reranked { recall: 0.0, rows: 0.0, doubt: 0.0 };
        let Some((_, each)) = self.scanned.iter().find(|scanned| scanned.0 == scan) else { return best };
        for doubt in DOUBTS {
            let all = each
                .iter()
                .zip(self.truths)
                .map(|(candidates, truth)| count_read(candidates, truth.of(self.number).1, doubt));
            let (good, rows) = all.fold((0, 0), |sum, kept| (sum.0 + kept.0, sum.1 + kept.1));
            best = Reranked {
                recall: good as f64 / wanted.max(1) as f64,
                rows: rows as f64 / self.queries.len().max(1) as f64,
                doubt,
            };
            if best.recall >= recall {
                break;
            }
        }
        best
    }

    /// The candidates of one query for each scan, nearest first, each row once.
    fn candidates(&self, q: usize, scans: &[Scanned]) -> Vec<Vec<Candidate>> {
        let ranked = &self.ranked[q];
        let mut near: Vec<u32> = self.truths[q].of(self.number).0.iter().map(|n| n.1).collect();
        sort::by(&mut near, Ord::cmp);
        let k = self.truths[q].of(self.number).1;
        let (mut lists, mut scratch) = (HashMap::new(), ListScratch::default());
        let mut seen: Vec<Estimate> = Vec::new();
        let each = scans.iter().map(|&(cells, probes)| {
            seen.clear();
            let within =
                ranked.within(self.levels.tree, self.number, cells).take_while(|leaf| leaf.1 <= probes);
            for (leaf, _) in within {
                seen.extend_from_slice(lists.entry(leaf).or_insert_with(|| self.list(q, leaf, &mut scratch)));
            }
            // Of a row's two copies the one with the smaller error counts. Errors are not negative, so their bits are
            // in their order.
            sort::by_key(&mut seen, |s| u64::from(s.position) << 32 | u64::from(s.error.to_bits()));
            seen.dedup_by_key(|s| s.position);
            sort::by_key(&mut seen, |s| Key::new(s.distance, s.position));
            seen.truncate(most_candidates(k));
            let candidate = |s: &Estimate| Candidate {
                distance: s.distance,
                error: s.error,
                good: near.binary_search(&s.position).is_ok(),
            };
            seen.iter().map(candidate).collect()
        });
        each.collect()
    }

    /// Estimates the distances of the rows in one list.
    fn list(&self, q: usize, leaf: u32, scratch: &mut ListScratch) -> Vec<Estimate> {
        let Levels { tree, codec, .. } = self.levels;
        let (ranked, stride) = (&self.ranked[q], centroid::stride(codec.dim()));
        let bound =
            QueryBound { metric: self.levels.metric, codec, turned: &ranked.turned, shares: ranked.shares };
        let without = &self.queries[q].without;
        let cell = &self.levels.cell_codes[tree.cell_of(leaf) * stride..][..stride];
        let leaf = leaf as usize;
        let (centre, rows) = self.levels.list_codes[leaf].split_at(stride * self.levels.centres);
        let own = tree.leaf_starts[leaf]..tree.leaf_starts[leaf + 1];
        let positions = own.chain(self.levels.spilled[leaf].iter().copied());
        let estimates = bound.rows(ListCodes { cell, centre, rows }, scratch);
        let estimates = positions.zip(estimates).filter(|(position, _)| !without.contains(position));
        estimates.map(|(position, (distance, error))| Estimate { position, error, distance }).collect()
    }
}

/// The estimate for one row, from one list.
#[derive(Clone, Copy)]
struct Estimate {
    position: u32,
    error: f32,
    distance: f32,
}

fn most_candidates(k: usize) -> usize {
    k * KEEP + MORE
}

/// The recall and the rows read with one value of [`DOUBTS`].
struct Reranked {
    recall: f64,
    rows: f64,
    doubt: f32,
}

/// How many true neighbours are read, and how many rows: the choice is that of `Probe::candidates`.
fn count_read(candidates: &[Candidate], k: usize, doubt: f32) -> (usize, usize) {
    let limit = nth(&mut candidates.iter().map(|c| c.distance + doubt * c.error), k, &mut Vec::new());
    let read = candidates.iter().filter(|c| c.distance - doubt * c.error <= limit);
    let (good, rows) = read.fold((0, 0), |(good, rows), c| (good + usize::from(c.good), rows + 1));
    // There may be more true neighbours than are wanted, if several are as near as the last.
    (good.min(k), rows)
}
