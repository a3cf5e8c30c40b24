//! A filter keeps the rows that match by its definition: in counts, facets and hits, over one segment and several with dead rows,
//! from memory and from a file that is read piece by piece. There are k hits wherever k rows match.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use pagevec::{
    BuildOptions, Fields, Filter, Id, Ids, Index, IndexChoice, Metric, Operation, Outcome, PositionSet,
    SearchOptions, SessionOptions,
};
use serde_json::Value;
use support::data::{self, Random};
use support::paged::{Remote, least_budget};
use support::payload::{self, Row};
use support::{file, oracle};

const DIM: usize = 8;

fn build(vectors: &[f32], rows: &[Row], first: u64) -> Vec<u8> {
    let lines = rows.iter().map(|row| serde_json::to_string(row).unwrap());
    let ids = Ids::Numbers((first..first + rows.len() as u64).collect());
    let options = BuildOptions::new(Metric::L2).ef_construction(30).max_iterations(2);
    file(vectors, DIM, Some(ids), &options.fields(Fields::of(lines)))
}

fn parsed(filter: &Value) -> Filter {
    Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{filter}: {error}"))
}

fn count(remote: &mut Remote<'_>, filter: &Filter) -> u64 {
    match remote.run(Operation::Count(Some(filter.clone()))).unwrap().0 {
        Outcome::Count(count) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_are_those_of_the_definition() {
    for (seed, rows) in [(1, 3000), (2, 700), (3, 64), (4, 1)] {
        let vectors = data::clustered(rows, DIM, seed);
        let rows = payload::rows(rows, seed);
        let file = build(&vectors, &rows, 0);
        let index = Index::from_bytes(&file).unwrap();
        let mut tight = Remote::open(&file, least_budget(&file)).unwrap();
        let mut random = Random(seed);
        for _ in 0..400 {
            let filter = payload::filter(&mut random, 3);
            let expected = rows.iter().filter(|row| payload::matches(&filter, row)).count() as u64;
            let parsed = known(&index, &filter);
            let Some(parsed) = parsed else { continue };
            assert_eq!(index.count(parsed.clone()).unwrap(), expected, "{filter}");
            assert_eq!(count(&mut tight, &parsed), expected, "{filter}, in the least memory");
        }
    }
}

#[test]
fn a_filter_is_evaluated_once_in_a_row() {
    let (vectors, rows) = (data::clustered(3000, DIM, 5), payload::rows(3000, 5));
    let file = build(&vectors, &rows, 0);
    let mut tight = Remote::open(&file, least_budget(&file)).unwrap();
    let mut random = Random(5);
    let filters: Vec<Filter> = (0..60).map(|_| parsed(&payload::filter(&mut random, 3))).collect();
    // Where the working memory has a limit, it is kept for operations.
    for (working, free) in [(u64::MAX, true), (64 << 20, false)] {
        tight.session.ledger().set_working(working);
        let (mut first, mut again) = (0, 0);
        for filter in &filters {
            let count = || Operation::Count(Some(filter.clone()));
            let (outcome, cost) = tight.run(count()).unwrap();
            let (same, more) = tight.run(count()).unwrap();
            assert_eq!(outcome, same);
            (first, again) = (first + cost.bytes, again + more.bytes);
        }
        assert!(first > 0 && (again == 0) == free, "{first} bytes, then {again}");
    }
}

/// `None` for a filter that names a field that no row of a small set has.
fn known(index: &Index, filter: &Value) -> Option<Filter> {
    let filter = parsed(filter);
    match index.count(filter.clone()) {
        Ok(_) => Some(filter),
        Err(error) => {
            assert_eq!(error.code(), "filter", "{error}");
            assert!(index.info().count < 1000, "{error}");
            None
        }
    }
}

#[test]
fn several_segments_and_dead_rows_are_one_index() {
    let counts = [900, 500, 1];
    let vectors = data::clustered(counts.iter().sum(), DIM, 7);
    let rows = payload::rows(counts.iter().sum(), 7);
    let mut files = Vec::new();
    let mut first = 0;
    for count in counts {
        files.push(build(
            &vectors[first * DIM..(first + count) * DIM],
            &rows[first..first + count],
            first as u64,
        ));
        first += count;
    }
    // By position: which id it is, the file says.
    let dead = |number: usize| {
        PositionSet::from_positions(counts[number], (0..counts[number] as u32).filter(|p| p % 7 == 3))
            .unwrap()
    };
    let segments: Vec<(&[u8], Option<PositionSet>)> =
        files.iter().enumerate().map(|(number, file)| (file.as_slice(), Some(dead(number)))).collect();
    let mut remote = Remote::of_segments(&segments, &SessionOptions::new(1 << 30)).unwrap();
    let mut lives = vec![true; rows.len()];
    for (row, lives) in lives.iter_mut().enumerate() {
        let (Outcome::Row(place), _) = remote.run(Operation::Find(Id::Number(row as u64))).unwrap() else {
            panic!("no row");
        };
        *lives = place.is_some();
    }
    assert_eq!(lives.iter().filter(|lives| !**lives).count(), 129 + 71);
    let mut random = Random(8);
    for _ in 0..300 {
        let filter = payload::filter(&mut random, 3);
        let matching = |row: usize| lives[row] && payload::matches(&filter, &rows[row]);
        let wanted: Vec<usize> = (0..rows.len()).filter(|&row| matching(row)).collect();
        assert_eq!(count(&mut remote, &parsed(&filter)), wanted.len() as u64, "{filter}");
        let query = random.vector(DIM);
        let options = SearchOptions::new(10).filter(parsed(&filter));
        let (answer, _) = remote.search(&query, &options).unwrap();
        let hits: Vec<usize> = answer.hits.iter().map(|hit| oracle::row(&hit.id)).collect();
        assert_eq!(hits.len(), wanted.len().min(10), "{filter}");
        assert!(hits.iter().all(|hit| wanted.contains(hit)), "{filter}");
    }
}

#[test]
fn every_route_finds_the_nearest_that_match() {
    let (count, k) = (4000, 10);
    let vectors = data::clustered(count, DIM, 11);
    let rows = payload::rows(count, 11);
    let file = build(&vectors, &rows, 0);
    let index = Index::from_bytes(&file).unwrap();
    let mut random = Random(12);
    let (mut found, mut wanted) = ([0; 4], 0);
    for query in data::queries(&vectors, DIM, 60, 13) {
        let filter = payload::filter(&mut random, 2);
        let matching: Vec<usize> = (0..count).filter(|&row| payload::matches(&filter, &rows[row])).collect();
        let scores = oracle::scores(Metric::L2, &vectors, &query);
        let of: Vec<f64> = matching.iter().map(|&row| scores[row]).collect();
        let least = if of.is_empty() { 0.0 } else { oracle::kth(&of, k.min(of.len())) };
        wanted += k.min(of.len());
        let choices = [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters];
        for (choice, found) in choices.into_iter().zip(&mut found) {
            let options = SearchOptions::new(k).index(choice).filter(parsed(&filter));
            let hits = index.search(&query, &options).unwrap().hits;
            assert_eq!(hits.len(), k.min(of.len()), "{filter} by {choice:?}");
            for hit in hits {
                let row = oracle::row(&hit.id);
                assert!(matching.contains(&row), "{filter} by {choice:?}: row {row} does not match");
                *found += usize::from(scores[row] >= least - 1e-6);
            }
        }
    }
    let recall = found.map(|found| found as f64 / wanted as f64);
    assert!(recall.iter().all(|&recall| recall >= 0.98), "{recall:?}");
}

#[test]
fn facets_count_the_values_of_the_rows_that_match() {
    let rows = payload::rows(2500, 21);
    let vectors = data::clustered(rows.len(), DIM, 21);
    let file = build(&vectors, &rows, 0);
    let index = Index::from_bytes(&file).unwrap();
    let mut random = Random(22);
    for round in 0..60 {
        let filter = (round > 0).then(|| payload::filter(&mut random, 2));
        for field in ["colour", "tags", "size", "price", "stock", "scores"] {
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for row in rows.iter().filter(|row| filter.as_ref().is_none_or(|f| payload::matches(f, row))) {
                let values = match row.get(field) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(all)) => all.clone(),
                    Some(one) => vec![one.clone()],
                };
                let mut texts: Vec<String> = values.iter().map(text).collect();
                texts.sort();
                texts.dedup();
                texts.into_iter().for_each(|text| *expected.entry(text).or_default() += 1);
            }
            let counts = index.facets(field, filter.as_ref().map(parsed), usize::MAX).unwrap();
            assert_eq!(counts.distinct, expected.len(), "{field} of {filter:?}");
            assert!(counts.values.is_sorted_by(|a, b| a.1 >= b.1));
            let found: BTreeMap<String, u64> =
                counts.values.iter().map(|(value, count)| (value.to_string(), *count)).collect();
            assert_eq!(found, expected, "{field} of {filter:?}");
            let few = index.facets(field, filter.as_ref().map(parsed), 3).unwrap();
            assert_eq!(few.values, counts.values[..counts.values.len().min(3)], "the first three of {field}");
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    }
}

#[test]
fn nothing_is_read_where_nothing_matches() {
    let rows = payload::rows(3000, 31);
    let vectors = data::clustered(rows.len(), DIM, 31);
    let file = build(&vectors, &rows, 0);
    let none = r#"{"colour": "no such colour", "size": {"$gte": 0}}"#;
    let mut remote = Remote::open(&file, 1 << 30).unwrap();
    let options = SearchOptions::new(10).filter(Filter::parse(none).unwrap());
    let (answer, cost) = remote.search(&[0.5; DIM], &options).unwrap();
    assert!(answer.hits.is_empty());
    assert_eq!((cost.bytes, cost.waves), (0, 0), "a keyword of few values is in the front");
}
