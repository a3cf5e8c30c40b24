//! Measures searches under filters beside searches of all rows, in one run.
//!
//! `cargo xtask bench filters` runs it and files the table. `PAGEVEC_DATA=… cargo bench --bench filters -- [--queries 50]
//! [-k 10] [--rows 117791]` builds the rows of wordnet, or the first ones, with the default options,
//! their fields (part of speech, domain, number of words) and two generated ones, and prints a table. Times are of one thread,
//! the least of five of each query, under a filter whose rows are kept from the search before; `set` is what the first search
//! under a filter takes more. A cold query reads a file of which nothing is held.

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, clippy::duplicate_mod)]
mod support;
#[path = "../tests/support/words.rs"]
mod words;

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use pagevec::{BuildOptions, Ctx, Fields, Filter, Index, IndexChoice, Io, OpenOptions, SearchOptions};
use serde_json::Value;
use support::data::Random;
use support::oracle;

const TIMES: usize = 5;
/// `a` and `b` are drawn from so many numbers.
const DRAWN: usize = 1_000_000;

/// Wordnet's own fields, and the generated ones.
const FILTERS: [&str; 20] = [
    r#"{"pos":"n"}"#,
    r#"{"word_count":{"$gte":2}}"#,
    r#"{"word_count":{"$gte":3}}"#,
    r#"{"pos":"v"}"#,
    r#"{"domain":"noun.artifact"}"#,
    r#"{"domain":"noun.communication"}"#,
    r#"{"domain":{"$in":["verb.social","noun.relation"]}}"#,
    r#"{"word_count":{"$gte":6}}"#,
    r#"{"domain":"noun.motive"}"#,
    r#"{"pos":"n","word_count":{"$gte":4}}"#,
    r#"{"a":{"$lt":500000}}"#,
    r#"{"a":{"$gte":300000,"$lt":500000}}"#,
    r#"{"a":{"$lt":100000}}"#,
    r#"{"a":{"$lt":50000}}"#,
    r#"{"a":{"$lt":20000}}"#,
    r#"{"a":{"$lt":10000}}"#,
    r#"{"a":{"$lt":1000}}"#,
    r#"{"a":{"$lt":200000},"b":{"$lt":200000}}"#,
    r#"{"$or":[{"pos":"r"},{"b":{"$lt":20000}}]}"#,
    r#"{"pos":{"$ne":"n"}}"#,
];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(data) = support::npy::folder() else {
        println!("PAGEVEC_DATA is not set: nothing to measure");
        return Ok(());
    };
    let number = |name: &str, or: usize| argument(name).map_or(Ok(or), |n| n.parse());
    let k = number("-k", 10)?;
    let (queries, dim) = support::npy::f16(&data.join("queries.f16.npy"), number("--queries", 50)?);
    let (rows, _) = support::npy::f16(&data.join("base.f16.npy"), number("--rows", usize::MAX / dim)?);
    let mut random = Random(1);
    let docs: Vec<Value> = words::docs(&data.join("docs.jsonl.gz"))?
        .into_iter()
        .take(rows.len() / dim)
        .map(|mut doc| {
            doc["a"] = random.below(DRAWN).into();
            doc["b"] = random.below(DRAWN).into();
            doc
        })
        .collect();
    let built = BuildOptions::default().fields(Fields::of(docs.iter().map(Value::to_string)));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wordnet.bin");
    std::fs::write(&path, pagevec::build(rows.clone(), dim, None, &built, &Ctx::default())?)?;
    let index = Index::open_with(&path, &OpenOptions::new().io(Io::Memory))?;
    let scores: Vec<Vec<f64>> =
        queries.chunks_exact(dim).map(|query| oracle::scores(built.metric, &rows, query)).collect();
    let flat = SearchOptions::new(k).index(IndexChoice::Flat);
    let scan = time(&queries, dim, |query| index.search(query, &flat).map(drop))?;
    println!("a scan of all codes: {:.0} us\n", micros(scan));
    println!(
        "| filter | rows | answered by | recall | worst tenth | us | of unfiltered | set us | of a scan | cold bytes | of unfiltered | waves |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut all = None;
    for filter in std::iter::once(None).chain(FILTERS.map(Some)) {
        let parsed = filter.map(Filter::parse).transpose()?;
        let options = SearchOptions::new(k).filter(parsed.clone());
        let matches: Vec<bool> = docs.iter().map(|doc| matches(filter, doc)).collect();
        let count = matches.iter().filter(|&&m| m).count();
        assert_eq!(index.count(parsed.clone())?, count as u64, "{filter:?}");
        let (mut recalls, mut answered) = (Vec::new(), "");
        for (query, scores) in queries.chunks_exact(dim).zip(&scores) {
            let answer = index.search(query, &options)?;
            let of: Vec<f64> = scores.iter().zip(&matches).filter(|(_, m)| **m).map(|(s, _)| *s).collect();
            let wanted = k.min(of.len());
            assert_eq!(answer.hits.len(), wanted, "{filter:?}");
            let least = oracle::kth(&of, wanted) - 1e-6;
            let near = answer.hits.iter().filter(|hit| scores[oracle::row(&hit.id)] >= least);
            recalls.push(near.count() as f64 / wanted as f64);
            answered = answer.stats.index;
        }
        recalls.sort_unstable_by(f64::total_cmp);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        let took = time(&queries, dim, |query| index.search(query, &options).map(drop))?;
        let set = set(&index, parsed.clone())?;
        let cold = cold(&path, &queries, dim, &options.index(IndexChoice::Clusters))?;
        let (plain, plain_cold) = *all.get_or_insert((took, cold.0));
        println!(
            "| {} | {:.2} % | {answered} | {:.3} | {:.3} | {:.0} | {:.2} | {:.1} | {:.2} % | {:.0} | {:.2} | {:.2} |",
            filter.unwrap_or("none"),
            count as f64 / docs.len() as f64 * 100.0,
            mean(&recalls),
            mean(&recalls[..recalls.len().div_ceil(10)]),
            micros(took),
            plain.as_secs_f64() / took.as_secs_f64(),
            micros(set),
            set.as_secs_f64() / scan.as_secs_f64() * 100.0,
            cold.0,
            cold.0 / plain_cold,
            cold.1,
        );
    }
    Ok(())
}

