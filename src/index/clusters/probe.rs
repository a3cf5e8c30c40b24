//! Candidates from the nearest lists: cells, then their leaves, then the leaves' lists, as far as each is here.

use crate::error::Error;
use crate::id::Id;
use crate::index::pool::Pool;
use crate::quant::Prepared;
use crate::segment::clusters::{Leaf, List};
use crate::segment::{Clusters, Segment};
use crate::storage::{Read, Source};

/// Standard deviations of a candidate's estimate within which it is worth reading its row.
const DOUBT: f32 = 1.5;

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
    /// Cells whose leaves were not looked at yet; `None` before they are ranked.
    cells: Option<Vec<(f32, u32)>>,
    found: Vec<(f32, Found)>,
    /// Lists that were not scanned yet; `None` before the leaves are ranked.
    lists: Option<Vec<Found>>,
    pool: Pool,
    labels: Vec<Label>,
    pub(crate) distances: u64,
}

impl Probe {
    pub(crate) fn new(width: Width) -> Self {
        let mut pool = Pool::default();
        pool.reset(width.keep);
        Probe { width, cells: None, found: Vec::new(), lists: None, pool, labels: Vec::new(), distances: 0 }
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
            self.cells = Some(nearest_cells(clusters, query, width, prepared));
        }
        clusters.list_codec.prepare(query, prepared);
        let mut missing = Vec::new();
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
            return Ok(missing);
        }
        let found = &mut self.found;
        let lists = self.lists.get_or_insert_with(|| {
            let distances: Vec<f32> = found.iter().map(|f| f.0).collect();
            let rows = |at: u32| found.get(at as usize).map_or(0, |f| f.1.leaf.end - f.1.leaf.start);
            let nearest = enough(&distances, width.probes, width.k, rows);
            nearest.into_iter().filter_map(|(_, at)| found.get(at as usize).map(|f| f.1)).collect()
        });
        for found in std::mem::take(lists) {
            match source.get(found.leaf.read.extent) {
                Some(bytes) => self.scan(segment, clusters, &found, bytes, prepared)?,
                None => {
                    self.lists.get_or_insert_default().push(found);
                    missing.push(found.leaf.read);
                }
            }
        }
        Ok(missing)
    }

    fn rank_leaves(
        &mut self,
        segment: &Segment,
        clusters: &Clusters,
        (centre, cell): (f32, u32),
        bytes: &[u8],
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let block = clusters.cells.leaves(cell as usize, bytes)?;
        let mut offsets = vec![0.0; block.count];
        clusters.list_codec.offsets(prepared, block.codes, &mut offsets);
        self.distances += block.count as u64;
        let found =
            |(at, offset)| Ok((centre + offset, Found { leaf: block.leaf(at, segment.count())?, centre }));
        let found: Vec<(f32, Found)> =
            offsets.into_iter().enumerate().map(found).collect::<Result<_, Error>>()?;
        // In order of position whatever order cells arrive in: ties must not tell.
        let first = found.first().map_or(0, |f| f.1.leaf.start);
        let at = self.found.partition_point(|f| f.1.leaf.start < first);
        self.found.splice(at..at, found);
        Ok(())
    }

    fn scan(
        &mut self,
        segment: &Segment,
        clusters: &Clusters,
        Found { leaf, centre }: &Found,
        bytes: &[u8],
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let stride = clusters.cells.stride;
        let list = List::new(bytes, leaf, stride, segment.header.text_ids)?;
        let count = (leaf.end - leaf.start) as usize;
        let mut offsets = vec![0.0; count];
        clusters.list_codec.offsets(prepared, list.codes, &mut offsets);
        self.distances += count as u64;
        for (at, offset) in offsets.into_iter().enumerate() {
            self.pool.offer(centre + offset, leaf.start + at as u32);
        }
        // Labels of those that are candidates now: the list may be gone when they are wanted.
        for (_, position) in self.pool.iter().filter(|c| (leaf.start..leaf.end).contains(&c.1)) {
            let at = (position - leaf.start) as usize;
            let error = clusters.list_codec.error(prepared, &list.codes[at * stride..][..stride]);
            self.labels.push(Label {
                position,
                row_sum: list.row_sum(at)?,
                id: list.ids.id(at as u32)?,
                error,
            });
        }
        Ok(())
    }

    /// The candidates that may be among the k nearest, nearest first, with their labels.
    pub(crate) fn candidates(&mut self) -> Vec<(f32, Label)> {
        let mut labels = std::mem::take(&mut self.labels);
        let mut found: Vec<(f32, Label)> = Vec::with_capacity(self.pool.iter().len());
        for (distance, position) in self.pool.iter() {
            if let Some(at) = labels.iter().position(|l| l.position == position) {
                found.push((distance, labels.swap_remove(at)));
            }
        }
        // The k nearest by their worst case; a candidate whose best case is farther cannot be among them.
        let mut worst = Pool::default();
        worst.reset(self.width.k);
        found.iter().for_each(|(d, l)| worst.offer(d + DOUBT * l.error, l.position));
        let limit = if worst.iter().len() < self.width.k {
            f32::INFINITY
        } else {
            worst.iter().last().map_or(0.0, |w| w.0)
        };
        found.retain(|(d, l)| d - DOUBT * l.error <= limit);
        found
    }
}

/// The nearest `count`, or more of them if `k` rows need more.
fn enough(distances: &[f32], count: usize, k: usize, rows: impl Fn(u32) -> u32) -> Vec<(f32, u32)> {
    let mut count = count.max(1);
    loop {
        let mut nearest = Pool::default();
        nearest.reset(count);
        distances.iter().zip(0..).for_each(|(&distance, at)| nearest.offer(distance, at));
        let held: u64 = nearest.iter().map(|(_, at)| u64::from(rows(at))).sum();
        if held >= k as u64 || count >= distances.len() {
            return nearest.iter().collect();
        }
        count *= 2;
    }
}

/// The nearest cells and the distances to their centroids.
fn nearest_cells(
    clusters: &Clusters,
    query: &[f32],
    width: Width,
    prepared: &mut Prepared,
) -> Vec<(f32, u32)> {
    let cells: Vec<u32> = (0..clusters.cells.len() as u32).collect();
    let mut distances = vec![0.0; cells.len()];
    clusters.cell_codec.prepare(query, true, prepared);
    clusters.cell_codec.distances(prepared, &clusters.cells.codes, &cells, &mut distances);
    enough(&distances, width.cells, width.k, |cell| clusters.cells.rows(cell as usize))
}
