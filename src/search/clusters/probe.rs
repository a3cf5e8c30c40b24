//! The way of one query through the clusters: the nearest cells, of these the nearest leaves, then the lists of those
//! leaves. Each is read when the one before it was ranked.

use super::bound::{ListScratch, QueryBound, copies_last};
use super::enough::{Held, Wide, as_many_as, enough};
use super::hits::{ListHit, ListHits, ScanScratch, ScannedList, sort_by_key};
use super::joint::Joint;
use super::ranked::{RankedLeaf, all_leaves};
use super::width::{ProbeWidth, Wanted, width};
use crate::error::Error;
use crate::metric::Metric;
use crate::quant::{Turned, centroid};
use crate::search::view::View;
use crate::segment::Clusters;
use crate::segment::clusters::{Labels, List, Shares};
use crate::storage::Read;
use crate::topk::{Key, TopK};

/// Many hits are more than one of so many.
const MANY: usize = 10;
/// So often the rows that are scanned are doubled.
const DOUBLED: u32 = 3;
/// Memory for more leaves is allocated when they come.
const MANY_LEAVES: usize = 4096;

/// Memory that queries reuse.
#[derive(Default)]
pub(crate) struct ProbeScratch {
    pub(in crate::search) scan: ScanScratch,
    pub(in crate::search) nearest: TopK,
}

/// One query under way.
pub(crate) struct Probe {
    pub(super) wanted: Wanted,
    pub(crate) width: ProbeWidth,
    metric: Metric,
    pub(in crate::search) turned: Option<Turned>,
    /// Cells whose leaves were not ranked yet.
    pub(in crate::search) cells: Vec<u32>,
    /// The leaves of the other cells, and their priorities; none once lists were chosen, unless more may be.
    pub(in crate::search) leaves: Vec<(f32, RankedLeaf)>,
    /// The leaves whose lists were not scanned yet; `None` before all leaves are ranked.
    pub(in crate::search) lists: Option<Vec<RankedLeaf>>,
    pub(in crate::search) hits: ListHits,
    pub(crate) distances: u64,
    pub(in crate::search) wider: Wider,
    /// Where there are several segments.
    pub(in crate::search) joint: Option<Joint>,
}

/// A search of rows that are far from the query reads more while it finds many hits in the last lists.
#[derive(Default)]
pub(in crate::search) struct Wider {
    /// The rows that may be hits are far.
    far: bool,
    pub(super) doubled: u32,
    /// The cells that were chosen, and the first rows of the leaves.
    pub(in crate::search) cells: Vec<u32>,
    pub(in crate::search) leaves: Vec<u32>,
}

impl Probe {
    /// `joint`: how it goes on with other segments, if there are any.
    pub(crate) fn new(metric: Metric, clusters: &Clusters, wanted: Wanted, joint: Option<Joint>) -> Self {
        Probe {
            joint,
            wanted,
            width: width(clusters, wanted),
            metric,
            turned: None,
            cells: Vec::new(),
            leaves: Vec::new(),
            lists: None,
            hits: ListHits::default(),
            distances: 0,
            wider: Wider::default(),
        }
    }

    /// Goes as far as the available bytes allow. Returns the missing reads; if there are none, all lists were scanned, or
    /// it waits for the other segments.
    pub(crate) fn step(
        &mut self,
        view: &View<'_>,
        clusters: &Clusters,
        query: &[f32],
        scratch: &mut ProbeScratch,
    ) -> Result<Vec<Read>, Error> {
        if self.waits() {
            return Ok(Vec::new());
        }
        let turned = match self.turned.take() {
            Some(turned) => turned,
            None => {
                let mut turned = Turned::default();
                clusters.list_codec.ask(query, &mut turned);
                self.cells = self.nearest_cells(view, clusters, &turned, scratch);
                turned
            }
        };
        let mut reads = self.advance(view, clusters, &turned, scratch)?;
        while reads.is_empty() && !self.waits() && self.widens(scratch) {
            self.wider.doubled += 1;
            self.lists = None;
            self.cells = self.nearest_cells(view, clusters, &turned, scratch);
            reads = self.advance(view, clusters, &turned, scratch)?;
        }
        self.turned = Some(turned);
        Ok(reads)
    }

