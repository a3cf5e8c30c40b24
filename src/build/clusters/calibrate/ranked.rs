//! The order in which a query visits cells and leaves, and how many of them hold its neighbours.

use super::truth::Truth;
use super::{FEWER, Levels};
use crate::build::clusters::tree::Tree;
use crate::exec;
use crate::quant::{Prepared, Turned, centroid};
use crate::search::clusters::{QueryBound, copies_last};
use crate::segment::clusters::{NEIGHBOURS, Shares};
use crate::sort;

/// Cells and leaves in the order in which one query visits them.
pub(super) struct Ranked {
    pub(super) turned: Turned,
    pub(super) shares: Shares,
    /// The leaves in order, each with the number of cells that must be visited for it. A few hundred of these orders are
    /// held at once, so those of several numbers of neighbours are kept once, if they are the same.
    orders: Vec<Vec<(u32, u32)>>,
    /// Which of the orders is that of each of [`NEIGHBOURS`].
    order_of: [usize; NEIGHBOURS.len()],
}

impl Ranked {
    pub(super) fn new(levels: &Levels<'_>, query: &[f32], shares: Shares) -> Self {
        let Levels { tree, codec, .. } = levels;
        let (mut turned, mut prepared) = (Turned::default(), Prepared::default());
        codec.ask(query, &mut turned);
        let bound = QueryBound { metric: levels.metric, codec, turned: &turned, shares };
        let cells: Vec<&[u8]> = levels.cell_codes.chunks_exact(centroid::stride(codec.dim())).collect();
        let priorities = cells.iter().zip(levels.cell_spreads);
        let priorities: Vec<f32> =
            priorities.map(|(code, &spread)| bound.cell((code, centroid::square(code)), spread)).collect();
        let starts: Vec<u32> = tree.cell_starts.iter().map(|&leaf| tree.leaf_starts[leaf as usize]).collect();
        let mut ranks = vec![0; priorities.len()];
        let order_of_cells = order(&priorities);
        needed(&order_of_cells, &starts).for_each(|(cell, cells)| ranks[cell as usize] = cells);
        let stride = codec.stride();
        let (mut all, mut some, mut centre) =
            (Vec::with_capacity(tree.leaf_starts.len()), Vec::new(), Vec::new());
        for (code, leaves) in cells.iter().zip(tree.cell_starts.windows(2)) {
            let leaves = leaves[0] as usize..leaves[1] as usize;
            centroid::decode(code, &mut centre);
            let codes = &levels.leaf_codes[leaves.start * stride..leaves.end * stride];
            // Spreads have this precision in the file.
            let spreads = levels.leaf_spreads[leaves].iter().map(|&s| half::bf16::from_f32(s).to_f32());
            bound.leaves(&centre, &mut prepared, codes, spreads, &mut some);
            all.extend_from_slice(&some);
        }
        let (mut orders, mut order_of) = (Vec::new(), [0; NEIGHBOURS.len()]);
        let mut before = Vec::new();
        for (order_of, k) in order_of.iter_mut().zip(NEIGHBOURS) {
            let mut priorities = all.clone();
            let spreads = levels.leaf_spreads.iter().copied();
            let held = tree.leaf_starts.windows(2).map(|w| w[1] - w[0]);
            copies_last(&mut priorities, k as usize, spreads.zip(held));
            if orders.is_empty() || priorities != before {
                let ranked = |leaf| (leaf, ranks[tree.cell_of(leaf)]);
                orders.push(order(&priorities).into_iter().map(ranked).collect());
                before = priorities;
            }
            *order_of = orders.len() - 1;
        }
        Ranked { turned, shares, orders, order_of }
    }

    /// The leaves in the first cells that hold as many rows as `cells` cells of average size, each with the number of
    /// probes that reach it. `number` is an index of [`NEIGHBOURS`].
    pub(super) fn within<'a>(
        &'a self,
        tree: &'a Tree,
        number: usize,
        cells: u32,
    ) -> impl Iterator<Item = (u32, u32)> + 'a {
        let order = &self.orders[self.order_of[number]];
        needed(order.iter().filter(move |leaf| leaf.1 <= cells).map(|leaf| &leaf.0), &tree.leaf_starts)
    }
}

