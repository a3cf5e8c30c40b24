//! The most bytes that an operation may come to: an estimate from above, by counts that are known before: of rows, candidates,
//! cells, lists. A vector that grows is taken three times, since its old bytes live until they are copied.

use crate::id::Id;
use crate::payload::Filter;
use crate::search::clusters::{ListHit, RankedLeaf};
use crate::search::fields;
use crate::search::operation::Operation;
use crate::search::plan;
use crate::search::rows;
use crate::search::view::View;
use crate::search::{Answer, Hit, IndexChoice, RowPlace, RowsQuery, SearchOptions};
use crate::segment::Clusters;
use crate::segment::clusters::NEIGHBOURS;
use crate::storage::Read;

/// A vector that grows: its values, and the old ones while they are moved.
const GROWS: u64 = 3;
/// Small vectors of a step, and a few texts.
const SMALL: u64 = 8 << 10;
/// About so many bytes has an id that is a text.
const TEXT: u64 = 64;
/// Texts whose sets are read, when rows are sorted by texts: a thousand, and the blocks that they are in.
const TEXTS: u64 = 512 << 10;
/// Of the leaves and rows that a search by clusters ranks on average, it may meet so many times as many.
const UNEVEN: u64 = 2;
/// A search by clusters keeps at least so many candidates for each hit.
const KEEP: u64 = 12;

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
            Operation::Select(_)
            | Operation::Find(_)
            | Operation::Vector(_)
            | Operation::Count(_)
            | Operation::Facets { .. }
            | Operation::Load => Most::default(),
            Operation::Rows { count, vectors, fields, .. } => {
                let live = views.iter().map(View::count).sum();
                let row = rows::most_of_row(if *vectors { dim } else { 0 });
                Most::of_page(views, (*count).min(live) as u64, row, *fields)
            }
            Operation::Page(query) => {
                let live: usize = views.iter().map(View::count).sum();
                let row = rows::most_of_row(if query.vectors { dim } else { 0 });
                let most = query.offset.saturating_add(query.limit).min(live) as u64;
                // Places and keys of the rows before the page, and the pairs of a block.
                let mut page = Most::of_page(views, query.limit.min(live) as u64, row, query.fields);
                page.own += most * GROWS * 48 + SMALL * 8;
                // Texts by which they are sorted, and those that wait for their sets.
                if query.sort_by.is_some() {
                    page.own += most * GROWS * 80 + TEXTS;
                }
                page
            }
        };
        let sets = match operation {
            Operation::Similar { options, .. } | Operation::Select(options) => {
                of_sets(views) + of_tests(views, options.filter.as_ref())
            }
            Operation::Search { options: o, .. }
                if o.among.is_some() || !o.exclude.is_empty() || o.filter.is_some() =>
            {
                of_sets(views) + of_tests(views, o.filter.as_ref())
            }
            Operation::Count(filter)
            | Operation::Facets { filter, .. }
            | Operation::Page(RowsQuery { filter, .. }) => of_sets(views) + of_tests(views, filter.as_ref()),
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

    /// Of a page of so many rows.
    fn of_page(views: &[View<'_>], rows: u64, row: u64, fields: bool) -> Self {
        let most = if fields { Most::of_fields(views, rows) } else { Most::default() };
        Most { own: most.own.saturating_add(rows.saturating_mul(row)), ..most }
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

/// The sets of the tests of a filter: one each, and its copy while they are combined; the units of each; and a copy of the filter,
/// by which its rows are known later.
#[inline(never)]
fn of_tests(views: &[View<'_>], filter: Option<&Filter>) -> u64 {
    let tests = filter.map_or(0, Filter::tests) as u64;
    let rows = views.iter().map(|view| view.segment.count() as u64).sum::<u64>();
    tests * (rows / 8 * 2 + rows / 1024 * GROWS * 48) + filter.map_or(0, Filter::bytes)
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
