//! The walk over a graph of which only the layers above 0 are in memory. Links of layer 0 and codes are read node by
//! node: each wave reads those of the nearest nodes that were not expanded yet.
//!
//! Nodes are expanded in the same order as by the walk in memory (`walk`); what is read ahead of that order waits for
//! its turn. So hits and computed distances are the same, whichever bytes are available.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::disk_graph::{DiskGraph, MissingReads};
use crate::error::Error;
use crate::quant::{Codec, Prepared};
use crate::search::pool::Pool;

/// The links and neighbours of so many nodes are read at once. Fewer take more waves; more read what no walk looks at.
const WIDTH: usize = 8;

enum Stage {
    Enter,
    /// The layer, the node in it, and its distance.
    Descend(usize, u32, f32),
    Base,
    /// The walk reached too few nodes: every code from this one on is scored.
    All(u32),
    Done,
}

/// One query under way.
pub(crate) struct Walk {
    stage: Stage,
    ef: usize,
    /// If the walk reaches fewer nodes, all are scored.
    least: usize,
    coarse: Prepared,
    fine: Prepared,
    pool: Pool,
    visited: BTreeSet<u32>,
    /// Visited nodes that the next step scores.
    unscored: Vec<u32>,
    /// Links of nodes that may be expanded soon.
    links: BTreeMap<u32, Vec<u32>>,
    /// Both distances of every node whose code was available.
    known: BTreeMap<u32, [f32; 2]>,
    /// How many distances a walk in memory would have computed.
    pub(crate) computed: u64,
}

impl Walk {
    pub(crate) fn new(codec: &dyn Codec, query: &[f32], fine: bool, ef: usize, least: usize) -> Self {
        let (mut coarse, mut finer) = (Prepared::default(), Prepared::default());
        codec.prepare(query, false, &mut coarse);
        if fine {
            codec.prepare(query, true, &mut finer);
        }
        let mut pool = Pool::default();
        pool.reset(ef);
        Walk {
            stage: Stage::Enter,
            ef,
            least,
            coarse,
            fine: finer,
            pool,
            visited: BTreeSet::new(),
            unscored: Vec::new(),
            links: BTreeMap::new(),
            known: BTreeMap::new(),
            computed: 0,
        }
    }

    /// The nearest `count` in order of their coarse distance, each with the finer one if codes give the final
    /// distances.
    pub(crate) fn candidates(&self, count: usize) -> Vec<(f32, u32)> {
        let finer = |(distance, node)| (self.known.get(&node).map_or(distance, |d| d[1]), node);
        self.pool.iter().take(count).map(finer).collect()
    }

    /// Goes as far as the available bytes allow. If it adds nothing to `missing`, the walk is over.
    pub(crate) fn step(&mut self, graph: &DiskGraph<'_>, missing: &mut MissingReads) -> Result<(), Error> {
        loop {
            let ready = match self.stage {
                Stage::Enter => self.enter(graph, missing)?,
                Stage::Descend(layer, here, best) => self.descend(graph, missing, layer, here, best)?,
                Stage::Base => self.base(graph, missing)?,
                Stage::All(from) => self.all(graph, missing, from)?,
                Stage::Done => return Ok(()),
            };
            if !ready {
                return Ok(());
            }
        }
    }

    fn enter(&mut self, graph: &DiskGraph<'_>, missing: &mut MissingReads) -> Result<bool, Error> {
        let entry = graph.upper.entry;
        let Some(distance) = self.distance(graph, missing, entry) else { return Ok(false) };
        self.computed += 1;
        self.stage = Stage::Descend(graph.upper.top, entry, distance);
        Ok(true)
    }

    /// One step of the greedy walk above layer 0.
    fn descend(
        &mut self,
        graph: &DiskGraph<'_>,
        missing: &mut MissingReads,
        layer: usize,
        here: u32,
        best: f32,
    ) -> Result<bool, Error> {
        if layer == 0 {
            self.computed += 1;
            self.visited.insert(here);
            self.pool.offer(best, here);
            self.stage = Stage::Base;
            return Ok(true);
        }
        let mut near = (best, here);
        let (mut count, mut ready) = (0, true);
        for &node in graph.upper.links(layer, here, &mut Vec::new())?.iter().filter(|&&l| l != here) {
            match self.distance(graph, missing, node) {
                Some(d) if d < near.0 || (d == near.0 && node < near.1) => near = (d, node),
                Some(_) => {}
                None => ready = false,
            }
            count += 1;
        }
        if ready {
            self.computed += count;
            let layer = if near.1 == here { layer - 1 } else { layer };
            self.stage = Stage::Descend(layer, near.1, near.0);
        }
        Ok(ready)
    }

