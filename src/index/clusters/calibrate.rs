//! How wide a search must look for a wanted recall: measured once, when the segment is built, on queries the caller
//! gives, or else on queries made of two rows each. (Rows themselves find their neighbours far more easily than real
//! queries do.)

use super::score::{Asked, CellsView};
use super::tree::Tree;
use crate::exec;
use crate::index::pool::Pool;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::kmeans::{Rows, hash};
use crate::quant::{Prepared, Rabitq};
use crate::segment::clusters::{Curve, WIDTHS, Width};

/// Queries measured with.
const QUERIES: usize = 256;
const NEIGHBOURS: usize = 10;
/// The recalls that widths are found for, in parts of 10,000.
const RECALLS: [u32; WIDTHS] = [8000, 8500, 9000, 9300, 9500, 9700, 9800, 9900];
/// Of the neighbours that may be missed, the part that probing may miss; estimates of codes miss the others.
const MISSED_BY_PROBING: f64 = 0.85;
/// Each number of cells tried is this part of the one before.
const FEWER: f64 = 0.85;

/// What a search ranks by.
pub(crate) struct Levels<'a> {
    pub(crate) tree: &'a Tree,
    /// The second leaf of each position, if there are second leaves.
    pub(crate) second: &'a [u32],
    pub(crate) cells: CellsView<'a>,
    pub(crate) codec: &'a Rabitq,
    pub(crate) leaf_codes: &'a [u8],
    pub(crate) leaf_spreads: &'a [f32],
}

/// For each number of cells tried, the probes that each true neighbour is found with.
type Found = Vec<Vec<u32>>;

/// `rows` are in the order of the tree, `queries` row-major.
pub(crate) fn calibrate(
    levels: &Levels<'_>,
    rows: Rows<'_>,
    metric: Metric,
    seed: u64,
    queries: &[f32],
) -> Curve {
    let made = if queries.is_empty() { mixtures(rows, seed) } else { Vec::new() };
    let queries = if queries.is_empty() { &made } else { queries };
    let queries: Vec<&[f32]> = queries.chunks_exact(rows.dim).take(QUERIES).collect();
    let caps = caps(levels.tree.cells.len() - 1);
    let each = exec::map_chunks(queries.len(), 1, |q| found(levels, rows, metric, queries[q.start], &caps));
    let found = |cap: usize| each.iter().flat_map(move |f| f[cap].iter().copied());
    let mut sorted: Found = (0..caps.len()).map(|cap| found(cap).collect()).collect();
    sorted.iter_mut().for_each(|probes| probes.sort_unstable());
    RECALLS.map(|recall| cheapest(levels, &caps, &sorted, recall))
}

/// Numbers of cells to try, falling.
fn caps(cells: usize) -> Vec<u32> {
    let mut caps = vec![cells as u32];
    while let Some(&last) = caps.last().filter(|&&l| l > 1) {
        caps.push(((f64::from(last) * FEWER) as u32).clamp(1, last - 1));
    }
    caps
}

/// The width that reaches `recall` with the fewest bytes.
fn cheapest(levels: &Levels<'_>, caps: &[u32], found: &Found, recall: u32) -> Width {
    let tree = levels.tree;
    let (cells, leaves) = (tree.cells.len() as u64 - 1, tree.leaves.len() as u64 - 1);
    let wanted = 1.0 - (1.0 - f64::from(recall) / 10_000.0) * MISSED_BY_PROBING;
    let copies = tree.order.len() + levels.second.len();
    let mut best = (u64::MAX, Width { recall, cells: cells as u32, probes: leaves as u32 });
    for (&cap, probes) in caps.iter().zip(found) {
        let at = (probes.len() as f64 * wanted).ceil() as usize;
        let Some(&probes) = probes.get(at.saturating_sub(1)).filter(|&&p| p != u32::MAX) else { continue };
        // In codes read: those of the cells' leaves and those of the lists.
        let cost = u64::from(cap) * leaves / cells + u64::from(probes) * copies as u64 / leaves;
        if cost < best.0 {
            best = (cost, Width { recall, cells: cap, probes });
        }
    }
    best.1
}

