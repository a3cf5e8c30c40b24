//! Compares mixed rows with real ones: their distances, the recall of probing over equally many of both, and how
//! distances shrink as the number of rows grows.

use crate::exact::{Near, nearest};
use crate::mix::Random;
use crate::npy::Matrix;
use pagevec::{BuildOptions, Ctx, Id, Index, IndexChoice, SearchOptions};
use std::error::Error;
use std::io::{Write, stdout};

const PROBES: [usize; 5] = [16, 32, 64, 128, 256];
const DEPTH: usize = 100;
/// Rows that are looked up among the others.
const ROWS: usize = 500;

pub(crate) fn compare(base: &Matrix, queries: &Matrix, mixed: Matrix) -> Result<(), Box<dyn Error>> {
    let (count, rows) = (base.rows(), mixed.rows());
    let made = rows.checked_sub(count).filter(|&n| n >= count).ok_or("too few mixed rows to compare with")?;
    let mut random = Random(1);
    // Each n-th of them, from a random one: neither the order of the rows nor their parents show.
    let mut some = |wanted: usize, from: usize, total: usize| -> Vec<usize> {
        let start = random.below(total);
        let step = (total / wanted).max(1) | 1;
        (0..wanted).map(|i| from + (start + i * step) % total).collect()
    };
    let sets = [
        ("real / 4", base.take(&some(count / 4, 0, count))),
        ("real / 2", base.take(&some(count / 2, 0, count))),
        ("real", base.take(&(0..count).collect::<Vec<_>>())),
        ("mixed / 4", mixed.take(&some(count / 4, count, made))),
        ("mixed / 2", mixed.take(&some(count / 2, count, made))),
        ("mixed", mixed.take(&some(count, count, made))),
        ("all", mixed),
    ];
    let mut out = stdout().lock();
    writeln!(
        out,
        "| set | rows | asked by | d1 | d10 | d100 | d10/d1 | mean | σ/mean | mean/d10 | dimension |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    for (name, set) in &sets {
        distances(&mut out, name, set, "queries", queries, 0)?;
        let own = set.take(&(0..ROWS).map(|i| i * (set.rows() / ROWS)).collect::<Vec<_>>());
        distances(&mut out, name, set, "rows", &own, 1)?;
    }
    writeln!(out, "\n| set | probes | recall@10 | distances |\n|---|---|---|---|")?;
    for (name, set) in sets.iter().filter(|(name, _)| ["real", "mixed"].contains(name)) {
        probing(&mut out, name, set, queries)?;
    }
    Ok(())
}

/// Euclidean distances of rows of length 1. `skip` nearest are the query itself.
fn distances(
    out: &mut impl Write,
    name: &str,
    set: &Matrix,
    by: &str,
    queries: &Matrix,
    skip: usize,
) -> Result<(), Box<dyn Error>> {
    let distance = |near: &Near| f64::from((2.0 - 2.0 * near.cosine).max(0.0)).sqrt();
    let near: Vec<Vec<f64>> = nearest(set, queries, DEPTH + skip)
        .iter()
        .map(|list| list.iter().skip(skip).map(distance).collect())
        .collect();
    let mean = |f: &dyn Fn(&Vec<f64>) -> f64| near.iter().map(f).sum::<f64>() / near.len() as f64;
    let (d1, d10, d100) = (mean(&|d| d[0]), mean(&|d| d[9]), mean(&|d| d[DEPTH - 1]));
    // Levina and Bickel 2004, inverted means as MacKay and Ghahramani would have them.
    let spread = |d: &Vec<f64>| {
        let last = d[DEPTH - 1];
        d.iter().filter(|&&x| x > 0.0).map(|x| (last / x).ln()).sum::<f64>() / (DEPTH - 1) as f64
    };
    let dimension = 1.0 / mean(&spread);
    let some = set.take(&(0..2000).map(|i| i * (set.rows() / 2000)).collect::<Vec<_>>());
    let far: Vec<f64> = nearest(&some, queries, some.rows()).iter().flatten().map(distance).collect();
    let middle = far.iter().sum::<f64>() / far.len() as f64;
    let deviation = (far.iter().map(|d| (d - middle).powi(2)).sum::<f64>() / far.len() as f64).sqrt();
    writeln!(
        out,
        "| {name} | {} | {by} | {d1:.4} | {d10:.4} | {d100:.4} | {:.3} | {middle:.4} | {:.4} | {:.3} | {dimension:.1} |",
        set.rows(),
        d10 / d1,
        deviation / middle,
        middle / d10,
    )?;
    Ok(())
}

/// What lists of the clustered index find, and what they cost.
fn probing(out: &mut impl Write, name: &str, set: &Matrix, queries: &Matrix) -> Result<(), Box<dyn Error>> {
    let options = BuildOptions::default().graph(false);
    let file = pagevec::build(set.data.clone(), set.dim, None, &options, &Ctx::default())?;
    let index = Index::from_bytes(&file)?;
    let truth = nearest(set, queries, 10);
    for probes in PROBES {
        let options = SearchOptions::new(10).index(IndexChoice::Clusters).probes(probes);
        let answers = index.search_batch(&queries.data, &options)?;
        let found: usize = answers
            .iter()
            .zip(&truth)
            .map(|(answer, truth)| {
                let is_near = |id: &Id| truth.iter().any(|near| *id == Id::Number(near.row as u64));
                answer.hits.iter().filter(|hit| is_near(&hit.id)).count()
            })
            .sum();
        let distances = answers.iter().map(|answer| answer.stats.distances).sum::<u64>() as usize;
        let recall = found as f64 / (10 * answers.len()) as f64;
        writeln!(out, "| {name} | {probes} | {recall:.4} | {} |", distances / answers.len())?;
    }
    Ok(())
}
