//! The walk over a graph. A build and a search walk alike, in memory and from disk; only the nodes differ.

use super::nodes::{Nodes, Shape};
use crate::error::Error;
use crate::row_set::RowSet;
use crate::search::plan;
use crate::search::pool::Pool;
use crate::search::visited::Visited;
use crate::topk::Key;
use std::ops::Range;

/// So many of the nearest nodes show which part of the rows near a query is in a set.
const NEAREST: usize = 100;
/// After so many distances a walk under a set of rows is judged by what it has found.
pub(super) const TRIAL: u64 = 384;

/// Keeps a node, if it is near enough: as a way to others, and if it may be a hit, as one. Not inlined, so that a walk
/// over all rows stays short.
#[inline(never)]
fn keep(pool: &mut Pool, frontier: &mut Pool, may_be_hit: bool, (distance, node): (f32, u32)) -> bool {
    if Key::new(distance, node) >= pool.limit() {
        return false;
    }
    if may_be_hit {
        pool.offer(distance, node);
    }
    frontier.keep(distance, node)
}

/// Where a walk is. It stops where bytes are not available, and goes on from there.
#[derive(Default)]
enum Stage {
    #[default]
    Enter,
    /// The layer, the node in it, and its distance.
    Descend(usize, u32, f32),
    /// In the last layer.
    Layer,
}

/// One walk, and its memory, which is reused from query to query.
#[derive(Default)]
pub(crate) struct Beam {
    /// The nearest `ef` nodes found, of those that may be hits. If all nodes may be hits, they are the frontier too.
    pub(crate) pool: Pool,
    pub(super) ef: usize,
    /// Under a set of rows it may keep fewer, but so many at least.
    least: usize,
    /// If only some nodes may be hits: all nodes that are near enough to be expanded.
    pub(in crate::search) frontier: Pool,
    pub(in crate::search) visited: Visited,
    stage: Stage,
    /// Visited nodes that are scored next.
    waiting: Range<usize>,
    /// A node that was taken from the pool, and whose links were not available.
    taken: Option<u32>,
    pub(in crate::search) links: Vec<u32>,
    pub(in crate::search) nodes: Vec<u32>,
    pub(in crate::search) distances: Vec<f32>,
    /// Distances computed since the walk began.
    pub(crate) computed: u64,
    /// The walk gives up when it has computed more.
    limit: u64,
}

impl Beam {
    /// Starts anew, at the entry. The walk keeps the `ef` nearest nodes.
    pub(crate) fn begin(&mut self, ef: usize) {
        (self.ef, self.least) = (ef, ef);
        self.stage = Stage::Enter;
        (self.computed, self.limit) = (0, u64::MAX);
        self.pool.reset(ef);
    }

    /// Walks from the entry to layer 0, and leaves the nearest nodes of `rows` (`None`: of all) in [`Beam::pool`].
    /// Returns whether the walk has ended; if not, it waits for bytes.
    pub(crate) fn search(&mut self, nodes: &mut impl Nodes, rows: Option<&RowSet>) -> Result<bool, Error> {
        if nodes.shape().count == 0 || self.gave_up() {
            return Ok(true);
        }
        if !matches!(self.stage, Stage::Layer) {
            let Some(start) = self.descend(nodes, 0)? else { return Ok(false) };
            self.enter(nodes, &[start]);
        }
        self.layer(nodes, 0, rows)
    }

    /// Lets the walk keep fewer than it began with, but `least`, where only some rows may be hits.
    pub(super) fn may_keep(&mut self, least: usize) {
        self.least = least.min(self.ef);
    }

    /// Decides once how many nodes are kept, by the part of those near the query that may be hits.
    fn narrow(&mut self, rows: &RowSet) {
        self.ef = plan::kept_under_rows(self.ef, self.least, self.found(rows));
        self.least = self.ef;
        self.pool.narrow(self.ef);
    }

