//! Candidates from the nearest lists: cells, then their leaves, then the leaves' lists, as far as each is here.

use super::bound::{ListCodes, ListScratch, QueryBound, copies_last};
use super::width::ProbeWidth;
use crate::error::Error;
use crate::id::Id;
use crate::metric::Metric;
use crate::quant::{Turned, centroid};
use crate::segment::clusters::{Leaf, List};
use crate::segment::{Clusters, IdBytes, Segment};
use crate::storage::{Read, Source};
use crate::topk::Key;
use crate::topk::TopK;

/// Candidates of lists are kept to so many times those wanted: a row may be in two lists.
const COPIES: usize = 2;

/// Room for more leaves is allocated as they come.
const MANY_LEAVES: usize = 4096;
/// About so many bytes an id that is a text takes.
const ID_BYTES: usize = 16;

/// What a list says of a row beside its code.
#[derive(Clone)]
pub(crate) struct ListHit {
    pub(crate) position: u32,
    pub(crate) row_checksum: u32,
    pub(crate) distance: f32,
    error: f32,
    id: IdBytes,
}

/// A leaf, and the number of its cell.
#[derive(Clone, Copy)]
struct RankedLeaf {
    leaf: Leaf,
    cell: u32,
}

/// A row of a list that is here: its estimate, and where it stands.
#[derive(Clone, Copy)]
struct Estimate {
    distance: f32,
    error: f32,
    list: u32,
    at: u32,
}

/// Memory that all queries use one after the other.
#[derive(Default)]
pub(crate) struct ProbeScratch {
    list: ListScratch,
    keys: Vec<u64>,
    estimates: Vec<Estimate>,
    nearest: TopK,
}

/// One query on its way through the tree.
pub(crate) struct Probe {
    width: ProbeWidth,
    metric: Metric,
    turned: Option<Turned>,
    /// Cells whose leaves were not looked at yet.
    cells: Vec<u32>,
    found: Vec<(f32, RankedLeaf)>,
    /// Lists that were not scanned yet; `None` before the leaves are ranked.
    lists: Option<Vec<RankedLeaf>>,
    labels: Vec<ListHit>,
    /// Of the labels.
    texts: Vec<u8>,
    pub(crate) distances: u64,
}

impl Probe {
    pub(crate) fn new(metric: Metric, width: ProbeWidth) -> Self {
        Probe {
            width,
            metric,
            turned: None,
            cells: Vec::new(),
            found: Vec::new(),
            lists: None,
            labels: Vec::new(),
            texts: Vec::new(),
            distances: 0,
        }
    }

