//! The Cells section, decoded and checked.

use std::ops::Range;

use super::lists::{LeafBlock, Lists};
use super::sizes::Counts;
use super::{CurvePoint, Curves, LEAVES, LISTS, MAX_CENTRES, NEIGHBOURS, Reader, Shares, WIDTHS, bad};
use crate::error::Error;
use crate::memory::bytes;
use crate::quant::{Rabitq, centroid};
use crate::storage::{Expected, Extent, Read};

/// The Cells section, decoded.
pub(crate) struct Cells {
    pub(crate) curves: Curves,
    pub(crate) shares: Shares,
    /// The longest block of Leaves, and of Lists.
    pub(crate) longest: [u64; 2],
    /// Bits a component of the codes of leaves and lists.
    pub(crate) bits: usize,
    /// Codes of a leaf's centroid in its list.
    pub(crate) centres: usize,
    /// Codes of the cells' centroids, a matrix, and their squares.
    codes: Vec<u8>,
    squares: Vec<f32>,
    dim: usize,
    /// Root mean square distance of a cell's rows to its centroid.
    pub(crate) spreads: Vec<f32>,
    /// Of the file.
    seed: u64,
    leaves: Extent,
    lists: Extent,
    offsets: Vec<u64>,
    checksums: Vec<u64>,
    first: Vec<u32>,
    positions: Vec<u32>,
}

impl Cells {
    /// Decodes and checks the section. `dim` is that of the segment, `seed` that of its checksums.
    pub(crate) fn decode(
        bytes: &[u8],
        [leaves, lists]: [Extent; 2],
        dim: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let mut reader = Reader { section: "cells", bytes };
        let head = reader.u32s(6)?;
        let (cells, count, centres) = (head[0] as usize, head[1], head[5]);
        let longest = [u64::from(head[2]), u64::from(head[3])];
        let bits = head[4] as usize;
        let shares = reader.f32s(2)?;
        let shares = Shares { of_cells: shares[0], of_leaves: shares[1] };
        let curves = curves(&mut reader)?;
        // Nothing is allocated before its bytes were found in the section.
        let more = cells.saturating_add(1);
        let (offsets, checksums) = (reader.u64s(more)?, reader.u64s(cells)?);
        let (first, positions) = (reader.u32s(more)?, reader.u32s(more)?);
        let spreads = reader.f32s(cells)?;
        let stride = centroid::stride(dim);
        let codes = reader.take(cells.saturating_mul(stride))?.to_vec();
        let squares: Vec<f32> = codes.chunks_exact(stride).map(centroid::square).collect();
        let rising = offsets.windows(2).all(|w| w[0] < w[1] && w[1] - w[0] <= longest[0])
            && first.windows(2).all(|w| w[0] <= w[1])
            && positions.windows(2).all(|w| w[0] <= w[1]);
        let whole = offsets.first() == Some(&0) && offsets.last() == Some(&leaves.length);
        if !reader.bytes.is_empty() {
            return Err(bad("cells", "its length does not fit the number of cells"));
        }
        if !(1..=MAX_CENTRES).contains(&centres) {
            return Err(Error::Version { found: u64::from(centres), supported: u64::from(MAX_CENTRES) });
        }
        let finite = [&spreads, &squares].into_iter().flatten().all(|x| x.is_finite());
        if !rising
            || !whole
            || !finite
            || first.last() != Some(&count)
            || longest[0] > leaves.length
            || longest[1] > lists.length
            || !(1..=Rabitq::MAX_BITS).contains(&bits)
            || !(shares.of_cells.is_finite() && shares.of_leaves.is_finite())
        {
            return Err(bad("cells", "cells are out of order or leave the segment"));
        }
        Ok(Cells {
            curves,
            shares,
            longest,
            bits,
            centres: centres as usize,
            codes,
            squares,
            dim,
            spreads,
            seed,
            leaves,
            lists,
            offsets,
            checksums,
            first,
            positions,
        })
    }

