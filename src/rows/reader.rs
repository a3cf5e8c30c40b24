//! The rows as every stage of a build sees them. Each read checks rows and normalises them anew, so a row has the same
//! bits in every stage, and a row that has become NaN meanwhile is an error. Only rows that are decoded from segments are
//! left as they are.

use std::ops::Range;

use super::RowSource;
use crate::error::Error;
use crate::exec;
use crate::memory::room_for;
use crate::metric::Metric;
use crate::vectors::{Rows, check_row};

/// Floats of a block of [`Reader::blocks`], about: 4 MiB.
const BLOCK: usize = 1 << 20;
/// Floats that one task reads at a time.
const TILE: usize = 1 << 15;

/// Rows in their own order or in another. See the head of this file.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    from: Origin<'a>,
    /// The rows to read, in this order; `None` is all of them, as they are.
    order: Option<&'a [u32]>,
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    /// Rows that were checked before.
    Memory(Rows<'a>),
    /// With the metric for which rows are checked; `None` uses them as they are.
    Source(&'a dyn RowSource, Option<Metric>),
}

impl<'a> Reader<'a> {
    /// Rows in memory, which were checked.
    pub(crate) fn memory(data: &'a [f32], dim: usize) -> Self {
        Reader { from: Origin::Memory(Rows { data, dim }), order: None }
    }

    /// Rows of a source, which are checked whenever they are read.
    pub(crate) fn source(source: &'a dyn RowSource, metric: Metric) -> Self {
        Reader { from: Origin::Source(source, Some(metric)), order: None }
    }

    /// Rows of a source that checks them itself, as they are: under cosine they are not scaled.
    pub(crate) fn decoded(source: &'a dyn RowSource) -> Self {
        Reader { from: Origin::Source(source, None), order: None }
    }

    /// The rows with these numbers, in this order. The reader must have the order of the source.
    pub(crate) fn select(self, order: &'a [u32]) -> Self {
        debug_assert!(self.order.is_none(), "an order of an order is not used");
        Reader { order: Some(order), ..self }
    }

    pub(crate) fn dim(&self) -> usize {
        match self.from {
            Origin::Memory(rows) => rows.dim,
            Origin::Source(source, _) => source.dim(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match (self.order, self.from) {
            (Some(order), _) => order.len(),
            (None, Origin::Memory(rows)) => rows.count(),
            (None, Origin::Source(source, _)) => source.count(),
        }
    }

    fn number(&self, at: u32) -> u32 {
        self.order.map_or(at, |order| order[at as usize])
    }

    /// Calls `f` for each of these rows, in this order.
    pub(crate) fn each(
        &self,
        rows: impl IntoIterator<Item = u32>,
        mut f: impl FnMut(&[f32]),
    ) -> Result<(), Error> {
        self.try_each(rows, |row| {
            f(row);
            Ok(())
        })
    }

    /// As [`Reader::each`] where `f` may fail.
    pub(crate) fn try_each(
        &self,
        rows: impl IntoIterator<Item = u32>,
        mut f: impl FnMut(&[f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let dim = self.dim();
        let mut rows = rows.into_iter().map(|at| self.number(at));
        let (source, metric) = match self.from {
            Origin::Memory(all) => return rows.try_for_each(|row| f(all.row(row))),
            Origin::Source(source, metric) => (source, metric),
        };
        let (mut tile, mut buffer) = (Vec::new(), Vec::new());
        loop {
            tile.clear();
            tile.extend(rows.by_ref().take((TILE / dim).max(1)));
            if tile.is_empty() {
                return Ok(());
            }
            buffer.resize(tile.len() * dim, 0.0);
            let mut rest = &mut buffer[..];
            // Rows that follow one another are read at once.
            for run in tile.chunk_by(|a, b| a + 1 == *b) {
                let (now, later) = rest.split_at_mut(run.len() * dim);
                source.read(run[0] as usize, now)?;
                rest = later;
            }
            for (row, &number) in buffer.chunks_exact_mut(dim).zip(&tile) {
                if let Some(metric) = metric {
                    check_row(row, number as usize, metric)?;
                }
                f(row)?;
            }
        }
    }

    /// A copy of these rows, in this order.
    pub(crate) fn gather(&self, rows: &[u32]) -> Result<Vec<f32>, Error> {
        let mut gathered = room_for(rows.len() * self.dim())?;
        self.each(rows.iter().copied(), |row| gathered.extend_from_slice(row))?;
        Ok(gathered)
    }

    /// Calls `f` for all rows in order, a block at a time, with the numbers of its rows. Threads share the reading of a
    /// block.
    pub(crate) fn blocks(
        &self,
        mut f: impl FnMut(Range<usize>, &[f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (dim, count) = (self.dim(), self.count());
        if let (Origin::Memory(rows), None) = (self.from, self.order) {
            return block_ranges(dim, count)
                .try_for_each(|range| f(range.clone(), &rows.data[range.start * dim..range.end * dim]));
        }
        let mut block = Vec::new();
        for range in block_ranges(dim, count) {
            block.resize(range.len() * dim, 0.0);
            let rows = (TILE / dim).max(1);
            exec::try_for_each_chunk_mut(&mut block, rows * dim, |tile, into| {
                let first = (range.start + tile * rows) as u32;
                let mut into = into.chunks_exact_mut(dim);
                self.each(first..first + into.len() as u32, |row| {
                    into.next().into_iter().for_each(|into| into.copy_from_slice(row));
                })
            })?;
            f(range, &block)?;
        }
        Ok(())
    }
}

/// Reads all rows of a source, calls `raw` with each block as it is, then checks it and calls `checked`.
pub(crate) fn check_all(
    source: &dyn RowSource,
    metric: Metric,
    mut raw: impl FnMut(&[f32]),
    mut checked: impl FnMut(Range<usize>, &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    let dim = source.dim();
    let rows = (TILE / dim).max(1);
    let mut block = Vec::new();
    for range in block_ranges(dim, source.count()) {
        block.resize(range.len() * dim, 0.0);
        exec::try_for_each_chunk_mut(&mut block, rows * dim, |tile, into| {
            source.read(range.start + tile * rows, into)
        })?;
        raw(&block);
        check_rows(&mut block, range.start, dim, metric)?;
        checked(range, &block)?;
    }
    Ok(())
}

/// Refuses rows for which no distance is defined, and under cosine scales every row to length 1. `first` is the number
/// of the first.
pub(crate) fn check_rows(rows: &mut [f32], first: usize, dim: usize, metric: Metric) -> Result<(), Error> {
    const CHUNK: usize = 256;
    exec::try_for_each_chunk_mut(rows, dim * CHUNK, |chunk, rows| {
        let mut rows = rows.chunks_exact_mut(dim).zip(first + chunk * CHUNK..);
        rows.try_for_each(|(row, number)| check_row(row, number, metric))
    })
}

fn block_ranges(dim: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let rows = (BLOCK / dim).max(1);
    (0..count).step_by(rows).map(move |first| first..(first + rows).min(count))
}
