//! The queries of a calibration, with their exact answers.

use super::truth::{Truth, truths};
use super::{MANY_WANTED, QUERIES, TYPICAL};
use crate::build::clusters::questions::{Question, questions};
use crate::build::clusters::tree::Tree;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::metric::Metric;
use crate::rows::Reader;

/// The distance of a query from the row that it is made of, as a part of the row's distance to its eighth neighbour.
const ASIDE: f32 = 0.75;

/// Queries and their exact answers.
pub(crate) struct Sample {
    pub(super) questions: Vec<Question>,
    pub(super) truths: Vec<Truth>,
    /// Whether they are made of rows: real queries will miss more.
    pub(super) made: bool,
    /// The first of [`NEIGHBOURS`](crate::segment::clusters::NEIGHBOURS) that they are used for.
    pub(super) first: usize,
}

/// Questions, whether they are made of rows, and the first of the numbers of neighbours that they are used for.
type Asked = (Vec<Question>, bool, usize);

impl Sample {
    /// Answers all questions in one pass over the rows.
    fn answer(
        rows: Reader<'_>,
        metric: Metric,
        asked: Vec<Asked>,
        ctx: &Ctx<'_>,
    ) -> Result<Vec<Self>, Error> {
        let all: Vec<(usize, &Question)> =
            asked.iter().flat_map(|asked| asked.0.iter().enumerate()).collect();
        let mut found = truths(rows, metric, &all, ctx)?.into_iter();
        let sample = |(questions, made, first): Asked| {
            let truths = found.by_ref().take(questions.len()).collect();
            Sample { questions, truths, made, first }
        };
        Ok(asked.into_iter().map(sample).collect())
    }

    /// Queries that the caller gave (row-major).
    pub(crate) fn given(
        rows: Reader<'_>,
        metric: Metric,
        queries: &[f32],
        ctx: &Ctx<'_>,
    ) -> Result<Vec<Self>, Error> {
        let given = queries.chunks_exact(rows.dim()).take(QUERIES[TYPICAL.0]).map(Question::given);
        Sample::answer(rows, metric, vec![(given.collect(), false, 0)], ctx)
    }

    /// Queries made of moved rows. Where as many neighbours are wanted as a cluster may hold, there is a second sample
    /// of rows that are not moved: a row that is moved towards another cluster has neighbours there that are easier to
    /// find.
    pub(crate) fn made(
        rows: Reader<'_>,
        tree: &Tree,
        spilled: &[Vec<u32>],
        metric: Metric,
        seed: u64,
        ctx: &Ctx<'_>,
    ) -> Result<Vec<Self>, Error> {
        let made = |push, seed, first: usize| -> Result<Asked, Error> {
            let count = QUERIES[first.max(TYPICAL.0)];
            Ok((questions(rows, tree, spilled, metric, push, seed, count)?, true, first))
        };
        let asked = vec![made(ASIDE, seed, 0)?, made(0.0, !seed, MANY_WANTED)?];
        Sample::answer(rows, metric, asked, ctx)
    }
}
