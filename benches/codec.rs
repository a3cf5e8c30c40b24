//! Measures which mean the sq8 codes of a collection should lie around: none (0), that of all rows, or that of the first
//! rows, which is known while rows still arrive.
//!
//! `PAGEVEC_DATA=… cargo bench --bench codec -- [--more FOLDER] [--rows 200000] [--queries 300]` prints a table of recall
//! at 10 of a scan over the codes alone, against the exact answer, and of the error of the codes: the distance between a
//! row and what its code stands for, as a part of the row's length, as a mean over some rows. Each set is taken in the
//! order in which its rows are, and sorted by topic, that is by the cells of a clustered index. `--more` is a folder with
//! base.f16.npy and queries.f16.npy, which are searched by cosine.

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, clippy::duplicate_mod)]
mod support;

use std::error::Error;
use std::path::Path;

use pagevec::{
    BuildInput, BuildOptions, Ctx, Id, Ids, Index, IndexChoice, Metric, SearchOptions, append_into,
};
use support::npy;
use support::odd::{self, Case};

/// Rows of which the mean is frozen.
const FIRST: usize = 4096;
/// Rows of which the error is measured, about.
const SAMPLE: usize = 500;
const COUNTS: [usize; 2] = [20_000, 1000];

/// What a set of codes finds and loses.
struct Figures {
    recall: f64,
    worst: f64,
    error: f64,
    /// Of the first rows and of the last.
    drift: [f64; 2],
}

fn main() -> Result<(), Box<dyn Error>> {
    let number = |name: &str, or: usize| argument(name).map_or(Ok(or), |n| n.parse());
    let (most, queries) = (number("--rows", 200_000)?, number("--queries", 300)?);
    println!(
        "| set | rows | dim | order | 0 | all rows | first {FIRST} | worst tenth: 0 | all | first | error: 0 | all | first | \
         of the last / the first {FIRST} |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    let folders =
        [npy::folder().map(|folder| ("wordnet", folder)), argument("--more").map(|f| ("more", f.into()))];
    for (name, folder) in folders.into_iter().flatten() {
        report(&real(name, &folder, [most, queries])?)?;
    }
    for case in odd_sets().into_iter() {
        report(&case)?;
    }
    Ok(())
}

fn real(name: &str, folder: &Path, [most, count]: [usize; 2]) -> Result<Case, Box<dyn Error>> {
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), most);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), count);
    let queries = queries.chunks_exact(dim).map(<[f32]>::to_vec).collect();
    Ok(Case { name: name.to_owned(), metric: Metric::Cosine, dim, rows, queries })
}

fn odd_sets() -> Vec<Case> {
    vec![
        odd::ordinary(Metric::Cosine, COUNTS, 96, 1),
        odd::ordinary(Metric::L2, COUNTS, 96, 2),
        odd::ordinary(Metric::Dot, COUNTS, 96, 3),
        odd::topics(COUNTS, 384, 0.1, 4),
        odd::topics(COUNTS, 96, 0.3, 5),
        odd::topics(COUNTS, 64, 1.0, 6),
        odd::narrow_cone(COUNTS, 96, 0.3, 7),
        odd::narrow_cone(COUNTS, 128, 0.1, 8),
        odd::one_wide_component(COUNTS, 64, 9),
        odd::far_clusters(COUNTS, 64, 3.0, 10),
        odd::far_clusters(COUNTS, 64, 10.0, 11),
        odd::far_clusters(COUNTS, 64, 30.0, 12),
        Case { metric: Metric::Dot, ..odd::far_clusters(COUNTS, 40, 30.0, 13) },
        odd::lengths(COUNTS, 64, 0.5, true, 14),
        odd::lengths(COUNTS, 64, 1.0, false, 15),
        odd::places(COUNTS, 16),
        odd::points(COUNTS, 17),
        odd::behind_a_clump(19_000, 1000, 64, 18),
        odd::copies(Metric::L2, COUNTS, 64, 2000, 0.1, 19),
        odd::many_equal(Metric::Cosine, COUNTS, 64, 10_000, 20),
        odd::categories(Metric::Cosine, 20_000, 300, 21),
        offset(odd::ordinary(Metric::L2, COUNTS, 96, 22), 30.0),
    ]
}

/// The same rows, far from the origin: as data is that was never centred.
fn offset(mut case: Case, by: f32) -> Case {
    case.name = format!("{} + {by}", case.name);
    let queries = case.queries.iter_mut().flatten();
    case.rows.iter_mut().chain(queries).for_each(|x| *x += by);
    case
}

