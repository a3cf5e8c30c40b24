//! The memory of searches, for the ledger: what an operation and the scratch memory have allocated, which is exact, and
//! what they and a step's own vectors may come to, which is reserved before the step (`most`).

mod most;

pub(crate) use most::Most;

use super::clusters::{Probe, ProbeScratch};
use super::driver::{self, Search};
use super::fields::{FieldReads, FieldsOfIds};
use super::filter::Matches;
use super::hnsw::{Beam, Walk};
use super::lane::{self, Lane};
use super::operation::Running;
use super::pool::Pool;
use super::scratch::Scratch;
use super::select::{Lookups, Selection};
use super::{Answer, SearchOptions};
use crate::id::Id;
use crate::memory::bytes;

impl Running {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Running::Search(search) => size_of::<Search>() as u64 + search.bytes(),
            Running::Select { selection, options } => selection.bytes() + of_options(options),
            Running::Similar { options, .. } => of_options(options),
            Running::Fields(of_ids) => of_ids.bytes(),
            Running::Count(selection) => selection.bytes(),
            Running::Facets(of) => of.selection.bytes() + of.facets.bytes(),
            Running::Rows(reads) => reads.bytes(),
            Running::Page(page) => page.bytes(),
            Running::Find(_) | Running::Vector(_) | Running::Load => 0,
        }
    }
}

fn of_options(o: &SearchOptions) -> u64 {
    of_ids(&o.exclude) + o.among.as_ref().map_or(0, of_ids)
}

#[inline(never)]
fn of_ids(ids: &Vec<Id>) -> u64 {
    bytes(ids) + ids.iter().map(Id::bytes).sum::<u64>()
}

#[inline(never)]
fn of_answers(answers: &Vec<Answer>) -> u64 {
    let ids = |a: &Answer| a.hits.iter().map(|hit| hit.id.bytes()).sum::<u64>();
    let of = |a: &Answer| bytes(&a.hits) + bytes(&a.segments) + ids(a);
    bytes(answers) + answers.iter().map(of).sum::<u64>()
}

impl FieldsOfIds {
    fn bytes(&self) -> u64 {
        let ids = bytes(&self.ids) + self.ids.iter().map(|(id, _)| id.bytes()).sum::<u64>();
        ids + self.reads.as_ref().map_or(0, FieldReads::bytes)
    }
}

impl Selection {
    pub(super) fn bytes(&self) -> u64 {
        let filter = self.filter.as_ref().map_or(0, |filter| filter.bytes());
        filter + self.among.iter().chain([&self.exclude]).map(Lookups::bytes).sum::<u64>()
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
        self.reused_bytes() + self.matches.as_ref().map_or(0, Matches::bytes)
    }

    /// Without what only saves work: bytes that an operation uses in place of its own.
    pub(crate) fn reused_bytes(&self) -> u64 {
        let shared = self.prepared.bytes() + self.nearest.bytes() + bytes(&self.keys) + bytes(&self.ranked);
        self.beam.bytes() + self.probe.bytes() + shared + bytes(&self.graphs_checked) + self.lines.bytes()
    }
}
