//! The exact answer of each query.

use super::QUERIES;
use crate::build::clusters::questions::Question;
use crate::exec;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::segment::clusters::NEIGHBOURS;
use crate::vectors::Rows;

/// Finds the exact answer of each query.
pub(super) fn truths(rows: Rows<'_>, metric: Metric, questions: &[Question]) -> Vec<Truth> {
    exec::map_chunks(questions.len(), 1, |q| Truth::new(rows, metric, &questions[q.start], q.start))
}

/// The rows nearest to one query, by exact distance.
pub(super) struct Truth {
    /// For each of [`NEIGHBOURS`]: how many rows are wanted, and the distance of the last of them.
    far: [(usize, f32); NEIGHBOURS.len()],
    /// The rows no farther than the last that is wanted, by distance.
    near: Vec<(f32, u32)>,
}

impl Truth {
    /// `number` is that of the query: only the first few are measured with many neighbours.
    fn new(rows: Rows<'_>, metric: Metric, question: &Question, number: usize) -> Self {
        let mut distances = exact(rows, metric, &question.query);
        for &row in &question.without {
            if let Some(distance) = distances.get_mut(row as usize) {
                *distance = f32::INFINITY;
            }
        }
        let wanted = NEIGHBOURS.map(|n| (n as usize).min(distances.len()));
        let deepest = (0..NEIGHBOURS.len()).rev().find(|&at| number < QUERIES[at]).unwrap_or(0);
        let last = wanted[deepest].saturating_sub(1);
        let limit = match distances.is_empty() {
            true => 0.0,
            false => *distances.clone().select_nth_unstable_by(last, f32::total_cmp).1,
        };
        let mut near: Vec<(f32, u32)> = distances.drain(..).zip(0..).filter(|&(d, _)| d <= limit).collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let far = wanted.map(|count| (count, near.get(count.saturating_sub(1)).map_or(limit, |n| n.0)));
        Truth { far, near }
    }

    /// The rows no farther than the last that is wanted, and how many are wanted. `number` is an index of
    /// [`NEIGHBOURS`].
    pub(super) fn of(&self, number: usize) -> (&[(f32, u32)], usize) {
        let (count, far) = self.far[number];
        (&self.near[..self.near.partition_point(|n| n.0 <= far)], count)
    }
}

/// The distances of a query to all rows.
fn exact(rows: Rows<'_>, metric: Metric, query: &[f32]) -> Vec<f32> {
    let dim = rows.dim;
    let mut all = Vec::with_capacity(rows.count());
    for four in rows.data.chunks(4 * dim) {
        let each = std::array::from_fn(|i| four.get(i * dim..(i + 1) * dim).unwrap_or(&four[..dim]));
        let distances = match metric {
            Metric::L2 => (kernels().l2_f32x4)(query, each),
            Metric::Cosine | Metric::Dot => (kernels().dot_f32x4)(query, each).map(|dot| -dot),
        };
        all.extend_from_slice(&distances[..four.len() / dim]);
    }
    all
}
