//! The queries of a calibration that is given none, made of rows. Most are a row moved towards another by about the
//! distance between near rows. The two rows do not count as found, since a row of the index is far easier to find than
//! the neighbours of a real query. Every fourth query is made of a row that is far from all others, and that row
//! counts: where most rows are in dense groups, queries drawn by chance would rarely look elsewhere.

use super::tree::Tree;
use crate::error::Error;
use crate::hash::hash;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::rows::Reader;
use crate::sort;

/// A row is moved by a part of the distance to this neighbour, among the rows of its own list.
const NEIGHBOUR: usize = 8;
/// A row is moved at most this part of the way to another row: half way, both would be equally near.
const TOWARDS: f32 = 0.45;
/// One query of `FAR` is made of a row far from others: of `AMONG` rows, the farthest from the centroid of its leaf.
const FAR: u64 = 4;
const AMONG: u64 = 64;

/// A query, and the rows that do not count as found.
pub(crate) struct Question {
    pub(crate) query: Vec<f32>,
    pub(crate) without: [u32; 2],
}

impl Question {
    /// A query that the caller gave; all rows count.
    pub(crate) fn given(query: &[f32]) -> Self {
        Question { query: query.to_vec(), without: [u32::MAX; 2] }
    }
}

/// Makes `count` queries; rows are moved by `push` of the distance to a near row. `rows` are in the order of the tree.
pub(super) fn questions(
    rows: Reader<'_>,
    tree: &Tree,
    spilled: &[Vec<u32>],
    metric: Metric,
    push: f32,
    seed: u64,
    count: usize,
) -> Result<Vec<Question>, Error> {
    let total = (rows.count() as u64).max(1);
    let question = |q: u64| -> Result<Question, Error> {
        let first = hash(seed ^ hash(q));
        let far = q % FAR == FAR - 1;
        let mut drawn = (0..AMONG).map(|i| (hash(first ^ hash(i)) % total) as u32);
        let mut left = drawn.clone();
        let near = telling(rows, tree, spilled, &mut left)?.or(drawn.next()).unwrap_or(0);
        let other = telling(rows, tree, spilled, &mut left)?.unwrap_or(near);
        let row = if far { farthest(rows, tree, &drawn.collect::<Vec<u32>>())? } else { near };
        let query = aside(rows, metric, row, other, push * reach(rows, tree, spilled, row)?)?;
        let without = if far || rows.count() < 100 { [u32::MAX; 2] } else { [row, other] };
        Ok(Question { query, without })
    };
    (0..count as u64).map(question).collect()
}

/// The next of the drawn rows that tells something. A row with many copies does not: its copies are found with any
/// width.
fn telling(
    rows: Reader<'_>,
    tree: &Tree,
    spilled: &[Vec<u32>],
    drawn: &mut impl Iterator<Item = u32>,
) -> Result<Option<u32>, Error> {
    for row in drawn {
        if reach(rows, tree, spilled, row)? > 0.0 {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// The row, moved towards another by the distance `push`.
fn aside(rows: Reader<'_>, metric: Metric, row: u32, other: u32, push: f32) -> Result<Vec<f32>, Error> {
    let (row, other) = (rows.gather(&[row])?, rows.gather(&[other])?);
    let apart = (kernels().l2_f32)(&row, &other).sqrt();
    let share = if apart > 0.0 { (push / apart).min(TOWARDS) } else { 0.0 };
    let mut query: Vec<f32> = row.iter().zip(&other).map(|(a, b)| a + (b - a) * share).collect();
    if metric == Metric::Cosine {
        let norm = (kernels().dot_f32)(&query, &query).sqrt();
        // Two opposite rows may meet at the origin, which has no direction.
        match norm > 0.0 {
            true => query.iter_mut().for_each(|x| *x /= norm),
            false => query.copy_from_slice(&row),
        }
    }
    Ok(query)
}

/// The one of these rows that is farthest from the centroid of its leaf.
fn farthest(rows: Reader<'_>, tree: &Tree, among: &[u32]) -> Result<u32, Error> {
    let (mut best, mut numbers) = ((-1.0, 0), among.iter());
    rows.each(among.iter().copied(), |row| {
        let Some(&number) = numbers.next() else { return };
        let centroid = &tree.leaf_centroids[tree.leaf_of(number) as usize * row.len()..][..row.len()];
        let distance = (kernels().l2_f32)(row, centroid);
        if distance > best.0 {
            best = (distance, number);
        }
    })?;
    Ok(best.1)
}

/// The distance from a row to its eighth neighbour in its own list.
fn reach(rows: Reader<'_>, tree: &Tree, spilled: &[Vec<u32>], row: u32) -> Result<f32, Error> {
    let leaf = tree.leaf_of(row) as usize;
    let list = (tree.leaf_starts[leaf]..tree.leaf_starts[leaf + 1]).chain(spilled[leaf].iter().copied());
    let own = rows.gather(&[row])?;
    let mut squares: Vec<f32> = Vec::new();
    rows.each(list.filter(|&other| other != row), |other| squares.push((kernels().l2_f32)(&own, other)))?;
    sort::by(&mut squares, f32::total_cmp);
    Ok(squares.get(NEIGHBOUR - 1).or(squares.last()).copied().unwrap_or(0.0).sqrt())
}