    /// Whether the next lists probably have hits too, since many are in the last.
    fn widens(&mut self, scratch: &mut ProbeScratch) -> bool {
        let k = self.width.k;
        self.wider.far
            && self.wanted.probes.is_none()
            && self.wider.doubled < DOUBLED
            && self.hits.late(k, &mut scratch.scan.keys) * MANY > k
    }

    fn advance(
        &mut self,
        view: &View<'_>,
        clusters: &Clusters,
        turned: &Turned,
        scratch: &mut ProbeScratch,
    ) -> Result<Vec<Read>, Error> {
        let View { segment, source, .. } = *view;
        let bound = self.bound(clusters, turned);
        let block = |cell: &u32| clusters.cells.block(*cell as usize);
        source.prefetch(&mut self.cells.iter().map(|cell| block(cell).extent));
        let mut missing = Vec::new();
        for cell in std::mem::take(&mut self.cells) {
            match source.get(block(&cell).extent) {
                Some(bytes) => self.rank_leaves(view, clusters, &bound, cell, bytes, scratch)?,
                None => {
                    self.cells.push(cell);
                    missing.push(block(&cell));
                }
            }
        }
        if !missing.is_empty() {
            return Ok(all_leaves(clusters, source, &missing).unwrap_or(missing));
        }
        let mut lists = match self.lists.take() {
            Some(lists) => lists,
            None => self.nearest_leaves(clusters, scratch),
        };
        if self.waits() {
            self.lists = Some(lists);
            return Ok(Vec::new());
        }
        let row_bytes = segment.finest().stride;
        source.prefetch(&mut lists.iter().map(|ranked| ranked.read(row_bytes).0.extent));
        let mut available = Vec::with_capacity(lists.len());
        let (text, rows) = (segment.header.text_ids, segment.count());
        let mut damaged = Ok(());
        lists.retain(|ranked| {
            let (read, labels_alone) = ranked.read(row_bytes);
            let Some(bytes) = source.get(read.extent) else { return true };
            let leaf = &ranked.leaf;
            let done = match labels_alone {
                true => Labels::new(bytes, leaf, text, rows).and_then(|labels| self.hits.add(view, &labels)),
                false => List::new(bytes, leaf, &clusters.list_codec, text, rows)
                    .map(|list| available.push(ScannedList { cell: ranked.cell, list, late: ranked.late })),
            };
            if done.is_err() {
                damaged = done;
            }
            false
        });
        damaged?;
        let (keep, scan) = (self.width.keep, &mut scratch.scan);
        self.distances += self.hits.scan(view, clusters, &bound, &available, keep, scan)?;
        let absent = lists.iter().map(|ranked| ranked.read(row_bytes).0).collect();
        self.lists = Some(lists);
        Ok(absent)
    }

    /// The width of a search for another number of hits.
    fn width_for(&self, clusters: &Clusters, k: usize) -> ProbeWidth {
        width(clusters, Wanted { k, ..self.wanted })
    }

    fn bound<'a>(&self, clusters: &'a Clusters, turned: &'a Turned) -> QueryBound<'a> {
        let (codec, shares) = (&clusters.list_codec, clusters.cells.shares);
        QueryBound { metric: self.metric, codec, turned, shares }
    }

    /// The cells with the smallest bounds.
    fn nearest_cells(
        &mut self,
        view: &View<'_>,
        clusters: &Clusters,
        turned: &Turned,
        scratch: &mut ProbeScratch,
    ) -> Vec<u32> {
        let cells = &clusters.cells;
        let bound = self.bound(clusters, turned);
        let priorities = &mut scratch.scan.list.numbers;
        priorities.clear();
        priorities.extend(
            cells.spreads.iter().enumerate().map(|(cell, &spread)| bound.cell(cells.centroid(cell), spread)),
        );
        let held = |cell: u32| {
            let run = cells.run(cell as usize);
            Held { rows: run.len() as u64, set: u64::from(view.count_in(run)) }
        };
        let average = |number| as_many_as(number, cells.row_count(), cells.len()) << self.wider.doubled;
        let rows = |k| average(self.width_for(clusters, k).cells);
        let wide = Wide::new(self.width.k, average(self.width.cells), &rows);
        let mut nearest = enough(priorities, self.width.cells, &wide, &held, &mut scratch.nearest);
        if view.rows.is_some() {
            nearest.retain(|cell| !self.wider.cells.contains(cell));
            self.wider.cells.extend(&nearest);
        }
        nearest
    }