    /// The cells of a segment that is not built yet, in which so many are counted, with curves that are wider than most.
    pub(crate) fn planned(counts: &Counts) -> Self {
        let cells = counts.cells as usize;
        let dim = counts.dim;
        let last = |count: u64| {
            let mut all = vec![0; cells + 1];
            all[cells] = count as u32;
            all
        };
        let [cells_of, probes] =
            [4 * counts.cells.isqrt(), 3 * counts.leaves.isqrt() / 2].map(|n| n as u32 + 1);
        let (wanted, keep) = (9500, 4096);
        let point =
            CurvePoint { wanted, reached: wanted, cells: cells_of, probes, keep, ..CurvePoint::default() };
        Cells {
            curves: [[point; WIDTHS]; NEIGHBOURS.len()],
            shares: Shares::default(),
            longest: counts.longest(),
            bits: counts.bits,
            centres: counts.centres,
            codes: vec![0; cells * centroid::stride(dim)],
            squares: vec![0.0; cells],
            dim,
            spreads: vec![0.0; cells],
            seed: 0,
            leaves: Extent { offset: 0, length: 0 },
            lists: Extent { offset: 0, length: 0 },
            offsets: vec![0; cells + 1],
            checksums: vec![0; cells],
            first: last(counts.leaves),
            positions: last(counts.rows),
        }
    }

    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let [codes, squares, spreads] = [bytes(&self.codes), bytes(&self.squares), bytes(&self.spreads)];
        let of_cells =
            bytes(&self.offsets) + bytes(&self.checksums) + bytes(&self.first) + bytes(&self.positions);
        codes + squares + spreads + of_cells
    }

    /// The code of a cell's centroid and the square of what it stands for. `cell` is below `len`.
    pub(crate) fn centroid(&self, cell: usize) -> (&[u8], f32) {
        let stride = centroid::stride(self.dim);
        (&self.codes[cell * stride..][..stride], self.squares[cell])
    }

    /// Bytes of the codes of a leaf's centroid in its list.
    pub(crate) fn centre_bytes(&self) -> usize {
        centroid::stride(self.dim) * self.centres
    }

    pub(crate) fn len(&self) -> usize {
        self.checksums.len()
    }

    pub(crate) fn row_count(&self) -> usize {
        self.positions.last().copied().unwrap_or(0) as usize
    }

    pub(crate) fn leaf_count(&self) -> usize {
        self.first.last().copied().unwrap_or(0) as usize
    }

    /// The read of the block of a cell's leaves. `cell` is below `len`.
    pub(crate) fn block(&self, cell: usize) -> Read {
        let (start, end) = (self.offsets[cell], self.offsets[cell + 1]);
        let extent = Extent { offset: self.leaves.offset + start, length: end - start };
        Read {
            extent,
            expected: Expected::Unit { seed: self.seed ^ LEAVES, at: start, checksum: self.checksums[cell] },
        }
    }

    /// The cell that the row at `position` is in.
    pub(crate) fn cell_of(&self, position: u32) -> Option<usize> {
        let at = self.positions.partition_point(|&p| p <= position).checked_sub(1)?;
        (at < self.len()).then_some(at)
    }

    /// The positions of the rows of a cell. `cell` is below `len`.
    pub(crate) fn run(&self, cell: usize) -> Range<u32> {
        self.positions[cell]..self.positions[cell + 1]
    }

    /// A block of leaves. `stride` is that of their codes.
    pub(crate) fn leaves<'a>(
        &self,
        cell: usize,
        bytes: &'a [u8],
        stride: usize,
    ) -> Result<LeafBlock<'a>, Error> {
        let count = (self.first[cell + 1] - self.first[cell]) as usize;
        let rows = [self.positions[cell], self.positions[cell + 1]];
        let lists = Lists {
            extent: self.lists,
            longest: self.longest[1],
            seed: self.seed ^ LISTS,
            centre: self.centre_bytes(),
        };
        LeafBlock::new(bytes, count, stride, lists, rows)
    }
}

fn curves(reader: &mut Reader<'_>) -> Result<Curves, Error> {
    if reader.u32s(NEIGHBOURS.len())? != NEIGHBOURS {
        return Err(bad("cells", "the curves are for other numbers of rows"));
    }
    let mut curves = Curves::default();
    for width in curves.iter_mut().flatten() {
        let (n, f) = (reader.u32s(5)?, reader.f32s(2)?);
        // With a doubt that is NaN, every candidate or none would be kept.
        let doubt = if f[0].is_finite() { f[0].max(0.0) } else { 0.0 };
        let [cells, probes, keep] = [n[2], n[3], n[4]].map(|x| x.max(1));
        *width = CurvePoint { wanted: n[0], reached: n[1], cells, probes, keep, doubt, bound: f[1] };
    }
    Ok(curves)
}
