//! Clusters the rows of a segment: leaves of about [`Shape::max_leaf`] rows, in cells of about [`Shape::branching`]
//! leaves. Cells, and leaves within a cell, are ordered so that each is near the one before it.
//!
//! Leaves start as a two-level k-means and are refined in rounds over all rows, in which each row is compared only with
//! the leaves of its nearest cells. On wordnet (4,094 leaves, 2,918 rows scanned) the recall of probing rises from
//! 0.898 without a round to 0.936 after one, 0.945 after four, 0.950 after eight.

use super::assign::{self, Cells};
use super::kmeans::{self, EncodedRows};
use super::means::leaf_means;
use crate::build::row_distances::RowDistances;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::hash::hash;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::{self, Sq8};
use crate::rows::Reader;
use crate::sort;
use crate::topk;
use crate::vectors::Rows;

/// The shape of the tree.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Leaves per cell, about.
    pub(crate) branching: usize,
    /// Rows per leaf, about.
    pub(crate) max_leaf: usize,
    /// Rounds over all rows.
    pub(crate) max_iterations: usize,
    pub(crate) seed: u64,
}

/// Rows in the order of their leaves, leaves in the order of their cells.
pub(crate) struct Tree {
    /// `order[position]` = row.
    pub(crate) order: Vec<u32>,
    /// Where each leaf starts; one more for the end.
    pub(crate) leaf_starts: Vec<u32>,
    /// The first leaf of each cell; one more for the end.
    pub(crate) cell_starts: Vec<u32>,
    /// Row-major.
    pub(crate) leaf_centroids: Vec<f32>,
    /// Row-major.
    pub(crate) cell_centroids: Vec<f32>,
}

impl Tree {
    /// The bytes of all of it.
    pub(crate) fn bytes(&self) -> usize {
        let numbers = self.order.len() + self.leaf_starts.len() + self.cell_starts.len();
        4 * (numbers + self.leaf_centroids.len() + self.cell_centroids.len())
    }

    /// The leaf that the row at `position` is in.
    pub(crate) fn leaf_of(&self, position: u32) -> u32 {
        self.leaf_starts.partition_point(|&start| start <= position) as u32 - 1
    }

    /// The cell that a leaf is in.
    pub(crate) fn cell_of(&self, leaf: u32) -> usize {
        self.cell_starts.partition_point(|&first| first <= leaf) - 1
    }

    /// The leaves of each cell.
    pub(super) fn leaves_by_cell(&self) -> Vec<Vec<u32>> {
        self.cell_starts.windows(2).map(|w| (w[0]..w[1]).collect()).collect()
    }
}

/// Rows that a k-means is trained on, per centroid.
const SAMPLE: usize = 64;
/// A leaf of more than so many times `max_leaf` rows is split.
const OVERSIZE: usize = 4;
/// A leaf is split into at most so many parts at a time.
const MOST_PARTS: usize = 256;
/// Rounds of a small k-means.
const ITERATIONS: usize = 8;

/// Clusters the rows. `points` holds their codes for Euclidean distances.
pub(crate) fn cluster(points: EncodedRows<'_>, shape: Shape, ctx: &Ctx<'_>) -> Result<Tree, Error> {
    let rows = points.rows;
    let count = rows.count();
    let all: Vec<u32> = (0..count as u32).collect();
    let mut leaves = two_level_kmeans(points, &all, shape)?;
    ctx.tick("order", count / (shape.max_iterations + 1), count)?;
    for round in 0..shape.max_iterations {
        leaves = refine(points, &all, &leaves, shape, ctx)?;
        ctx.tick("order", count * (round + 2) / (shape.max_iterations + 1), count)?;
    }
    let mut split = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        split_large(rows, leaf, shape, &mut split)?;
    }
    order_tree(rows, points.codec, split, shape, ctx)
}