    /// Makes the walk give up when it has computed more distances.
    pub(crate) fn give_up_after(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// How many of the nearest nodes so far there are, and how many of them are in `rows`.
    pub(crate) fn found(&self, rows: &RowSet) -> [u64; 2] {
        let nearest = self.frontier.iter().take(NEAREST);
        nearest.fold([0, 0], |[all, found], (_, node)| [all + 1, found + u64::from(rows.contains(node))])
    }

    /// Whether the walk gave up: it has found too few near nodes that may be hits.
    pub(crate) fn gave_up(&self) -> bool {
        self.computed > self.limit
    }

    /// The node at which a greedy walk from the entry ends, in the layer above `layer`; `None` if it waits for bytes.
    pub(crate) fn descend(&mut self, nodes: &mut impl Nodes, layer: usize) -> Result<Option<u32>, Error> {
        if let Stage::Enter = self.stage {
            let Shape { entry, top, .. } = nodes.shape();
            if !nodes.ready(&[entry]) {
                return Ok(None);
            }
            let mut distance = [0.0];
            nodes.distances(&[entry], &mut distance);
            self.computed += 1;
            self.stage = Stage::Descend(top, entry, distance[0]);
        }
        while let Stage::Descend(at, here, distance) = self.stage {
            if at <= layer {
                return Ok(Some(here));
            }
            self.nodes.clear();
            let Some(links) = nodes.links(at, here, &mut self.links)? else { return Ok(None) };
            self.nodes.extend(links.iter().filter(|&&link| link != here));
            if !nodes.ready(&self.nodes) {
                return Ok(None);
            }
            nodes.prefetch(&self.nodes);
            self.distances.resize(self.nodes.len(), 0.0);
            nodes.distances(&self.nodes, &mut self.distances);
            self.computed += self.nodes.len() as u64;
            let mut near = (distance, here);
            for (&node, &distance) in self.nodes.iter().zip(&self.distances) {
                if distance < near.0 || (distance == near.0 && node < near.1) {
                    near = (distance, node);
                }
            }
            let at = if near.1 == here { at - 1 } else { at };
            self.stage = Stage::Descend(at, near.1, near.0);
        }
        Ok(None)
    }

    /// Begins to walk over one layer, from `starts`.
    pub(crate) fn enter(&mut self, nodes: &impl Nodes, starts: &[u32]) {
        self.pool.reset(self.ef);
        self.frontier.reset(usize::MAX);
        self.visited.reset(nodes.shape().count);
        self.waiting = self.visited.extend(starts);
        self.taken = None;
        self.stage = Stage::Layer;
    }

    /// Walks best-first over one layer. Nodes that are not in `rows` are only ways to others. Every node is scored once, so the walk ends after at most `count` steps,
    /// whatever the links say. Returns whether it has ended.
    ///
    /// The next node is chosen, and the rows it links to are prefetched, before the links of the node before it are
    /// scored: so memory is read while the CPU computes.
    pub(crate) fn layer(
        &mut self,
        nodes: &mut impl Nodes,
        layer: usize,
        rows: Option<&RowSet>,
    ) -> Result<bool, Error> {
        loop {
            if !nodes.ready(self.visited.added(self.waiting.clone())) {
                return Ok(false);
            }
            let next = match self.taken.take() {
                None if rows.is_some() => self.frontier.take_below(self.pool.limit()),
                None => self.pool.take(),
                taken => taken,
            };
            let fresh = match next {
                Some(node) => match nodes.links(layer, node, &mut self.links)? {
                    Some(links) => self.visited.extend(links),
                    None => {
                        self.taken = Some(node);
                        return Ok(false);
                    }
                },
                None if self.waiting.is_empty() => return Ok(true),
                None => 0..0,
            };
            nodes.prefetch(self.visited.added(fresh.clone()));
            self.score(nodes, layer, rows);
            self.waiting = fresh;
            if let Some(rows) = rows.filter(|_| self.least < self.ef && self.computed > TRIAL) {
                self.narrow(rows);
            }
            if self.gave_up() {
                return Ok(true);
            }
        }
    }

    /// Scores the nodes that wait. Those that are kept may be expanded next, so their links are prefetched.
    fn score(&mut self, nodes: &mut impl Nodes, layer: usize, rows: Option<&RowSet>) {
        let waiting = self.visited.added(self.waiting.clone());
        self.distances.resize(waiting.len(), 0.0);
        nodes.distances(waiting, &mut self.distances);
        self.computed += waiting.len() as u64;
        for (&node, &distance) in waiting.iter().zip(&self.distances) {
            let kept = match rows {
                None => self.pool.keep(distance, node),
                Some(rows) => keep(&mut self.pool, &mut self.frontier, rows.contains(node), (distance, node)),
            };
            if kept {
                nodes.prefetch_links(layer, node);
            }
        }
    }

    /// The nodes that are expanded next, nearest first.
    pub(super) fn ahead(&self, rows: Option<&RowSet>) -> impl Iterator<Item = u32> + '_ {
        let frontier = if rows.is_some() { &self.frontier } else { &self.pool };
        self.taken.into_iter().chain(frontier.waiting())
    }

    pub(super) fn has_visited(&self, node: u32) -> bool {
        self.visited.contains(node)
    }
}
