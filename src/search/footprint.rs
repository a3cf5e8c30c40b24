//! The memory of searches, for the ledger: what an operation and the scratch memory have allocated, which is exact, and
//! what they and a step's own vectors may come to, which is reserved before the step.
//!
//! The latter is an estimate from above, by counts that are known before: of rows, candidates, cells, lists. A vector
//! that grows is taken three times, since its old bytes live until they are copied.

use super::clusters::{ListHit, Probe, ProbeScratch, RankedLeaf};
use super::driver::{self, Search};
use super::fields::{self, FieldReads, FieldsOfIds};
use super::hnsw::{Beam, Walk};
use super::lane::{self, Lane};
use super::operation::{Operation, Running};
use super::plan;
use super::pool::Pool;
use super::scratch::Scratch;
use super::select::{Lookups, Selection};
use super::view::View;
use super::{Answer, Hit, IndexChoice, RowPlace, SearchOptions};
use crate::id::Id;
use crate::memory::bytes;
use crate::segment::Clusters;
use crate::segment::clusters::NEIGHBOURS;
use crate::storage::Read;

/// A vector that grows: its values, and the old ones while they are moved.
const GROWS: u64 = 3;
/// Small vectors of a step, and a few texts.
const SMALL: u64 = 8 << 10;
/// About so many bytes has an id that is a text.
const TEXT: u64 = 64;
/// Of the leaves and rows that a search by clusters ranks on average, it may meet so many times as many.
const UNEVEN: u64 = 2;
/// A search by clusters keeps at least so many candidates for each hit.
const KEEP: u64 = 12;

impl Running {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Running::Search(search) => size_of::<Search>() as u64 + search.bytes(),
            Running::Select { selection, options } => selection.bytes() + of_options(options),
            Running::Similar { options, .. } => of_options(options),
            Running::Fields(of_ids) => of_ids.bytes(),
            Running::Find(_) | Running::Vector(_) | Running::Load => 0,
        }
    }
}

/// The most bytes that an operation may come to in any step, beside those that it has allocated: an estimate from above.
#[derive(Clone, Copy, Default)]
pub(crate) struct Most {
    /// Its own, and its outcome.
    own: u64,
    /// What the scratch memory has at most, if this operation makes it grow.
    scratch: u64,
}

