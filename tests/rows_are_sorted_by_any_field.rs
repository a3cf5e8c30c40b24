//! Pages of rows in the order of a field, numbers, times, texts or booleans, are those of the definition, and are read in few waves
//! and bytes, also where few rows match.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::{
    BuildOptions, Fields, Filter, Id, Ids, Index, Metric, Operation, Outcome, PositionSet, RowPlace,
    RowsQuery, SessionOptions,
};
use serde_json::{Value, json};
use support::data::{self, Random};
use support::paged::{Cost, Remote, least_budget};
use support::payload::{self, Key, Row};
use support::{file, oracle};

const DIM: usize = 8;

fn build(vectors: &[f32], rows: &[Row], first: u64) -> Vec<u8> {
    let lines = rows.iter().map(|row| serde_json::to_string(row).unwrap());
    let ids = Ids::Numbers((first..first + rows.len() as u64).collect());
    let options = BuildOptions::new(Metric::L2).graph(false).clusters(false);
    file(vectors, vectors.len() / rows.len(), Some(ids), &options.fields(Fields::of(lines)))
}

fn parsed(filter: &Value) -> Filter {
    Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{filter}: {error}"))
}

#[test]
fn pages_are_sorted_by_a_field() {
    let counts = [1500, 800];
    let vectors = data::clustered(counts.iter().sum(), DIM, 41);
    let rows = payload::rows(counts.iter().sum(), 41);
    let files = [
        build(&vectors[..counts[0] * DIM], &rows[..counts[0]], 0),
        build(&vectors[counts[0] * DIM..], &rows[counts[0]..], counts[0] as u64),
    ];
    let segments: Vec<(&[u8], Option<PositionSet>)> =
        files.iter().map(|file| (file.as_slice(), None)).collect();
    let mut remote = Remote::of_segments(&segments, &SessionOptions::new(1 << 30)).unwrap();
    let places: Vec<Option<RowPlace>> = (0..rows.len() as u64)
        .map(|row| match remote.run(Operation::Find(Id::Number(row))).unwrap().0 {
            Outcome::Row(place) => place,
            other => panic!("{other:?}"),
        })
        .collect();
    let mut page = |query: RowsQuery| match remote.run(Operation::Page(query)).unwrap() {
        (Outcome::Rows(page), cost) => (page, cost),
        other => panic!("{other:?}"),
    };
    let mut random = Random(42);
    for round in 0..96 {
        let filter = (round % 4 > 0).then(|| payload::filter(&mut random, 1));
        let matching: Vec<usize> = (0..rows.len())
            .filter(|&row| filter.as_ref().is_none_or(|filter| payload::matches(filter, &rows[row])))
            .collect();
        let field = ["price", "size", "scores", "at", "colour", "tags", "stock", "rare"][round % 8];
        let down = random.below(2) == 0;
        let query = RowsQuery::new(rows.len()).sort_by(field.to_owned()).descending(down);
        let (all, _) = page(query.clone().filter(filter.as_ref().map(parsed)));
        assert!(all.next.is_none());
        let found: Vec<usize> = all.rows.iter().map(|row| oracle::row(&row.id)).collect();
        let mut sorted = found.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, matching, "each row once: {filter:?}");
        // The least or the greatest value of each row; none comes last.
        let values: Vec<Option<Key>> =
            found.iter().map(|&row| payload::extreme_key(&rows[row], field, down)).collect();
        let in_order = |a: &Option<Key>, b: &Option<Key>| match (a, b) {
            (Some(a), Some(b)) => {
                if down {
                    a >= b
                } else {
                    a <= b
                }
            }
            (a, b) => a.is_some() || b.is_none(),
        };
        assert!(values.is_sorted_by(in_order), "{field} {down}: {values:?}");
        // Rows of equal values are in the order in which they are stored.
        for (pair, rows) in values.windows(2).zip(found.windows(2)).filter(|(pair, _)| pair[0] == pair[1]) {
            assert!(places[rows[0]] < places[rows[1]], "{field} {down}: {pair:?}");
        }
        // Pages are parts of the list of all.
        let (offset, limit) = (random.below(found.len() + 2), random.below(40) + 1);
        let part = RowsQuery::new(limit).offset(offset).sort_by(field.to_owned()).descending(down);
        let (part, _) = page(part.filter(filter.as_ref().map(parsed)));
        let ids: Vec<usize> = part.rows.iter().map(|row| oracle::row(&row.id)).collect();
        assert_eq!(
            ids,
            found[offset.min(found.len())..(offset + limit).min(found.len())],
            "{offset} {limit}"
        );
        assert_eq!(part.next.is_some(), offset + limit < found.len());
    }
}

