//! The way of one query through the clusters: the nearest cells, of these the nearest leaves, then the lists of those
//! leaves. Each is read when the one before it was ranked.

use super::bound::{ListScratch, QueryBound, copies_last};
use super::hits::{ListHit, ListHits, ScanScratch, sort_by_key};
use super::width::ProbeWidth;
use crate::error::Error;
use crate::metric::Metric;
use crate::quant::{Turned, centroid};
use crate::segment::clusters::{Leaf, List};
use crate::segment::{Clusters, Segment};
use crate::storage::{Read, Source};
use crate::topk::{Key, TopK};

/// Memory for more leaves is allocated when they come.
const MANY_LEAVES: usize = 4096;

/// A leaf, and the number of its cell.
#[derive(Clone, Copy)]
struct RankedLeaf {
    leaf: Leaf,
    cell: u32,
}

/// Memory that queries reuse.
#[derive(Default)]
pub(crate) struct ProbeScratch {
    scan: ScanScratch,
    nearest: TopK,
}

/// One query under way.
pub(crate) struct Probe {
    width: ProbeWidth,
    metric: Metric,
    turned: Option<Turned>,
    /// Cells whose leaves were not ranked yet.
    cells: Vec<u32>,
    /// The leaves of the other cells, and their priorities.
    leaves: Vec<(f32, RankedLeaf)>,
    /// The leaves whose lists were not scanned yet; `None` before all leaves are ranked.
    lists: Option<Vec<RankedLeaf>>,
    hits: ListHits,
    pub(crate) distances: u64,
}

impl Probe {
    pub(crate) fn new(metric: Metric, width: ProbeWidth) -> Self {
        Probe {
            width,
            metric,
            turned: None,
            cells: Vec::new(),
            leaves: Vec::new(),
            lists: None,
            hits: ListHits::default(),
            distances: 0,
        }
    }

    /// Goes as far as the available bytes allow. Returns the missing reads; if there are none, all lists were scanned.
    pub(crate) fn step(
        &mut self,
        segment: &Segment,
        clusters: &Clusters,
        source: &dyn Source,
        query: &[f32],
        scratch: &mut ProbeScratch,
    ) -> Result<Vec<Read>, Error> {
        let turned = match self.turned.take() {
            Some(turned) => turned,
            None => {
                let mut turned = Turned::default();
                clusters.list_codec.ask(query, &mut turned);
                self.cells = self.nearest_cells(clusters, &turned, scratch);
                turned
            }
        };
        let reads = self.advance(segment, clusters, source, &turned, scratch);
        self.turned = Some(turned);
        reads
    }

