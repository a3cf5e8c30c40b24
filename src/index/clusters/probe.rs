//! Candidates from the nearest lists: cells, then their leaves, then the leaves' lists, as far as each is here.

use super::score::{Asked, CellsView};
use crate::error::Error;
use crate::id::Id;
use crate::index::pool::Pool;
use crate::metric::Metric;
use crate::quant::Prepared;
use crate::segment::clusters::{Leaf, List};
use crate::segment::{Clusters, Segment};
use crate::storage::{Read, Source};

/// Standard deviations of a candidate's estimate within which it is worth reading its row.
const DOUBT: f32 = 1.5;

/// Candidates of lists are kept to so many times those wanted: a row may be in two lists.
const COPIES: usize = 2;

/// How wide to look.
#[derive(Clone, Copy)]
pub(crate) struct Width {
    pub(crate) cells: usize,
    pub(crate) probes: usize,
    /// Hits wanted, and candidates kept for them.
    pub(crate) k: usize,
    pub(crate) keep: usize,
}

/// What a list says of a row beside its code.
pub(crate) struct Label {
    pub(crate) position: u32,
    pub(crate) row_sum: u32,
    pub(crate) id: Id,
    pub(crate) distance: f32,
    error: f32,
}

/// A leaf, and the distance to the centroid of its cell.
#[derive(Clone, Copy)]
struct Found {
    leaf: Leaf,
    centre: f32,
}

/// One query on its way through the tree.
pub(crate) struct Probe {
    width: Width,
    asked: Asked,
    /// Cells whose leaves were not looked at yet, each with the distance to its centroid; `None` before they are ranked.
    cells: Option<Vec<(f32, u32)>>,
    found: Vec<(f32, Found)>,
    /// Lists that were not scanned yet; `None` before the leaves are ranked.
    lists: Option<Vec<Found>>,
    /// The nearest estimates: no farther row is a candidate.
    pool: Pool,
    labels: Vec<Label>,
    pub(crate) distances: u64,
}

impl Probe {
    pub(crate) fn new(metric: Metric, width: Width) -> Self {
        let mut pool = Pool::default();
        pool.reset(width.keep.saturating_mul(COPIES));
        Probe {
            width,
            asked: Asked { metric, length: 0.0 },
            cells: None,
            found: Vec::new(),
            lists: None,
            pool,
            labels: Vec::new(),
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
        prepared: &mut Prepared,
    ) -> Result<Vec<Read>, Error> {
        let width = self.width;
        if self.cells.is_none() {
            self.asked.length = clusters.list_codec.length(query, prepared);
            self.cells = Some(self.nearest_cells(clusters, query, prepared));
        }
        clusters.list_codec.prepare(query, prepared);
        let mut missing = Vec::new();
        let cells = self.cells.iter().flatten();
        source.prefetch(&mut cells.map(|cell| clusters.cells.block(cell.1 as usize).extent));
        for cell in std::mem::take(self.cells.get_or_insert_default()) {
            let read = clusters.cells.block(cell.1 as usize);
            match source.get(read.extent) {
                Some(bytes) => self.rank_leaves(segment, clusters, cell, bytes, prepared)?,
                None => {
                    self.cells.get_or_insert_default().push(cell);
                    missing.push(read);
                }
            }
        }
        if !missing.is_empty() {
            return Ok(all_leaves(clusters, source, &missing).unwrap_or(missing));
        }
        let found = &mut self.found;
        let lists = self.lists.get_or_insert_with(|| {
            let promises: Vec<f32> = found.iter().map(|f| f.0).collect();
            let rows = |at: u32| found.get(at as usize).map_or(0, |f| f.1.leaf.end - f.1.leaf.start);
            let nearest = enough(&promises, width.probes, width.k, rows);
            nearest.into_iter().filter_map(|at| found.get(at as usize).map(|f| f.1)).collect()
        });
        source.prefetch(&mut lists.iter().map(|found| found.leaf.read.extent));
        let mut here: Vec<(Found, &[u8])> = Vec::with_capacity(lists.len());
        lists.retain(|&found| match source.get(found.leaf.read.extent) {
            Some(bytes) => {
                here.push((found, bytes));
                false
            }
            None => true,
        });
        let absent = lists.iter().map(|found| found.leaf.read).collect();
        let prepared = &*prepared;
        for list in here {
            self.take(&Scanned::new(segment, clusters, list, prepared)?, clusters, prepared)?;
        }
        Ok(absent)
    }

    /// The most promising cells and the distances to their centroids.
    fn nearest_cells(&self, clusters: &Clusters, query: &[f32], prepared: &mut Prepared) -> Vec<(f32, u32)> {
        let cells = &clusters.cells;
        let view = CellsView { codec: &*clusters.cell_codec, codes: &cells.codes, spreads: &cells.spreads };
        let (distances, promises) = self.asked.cells(view, query, prepared);
        let rows = |cell: u32| cells.rows(cell as usize);
        let nearest = enough(&promises, self.width.cells, self.width.k, rows);
        nearest.into_iter().filter_map(|cell| Some((*distances.get(cell as usize)?, cell))).collect()
    }

    fn rank_leaves(
        &mut self,
        segment: &Segment,
        clusters: &Clusters,
        (centre, cell): (f32, u32),
        bytes: &[u8],
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let block = clusters.cells.leaves(cell as usize, bytes, clusters.list_codec.stride())?;
        let leaves: Vec<Leaf> = block.leaves(segment.count()).collect::<Result<_, _>>()?;
        let spreads: Vec<f32> = leaves.iter().map(|l| l.spread).collect();
        let promises = self.asked.leaves(&clusters.list_codec, prepared, centre, block.codes, &spreads);
        self.distances += leaves.len() as u64;
        // In order of position whatever order cells arrive in: ties must not tell.
        let first = leaves.first().map_or(0, |l| l.start);
        let at = self.found.partition_point(|f| f.1.leaf.start < first);
        let found = |(promise, leaf)| (promise, Found { leaf, centre });
        self.found.splice(at..at, promises.into_iter().zip(leaves).map(found));
        Ok(())
    }

    fn take(
        &mut self,
        Scanned { list, distances }: &Scanned<'_>,
        clusters: &Clusters,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let stride = clusters.list_codec.stride();
        self.distances += distances.len() as u64;
        for (at, &distance) in distances.iter().enumerate() {
            self.pool.offer(distance, list.position(at)?);
        }
        // Labels of those that are candidates now: the list may be gone when they are wanted.
        let limit = farthest(&self.pool, self.width.keep.saturating_mul(COPIES));
        for (at, &distance) in distances.iter().enumerate() {
            if distance <= limit {
                let error = clusters.list_codec.error(prepared, &list.codes[at * stride..][..stride]);
                let (position, row_sum) = (list.position(at)?, list.row_sum(at));
                let id = list.ids.id(at as u32)?;
                self.labels.push(Label { position, row_sum, id, distance, error });
            }
        }
        if self.labels.len() > self.width.keep.saturating_mul(2 * COPIES) {
            self.labels.retain(|l| l.distance <= limit);
        }
        Ok(())
    }

    /// The candidates that may be among the k nearest, nearest first, with their labels.
    pub(crate) fn candidates(&mut self) -> Vec<Label> {
        let mut labels = std::mem::take(&mut self.labels);
        // Of two estimates of a row the nearer counts, of two equal ones that with the smaller doubt.
        labels.sort_unstable_by(|a, b| {
            let nearness = a.distance.total_cmp(&b.distance).then(a.position.cmp(&b.position));
            nearness.then(a.error.total_cmp(&b.error))
        });
        let mut found: Vec<Label> = Vec::with_capacity(self.width.keep.min(labels.len()));
        for label in labels {
            if found.len() < self.width.keep && found.iter().all(|f| f.position != label.position) {
                found.push(label);
            }
        }
        // The k nearest by their worst case; a candidate whose best case is farther cannot be among them.
        let mut worst = Pool::default();
        worst.reset(self.width.k);
        found.iter().for_each(|l| worst.offer(l.distance + DOUBT * l.error, l.position));
        let limit = farthest(&worst, self.width.k);
        found.retain(|l| l.distance - DOUBT * l.error <= limit);
        found
    }
}

/// A list, and the distances to its rows as its codes tell them.
struct Scanned<'a> {
    list: List<'a>,
    distances: Vec<f32>,
}