/// Cells or leaves in this order, each with the number of average ones that are needed to reach it: they hold more rows
/// than those before it. `starts` are the positions of their first rows; one more for the end.
fn needed<'a>(
    order: impl IntoIterator<Item = &'a u32>,
    starts: &'a [u32],
) -> impl Iterator<Item = (u32, u32)> {
    let rows = starts.last().map_or(1, |&rows| u64::from(rows)).max(1);
    let count = starts.len() as u64 - 1;
    let mut before = 0;
    order.into_iter().map(move |&at| {
        let needed = (before * count / rows) as u32 + 1;
        before += u64::from(starts[at as usize + 1] - starts[at as usize]);
        (at, needed)
    })
}

/// Numbers in order of priority, the lowest first; ties to the lower number.
fn order(priorities: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..priorities.len() as u32).collect();
    sort::by(&mut order, |&a, &b| priorities[a as usize].total_cmp(&priorities[b as usize]).then(a.cmp(&b)));
    order
}

/// The numbers of cells that are tried, descending.
pub(super) fn caps(cells: usize) -> Vec<u32> {
    let mut caps = vec![cells as u32];
    while let Some(&last) = caps.last().filter(|&&l| l > 1) {
        caps.push(((f64::from(last) * FEWER) as u32).clamp(1, last - 1));
    }
    caps
}

/// The number of probes with which each neighbour of each query is found, sorted, for each of `caps`. `u32::MAX`: it is
/// in none of these cells. If several rows are as near as the last that is wanted, those found first count.
pub(super) fn probes_needed(
    levels: &Levels<'_>,
    ranked: &[Ranked],
    truths: &[Truth],
    caps: &[u32],
    number: usize,
) -> Vec<Vec<u32>> {
    let tree = levels.tree;
    let each = exec::map_chunks(ranked.len(), 1, |q| {
        let (ranked, (near, count)) = (&ranked[q.start], truths[q.start].of(number));
        let mut probes = vec![u32::MAX; tree.leaf_starts.len() - 1];
        let per_cap = caps.iter().map(|&cap| {
            probes.fill(u32::MAX);
            ranked.within(tree, number, cap).for_each(|(leaf, needed)| probes[leaf as usize] = needed);
            let of = |&(_, position): &(f32, u32)| {
                let own = probes[tree.leaf_of(position) as usize];
                levels.second(position).map_or(own, |second| own.min(probes[second as usize]))
            };
            let mut needed: Vec<u32> = near.iter().map(of).collect();
            sort::by(&mut needed, Ord::cmp);
            needed.truncate(count);
            needed
        });
        per_cap.collect::<Vec<_>>()
    });
    let all = |cap: usize| {
        let mut probes: Vec<u32> = each.iter().flat_map(|found| found[cap].iter().copied()).collect();
        sort::by(&mut probes, Ord::cmp);
        probes
    };
    (0..caps.len()).map(all).collect()
}

/// The cells and probes with the fewest bytes that hold enough of the neighbours, and these bytes.
pub(super) fn cheapest_scan(
    levels: &Levels<'_>,
    caps: &[u32],
    found: &[Vec<u32>],
    recall: f64,
    missed: f64,
) -> Option<(u32, u32, f64)> {
    let wanted = 1.0 - (1.0 - recall) * missed;
    let mut best: Option<(u32, u32, f64)> = None;
    for (&cap, probes) in caps.iter().zip(found) {
        let at = (probes.len() as f64 * wanted).ceil() as usize;
        let Some(&probes) = probes.get(at.saturating_sub(1)).filter(|&&p| p != u32::MAX) else { continue };
        let bytes = levels.bytes(cap, probes);
        if best.is_none_or(|b| bytes < b.2) {
            best = Some((cap, probes, bytes));
        }
    }
    best
}
