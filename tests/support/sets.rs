//! Sets of rows that may be hits, as filters give them, and what a search under one finds of the exact answer.

use super::data::Random;
use super::odd::Measured;
use super::oracle;
use pagevec::{Id, Index, Metric, SearchOptions};

/// How a set lies to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Drawn at random.
    Random,
    /// The rows nearest to the query's nearest row.
    Near,
    /// The rows nearest to a row that is farther from the query than nine of ten.
    Far,
    /// The rows farthest from the query: all that are nearer may not be hits.
    Beyond,
}

/// Rows, and a query with its exact scores.
pub(crate) struct Asked<'a> {
    pub(crate) metric: Metric,
    pub(crate) rows: &'a [f32],
    pub(crate) query: &'a [f32],
    pub(crate) scores: Vec<f64>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(metric: Metric, rows: &'a [f32], query: &'a [f32]) -> Self {
        Asked { metric, rows, query, scores: oracle::scores(metric, rows, query) }
    }

    /// The numbers of the rows of a set: about `share` of all, at least one.
    pub(crate) fn set(&self, kind: Kind, share: f64, seed: u64) -> Vec<u32> {
        let count = self.scores.len();
        let wanted = ((count as f64 * share) as usize).clamp(1, count);
        let around = |row: u32| {
            let dim = self.query.len();
            let row = &self.rows[row as usize * dim..][..dim];
            let mut order = best_first(&oracle::scores(self.metric, self.rows, row));
            order.truncate(wanted);
            order
        };
        match kind {
            Kind::Random => {
                let mut random = Random(seed);
                let mut order: Vec<u32> = (0..count as u32).collect();
                random.shuffle(&mut order);
                order.truncate(wanted);
                order
            }
            Kind::Near => around(best_first(&self.scores)[0]),
            Kind::Far => around(best_first(&self.scores)[count * 9 / 10]),
            Kind::Beyond => best_first(&self.scores)[count - wanted..].to_vec(),
        }
    }

    /// The part of the `k` nearest rows of `set` that `index` finds, and the distances it computes; ids are row numbers.
    /// Panics unless the hits are rows of the set, as many as are wanted or as it has.
    pub(crate) fn found(&self, index: &Index, set: &[u32], options: &SearchOptions) -> (f64, u64) {
        let ids: Vec<Id> = set.iter().map(|&row| Id::Number(row.into())).collect();
        let answer = index.search(self.query, &options.clone().among(ids)).expect("the rows are there");
        let k = options.k.min(set.len());
        assert_eq!(answer.hits.len(), k, "of {} rows", set.len());
        let mut inside = vec![false; self.scores.len()];
        set.iter().for_each(|&row| inside[row as usize] = true);
        assert!(answer.hits.iter().all(|hit| inside[oracle::row(&hit.id)]), "a hit outside the set");
        let scores: Vec<f64> = set.iter().map(|&row| self.scores[row as usize]).collect();
        let least = oracle::kth(&scores, k);
        let least = least - 1e-6 * least.abs().max(1.0);
        let near = answer.hits.iter().filter(|hit| self.scores[oracle::row(&hit.id)] >= least).count();
        (near as f64 / k as f64, answer.stats.distances)
    }
}

/// What was found in all. Rows that were ranked again were not counted.
pub(crate) fn measured(found: &[(f64, u64)]) -> Measured {
    Measured::of(found.iter().map(|f| f.0).collect(), [found.iter().map(|f| f.1).sum(), 0])
}

fn best_first(scores: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
    order
}
