//! Several segments are searched for the hits of one query: which of their lists are scanned is chosen together.
//!
//! Each segment reads its nearest cells and ranks their leaves, as if all hits were in it, and waits. Its width allows for
//! queries whose near rows happen to lie in its farther lists; among the lists of all segments those are not far. So the lists
//! of all are taken by priority, wherever they lie, until they have a part of the rows that the segments chose. Where rows are
//! spread at random all segments give some, and where one segment has all the near rows, it gives most.

use super::Probe;
use super::enough::Held;
use super::hits::sort_by_key;
use super::ranked::RankedLeaf;
use crate::search::plan::part_of_many;
use crate::segment::Segment;
use crate::topk::Key;

/// What the segments of an index have in common: the order in which their lists are taken must be one order.
#[derive(Clone, Copy, Default)]
pub(crate) struct InCommon {
    /// Rows that may be hits.
    rows: usize,
    /// The rows of segments with clusters, and the sum of their shares of the spreads of leaves.
    clustered: f32,
    of_leaves: f32,
}

impl InCommon {
    /// Adds a segment of which so many rows may be hits.
    pub(crate) fn add(&mut self, segment: &Segment, rows: usize) {
        self.rows += rows;
        if let Some(clusters) = &segment.clusters {
            self.clustered += rows as f32;
            self.of_leaves += rows as f32 * clusters.cells.shares.of_leaves;
        }
    }

    /// The mean of the segments' shares, by rows.
    fn of_leaves(&self) -> f32 {
        if self.clustered > 0.0 { self.of_leaves / self.clustered } else { 0.0 }
    }

    pub(crate) fn part(&self, rows: usize) -> f64 {
        rows as f64 / self.rows.max(1) as f64
    }
}

/// The lists that a segment chose for itself, before it knows what the others chose.
pub(crate) struct Joint {
    /// The segment's part of all rows that may be hits.
    part: f64,
    /// All of its rows.
    count: usize,
    /// The share of the spread of a leaf in all segments.
    pub(super) of_leaves: f32,
    /// Lists, nearest first: their priorities, and their rows. Empty if the segment does not wait.
    pub(in crate::search) chosen: Vec<(f32, Held)>,
}

impl Joint {
    /// Of a segment with so many rows, of which so many may be hits.
    pub(crate) fn new(all: &InCommon, count: usize, rows: usize) -> Self {
        Joint { part: all.part(rows), count, of_leaves: all.of_leaves(), chosen: Vec::new() }
    }

    /// How many of the rows that the segment chose it adds to those that are scanned.
    fn rows(&self) -> f64 {
        let chosen: u64 = self.chosen.iter().map(|chosen| chosen.1.rows).sum();
        // Where a segment would scan many of its rows, its bounds tell little, so that fewer may be passed over.
        let scanned = chosen as f64 / self.count.max(1) as f64;
        let part = part_of_many(self.part);
        chosen as f64 * (part + (1.0 - part) * scanned)
    }
}

impl Probe {
    /// Whether it waits for what the probes of the other segments choose.
    pub(crate) fn waits(&self) -> bool {
        self.joint.as_ref().is_some_and(|joint| !joint.chosen.is_empty())
    }

    /// Goes on with the chosen lists whose priority is at most `limit`.
    fn go_on(&mut self, limit: f32) {
        let Some(joint) = &mut self.joint else { return };
        joint.chosen.clear();
        self.lists.iter_mut().for_each(|lists| lists.retain(|ranked| ranked.common <= limit));
    }

    /// Waits for the other segments, if there are any. `lists` are what it would scan alone.
    pub(super) fn choose(&mut self, lists: &[RankedLeaf]) {
        let joint = self.joint.as_mut().filter(|_| self.wider.doubled == 0 && self.wanted.probes.is_none());
        if let Some(joint) = joint {
            joint.chosen = lists.iter().map(|ranked| (ranked.common, ranked.held())).collect();
        }
    }
}

/// Of the lists that the segments' probes of one query chose, those that are near enough among all go on; the probes wait no more.
pub(crate) fn narrow(k: usize, probes: &mut [&mut Probe], keys: &mut Vec<u64>) {
    let mut all: Vec<(f32, Held)> = Vec::new();
    let mut rows = 0.0;
    for joint in probes.iter().filter_map(|probe| probe.joint.as_ref()) {
        rows += joint.rows();
        all.extend(&joint.chosen);
    }
    sort_by_key(&mut all, keys, |at, chosen| Key::new(chosen.0, at));
    let mut total = Held::default();
    let last = all.iter().find(|(_, held)| {
        total = Held { rows: total.rows + held.rows, set: total.set + held.set };
        total.rows as f64 >= rows && total.set >= k as u64
    });
    let limit = last.map_or(f32::INFINITY, |last| last.0);
    probes.iter_mut().for_each(|probe| probe.go_on(limit));
}