    fn rank_leaves(
        &mut self,
        view: &View<'_>,
        clusters: &Clusters,
        bound: &QueryBound<'_>,
        cell: u32,
        bytes: &[u8],
        scratch: &mut ProbeScratch,
    ) -> Result<(), Error> {
        let block = clusters.cells.leaves(cell as usize, bytes, clusters.list_codec.stride())?;
        let ListScratch { prepared, centre, numbers } = &mut scratch.scan.list;
        centroid::decode(clusters.cells.centroid(cell as usize).0, centre);
        let at = self.leaves.len();
        // Allocated once for all cells, as if they had the same size.
        let likely = block.count().saturating_mul(self.width.cells).min(MANY_LEAVES);
        self.leaves.reserve(if at == 0 { likely } else { 0 });
        for leaf in block.leaves(view.segment.count()) {
            let leaf = leaf?;
            let rows = view.count_in(leaf.start..leaf.end);
            self.leaves.push((0.0, RankedLeaf { leaf, cell, rows, late: false, common: 0.0 }));
        }
        let new = &mut self.leaves[at..];
        let spreads = new.iter().map(|ranked| ranked.1.leaf.spread);
        bound.leaves(centre, prepared, block.codes, spreads, numbers);
        new.iter_mut().zip(&*numbers).for_each(|(ranked, &priority)| ranked.0 = priority);
        if let Some(joint) = &self.joint {
            let shares = Shares { of_leaves: joint.of_leaves, ..bound.shares };
            let common = QueryBound { shares, ..*bound };
            let spreads = new.iter().map(|ranked| ranked.1.leaf.spread);
            common.leaves(centre, prepared, block.codes, spreads, numbers);
            new.iter_mut().zip(&*numbers).for_each(|(ranked, &priority)| ranked.1.common = priority);
        }
        self.distances += numbers.len() as u64;
        Ok(())
    }

    /// The leaves with the smallest bounds, of those that were ranked.
    fn nearest_leaves(&mut self, clusters: &Clusters, scratch: &mut ProbeScratch) -> Vec<RankedLeaf> {
        // By position, in whatever order cells arrived: ties must not depend on that.
        let keys = &mut scratch.scan.keys;
        sort_by_key(&mut self.leaves, keys, |at, ranked| Key::in_order(ranked.1.leaf.start, at));
        let found = &self.leaves;
        let priorities = &mut scratch.scan.list.numbers;
        priorities.clear();
        priorities.extend(found.iter().map(|f| f.0));
        let leaves = found.iter().map(|f| (f.1.leaf.spread, f.1.rows));
        copies_last(priorities, self.width.k, leaves);
        let held = |at: u32| found.get(at as usize).map_or(Held::default(), |f| f.1.held());
        let cells = &clusters.cells;
        let average =
            |number| as_many_as(number, cells.row_count(), cells.leaf_count()) << self.wider.doubled;
        let rows = |k| average(self.width_for(clusters, k).probes);
        let wide = Wide::new(self.width.k, average(self.width.probes), &rows);
        let nearest = enough(priorities, self.width.probes, &wide, &held, &mut scratch.nearest);
        let mut lists = Vec::with_capacity(nearest.len());
        lists.extend(nearest.iter().filter_map(|&at| found.get(at as usize).map(|f| f.1)));
        self.wider.far |= wide.is_far();
        self.choose(&lists);
        if self.wider.far {
            let early = if self.wider.doubled == 0 { lists.len() / 2 } else { 0 };
            lists.retain(|ranked| !self.wider.leaves.contains(&ranked.leaf.start));
            self.wider.leaves.extend(lists.iter().map(|ranked| ranked.leaf.start));
            lists.iter_mut().skip(early).for_each(|ranked| ranked.late = true);
        } else {
            // They are some hundred kB of a large index, and a hundred searches may wait for their lists.
            self.leaves = Vec::new();
        }
        lists
    }

    /// The candidates, nearest first, and the bytes of their ids if these are texts.
    pub(crate) fn candidates(&mut self, scratch: &mut ProbeScratch) -> (Vec<ListHit>, Vec<u8>) {
        self.hits.candidates(self.width, &mut scratch.scan.keys)
    }
}
