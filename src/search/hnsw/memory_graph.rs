//! Codes and graph, whole: in memory or mapped.

use std::cell::Cell;

use super::nodes::{Distances, Local};
use super::walk::{Beam, TRIAL};
use crate::error::Error;
use crate::kernels::prefetch;
use crate::quant::{Codec, Prepared};
use crate::row_set::RowSet;
use crate::search::view::View;
use crate::segment::{GraphView, Matrix, SectionKind};
use crate::storage::{Extent, Source};

/// A walk over a mapping gives the system a hint at least once in this many steps, plus one.
const MOST_QUIET: u32 = 15;

/// See the head of this file.
pub(crate) struct MemoryGraph<'a> {
    source: &'a dyn Source,
    graph: GraphView<'a>,
    codes: &'a Matrix,
    /// All codes.
    pub(crate) rows: &'a [u8],
    /// The links of the first node in layer 0.
    first_links: Option<Extent>,
}

impl<'a> MemoryGraph<'a> {
    /// The codes and the graph of a segment, which the source must have. `checked`: the graph's layers were found to be
    /// in order before.
    pub(crate) fn new(view: &View<'a>, checked: bool) -> Result<Self, Error> {
        let View { segment, source, .. } = *view;
        let bytes = view.delivered(segment.required(SectionKind::Graph)?)?;
        let graph = GraphView::new(bytes, segment.count(), segment.header.m, checked)?;
        let codes = &segment.codes;
        let rows = view.delivered(codes.extent)?;
        source.prefetch(&mut std::iter::once(codes.row(graph.entry)));
        let first_links = segment.graph_parts().map(|parts| Extent { length: parts.stride, ..parts.base });
        Ok(MemoryGraph { source, graph, codes, rows, first_links })
    }

    /// Walks to the nearest rows of a prepared query that may be hits, which it leaves in `beam.pool`: `ef`, or fewer under a
    /// set of rows, but `least`. It gives up after so many distances as `limit` says, given the set, the number of nearest
    /// rows so far, how many of them are in the set, and how many it keeps.
    pub(crate) fn walk(
        &self,
        view: &View<'_>,
        prepared: &mut Prepared,
        (ef, least): (usize, usize),
        limit: impl Fn(&RowSet, [u64; 2], usize) -> u64,
        beam: &mut Beam,
    ) -> Result<(), Error> {
        let to = FromQuery {
            source: self.source,
            codec: &*self.codes.codec,
            prepared,
            rows: self.rows,
            stride: self.codes.stride as usize,
            first_row: self.codes.row(0),
            first_links: self.first_links,
            quiet: Cell::new((0, 1)),
        };
        let mut nodes = Local { graph: self.graph, to };
        beam.begin(ef);
        beam.may_keep(least);
        if let Some(rows) = view.rows {
            beam.give_up_after(TRIAL.min(rows.count() as u64));
            beam.search(&mut nodes, view.rows)?;
            if !beam.gave_up() {
                return Ok(());
            }
            beam.give_up_after(limit(rows, beam.found(rows), beam.ef));
        }
        beam.search(&mut nodes, view.rows).map(|_| ())
    }
}

/// The distances from one query to the rows of the graph.
struct FromQuery<'a> {
    source: &'a dyn Source,
    codec: &'a dyn Codec,
    prepared: &'a mut Prepared,
    rows: &'a [u8],
    stride: usize,
    /// The first row, and the links of the first node, in the file.
    first_row: Extent,
    first_links: Option<Extent>,
    /// How many steps pass before the source gets the next hint; how many passed before the last one.
    quiet: Cell<(u32, u32)>,
}

impl FromQuery<'_> {
    /// Announces to the source what the next step reads. While two of its rows had been announced before, as in the end
    /// all have, about twice as many steps pass each time before the next hint: so hints cost a walk through memory
    /// next to nothing.
    #[inline(never)]
    fn announce(&self, ids: &[u32], before: u32) {
        let Some((first, middle)) = ids.first().zip(ids.get(ids.len() / 2)) else { return };
        let mut news = self.source.prefetch_records(self.first_row, &[*first, *middle]);
        if news || before == 0 {
            news |= self.source.prefetch_records(self.first_row, ids);
            news |= self.first_links.is_some_and(|links| self.source.prefetch_records(links, ids));
        }
        let steps = if news { 0 } else { (2 * before + 1).min(MOST_QUIET) };
        self.quiet.set((steps, steps));
    }
}

impl Distances for FromQuery<'_> {
    fn distances(&mut self, ids: &[u32], out: &mut [f32]) {
        self.codec.distances(self.prepared, self.rows, ids, out);
    }

    fn prefetch(&self, ids: &[u32]) {
        ids.iter().for_each(|&id| prefetch(&self.rows[id as usize * self.stride..][..self.stride]));
        match self.quiet.get() {
            (0, before) => self.announce(ids, before),
            (steps, before) => self.quiet.set((steps - 1, before)),
        }
    }
}
