//! The centroids of leaves. Rows are read once and in order, also from a file, though a leaf has rows from all over it.

use super::kmeans::Mean;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::memory::room_for;
use crate::rows::Reader;

/// Leaves that one task adds rows to.
const LEAVES: usize = 256;
/// The owner of a row that is in no leaf of ascending rows.
const NONE: u32 = u32::MAX;

/// The mean of each leaf, row-major. The rows of a leaf are added in its order.
pub(super) fn leaf_means(rows: Reader<'_>, leaves: &[Vec<u32>], ctx: &Ctx<'_>) -> Result<Vec<f32>, Error> {
    let dim = rows.dim();
    let mut owners = vec![NONE; rows.count()];
    let ascending = |leaf: &Vec<u32>| leaf.is_sorted();
    for (leaf, number) in leaves.iter().zip(0..).filter(|leaf| ascending(leaf.0)) {
        leaf.iter().for_each(|&row| owners[row as usize] = number);
    }
    let mut sums: Vec<f64> = room_for(leaves.len() * dim)?;
    sums.resize(leaves.len() * dim, 0.0);
    rows.blocks(|range, block| {
        let owners = &owners[range];
        exec::for_each_chunk_mut(&mut sums, LEAVES * dim, |task, sums| {
            let first = (task * LEAVES) as u32;
            let within = first..first + (sums.len() / dim) as u32;
            for (row, owner) in
                block.chunks_exact(dim).zip(owners).filter(|(_, owner)| within.contains(owner))
            {
                let sum = &mut sums[(owner - first) as usize * dim..][..dim];
                sum.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
            }
        });
        ctx.check()
    })?;
    let mut means = room_for(leaves.len() * dim)?;
    for (leaf, sum) in leaves.iter().zip(sums.chunks_exact(dim)) {
        if ascending(leaf) {
            let count = leaf.len().max(1) as f64;
            means.extend(sum.iter().map(|s| (s / count) as f32));
        } else {
            let mut mean = Mean::new(dim);
            rows.each(leaf.iter().copied(), |row| mean.add(row))?;
            means.extend(mean.get());
        }
    }
    Ok(means)
}
