//! The exact answer of each query. All rows are read once for all queries.

use super::QUERIES;
use crate::build::clusters::questions::Question;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::rows::Reader;
use crate::segment::clusters::NEIGHBOURS;
use crate::sort;

/// Finds the exact answer of each query. The number beside a query is its number in its sample: only the first few of a
/// sample are measured with many neighbours.
pub(super) fn truths(
    rows: Reader<'_>,
    metric: Metric,
    questions: &[(usize, &Question)],
    ctx: &Ctx<'_>,
) -> Result<Vec<Truth>, Error> {
    let search = |&(number, question): &(usize, _)| (question, Search::new(number, rows.count()));
    let mut searches: Vec<(&Question, Search)> = questions.iter().map(search).collect();
    rows.blocks(|range, block| {
        exec::for_each_chunk_mut(&mut searches, 1, |_, searches| {
            for (question, search) in searches {
                search.compare(question, metric, range.start as u32, block);
            }
        });
        ctx.check()
    })?;
    Ok(searches.into_iter().map(|(_, search)| search.truth()).collect())
}

/// The rows nearest to one query, by exact distance.
pub(super) struct Truth {
    /// For each of [`NEIGHBOURS`]: how many rows are wanted, and the distance of the last of them.
    far: [(usize, f32); NEIGHBOURS.len()],
    /// The rows no farther than the last that is wanted, by distance.
    near: Vec<(f32, u32)>,
}

impl Truth {
    /// The rows no farther than the last that is wanted, and how many are wanted. `number` is an index of
    /// [`NEIGHBOURS`].
    pub(super) fn of(&self, number: usize) -> (&[(f32, u32)], usize) {
        let (count, far) = self.far[number];
        (&self.near[..self.near.partition_point(|n| n.0 <= far)], count)
    }
}

/// The search for one query, while rows are read.
struct Search {
    /// For each of [`NEIGHBOURS`], how many rows are wanted.
    wanted: [usize; NEIGHBOURS.len()],
    /// As many of the nearest are kept, and all that are as near as the last of these.
    keep: usize,
    kept: Vec<(f32, u32)>,
    /// Rows farther than this are none of them.
    limit: f32,
    /// The farther rows are dropped when so many are kept.
    most: usize,
    distances: Vec<f32>,
}

impl Search {
    fn new(number: usize, count: usize) -> Self {
        let wanted = NEIGHBOURS.map(|n| (n as usize).min(count));
        let deepest = (0..NEIGHBOURS.len()).rev().find(|&at| number < QUERIES[at]).unwrap_or(0);
        let keep = wanted[deepest].max(1);
        Search { wanted, keep, kept: Vec::new(), limit: f32::INFINITY, most: 4 * keep, distances: Vec::new() }
    }

    /// Compares the query with some rows, whose positions begin at `first`.
    fn compare(&mut self, question: &Question, metric: Metric, first: u32, rows: &[f32]) {
        distances(metric, &question.query, rows, &mut self.distances);
        for &row in &question.without {
            if let Some(distance) = self.distances.get_mut(row.wrapping_sub(first) as usize) {
                *distance = f32::INFINITY;
            }
        }
        let near = self.distances.iter().copied().zip(first..).filter(|near| near.0 <= self.limit);
        self.kept.extend(near);
        if self.kept.len() > self.most {
            self.drop_farther();
            // If many are equally far, all of them stay.
            self.most = self.kept.len() + 4 * self.keep;
        }
    }

    fn drop_farther(&mut self) {
        if self.kept.len() > self.keep {
            let nth = self.kept.select_nth_unstable_by(self.keep - 1, |a, b| a.0.total_cmp(&b.0)).1.0;
            self.limit = nth;
            self.kept.retain(|near| near.0 <= nth);
        }
    }

    fn truth(mut self) -> Truth {
        self.drop_farther();
        let mut near = self.kept;
        sort::by(&mut near, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.shrink_to_fit();
        let last = near.get(self.keep - 1).or(near.last()).map_or(0.0, |n| n.0);
        let far = self.wanted.map(|count| (count, near.get(count.saturating_sub(1)).map_or(last, |n| n.0)));
        Truth { far, near }
    }
}

/// The distances of a query to some rows.
fn distances(metric: Metric, query: &[f32], rows: &[f32], out: &mut Vec<f32>) {
    let dim = query.len();
    out.clear();
    for four in rows.chunks(4 * dim) {
        let each = std::array::from_fn(|i| four.get(i * dim..(i + 1) * dim).unwrap_or(&four[..dim]));
        let distances = match metric {
            Metric::L2 => (kernels().l2_f32x4)(query, each),
            Metric::Cosine | Metric::Dot => (kernels().dot_f32x4)(query, each).map(|dot| -dot),
        };
        out.extend_from_slice(&distances[..four.len() / dim]);
    }
}