/// Prints the lines of a set.
fn report(case: &Case) -> Result<(), Box<dyn Error>> {
    let truth = case.truth();
    let given: Vec<usize> = (0..case.count()).collect();
    let sorted = by_topic(case)?;
    // The codes around 0 and around the mean of all rows do not depend on the order.
    let zero = measure(case, &truth, &around_zero(case)?, &given)?;
    let all = measure(case, &truth, &of_rows(case, &given)?, &given)?;
    for (name, order) in [("as given", given), ("by topic", sorted)] {
        let first = measure(case, &truth, &of_rows(case, &order[..FIRST.min(order.len())])?, &order)?;
        let each =
            |of: fn(&Figures) -> f64| [&zero, &all, &first].map(|f| format!("{:.4}", of(f))).join(" | ");
        let [before, after] = first.drift;
        println!(
            "| {} | {} | {} | {name} | {} | {} | {} | {:.2} |",
            case.name,
            case.count(),
            case.dim,
            each(|f| f.recall),
            each(|f| f.worst),
            each(|f| f.error),
            after / before.max(1e-12)
        );
    }
    Ok(())
}

fn plain(metric: Metric) -> BuildOptions {
    BuildOptions::new(metric).graph(false).clusters(false).max_iterations(1)
}

/// An index whose codes lie around 0: the mean of a row and its negative.
fn around_zero(case: &Case) -> Result<Index, Box<dyn Error>> {
    let row = case.rows.chunks_exact(case.dim).find(|row| row.iter().any(|&x| x != 0.0)).unwrap_or_default();
    let both = row.iter().copied().chain(row.iter().map(|x| -x)).collect();
    Ok(Index::from_bytes(&pagevec::build(both, case.dim, None, &plain(case.metric), &Ctx::default())?)?)
}

/// An index whose codes lie around the mean of these rows.
fn of_rows(case: &Case, rows: &[usize]) -> Result<Index, Box<dyn Error>> {
    let rows = rows.iter().flat_map(|&row| &case.rows[row * case.dim..][..case.dim]).copied().collect();
    Ok(Index::from_bytes(&pagevec::build(rows, case.dim, None, &plain(case.metric), &Ctx::default())?)?)
}

/// The rows in the order of a clustered index's cells.
fn by_topic(case: &Case) -> Result<Vec<usize>, Box<dyn Error>> {
    let options = BuildOptions::new(case.metric).graph(false);
    let index =
        Index::from_bytes(&pagevec::build(case.rows.clone(), case.dim, None, &options, &Ctx::default())?)?;
    let mut order = Vec::with_capacity(case.count());
    for row in 0..case.count() {
        order.push((index.find(&Id::Number(row as u64))?.map(|place| place.position), row));
    }
    order.sort_unstable();
    Ok(order.into_iter().map(|(_, row)| row).collect())
}

/// All rows by the codec of `like`. `order` is that in which they arrive.
fn measure(
    case: &Case,
    truth: &[Vec<f64>],
    like: &Index,
    order: &[usize],
) -> Result<Figures, Box<dyn Error>> {
    let input = BuildInput::Memory { vectors: case.rows.clone(), dim: case.dim };
    let (ids, mut file) = (Ids::counting(case.count()), Vec::new());
    append_into(like, input, Some(ids), &plain(case.metric), &mut file, &Ctx::default())?;
    let index = Index::from_bytes(&file)?;
    let found = case.measure_by(truth, &index, 10, &SearchOptions::new(10).index(IndexChoice::Flat));
    let first = FIRST.min(order.len());
    let of = |rows: &[usize]| error(case, &index, rows);
    let drift = [of(&order[..first])?, of(&order[order.len() - first..])?];
    Ok(Figures { recall: found.mean, worst: found.worst_tenth, error: of(order)?, drift })
}

/// The mean error of some of these rows, as a part of their length.
fn error(case: &Case, index: &Index, rows: &[usize]) -> Result<f64, Box<dyn Error>> {
    let (mut sum, mut count) = (0.0, 0.0);
    for &row in rows.iter().step_by((rows.len() / SAMPLE).max(1)) {
        let stored = index.vector(&Id::Number(row as u64))?;
        let given = &case.rows[row * case.dim..][..case.dim];
        let norm = given.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let unit = if case.metric == Metric::Cosine { norm } else { 1.0 };
        let off = stored.iter().zip(given).map(|(&a, &b)| (f64::from(a) - f64::from(b) / unit).powi(2));
        let length = norm / unit;
        if length > 0.0 {
            sum += off.sum::<f64>().sqrt() / length;
            count += 1.0;
        }
    }
    Ok(sum / f64::max(count, 1.0))
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next()
}