    fn advance(
        &mut self,
        segment: &Segment,
        clusters: &Clusters,
        source: &dyn Source,
        turned: &Turned,
        scratch: &mut ProbeScratch,
    ) -> Result<Vec<Read>, Error> {
        let bound = self.bound(clusters, turned);
        let block = |cell: &u32| clusters.cells.block(*cell as usize);
        source.prefetch(&mut self.cells.iter().map(|cell| block(cell).extent));
        let mut missing = Vec::new();
        for cell in std::mem::take(&mut self.cells) {
            match source.get(block(&cell).extent) {
                Some(bytes) => self.rank_leaves(segment, clusters, &bound, cell, bytes, scratch)?,
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
        source.prefetch(&mut lists.iter().map(|ranked| ranked.leaf.read.extent));
        let mut available = Vec::with_capacity(lists.len());
        let text = segment.header.text_ids;
        let mut damaged = None;
        lists.retain(|ranked| {
            let Some(bytes) = source.get(ranked.leaf.read.extent) else { return true };
            match List::new(bytes, &ranked.leaf, &clusters.list_codec, text, segment.count()) {
                Ok(list) => available.push((ranked.cell, list)),
                Err(error) => damaged = Some(error),
            }
            false
        });
        if let Some(error) = damaged {
            return Err(error);
        }
        self.distances += self.hits.scan(clusters, &bound, &available, self.width.keep, &mut scratch.scan)?;
        let absent = lists.iter().map(|ranked| ranked.leaf.read).collect();
        self.lists = Some(lists);
        Ok(absent)
    }

    fn bound<'a>(&self, clusters: &'a Clusters, turned: &'a Turned) -> QueryBound<'a> {
        let (codec, shares) = (&clusters.list_codec, clusters.cells.shares);
        QueryBound { metric: self.metric, codec, turned, shares }
    }

    /// The cells with the smallest bounds.
    fn nearest_cells(&self, clusters: &Clusters, turned: &Turned, scratch: &mut ProbeScratch) -> Vec<u32> {
        let cells = &clusters.cells;
        let bound = self.bound(clusters, turned);
        let priorities = &mut scratch.scan.list.numbers;
        priorities.clear();
        priorities.extend(
            cells.spreads.iter().enumerate().map(|(cell, &spread)| bound.cell(cells.centroid(cell), spread)),
        );
        let rows = |cell: u32| cells.rows(cell as usize);
        let wanted = as_many_as(self.width.cells, cells.row_count(), cells.len()).max(self.width.k as u64);
        enough(priorities, self.width.cells, wanted, &rows, &mut scratch.nearest)
    }

    fn rank_leaves(
        &mut self,
        segment: &Segment,
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
        for leaf in block.leaves(segment.count()) {
            self.leaves.push((0.0, RankedLeaf { leaf: leaf?, cell }));
        }
        let new = &mut self.leaves[at..];
        let spreads = new.iter().map(|ranked| ranked.1.leaf.spread);
        bound.leaves(centre, prepared, block.codes, spreads, numbers);
        new.iter_mut().zip(&*numbers).for_each(|(ranked, &priority)| ranked.0 = priority);
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
        let leaves = found.iter().map(|f| f.1.leaf);
        copies_last(priorities, self.width.k, leaves.map(|leaf| (leaf.spread, leaf.end - leaf.start)));
        let rows = |at: u32| found.get(at as usize).map_or(0, |f| f.1.leaf.end - f.1.leaf.start);
        let wanted = as_many_as(self.width.probes, clusters.cells.row_count(), clusters.cells.leaf_count());
        let wanted = wanted.max(self.width.k as u64);
        let nearest = enough(priorities, self.width.probes, wanted, &rows, &mut scratch.nearest);
        let mut lists = Vec::with_capacity(nearest.len());
        lists.extend(nearest.into_iter().filter_map(|at| found.get(at as usize).map(|f| f.1)));
        lists
    }

    /// The candidates, nearest first, and the bytes of their ids if these are texts.
    pub(crate) fn candidates(&mut self, scratch: &mut ProbeScratch) -> (Vec<ListHit>, Vec<u8>) {
        self.hits.candidates(self.width, &mut scratch.scan.keys)
    }
}

/// The missing blocks of leaves of all cells, if those beyond `missing` cost at most a quarter of a wave. That pays off
/// as soon as one later search saves the wave in which it would have read some of them.
fn all_leaves(clusters: &Clusters, source: &dyn Source, missing: &[Read]) -> Option<Vec<Read>> {
    let cells = &clusters.cells;
    let total = |reads: &[Read]| reads.iter().map(|r| r.extent.length).sum::<u64>();
    if source.slots(cells.block(0).extent).count < cells.len() {
        return None;
    }
    let blocks = (0..cells.len()).map(|cell| cells.block(cell));
    let absent: Vec<Read> = blocks.filter(|r| source.get(r.extent).is_none()).collect();
    (total(&absent).saturating_sub(total(missing)) <= source.speculative_bytes() / 4).then_some(absent)
}

/// How many rows so many cells or leaves have, if they are of average size.
fn as_many_as(number: usize, rows: usize, of: usize) -> u64 {
    (number as u64).saturating_mul(rows as u64).div_ceil(of.max(1) as u64)
}

/// The first by priority that together have the `wanted` rows: about `count` of them.
fn enough(
    priorities: &[f32],
    count: usize,
    wanted: u64,
    rows: &dyn Fn(u32) -> u32,
    nearest: &mut TopK,
) -> Vec<u32> {
    let mut count = count.max(1);
    loop {
        nearest.reset(count);
        priorities.iter().zip(0..).for_each(|(&priority, at)| nearest.offer(priority, at));
        let held: u64 = nearest.unsorted().map(|(_, at)| u64::from(rows(at))).sum();
        if held >= wanted || count >= priorities.len() {
            break;
        }
        count *= 2;
    }
    let (mut held, mut first) = (0, Vec::with_capacity(count.min(priorities.len())));
    for (_, at) in nearest.sorted() {
        if held >= wanted {
            break;
        }
        held += u64::from(rows(at));
        first.push(at);
    }
    first
}