/// Means of two rows chosen by chance.
fn mixtures(rows: Rows<'_>, seed: u64) -> Vec<f32> {
    let count = (rows.data.len() / rows.dim) as u64;
    let row = |at: u64| rows.row((at % count.max(1)) as u32);
    let mixture = |q: u64| {
        let first = hash(seed ^ hash(q));
        let second = hash(first);
        row(first).iter().zip(row(second)).map(|(a, b)| (a + b) * 0.5)
    };
    if count == 0 { Vec::new() } else { (0..QUERIES as u64).flat_map(mixture).collect() }
}

/// One query: for each of `caps`, the probes with which each of its true neighbours is found (`u32::MAX`: in none of
/// the cells).
fn found(levels: &Levels<'_>, rows: Rows<'_>, metric: Metric, query: &[f32], caps: &[u32]) -> Found {
    let tree = levels.tree;
    let mut prepared = Prepared::default();
    let asked = Asked { metric, length: levels.codec.length(query, &mut prepared) };
    let (centres, promises) = asked.cells(levels.cells, query, &mut prepared);
    let cell_ranks = ranks(&promises);
    levels.codec.prepare(query, &mut prepared);
    let stride = levels.codec.stride();
    let mut promises = Vec::with_capacity(tree.leaves.len());
    for (cell, &centre) in centres.iter().enumerate() {
        let leaves = tree.cells[cell] as usize..tree.cells[cell + 1] as usize;
        let codes = &levels.leaf_codes[leaves.start * stride..leaves.end * stride];
        promises.extend(asked.leaves(levels.codec, &prepared, centre, codes, &levels.leaf_spreads[leaves]));
    }
    let order = order(&promises);
    let cell_rank: Vec<u32> = (0..order.len()).map(|leaf| cell_ranks[tree.cell_of(leaf as u32)]).collect();
    let neighbours = neighbours(rows, metric, query);
    caps.iter()
        .map(|&cap| {
            let mut probes = vec![u32::MAX; order.len()];
            let within = order.iter().filter(|&&leaf| cell_rank[leaf as usize] < cap);
            within.zip(1..).for_each(|(&leaf, rank)| probes[leaf as usize] = rank);
            let of = |&position: &u32| {
                let own = probes[tree.leaf_of(position) as usize];
                levels.second.get(position as usize).map_or(own, |&second| own.min(probes[second as usize]))
            };
            neighbours.iter().map(of).collect()
        })
        .collect()
}

/// Which promises most, and so on; ties to the lower.
fn order(promises: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..promises.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| promises[a as usize].total_cmp(&promises[b as usize]).then(a.cmp(&b)));
    order
}

/// The rank of each in that order, from 0.
fn ranks(promises: &[f32]) -> Vec<u32> {
    let mut ranks = vec![0; promises.len()];
    order(promises).iter().zip(0..).for_each(|(&at, rank)| ranks[at as usize] = rank);
    ranks
}

/// The true ones.
fn neighbours(rows: Rows<'_>, metric: Metric, query: &[f32]) -> Vec<u32> {
    let dim = rows.dim;
    let mut pool = Pool::default();
    pool.reset(NEIGHBOURS);
    for (four, first) in rows.data.chunks(4 * dim).zip((0..).step_by(4)) {
        let each = std::array::from_fn(|i| four.get(i * dim..(i + 1) * dim).unwrap_or(&four[..dim]));
        let distances = match metric {
            Metric::L2 => (kernels().l2_f32x4)(query, each),
            Metric::Cosine | Metric::Dot => (kernels().dot_f32x4)(query, each).map(|dot| -dot),
        };
        let distances = &distances[..four.len() / dim];
        distances.iter().zip(first..).for_each(|(&distance, position)| pool.offer(distance, position));
    }
    pool.iter().map(|c| c.1).collect()
}
