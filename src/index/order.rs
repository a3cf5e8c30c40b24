//! The order of rows in a segment: leaf by leaf of a tree of k-means, near leaves in a chain.
//!
//! So neighbours are near each other in the file and in the cache, and a position says roughly where a row lies. Every
//! choice below depends on the rows and the seed alone.

use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::kernels::kernels;
use crate::quant::kmeans::{self, Rows, hash};

/// The shape of the tree.
#[derive(Clone, Copy)]
pub(crate) struct Tree {
    pub(crate) branching: usize,
    pub(crate) max_leaf: usize,
    pub(crate) max_iterations: usize,
    pub(crate) seed: u64,
}

/// Rows that a k-means is trained on, per centroid.
const SAMPLE: usize = 64;

/// `order[position]` = row.
pub(crate) fn cluster_order(rows: Rows<'_>, tree: Tree, ctx: &Ctx<'_>) -> Result<Vec<u32>, Error> {
    let count = rows.data.len() / rows.dim;
    let all: Vec<u32> = (0..count as u32).collect();
    ctx.tick("order", 0, count)?;
    let cells = split(rows, all, tree, 0);
    let mut order = Vec::with_capacity(count);
    // A few cells at a time, so that a caller can cancel.
    for group in cells.chunks(tree.branching.div_ceil(8).max(1)) {
        let leaves = exec::map_chunks(group.len(), 1, |r| descend(rows, group[r.start].clone(), tree, 1));
        order.extend(leaves.into_iter().flatten());
        ctx.tick("order", order.len(), count)?;
    }
    Ok(order)
}

/// The rows of one cell, in order.
fn descend(rows: Rows<'_>, of: Vec<u32>, tree: Tree, depth: u64) -> Vec<u32> {
    if of.len() <= tree.max_leaf {
        return of;
    }
    split(rows, of, tree, depth).into_iter().flat_map(|child| descend(rows, child, tree, depth + 1)).collect()
}

/// Up to `branching` cells, chained: each is followed by the nearest of those that remain.
fn split(rows: Rows<'_>, of: Vec<u32>, tree: Tree, depth: u64) -> Vec<Vec<u32>> {
    let k = of.len().div_ceil(tree.max_leaf).min(tree.branching);
    if k < 2 {
        return vec![of];
    }
    let seed = hash(tree.seed ^ hash(depth << 32 | u64::from(of[0])));
    let mut sample = of.clone();
    if sample.len() > k * SAMPLE {
        sample.sort_unstable_by_key(|&r| (hash(seed ^ u64::from(r)), r));
        sample.truncate(k * SAMPLE);
        sample.sort_unstable();
    }
    let centroids = kmeans::train(rows, &sample, k, tree.max_iterations, seed);
    let nearest = kmeans::assign(rows, &of, &centroids);
    let mut cells: Vec<Vec<u32>> = vec![Vec::new(); k];
    of.iter().zip(&nearest).for_each(|(&r, &c)| cells[c as usize].push(r));
    if cells.iter().any(|c| c.len() == of.len()) {
        // Rows that k-means cannot tell apart: any even split is as good.
        return of.chunks(of.len().div_ceil(k)).map(<[u32]>::to_vec).collect();
    }
    let chained = chain(&centroids, rows.dim);
    chained.into_iter().map(|c| std::mem::take(&mut cells[c])).filter(|c| !c.is_empty()).collect()
}

/// A greedy walk over the centroids from the first one: always on to the nearest that is left.
fn chain(centroids: &[f32], dim: usize) -> Vec<usize> {
    let centroid = |c: usize| &centroids[c * dim..(c + 1) * dim];
    let mut left: Vec<usize> = (1..centroids.len() / dim).collect();
    let mut walk = vec![0];
    while let Some(&here) = walk.last() {
        let distance = |&c: &usize| (kernels().l2_f32)(centroid(here), centroid(c));
        let nearest =
            left.iter().enumerate().map(|(i, c)| (distance(c), i)).min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, i)) => walk.push(left.remove(i)),
            None => break,
        }
    }
    walk
}
