//! The rows that scanned lists give: which of them are kept, and which become candidates.

use super::bound::{ListCodes, ListScratch, QueryBound};
use super::width::ProbeWidth;
use crate::error::Error;
use crate::id::Id;
use crate::search::view::View;
use crate::segment::clusters::{Labels, List};
use crate::segment::{Clusters, IdBytes};
use crate::topk::Key;

/// So many times the wanted rows are kept of the lists, since a row may be in two.
const COPIES: usize = 2;
/// About so many bytes are in an id that is a text.
const ID_BYTES: usize = 16;

/// What a list says of a row, and the row's estimated distance.
#[derive(Clone)]
pub(crate) struct ListHit {
    pub(crate) position: u32,
    pub(crate) row_checksum: u32,
    /// Of a row that was not estimated: minus infinity.
    pub(crate) distance: f32,
    /// Of a row that was not estimated: infinite.
    error: f32,
    /// It is in the last lists only.
    late: bool,
    id: IdBytes,
}

/// The nearest rows of the lists scanned so far.
#[derive(Default)]
pub(in crate::search) struct ListHits {
    pub(in crate::search) hits: Vec<ListHit>,
    /// The bytes of their ids, if these are texts.
    pub(in crate::search) texts: Vec<u8>,
}

/// A list, the number of its cell, and whether it is one of the last.
pub(super) struct ScannedList<'a> {
    pub(super) cell: u32,
    pub(super) list: List<'a>,
    pub(super) late: bool,
}

/// The estimate of a row, and where the row is: in which list, and at which place there.
#[derive(Clone, Copy)]
pub(in crate::search) struct Estimate {
    distance: f32,
    error: f32,
    list: u32,
    at: u32,
}

/// Memory that scans of lists reuse.
#[derive(Default)]
pub(in crate::search) struct ScanScratch {
    pub(in crate::search) list: ListScratch,
    pub(in crate::search) keys: Vec<u64>,
    pub(in crate::search) estimates: Vec<Estimate>,
}