impl<'a> Scanned<'a> {
    fn new(
        segment: &Segment,
        clusters: &Clusters,
        (Found { leaf, centre }, bytes): (Found, &'a [u8]),
        prepared: &Prepared,
    ) -> Result<Self, Error> {
        let stride = clusters.list_codec.stride();
        let list = List::new(bytes, &leaf, stride, segment.header.text_ids, segment.count())?;
        let mut distances = vec![0.0; list.count()];
        clusters.list_codec.offsets(prepared, list.codes, &mut distances);
        distances.iter_mut().for_each(|distance| *distance += centre);
        Ok(Scanned { list, distances })
    }
}

/// All blocks of leaves that are not here, where those beyond the `missing` ones cost at most a quarter of the wave
/// that later searches would read some of them in: it pays when there is one, and no search pays much for others.
fn all_leaves(clusters: &Clusters, source: &dyn Source, missing: &[Read]) -> Option<Vec<Read>> {
    let cells = &clusters.cells;
    let total = |reads: &[Read]| reads.iter().map(|r| r.extent.length).sum::<u64>();
    if source.room(cells.block(0).extent).0 < cells.len() {
        return None;
    }
    let blocks = (0..cells.len()).map(|cell| cells.block(cell));
    let absent: Vec<Read> = blocks.filter(|r| source.get(r.extent).is_none()).collect();
    (total(&absent).saturating_sub(total(missing)) <= source.spare() / 4).then_some(absent)
}

/// How far one may be that is to be among the nearest `count`.
fn farthest(pool: &Pool, count: usize) -> f32 {
    match pool.iter().len() < count {
        true => f32::INFINITY,
        false => pool.iter().last().map_or(f32::INFINITY, |last| last.0),
    }
}

/// The `count` that promise most, or more of them if `k` rows need more.
fn enough(promises: &[f32], count: usize, k: usize, rows: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut count = count.max(1);
    loop {
        let mut nearest = Pool::default();
        nearest.reset(count);
        promises.iter().zip(0..).for_each(|(&promise, at)| nearest.offer(promise, at));
        let held: u64 = nearest.iter().map(|(_, at)| u64::from(rows(at))).sum();
        if held >= k as u64 || count >= promises.len() {
            return nearest.iter().map(|n| n.1).collect();
        }
        count *= 2;
    }
}