    /// Expands nodes while their bytes are available, then names what the nearest nodes still need.
    fn base(&mut self, graph: &DiskGraph<'_>, missing: &mut MissingReads) -> Result<bool, Error> {
        while self.expand() {}
        let next: Vec<u32> = self.pool.waiting().take(WIDTH).collect();
        if next.is_empty() && self.unscored.is_empty() {
            self.stage = Stage::Done;
            if self.pool.iter().len() < self.least {
                self.pool.reset(self.ef);
                self.stage = Stage::All(0);
            }
            return Ok(true);
        }
        let mut ready = true;
        for node in self.unscored.clone() {
            ready &= self.distance(graph, missing, node).is_some();
        }
        for node in next {
            let Some(links) = self.links(graph, missing, node)? else {
                ready = false;
                continue;
            };
            for link in links {
                ready &= self.visited.contains(&link) || self.distance(graph, missing, link).is_some();
            }
        }
        Ok(ready)
    }

    /// The links of `node`; `None` if they are missing.
    fn links(
        &mut self,
        graph: &DiskGraph<'_>,
        missing: &mut MissingReads,
        node: u32,
    ) -> Result<Option<Vec<u32>>, Error> {
        if let Entry::Vacant(place) = self.links.entry(node) {
            let Some(record) = graph.source.get(graph.links(node)) else {
                missing.links.insert(node);
                return Ok(None);
            };
            let mut unpacked = Vec::new();
            let links = graph.upper.links_of_record(node, record, &mut unpacked)?;
            place.insert(links.iter().copied().filter(|&link| link != node).collect());
        }
        Ok(self.links.get(&node).cloned())
    }

    /// One step of `walk::layer`, if its bytes were available: takes the links of the nearest node that was not
    /// expanded, then scores those of the node before it.
    fn expand(&mut self) -> bool {
        if !self.unscored.iter().all(|node| self.known.contains_key(node)) {
            return false;
        }
        let next = self.pool.waiting().next();
        let fresh = match next {
            Some(node) => {
                let Some(links) = self.links.remove(&node) else { return false };
                self.pool.take();
                links.into_iter().filter(|&link| self.visited.insert(link)).collect()
            }
            None if self.unscored.is_empty() => return false,
            None => Vec::new(),
        };
        for node in std::mem::replace(&mut self.unscored, fresh) {
            self.computed += 1;
            self.pool.offer(self.known.get(&node).map_or(f32::INFINITY, |d| d[0]), node);
        }
        true
    }

    fn all(&mut self, graph: &DiskGraph<'_>, missing: &mut MissingReads, from: u32) -> Result<bool, Error> {
        let count = graph.upper.count as u32;
        for node in from..count {
            let Some(distance) = self.distance(graph, missing, node) else {
                let ahead = graph.source.slots(graph.codes.extent).count.min(1 << 16) as u32;
                missing.codes.extend(node..node.saturating_add(ahead).min(count));
                self.stage = Stage::All(node);
                return Ok(false);
            };
            self.computed += 1;
            self.pool.offer(distance, node);
        }
        self.stage = Stage::Done;
        Ok(true)
    }

    /// The coarse distance of `node`; `None` if its code is missing.
    fn distance(&mut self, graph: &DiskGraph<'_>, missing: &mut MissingReads, node: u32) -> Option<f32> {
        if let Some(distances) = self.known.get(&node) {
            return Some(distances[0]);
        }
        let Some(code) = graph.source.get(graph.code(node)) else {
            missing.codes.insert(node);
            return None;
        };
        let codec = &*graph.codes.codec;
        let distance = |prepared: &mut Prepared| {
            let mut out = [0.0];
            codec.distances(prepared, code, &[0], &mut out);
            out[0]
        };
        let coarse = distance(&mut self.coarse);
        let fine = if graph.fine { distance(&mut self.fine) } else { coarse };
        self.known.insert(node, [coarse, fine]);
        Some(coarse)
    }
}