/// The mean over the queries of the least of five times.
fn time(
    queries: &[f32],
    dim: usize,
    mut work: impl FnMut(&[f32]) -> Result<(), pagevec::Error>,
) -> Result<Duration, pagevec::Error> {
    let mut total = Duration::ZERO;
    for query in queries.chunks_exact(dim) {
        let mut least = Duration::MAX;
        for _ in 0..TIMES {
            let started = Instant::now();
            work(query)?;
            least = least.min(started.elapsed());
        }
        total += least;
    }
    Ok(total / (queries.len() / dim) as u32)
}

/// The time of making the set of a filter: the least of five, after another filter each time.
fn set(index: &Index, filter: Option<Filter>) -> Result<Duration, pagevec::Error> {
    let mut least = Duration::MAX;
    for _ in 0..TIMES {
        index.count(Filter::all())?;
        let started = Instant::now();
        index.count(filter.clone())?;
        least = least.min(started.elapsed());
    }
    Ok(least)
}

/// Bytes and waves of a query on average, each over a file of which nothing is held.
fn cold(
    path: &Path,
    queries: &[f32],
    dim: usize,
    options: &SearchOptions,
) -> Result<(f64, f64), pagevec::Error> {
    let (mut bytes, mut waves) = (0, 0);
    for query in queries.chunks_exact(dim) {
        let fresh = Index::open_with(path, &OpenOptions::new().io(Io::Pread).memory_budget(64 << 20))?;
        let stats = fresh.search(query, options)?.stats;
        (bytes, waves) = (bytes + stats.bytes, waves + stats.waves);
    }
    let count = (queries.len() / dim) as f64;
    Ok((bytes as f64 / count, waves as f64 / count))
}

fn matches(filter: Option<&str>, doc: &Value) -> bool {
    let Some(row) = doc.as_object() else { return false };
    filter.and_then(|text| serde_json::from_str(text).ok()).is_none_or(|f| support::payload::matches(&f, row))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn argument(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    arguments.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1].clone())
}
