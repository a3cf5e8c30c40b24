//! Candidates from the nearest lists: cells, then their leaves, then the leaves' lists, as far as each is here.

use std::collections::BTreeMap;

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
    labels: BTreeMap<u32, Label>,
    pub(crate) distances: u64,
}

impl Probe {
    pub(crate) fn new(width: Width) -> Self {
        let mut pool = Pool::default();
        pool.reset(width.keep);
        Probe {
            width,
            cells: None,
            found: Vec::new(),
            lists: None,
            pool,
            labels: BTreeMap::new(),
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
            self.cells = Some(nearest_cells(clusters, query, width.cells, prepared));
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
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.leaf.start.cmp(&b.1.leaf.start)));
            found.drain(..).take(width.probes).map(|f| f.1).collect()
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
        for (at, offset) in offsets.into_iter().enumerate() {
            self.found.push((centre + offset, Found { leaf: block.leaf(at, segment.count())?, centre }));
        }
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
            let label = Label { row_sum: list.row_sum(at)?, id: list.ids.id(at as u32)?, error };
            self.labels.insert(position, label);
        }
        Ok(())
    }

    /// The candidates that may be among the k nearest, nearest first, and their labels.
    pub(crate) fn candidates(&mut self) -> (Vec<(f32, u32)>, BTreeMap<u32, Label>) {
        let error = |position: u32| self.labels.get(&position).map_or(0.0, |l| DOUBT * l.error);
        let mut pessimistic: Vec<f32> = self.pool.iter().map(|(d, p)| d + error(p)).collect();
        pessimistic.sort_unstable_by(f32::total_cmp);
        let limit = pessimistic.get(self.width.k.saturating_sub(1)).copied().unwrap_or(f32::INFINITY);
        let candidates = self.pool.iter().filter(|&(d, p)| d - error(p) <= limit).collect();
        (candidates, std::mem::take(&mut self.labels))
    }
}

/// The nearest cells and the distances to their centroids.
fn nearest_cells(
    clusters: &Clusters,
    query: &[f32],
    count: usize,
    prepared: &mut Prepared,
) -> Vec<(f32, u32)> {
    let cells: Vec<u32> = (0..clusters.cells.len() as u32).collect();
    let mut distances = vec![0.0; cells.len()];
    clusters.cell_codec.prepare(query, true, prepared);
    clusters.cell_codec.distances(prepared, &clusters.cells.codes, &cells, &mut distances);
    let mut ranked: Vec<(f32, u32)> = distances.into_iter().zip(cells).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    ranked.truncate(count);
    ranked
}