/// Splits a leaf that is too large, and appends the parts to `cut`. Around the mean of all rows its rows have nearly
/// equal codes, so they are encoded anew around their own mean.
fn split_large(rows: Reader<'_>, leaf: Vec<u32>, shape: Shape, cut: &mut Vec<Vec<u32>>) -> Result<(), Error> {
    let mut whole = vec![leaf];
    while let Some(leaf) = whole.pop() {
        if leaf.len() <= shape.max_leaf * OVERSIZE {
            cut.push(leaf);
            continue;
        }
        // A large leaf is split in several steps, so that no k-means has many centroids.
        let parts = leaf.len().div_ceil(shape.max_leaf).min(MOST_PARTS);
        let own = rows.select(&leaf);
        let mut sum = quant::MeanSum::new(rows.dim());
        own.each(0..leaf.len() as u32, |row| sum.add(row))?;
        let codec = Sq8::new(Metric::Cosine, sum.mean());
        let codes = RowDistances::encode_all(&codec, Metric::Cosine, own)?;
        let points = EncodedRows { rows: own, codes: &codes, codec: &codec };
        let groups = divide(points, (0..leaf.len() as u32).collect(), parts, shape.seed)?;
        let groups = groups.into_iter().map(|group| group.iter().map(|&at| leaf[at as usize]).collect());
        let groups: Vec<Vec<u32>> = groups.collect();
        match groups.iter().any(|group| group.len() * 2 > leaf.len()) {
            // Most rows are equal, so k-means does not separate them: equal shares are taken instead.
            true => {
                let all: Vec<u32> = groups.concat();
                let size = all.len().div_ceil(all.len().div_ceil(shape.max_leaf));
                cut.extend(all.chunks(size).map(<[u32]>::to_vec));
            }
            false => whole.extend(groups),
        }
    }
    Ok(())
}

/// Two levels of k-means: about √leaves groups, each divided on its own.
fn two_level_kmeans(points: EncodedRows<'_>, all: &[u32], shape: Shape) -> Result<Vec<Vec<u32>>, Error> {
    let leaves = all.len().div_ceil(shape.max_leaf);
    let groups = divide(points, all.to_vec(), leaves.isqrt().max(1), shape.seed)?;
    let divided = exec::map_chunks(groups.len(), 1, |r| {
        let group = &groups[r.start];
        divide(points, group.clone(), group.len().div_ceil(shape.max_leaf), hash(shape.seed ^ r.start as u64))
    });
    Ok(divided.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Up to `k` groups of near rows.
fn divide(points: EncodedRows<'_>, of: Vec<u32>, k: usize, seed: u64) -> Result<Vec<Vec<u32>>, Error> {
    if k < 2 {
        return Ok(vec![of]);
    }
    let centroids = kmeans::train(points, &sample(&of, k * SAMPLE, seed), k, ITERATIONS, seed)?;
    let groups = groups_of(&of, &kmeans::assign(points, &of, &centroids), k);
    Ok(match groups.len() {
        // k-means does not separate these rows, so any even division is as good.
        0 | 1 => of.chunks(of.len().div_ceil(k)).map(<[u32]>::to_vec).collect(),
        _ => groups,
    })
}

fn sample(of: &[u32], size: usize, seed: u64) -> Vec<u32> {
    let mut sample = of.to_vec();
    if sample.len() > size {
        sort::by_key(&mut sample, |&r| (hash(seed ^ hash(u64::from(r))), r));
        sample.truncate(size);
        sort::by(&mut sample, Ord::cmp);
    }
    sample
}

/// The members of each of `k` groups that has any.
fn groups_of(of: &[u32], group: &[u32], k: usize) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); k];
    of.iter().zip(group).for_each(|(&r, &g)| groups[g as usize].push(r));
    groups.retain(|g| !g.is_empty());
    groups
}

/// One round: moves every row to the nearest of the leaves in its nearest cells.
fn refine(
    points: EncodedRows<'_>,
    all: &[u32],
    leaves: &[Vec<u32>],
    shape: Shape,
    ctx: &Ctx<'_>,
) -> Result<Vec<Vec<u32>>, Error> {
    let dim = points.rows.dim();
    let centroids = leaf_means(points.rows, leaves, ctx)?;
    let codes = RowDistances::euclidean(points.codec, &centroids);
    let centres = Reader::memory(&centroids, dim);
    let centres = EncodedRows { rows: centres, codes: &codes, codec: points.codec };
    let (leaves_by_cell, means) = group_into_cells(centres, shape)?;
    let cells = Cells {
        leaves_by_cell: &leaves_by_cell,
        means: &RowDistances::euclidean(points.codec, &means),
        leaves: &codes,
    };
    let moved = exec::map_chunks(all.len(), assign::BATCH, |range| {
        let mut best = vec![(f32::INFINITY, u32::MAX); range.len()];
        assign::to_near_leaves(points.codes, &all[range], &cells, |block| {
            for (place, distances) in block.lines() {
                let (distance, at) = topk::argmin(distances);
                if distance < best[place].0 {
                    best[place] = (distance, block.list[at]);
                }
            }
        });
        best.into_iter().map(|b| b.1).collect::<Vec<u32>>()
    });
    Ok(groups_of(all, &moved.concat(), leaves.len()))
}