    /// Goes as far as the bytes that are here allow; returns what is missing, at most what there is room for.
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
        source.prefetch(&mut lists.iter().map(|found| found.leaf.read.extent));
        let mut here = Vec::with_capacity(lists.len());
        let text = segment.header.text_ids;
        let mut damaged = None;
        lists.retain(|found| {
            let Some(bytes) = source.get(found.leaf.read.extent) else { return true };
            match List::new(bytes, &found.leaf, &clusters.list_codec, text, segment.count()) {
                Ok(list) => here.push((found.cell, list)),
                Err(error) => damaged = Some(error),
            }
            false
        });
        if let Some(error) = damaged {
            return Err(error);
        }
        self.scan(clusters, &bound, &here, scratch)?;
        let absent = lists.iter().map(|found| found.leaf.read).collect();
        self.lists = Some(lists);
        Ok(absent)
    }

    fn bound<'a>(&self, clusters: &'a Clusters, turned: &'a Turned) -> QueryBound<'a> {
        let (codec, shares) = (&clusters.list_codec, clusters.cells.shares);
        QueryBound { metric: self.metric, codec, turned, shares }
    }

    /// The most promising cells.
    fn nearest_cells(&self, clusters: &Clusters, turned: &Turned, scratch: &mut ProbeScratch) -> Vec<u32> {
        let cells = &clusters.cells;
        let bound = self.bound(clusters, turned);
        let priorities = &mut scratch.list.numbers;
        priorities.clear();
        priorities.extend(
            cells.spreads.iter().enumerate().map(|(cell, &spread)| bound.cell(cells.centroid(cell), spread)),
        );
        let rows = |cell: u32| cells.rows(cell as usize);
        let wanted = as_many_as(self.width.cells, cells.row_count(), cells.len()).max(self.width.k as u64);
        enough(priorities.iter().copied(), self.width.cells, wanted, rows, &mut scratch.nearest)
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
        let ListScratch { prepared, centre, numbers } = &mut scratch.list;
        centroid::decode(clusters.cells.centroid(cell as usize).0, centre);
        let at = self.found.len();
        // At once for all cells, as if they were of one size.
        let likely = block.count().saturating_mul(self.width.cells).min(MANY_LEAVES);
        self.found.reserve(if at == 0 { likely } else { 0 });
        for leaf in block.leaves(segment.count()) {
            self.found.push((0.0, RankedLeaf { leaf: leaf?, cell }));
        }
        let new = &mut self.found[at..];
        let spreads = new.iter().map(|found| found.1.leaf.spread);
        bound.leaves(centre, prepared, block.codes, spreads, numbers);
        new.iter_mut().zip(&*numbers).for_each(|(found, &priority)| found.0 = priority);
        self.distances += numbers.len() as u64;
        Ok(())
    }

    /// The most promising leaves.
    fn nearest_leaves(&mut self, clusters: &Clusters, scratch: &mut ProbeScratch) -> Vec<RankedLeaf> {
        // In order of position whatever order cells arrived in: ties must not tell.
        self.found.sort_unstable_by_key(|found| found.1.leaf.start);
        let found = &self.found;
        let priorities = &mut scratch.list.numbers;
        priorities.clear();
        priorities.extend(found.iter().map(|f| f.0));
        let leaves = found.iter().map(|f| f.1.leaf);
        copies_last(priorities, self.width.k, leaves.map(|leaf| (leaf.spread, leaf.end - leaf.start)));
        let rows = |at: u32| found.get(at as usize).map_or(0, |f| f.1.leaf.end - f.1.leaf.start);
        let wanted = as_many_as(self.width.probes, clusters.cells.row_count(), clusters.cells.leaf_count());
        let wanted = wanted.max(self.width.k as u64);
        let nearest =
            enough(priorities.iter().copied(), self.width.probes, wanted, rows, &mut scratch.nearest);
        nearest.into_iter().filter_map(|at| found.get(at as usize).map(|f| f.1)).collect()
    }

    /// Estimates the rows of these lists, each with the number of its cell, and keeps the labels of those that are
    /// candidates now: the lists may be gone when they are wanted.
    fn scan(
        &mut self,
        clusters: &Clusters,
        bound: &QueryBound<'_>,
        lists: &[(u32, List<'_>)],
        scratch: &mut ProbeScratch,
    ) -> Result<(), Error> {
        scratch.estimates.clear();
        for ((cell, list), number) in lists.iter().zip(0..) {
            let cell = clusters.cells.centroid(*cell as usize).0;
            let codes = ListCodes { cell, centre: list.centre, rows: list.codes };
            let estimates = bound.rows(codes, &mut scratch.list).zip(0..);
            let estimate = |((distance, error), at)| Estimate { distance, error, list: number, at };
            scratch.estimates.extend(estimates.map(estimate));
        }
        self.distances += scratch.estimates.len() as u64;
        let most = self.width.keep.saturating_mul(COPIES);
        let limit = limit(&scratch.estimates, &self.labels, most, &mut scratch.keys);
        self.labels.retain(|label| label.distance <= limit);
        let more = scratch.estimates.iter().filter(|estimate| estimate.distance <= limit).count();
        self.labels.reserve(more);
        self.texts.reserve(more * ID_BYTES);
        for &Estimate { distance, error, list, at } in &scratch.estimates {
            if distance <= limit {
                let list = &lists[list as usize].1;
                let (position, row_checksum) = (list.position(at as usize)?, list.row_checksum(at as usize));
                let id = list.ids.copy(at, &mut self.texts)?;
                self.labels.push(ListHit { position, row_checksum, distance, error, id });
            }
        }
        Ok(())
    }

    /// The candidates that may be among the k nearest, nearest first, and the bytes of their ids where these are texts.
    pub(crate) fn candidates(&mut self) -> (Vec<ListHit>, Vec<u8>) {
        let mut found = std::mem::take(&mut self.labels);
        // Of two estimates of a row the surer counts, of two as sure the nearer.
        ListHit::sort_by_position(&mut found);
        found.dedup_by(|next, kept| {
            let same = next.position == kept.position;
            let surer =
                next.error.total_cmp(&kept.error).then(next.distance.total_cmp(&kept.distance)).is_lt();
            if same && surer {
                std::mem::swap(next, kept);
            }
            same
        });
        // In order of position now, so that this settles ties.
        sort_by_key(&mut found, |at, label| Key::new(label.distance, at));
        found.truncate(self.width.keep);
        // The k nearest by their worst case; a candidate whose best case is farther cannot be among them.
        let ProbeWidth { k, doubt, .. } = self.width;
        // Without end it keeps all; times an error of 0 it is no number.
        if doubt.is_finite() {
            let mut worst: Vec<u64> =
                found.iter().map(|l| Key::new(l.distance + doubt * l.error, 0).0).collect();
            let limit = nth(&mut worst, k);
            found.retain(|l| l.distance - doubt * l.error <= limit);
        }
        (found, std::mem::take(&mut self.texts))
    }
}

impl ListHit {
    pub(crate) fn sort_by_position(labels: &mut Vec<ListHit>) {
        sort_by_key(labels, |at, label| Key(u64::from(label.position) << 32 | u64::from(at) << 1));
    }

    /// The id that the list gave the row; `texts` are those that came with the candidates.
    pub(crate) fn id(&self, texts: &[u8]) -> Result<Id, Error> {
        self.id.id(texts)
    }
}

/// How far the `most` nearest of all these go.
fn limit(estimates: &[Estimate], labels: &[ListHit], most: usize, keys: &mut Vec<u64>) -> f32 {
    keys.clear();
    let distances = estimates.iter().map(|e| e.distance).chain(labels.iter().map(|l| l.distance));
    keys.extend(distances.map(|distance| Key::new(distance, 0).0));
    nth(keys, most)
}

/// The distance of the `count`-th least key; infinite where there are fewer.
pub(crate) fn nth(keys: &mut [u64], count: usize) -> f32 {
    match count.checked_sub(1).filter(|&last| last < keys.len()) {
        Some(last) => Key(*keys.select_nth_unstable(last).1).distance(),
        None => f32::INFINITY,
    }
}

/// By keys that hold the number of the label as their position. Keys are sorted, not labels: as integers, as all that is nearest is.
fn sort_by_key(labels: &mut Vec<ListHit>, key: impl Fn(u32, &ListHit) -> Key) {
    let mut keys: Vec<u64> = (0..).zip(labels.iter()).map(|(at, label)| key(at, label).0).collect();
    keys.sort_unstable();
    *labels = keys.iter().filter_map(|&key| labels.get(Key(key).candidate().1 as usize).cloned()).collect();
}

/// All blocks of leaves that are not here, where those beyond the `missing` ones cost at most a quarter of the wave
/// that later searches would read some of them in: it pays when there is one, and no search pays much for others.
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

/// The rows of so many cells or leaves, if each held as many as there are on average.
fn as_many_as(number: usize, rows: usize, of: usize) -> u64 {
    (number as u64).saturating_mul(rows as u64).div_ceil(of.max(1) as u64)
}

/// The first in priority that hold so many rows together: about `count` of them.
fn enough(
    priorities: impl ExactSizeIterator<Item = f32> + Clone,
    count: usize,
    wanted: u64,
    rows: impl Fn(u32) -> u32,
    nearest: &mut TopK,
) -> Vec<u32> {
    let mut count = count.max(1);
    loop {
        nearest.reset(count);
        priorities.clone().zip(0..).for_each(|(priority, at)| nearest.offer(priority, at));
        let held: u64 = nearest.unsorted().map(|(_, at)| u64::from(rows(at))).sum();
        if held >= wanted || count >= priorities.len() {
            break;
        }
        count *= 2;
    }
    let mut held = 0;
    let first = nearest.sorted().map(|n| n.1).take_while(|&at| {
        let more = held < wanted;
        held += u64::from(rows(at));
        more
    });
    first.collect()
}