/// A row of 60,000: a number and texts that say nothing of each other, and a text that few rows have.
fn row(random: &mut Random, number: usize) -> Row {
    let mut row = Row::new();
    row.insert("n".to_owned(), json!(random.below(1 << 30)));
    row.insert("word".to_owned(), json!(format!("word {:04}", random.below(3000))));
    row.insert("kind".to_owned(), json!(["noun", "verb", "adverb"][random.below(3)]));
    if number.is_multiple_of(500) {
        row.insert("pick".to_owned(), json!(format!("pick {}", number % 3)));
    }
    row
}

#[test]
fn few_waves_where_few_rows_match() {
    let mut random = Random(51);
    let rows: Vec<Row> = (0..60_000).map(|number| row(&mut random, number)).collect();
    let file = build(&vec![1.0; 2 * rows.len()], &rows, 0);
    let index = Index::from_bytes(&file).unwrap();
    let picked = json!({ "pick": { "$exists": true } });
    let one = json!({ "pick": "pick 1", "kind": "noun" });
    // A wave or two for the filter, one or two for the order, two for the rows, nearly each of which is in a block of its own.
    for (field, filter, limit, waves, bytes) in [
        ("n", json!({}), 10, 3, 130_000),
        ("word", json!({}), 10, 3, 100_000),
        ("kind", json!({}), 10, 3, 40_000),
        ("n", picked.clone(), 20, 5, 450_000),
        ("n", picked.clone(), 500, 5, 650_000),
        ("word", picked.clone(), 20, 5, 200_000),
        ("word", one.clone(), 500, 5, 300_000),
        ("kind", picked, 500, 5, 350_000),
        ("n", one, 3, 5, 320_000),
    ] {
        for down in [false, true] {
            let mut fresh = Remote::open(&file, 64 << 20).unwrap();
            let query = RowsQuery::new(limit).sort_by(field.to_owned()).descending(down).fields(true);
            let query = query.filter((filter != json!({})).then(|| parsed(&filter)));
            let (found, cost) = match fresh.run(Operation::Page(query.clone())).unwrap() {
                (Outcome::Rows(page), cost) => (page, cost),
                other => panic!("{other:?}"),
            };
            let what = format!("{field} of {filter}, {limit}, {down}: {cost:?}");
            assert_eq!(found, index.page(query.clone()).unwrap(), "{what}");
            let mut wanted: Vec<(Value, usize)> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| payload::matches(&filter, row))
                .map(|(number, row)| (row[field].clone(), number))
                .collect();
            wanted.sort_by_key(|(value, _)| (value.as_str().map(str::to_owned), value.as_i64()));
            if down {
                wanted.reverse();
            }
            let values: Vec<&Value> = wanted.iter().take(limit).map(|(value, _)| value).collect();
            let own: Vec<Value> =
                found.rows.iter().map(|row| rows[oracle::row(&row.id)][field].clone()).collect();
            assert_eq!(own.iter().collect::<Vec<_>>(), values, "{what}");
            assert!(cost.waves <= waves && cost.bytes <= bytes, "{what}");
            // In the least memory the rows are the same.
            let mut tight = Remote::open(&file, least_budget(&file)).unwrap();
            let (page, _): (Outcome, Cost) = tight.run(Operation::Page(query)).unwrap();
            assert_eq!(page, Outcome::Rows(found), "{what}");
        }
    }
}