/// Groups leaves into cells, by their centroids. Returns the leaves of each cell and the cells' centroids (row-major).
fn group_into_cells(leaves: EncodedRows<'_>, shape: Shape) -> Result<(Vec<Vec<u32>>, Vec<f32>), Error> {
    let count = leaves.rows.count();
    let cells = divide(leaves, (0..count as u32).collect(), count.div_ceil(shape.branching), shape.seed)?;
    // Nearly equal leaves fall into one cell, which is split: its block in the file would be longer than all others.
    let most = shape.branching * OVERSIZE;
    let even = |cell: Vec<u32>| {
        let size =
            if cell.len() > most { cell.len().div_ceil(cell.len().div_ceil(shape.branching)) } else { most };
        cell.chunks(size).map(<[u32]>::to_vec).collect::<Vec<_>>()
    };
    let cells: Vec<Vec<u32>> = cells.into_iter().flat_map(even).collect();
    let mut means = Vec::with_capacity(cells.len() * leaves.rows.dim());
    for cell in &cells {
        let mut mean = kmeans::Mean::new(leaves.rows.dim());
        leaves.rows.each(cell.iter().copied(), |row| mean.add(row))?;
        means.extend(mean.get());
    }
    Ok((cells, means))
}

fn order_tree(
    rows: Reader<'_>,
    codec: &Sq8,
    mut leaves: Vec<Vec<u32>>,
    shape: Shape,
    ctx: &Ctx<'_>,
) -> Result<Tree, Error> {
    let dim = rows.dim();
    let centroids = leaf_means(rows, &leaves, ctx)?;
    let codes = RowDistances::euclidean(codec, &centroids);
    let centres = EncodedRows { rows: Reader::memory(&centroids, dim), codes: &codes, codec };
    let (mut cells, means) = group_into_cells(centres, shape)?;
    let mut tree = Tree {
        order: Vec::with_capacity(rows.count()),
        leaf_starts: vec![0],
        cell_starts: vec![0],
        leaf_centroids: Vec::with_capacity(centroids.len()),
        cell_centroids: Vec::with_capacity(means.len()),
    };
    let mut last: Option<u32> = None;
    for cell in nearest_chain(Rows { data: &means, dim }, (0..cells.len() as u32).collect(), None) {
        let members = std::mem::take(&mut cells[cell as usize]);
        // The chain through a cell starts near the last leaf of the cell before.
        let here = last.map(|l: u32| &centroids[l as usize * dim..][..dim]);
        for leaf in nearest_chain(Rows { data: &centroids, dim }, members, here) {
            tree.order.append(&mut leaves[leaf as usize]);
            tree.leaf_starts.push(tree.order.len() as u32);
            tree.leaf_centroids.extend_from_slice(&centroids[leaf as usize * dim..][..dim]);
            last = Some(leaf);
        }
        tree.cell_starts.push(tree.leaf_starts.len() as u32 - 1);
        tree.cell_centroids.extend_from_slice(&means[cell as usize * dim..][..dim]);
    }
    Ok(tree)
}

/// A greedy chain: it starts with the point nearest to `from`, or with the first, and goes on to the nearest that is
/// left.
fn nearest_chain(points: Rows<'_>, mut left: Vec<u32>, from: Option<&[f32]>) -> Vec<u32> {
    let mut walk = Vec::with_capacity(left.len());
    let mut here = from.unwrap_or(&[]);
    while !left.is_empty() {
        let distance = |&p: &u32| if here.is_empty() { 0.0 } else { (kernels().l2_f32)(here, points.row(p)) };
        let nearest =
            left.iter().map(distance).enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |n| n.0);
        let next = left.remove(nearest);
        here = points.row(next);
        walk.push(next);
    }
    walk
}