impl Most {
    #[inline(never)]
    pub(crate) fn of(views: &[View<'_>], operation: &Operation) -> Self {
        let dim = views.first().map_or(0, |view| view.segment.dim());
        let mut most = match operation {
            Operation::Search { queries, options } => {
                let queries = queries.len().checked_div(dim).unwrap_or(0);
                Most::of_queries(views, options, queries as u64)
            }
            Operation::Similar { options, .. } => Most::of_queries(views, options, 1),
            Operation::Fields(ids) => Most::of_fields(views, ids.len() as u64),
            Operation::Select(_) | Operation::Find(_) | Operation::Vector(_) | Operation::Load => {
                Most::default()
            }
        };
        let sets = match operation {
            Operation::Similar { .. } | Operation::Select(_) => of_sets(views),
            Operation::Search { options: o, .. } if o.among.is_some() || !o.exclude.is_empty() => {
                of_sets(views)
            }
            _ => 0,
        };
        most.own += sets + dim as u64 * 8 + views.len() as u64 * 1024 + SMALL;
        most
    }

    /// Where the scratch memory has so many bytes already.
    pub(crate) fn beside(self, scratch: u64) -> u64 {
        self.own + self.scratch.saturating_sub(scratch)
    }

    fn of_queries(views: &[View<'_>], o: &SearchOptions, queries: u64) -> Self {
        let hits = o.k.min(views.iter().map(View::count).sum()) as u64;
        let texts = views.first().is_some_and(|view| view.segment.header.text_ids);
        let hit = size_of::<Hit>() as u64 + if texts { TEXT } else { 0 };
        let mut most = Most { own: 0, scratch: hits * views.len() as u64 * GROWS * 20 };
        views.iter().for_each(|view| most.add(view, o));
        most.own = (most.own + hits * hit + size_of::<Answer>() as u64).saturating_mul(queries);
        if o.fields {
            let fields = Most::of_fields(views, hits * queries);
            most = Most { own: most.own + fields.own, scratch: most.scratch + fields.scratch };
        }
        most
    }

    /// Of the fields of so many rows: a row's are no longer than a block, and each has two reads, one ahead of time.
    fn of_fields(views: &[View<'_>], rows: u64) -> Self {
        let block = views.iter().map(|view| u64::from(view.segment.header.fields.block)).max().unwrap_or(0);
        let reads = GROWS * 2 * size_of::<Read>() as u64;
        let row = (size_of::<fields::Row>() + size_of::<(Id, RowPlace)>()) as u64 + TEXT;
        Most { own: rows.saturating_mul(block + row + reads), scratch: block }
    }

    /// Adds a segment, whichever route that is allowed it takes.
    #[inline(never)]
    fn add(&mut self, view: &View<'_>, o: &SearchOptions) {
        let (segment, counts) = (view.segment, plan::counts(view, o));
        let rows = segment.count() as u64;
        let [candidates, ef] = [counts.candidates(), counts.ef].map(|count| (count as u64).min(rows));
        // What a scan keeps, and the candidates, with a read of each.
        let kept = GROWS * 8 * (2 * candidates).max(64);
        let found = candidates * (8 + GROWS * size_of::<Read>() as u64);
        let visited = rows.min(ef.saturating_mul(2 * segment.header.m as u64 + 1));
        let walked = rows / 8 + GROWS * (4 * visited + 16 * ef) + 16 * 1024;
        // A walk from disk keeps links and distances.
        let from_disk =
            if view.source.fits(segment.codes.extent) { 0 } else { walked + GROWS * visited * 16 };
        let any = o.index == IndexChoice::Auto;
        let clusters = segment.clusters.as_ref().filter(|_| any || o.index == IndexChoice::Clusters);
        let (probed, scanned) = clusters.map_or((0, 0), |clusters| probe(clusters, o, counts.k));
        self.own += found + kept.max(from_disk).max(probed);
        let prepared = segment.dim() as u64 * 16 + (64 << 10);
        self.scratch = self.scratch.max(prepared + (walked + kept).max(scanned));
    }
}

/// The sets of rows that ids select: of each segment a few, while they are combined.
#[inline(never)]
fn of_sets(views: &[View<'_>]) -> u64 {
    views.iter().map(|view| view.segment.count() as u64 / 8 * 3).sum()
}

/// The most bytes of a probe, and of the scratch memory of probes.
#[inline(never)]
fn probe(clusters: &Clusters, o: &SearchOptions, k: usize) -> (u64, u64) {
    let cells = &clusters.cells;
    let at = NEIGHBOURS.iter().position(|&n| n as usize >= k).unwrap_or(NEIGHBOURS.len() - 1);
    let curve = &cells.curves[at];
    // The steps of a curve rise.
    let recall = (o.recall.unwrap_or(SearchOptions::DEFAULT_RECALL) * 10_000.0).round() as u32;
    let step = curve.iter().find(|step| o.probes.is_none() && step.reached >= recall);
    let step = step.or(curve.last()).copied().unwrap_or_default();
    let beyond = (k as u64).div_ceil(u64::from(NEIGHBOURS[at])).max(1);
    let [of_cells, of_probes, of_keep] = [step.cells, step.probes, step.keep].map(u64::from);
    let [cells, leaves, rows] =
        [cells.len(), cells.leaf_count(), cells.row_count()].map(|count| count as u64);
    let named = |option: Option<usize>, curve: u64| option.map_or(curve.saturating_mul(beyond), |n| n as u64);
    let probes = named(o.probes, of_probes).clamp(1, leaves.max(1));
    let keep = named(o.rescore, of_keep).max(KEEP.saturating_mul(k as u64));
    // Cells in proportion, where more lists are named than the curve has.
    let wider = probes.div_ceil(of_probes.max(1)).max(beyond);
    let width = (of_cells.saturating_mul(wider), probes, keep);
    let part =
        |of: u64, count: u64, among: u64| UNEVEN * (of.saturating_mul(count) / among.max(1)).min(of) + 64;
    let ranked = part(leaves, width.0, cells);
    // Each row is in two lists.
    let scanned = part(2 * rows, width.1, leaves);
    let kept = scanned.min(width.2.saturating_mul(2));
    let leaf = size_of::<(f32, RankedLeaf)>() as u64 * (GROWS + 2);
    let hit = size_of::<ListHit>() as u64 + 16 + 8;
    let shared = GROWS * (16 * scanned + 8 * (cells + ranked + scanned));
    (ranked * leaf + GROWS * kept * hit + 4 * cells, shared)
}

fn of_options(o: &SearchOptions) -> u64 {
    of_ids(&o.exclude) + o.among.as_ref().map_or(0, of_ids)
}

#[inline(never)]
fn of_ids(ids: &Vec<Id>) -> u64 {
    let text = |id: &Id| if let Id::Text(text) = id { text.capacity() as u64 } else { 0 };
    bytes(ids) + ids.iter().map(text).sum::<u64>()
}

#[inline(never)]
fn of_answers(answers: &Vec<Answer>) -> u64 {
    let text = |hit: &Hit| if let Id::Text(text) = &hit.id { text.capacity() as u64 } else { 0 };
    let of = |a: &Answer| bytes(&a.hits) + bytes(&a.segments) + a.hits.iter().map(text).sum::<u64>();
    bytes(answers) + answers.iter().map(of).sum::<u64>()
}

impl FieldsOfIds {
    fn bytes(&self) -> u64 {
        let text = |id: &Id| if let Id::Text(text) = id { text.capacity() as u64 } else { 0 };
        let ids = bytes(&self.ids) + self.ids.iter().map(|(id, _)| text(id)).sum::<u64>();
        ids + self.reads.as_ref().map_or(0, FieldReads::bytes)
    }
}

impl Selection {
    fn bytes(&self) -> u64 {
        self.among.iter().chain([&self.exclude]).map(Lookups::bytes).sum()
    }
}

impl Lookups {
    fn bytes(&self) -> u64 {
        of_ids(&self.ids) + bytes(&self.found) + bytes(&self.unknown)
    }
}

impl Search {
    fn bytes(&self) -> u64 {
        let selection =
            if let driver::Stage::Select(selection) = &self.stage { selection.bytes() } else { 0 };
        let lanes = bytes(&self.lanes) + self.lanes.iter().map(Lane::bytes).sum::<u64>();
        let fields = match &self.stage {
            driver::Stage::Fields(answers, reads) => reads.bytes() + of_answers(answers),
            _ => 0,
        };
        bytes(&self.asked.queries) + of_options(&self.asked.options) + selection + lanes + fields
    }
}

impl Lane {
    fn bytes(&self) -> u64 {
        let of = |c: &super::rerank::Candidates| bytes(&c.found) + bytes(&c.list_hits) + bytes(&c.texts);
        let stage = match &self.stage {
            lane::Stage::Scan(scan) => {
                bytes(&scan.nearest) + scan.nearest.iter().map(|n| n.bytes()).sum::<u64>()
            }
            lane::Stage::DiskWalk(walks) => bytes(walks) + walks.iter().map(Walk::bytes).sum::<u64>(),
            lane::Stage::Probe(probes) => bytes(probes) + probes.iter().map(Probe::bytes).sum::<u64>(),
            lane::Stage::NoHits | lane::Stage::Listed | lane::Stage::Graph | lane::Stage::Found => 0,
        };
        bytes(&self.candidates) + self.candidates.iter().map(of).sum::<u64>() + stage
    }
}

impl Probe {
    fn bytes(&self) -> u64 {
        let leaves = bytes(&self.leaves) + self.lists.as_ref().map_or(0, bytes);
        let seen = bytes(&self.cells) + bytes(&self.wider.cells) + bytes(&self.wider.leaves);
        let turned = self.turned.as_ref().map_or(0, |turned| turned.bytes());
        let joint = self.joint.as_ref().map_or(0, |joint| bytes(&joint.chosen));
        leaves + seen + turned + joint + bytes(&self.hits.hits) + bytes(&self.hits.texts)
    }
}

impl Walk {
    fn bytes(&self) -> u64 {
        let known = &self.known;
        // A node of a map holds 5 to 11 entries, and some bytes beside them.
        let links = known.links.values().map(|links| 60 + bytes(links)).sum::<u64>();
        self.beam.bytes()
            + known.coarse.bytes()
            + known.fine.bytes()
            + links
            + known.distances.len() as u64 * 20
    }
}

impl Beam {
    fn bytes(&self) -> u64 {
        let visited = bytes(&self.visited.words) + bytes(&self.visited.added);
        let own = bytes(&self.links) + bytes(&self.nodes) + bytes(&self.distances);
        visited + own + self.pool.bytes() + self.frontier.bytes()
    }
}

impl Pool {
    fn bytes(&self) -> u64 {
        bytes(&self.main.keys) + bytes(&self.late.keys)
    }
}

impl ProbeScratch {
    fn bytes(&self) -> u64 {
        let (scan, list) = (&self.scan, &self.scan.list);
        let lists = list.prepared.bytes() + bytes(&list.centre) + bytes(&list.numbers);
        lists + bytes(&scan.keys) + bytes(&scan.estimates) + self.nearest.bytes()
    }
}

impl Scratch {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let shared = self.prepared.bytes() + self.nearest.bytes() + bytes(&self.keys) + bytes(&self.ranked);
        self.beam.bytes() + self.probe.bytes() + shared + bytes(&self.graphs_checked) + self.lines.bytes()
    }
}
