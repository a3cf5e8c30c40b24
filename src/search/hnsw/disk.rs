//! The walk over a graph of which only the layers above 0 are in memory. Links of layer 0 and codes are read node by
//! node: each wave reads those of the nearest nodes that were not expanded yet.
//!
//! It is the walk of `walk`, which stops where bytes are missing. What is read ahead waits for its turn. So hits and
//! computed distances are the same as in memory, whichever bytes are available.

use std::collections::BTreeMap;

use super::disk_graph::{DiskGraph, MissingReads};
use super::nodes::{Nodes, Shape};
use super::walk::Beam;
use crate::error::Error;
use crate::quant::Prepared;
use crate::row_set::RowSet;
use crate::search::view::View;

/// The links and neighbours of so many nodes are read at once. Fewer take more waves; more read what no walk looks at.
const WIDTH: usize = 8;

enum Stage {
    Walk,
    /// The walk reached too few nodes: the codes of all that may be hits are scored, from this one on.
    All(u32),
    Done,
}

/// One query under way.
pub(crate) struct Walk {
    stage: Stage,
    ef: usize,
    /// If the walk reaches fewer nodes, all are scored.
    least: usize,
    pub(in crate::search) beam: Beam,
    pub(in crate::search) known: Known,
}

/// What a walk has read and not used yet, and the query's distances.
pub(in crate::search) struct Known {
    pub(in crate::search) coarse: Prepared,
    pub(in crate::search) fine: Prepared,
    /// Links of nodes that may be expanded soon.
    pub(in crate::search) links: BTreeMap<u32, Vec<u32>>,
    /// Both distances of every node whose code was available.
    pub(in crate::search) distances: BTreeMap<u32, [f32; 2]>,
}

/// The nodes of a graph on disk, as far as they are available. Those that are not are added to `missing`.
struct DiskNodes<'a> {
    graph: &'a DiskGraph<'a>,
    known: &'a mut Known,
    missing: &'a mut MissingReads,
}

impl Walk {
    /// `ef` and the least that it keeps under a set of rows are `kept`; it must find `least`.
    pub(crate) fn new(
        view: &View<'_>,
        query: &[f32],
        fine: bool,
        (ef, kept): (usize, usize),
        least: usize,
    ) -> Self {
        let codec = &*view.segment.codes.codec;
        let (mut coarse, mut finer) = (Prepared::default(), Prepared::default());
        codec.prepare(query, false, &mut coarse);
        if fine {
            codec.prepare(query, true, &mut finer);
        }
        let mut beam = Beam::default();
        beam.begin(ef);
        beam.may_keep(kept);
        // A scan of the rows that may be hits takes no more distances.
        beam.give_up_after(view.rows.map_or(u64::MAX, |rows| rows.count() as u64));
        let known = Known { coarse, fine: finer, links: BTreeMap::new(), distances: BTreeMap::new() };
        Walk { stage: Stage::Walk, ef, least, beam, known }
    }

    /// How many distances a walk in memory would have computed.
    pub(crate) fn computed(&self) -> u64 {
        self.beam.computed
    }

    /// The nearest `count` in order of their coarse distance, each with the finer one if codes give the final
    /// distances.
    pub(crate) fn candidates(&self, count: usize) -> Vec<(f32, u32)> {
        let finer = |(distance, node)| (self.known.distances.get(&node).map_or(distance, |d| d[1]), node);
        self.beam.pool.iter().take(count).map(finer).collect()
    }

    /// Goes as far as the available bytes allow. If it adds nothing to `missing`, the walk is over.
    pub(crate) fn step(
        &mut self,
        view: &View<'_>,
        graph: &DiskGraph<'_>,
        missing: &mut MissingReads,
    ) -> Result<(), Error> {
        let mut nodes = DiskNodes { graph, known: &mut self.known, missing };
        if let Stage::Walk = self.stage {
            if !self.beam.search(&mut nodes, view.rows)? {
                return nodes.read_ahead(&self.beam, view.rows);
            }
            self.stage = Stage::Done;
            if self.beam.gave_up() || self.beam.pool.iter().len() < self.least {
                self.beam.pool.reset(self.ef);
                self.stage = Stage::All(0);
            }
        }
        if let Stage::All(from) = self.stage {
            let all = |from| view.positions(from..graph.upper.count as u32);
            for node in all(from) {
                let Some(distance) = nodes.distance(node) else {
                    let ahead = graph.source.slots(graph.codes.extent).count.min(1 << 16);
                    missing.codes.extend(all(node).take(ahead));
                    self.stage = Stage::All(node);
                    return Ok(());
                };
                self.beam.computed += 1;
                self.beam.pool.offer(distance, node);
            }
            self.stage = Stage::Done;
        }
        Ok(())
    }
}

impl DiskNodes<'_> {
    /// Names what the nodes that are expanded next still need.
    fn read_ahead(&mut self, beam: &Beam, rows: Option<&RowSet>) -> Result<(), Error> {
        let mut unpacked = Vec::new();
        for node in beam.ahead(rows).take(WIDTH) {
            if let Some(links) = self.links(0, node, &mut unpacked)? {
                let links = links.to_vec();
                let new: Vec<u32> = links.iter().copied().filter(|&link| !beam.has_visited(link)).collect();
                self.ready(&new);
                self.known.links.insert(node, links);
            }
        }
        Ok(())
    }

    /// The coarse distance of `node`; `None` if its code is missing.
    fn distance(&mut self, node: u32) -> Option<f32> {
        if let Some(distances) = self.known.distances.get(&node) {
            return Some(distances[0]);
        }
        let Some(code) = self.graph.source.get(self.graph.code(node)) else {
            self.missing.codes.insert(node);
            return None;
        };
        let codec = &*self.graph.codes.codec;
        let distance = |prepared: &mut Prepared| {
            let mut out = [0.0];
            codec.distances(prepared, code, &[0], &mut out);
            out[0]
        };
        let coarse = distance(&mut self.known.coarse);
        let fine = if self.graph.fine { distance(&mut self.known.fine) } else { coarse };
        self.known.distances.insert(node, [coarse, fine]);
        Some(coarse)
    }
}

impl Nodes for DiskNodes<'_> {
    fn shape(&self) -> Shape {
        let upper = &self.graph.upper;
        Shape { count: upper.count, entry: upper.entry, top: upper.top }
    }

    fn links<'b>(
        &'b mut self,
        layer: usize,
        node: u32,
        unpacked: &'b mut Vec<u32>,
    ) -> Result<Option<&'b [u32]>, Error> {
        let upper = &self.graph.upper;
        if layer > 0 {
            return upper.links(layer, node, unpacked).map(Some);
        }
        if let Some(links) = self.known.links.remove(&node) {
            *unpacked = links;
            return Ok(Some(unpacked));
        }
        match self.graph.source.get(self.graph.links(node)) {
            Some(record) => upper.links_of_record(node, record, unpacked).map(Some),
            None => {
                self.missing.links.insert(node);
                Ok(None)
            }
        }
    }

    fn ready(&mut self, ids: &[u32]) -> bool {
        let mut ready = true;
        for &id in ids {
            ready &= self.distance(id).is_some();
        }
        ready
    }

    fn distances(&mut self, ids: &[u32], out: &mut [f32]) {
        let known = |id| self.known.distances.get(id).map_or(f32::INFINITY, |d| d[0]);
        out.iter_mut().zip(ids).for_each(|(out, id)| *out = known(id));
    }

    fn prefetch(&self, _ids: &[u32]) {}

    fn prefetch_links(&self, _layer: usize, _node: u32) {}
}