impl ListHits {
    /// Estimates the rows of `lists` that may be hits, and copies what the lists say of the nearest:
    /// the lists may be evicted before it is used. Returns how many rows were estimated.
    pub(super) fn scan(
        &mut self,
        view: &View<'_>,
        clusters: &Clusters,
        bound: &QueryBound<'_>,
        lists: &[ScannedList<'_>],
        keep: usize,
        scratch: &mut ScanScratch,
    ) -> Result<u64, Error> {
        let ScanScratch { list: memory, keys, estimates } = scratch;
        estimates.clear();
        let mut estimated = 0;
        for (ScannedList { cell, list, .. }, number) in lists.iter().zip(0..) {
            let cell = clusters.cells.centroid(*cell as usize).0;
            let codes = ListCodes { cell, centre: list.centre, rows: list.codes };
            let rows = bound.rows(codes, memory).zip(0..);
            let estimate = |((distance, error), at)| Estimate { distance, error, list: number, at };
            let before = estimates.len();
            estimates.extend(rows.map(estimate));
            estimated += (estimates.len() - before) as u64;
            if let Some(set) = view.rows {
                let mut kept = before;
                for at in before..estimates.len() {
                    if set.contains(list.labels.position(estimates[at].at as usize)?) {
                        estimates[kept] = estimates[at];
                        kept += 1;
                    }
                }
                estimates.truncate(kept);
            }
        }
        // Rows that were not estimated are kept beside those that were.
        let held = self.hits.iter().map(|hit| hit.estimated(hit.distance));
        let mut distances = estimates.iter().map(|estimate| estimate.distance).chain(held);
        let limit = nth(&mut distances, keep.saturating_mul(COPIES), keys);
        self.hits.retain(|hit| hit.distance <= limit);
        let more = estimates.iter().filter(|estimate| estimate.distance <= limit).count();
        self.hits.reserve(more);
        self.texts.reserve(more * ID_BYTES);
        for &Estimate { distance, error, list, at } in &*estimates {
            if distance <= limit {
                let ScannedList { list, late, .. } = &lists[list as usize];
                self.push(&list.labels, at, (distance, error), *late)?;
            }
        }
        Ok(estimated)
    }

    /// Copies what the labels of a list say of the rows that may be hits. Their distances are not known.
    pub(super) fn add(&mut self, view: &View<'_>, labels: &Labels<'_>) -> Result<(), Error> {
        for at in 0..labels.count() {
            let position = labels.position(at)?;
            if view.rows.is_none_or(|set| set.contains(position)) {
                self.push(labels, at as u32, (f32::NEG_INFINITY, f32::INFINITY), false)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn push(
        &mut self,
        labels: &Labels<'_>,
        at: u32,
        (distance, error): (f32, f32),
        late: bool,
    ) -> Result<(), Error> {
        let (position, row_checksum) = (labels.position(at as usize)?, labels.row_checksum(at as usize));
        let id = labels.ids.copy(at, &mut self.texts)?;
        self.hits.push(ListHit { position, row_checksum, distance, error, late, id });
        Ok(())
    }

    /// How many of the k nearest rows, by their estimates, are in the last lists only; none, if fewer than k were
    /// estimated. After that, no list counts as one of the last.
    pub(super) fn late(&mut self, k: usize, keys: &mut Vec<u64>) -> usize {
        self.dedup(keys);
        let limit = nth(&mut self.hits.iter().map(|hit| hit.estimated(hit.distance)), k, keys);
        let late = self.hits.iter().filter(|hit| hit.late && hit.distance <= limit).count();
        self.hits.iter_mut().for_each(|hit| hit.late = false);
        if limit.is_finite() { late } else { 0 }
    }

    /// Leaves one estimate of each row, in order of position: of two the one with the smaller error; of two with the
    /// same, the nearer.
    fn dedup(&mut self, keys: &mut Vec<u64>) {
        ListHit::sort_by_position(&mut self.hits, keys);
        self.hits.dedup_by(|next, kept| {
            let same = next.position == kept.position;
            let late = next.late && kept.late;
            let surer =
                next.error.total_cmp(&kept.error).then(next.distance.total_cmp(&kept.distance)).is_lt();
            if same && surer {
                std::mem::swap(next, kept);
            }
            if same {
                kept.late = late;
            }
            same
        });
    }

    /// Those that may be among the k nearest, nearest first, and the bytes of their ids if these are texts.
    pub(super) fn candidates(&mut self, width: ProbeWidth, keys: &mut Vec<u64>) -> (Vec<ListHit>, Vec<u8>) {
        self.dedup(keys);
        let mut hits = std::mem::take(&mut self.hits);
        // They are in order of position, which settles ties.
        sort_by_key(&mut hits, keys, |at, hit| Key::new(hit.distance, at));
        let unestimated = hits.iter().filter(|hit| hit.error.is_infinite()).count();
        hits.truncate(unestimated.saturating_add(width.keep));
        let limit = worst_of(&mut hits.iter(), (width.k, width.doubt), keys);
        hits.retain(|hit| hit.is_within(limit, width.doubt));
        (hits, std::mem::take(&mut self.texts))
    }
}

/// The worst case of the k-th nearest hit by its worst case: one whose best case is farther cannot be among the k nearest.
pub(crate) fn worst_of(
    hits: &mut dyn Iterator<Item = &ListHit>,
    (k, doubt): (usize, f32),
    keys: &mut Vec<u64>,
) -> f32 {
    match doubt.is_finite() {
        true => nth(&mut hits.map(|hit| hit.estimated(hit.distance + doubt * hit.error)), k, keys),
        // Multiplied by an error of 0 it would be NaN.
        false => f32::INFINITY,
    }
}

impl ListHit {
    /// Whether it may be among the nearest, of which `limit` is the worst case.
    pub(crate) fn is_within(&self, limit: f32, doubt: f32) -> bool {
        limit.is_infinite() || self.error.is_infinite() || self.distance - doubt * self.error <= limit
    }

    pub(crate) fn sort_by_position(hits: &mut [ListHit], keys: &mut Vec<u64>) {
        sort_by_key(hits, keys, |at, hit| Key::in_order(hit.position, at));
    }

    /// The distance, or infinity if the row was not estimated.
    fn estimated(&self, distance: f32) -> f32 {
        if self.error.is_finite() { distance } else { f32::INFINITY }
    }

    /// The id of the row. `texts` came with the candidates.
    pub(crate) fn id(&self, texts: &[u8]) -> Result<Id, Error> {
        self.id.id(texts)
    }
}

/// The `count`-th least of these distances; infinite if there are fewer.
#[inline(never)]
pub(crate) fn nth(distances: &mut dyn Iterator<Item = f32>, count: usize, keys: &mut Vec<u64>) -> f32 {
    keys.clear();
    keys.extend(distances.map(|distance| Key::new(distance, 0).0));
    match count.checked_sub(1).filter(|&last| last < keys.len()) {
        Some(last) => Key(*keys.select_nth_unstable(last).1).distance(),
        None => f32::INFINITY,
    }
}

/// Sorts by keys whose position is the number of the item. The keys are sorted, then the items put in their order:
/// integers, by the one sort that the crate has for them.
pub(in crate::search) fn sort_by_key<T>(items: &mut [T], keys: &mut Vec<u64>, key: impl Fn(u32, &T) -> Key) {
    keys.clear();
    keys.extend((0..).zip(items.iter()).map(|(at, item)| key(at, item).0));
    keys.sort_unstable();
    let from = |key: u64| Key(key).candidate().1 as usize;
    for start in 0..items.len() {
        // Each cycle once: a place that is settled is its own source.
        let mut at = start;
        while from(keys[at]) != start {
            let next = from(keys[at]);
            items.swap(at, next);
            keys[at] = (at as u64) << 1;
            at = next;
        }
        keys[at] = (at as u64) << 1;
    }
}
