//! Whatever is written, updated, deleted, flushed, merged and reopened in between: filters, counts, facets and sorted pages of a
//! collection are those of a map of its rows, by the definition of a filter. An update changes fields and no vector.
//!
//! `PAGEVEC_MODEL_OPERATIONS` is how many operations to try, `PAGEVEC_MODEL_SEED` the first seed. A failure prints its seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use pagevec::{
    CodecKind, Collection, CollectionOptions, Ctx, Error, FieldType, FieldValue, Filter, FlushAt, Id,
    IndexChoice, MemoryDir, Metric, NewRow, Request, RowsQuery, Schema, SearchOptions,
};
use serde_json::{Value, json};
use support::data::Random;
use support::payload::{self, Row};

/// Operations, unless told.
const OPERATIONS: u64 = 15_000;
/// Operations with one collection.
const ROUND: u64 = 1500;
const IDS: usize = 150;
const DIM: usize = 5;
const FIELDS: [&str; 9] = ["colour", "tags", "size", "price", "scores", "stock", "at", "place", "rare"];
const FACETS: [&str; 8] = ["colour", "tags", "size", "price", "scores", "stock", "at", "rare"];
const SORTED: [&str; 7] = ["size", "price", "scores", "at", "colour", "tags", "stock"];
/// The beginning of 2026 in milliseconds, less the day that `payload::extreme` begins with.
const BEGIN: f64 = 1_767_225_600_000.0 - 86_400_000.0;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

fn schema() -> Schema {
    Schema::new()
        .field("colour", FieldType::Keyword)
        .field("tags", FieldType::Keyword)
        .field("size", FieldType::Integer)
        .field("price", FieldType::Float)
        .field("scores", FieldType::Integer)
        .field("stock", FieldType::Boolean)
        .field("at", FieldType::Timestamp)
        .field("place", FieldType::Geo)
        .field("rare", FieldType::Keyword)
        .stored("note")
}

/// A value in the order in which facets of equal counts stand.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Number(f64),
}

struct Trial {
    seed: u64,
    random: Random,
    texts: bool,
    options: CollectionOptions,
    dir: MemoryDir,
    collection: Option<Collection>,
    model: BTreeMap<Id, (Vec<f32>, Row)>,
    requests: u64,
    /// Filters that were evaluated, and those that named a field that no row has.
    filters: (u64, u64),
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let flush = FlushAt::default().rows(random.below(60) + 5);
        let options = CollectionOptions::new(DIM).metric(Metric::L2).flush(flush).log_bytes(1 << 14);
        let options = options.codec([CodecKind::F32, CodecKind::Sq8, CodecKind::Binary][random.below(3)]);
        let options = options.segment_rows(if random.below(3) == 0 { 80 } else { 1 << 20 });
        let options = options.schema((random.below(2) == 0).then(schema));
        let (texts, dir) = (random.below(2) == 0, MemoryDir::default());
        let collection = Some(Collection::open_in(dir.clone(), "here", &options).unwrap());
        let model = BTreeMap::new();
        Trial { seed, random, texts, options, dir, collection, model, requests: 0, filters: (0, 0) }
    }

    fn collection(&self) -> &Collection {
        self.collection.as_ref().unwrap()
    }

    fn id(&mut self) -> Id {
        let number = self.random.below(IDS);
        if self.texts { Id::Text(format!("id {number}")) } else { Id::Number(number as u64) }
    }

    fn row(&mut self) -> Row {
        let mut row = payload::rows(1, self.random.next()).remove(0);
        match self.random.below(12) {
            0 => Row::new(),
            // Of rows that are made one at a time each would be the first.
            1 => row,
            _ => {
                row.remove("rare");
                row
            }
        }
    }

    fn upsert(&mut self) {
        let rows: Vec<(Id, Vec<f32>, Row)> = (0..self.random.below(12) + 1)
            .map(|_| (self.id(), self.random.vector(DIM), self.row()))
            .collect();
        let texts: Vec<String> = rows.iter().map(|row| serde_json::to_string(&row.2).unwrap()).collect();
        let new: Vec<NewRow<'_>> = rows
            .iter()
            .zip(&texts)
            .map(|((id, vector, _), fields)| NewRow::new(id.clone(), vector).fields(fields))
            .collect();
        self.collection().upsert(&new).unwrap();
        for (id, vector, row) in rows {
            self.model.insert(id, (vector, row));
        }
    }

    /// Some members of other rows, some of them null, for ids of which some have no row and some come twice.
    fn update(&mut self) {
        let patches: Vec<(Id, Row)> = (0..self.random.below(9) + 1)
            .map(|_| {
                let mut patch = self.row();
                patch.retain(|_, _| self.random.below(3) > 0);
                if self.random.below(3) == 0 {
                    patch.insert(FIELDS[self.random.below(9)].to_owned(), Value::Null);
                }
                if self.random.below(4) == 0 {
                    patch.insert("note".to_owned(), json!("n".repeat(self.random.below(50))));
                }
                (self.id(), patch)
            })
            .collect();
        let ids: Vec<Id> = patches.iter().map(|patch| patch.0.clone()).collect();
        let fields: Vec<String> =
            patches.iter().map(|patch| serde_json::to_string(&patch.1).unwrap()).collect();
        self.requests += 1;
        let request = Some(Request { client: 7, number: self.requests });
        let before = self.collection().snapshot().sequence();
        let written = self.collection().update(ids.clone(), fields.clone(), request).unwrap();
        let (there, missing): (BTreeSet<&Id>, BTreeSet<&Id>) =
            ids.iter().partition(|id| self.model.contains_key(*id));
        assert_eq!(written.updated, there.len(), "seed {}", self.seed);
        assert_eq!(written.missing.iter().collect::<BTreeSet<_>>(), missing, "seed {}", self.seed);
        assert_eq!(written.missing.len(), missing.len(), "each once");
        assert_eq!(written.sequence, before + there.len() as u64);
        for (id, patch) in patches {
            let Some((_, row)) = self.model.get_mut(&id) else { continue };
            for (name, value) in patch {
                match value {
                    Value::Null => drop(row.remove(&name)),
                    value => drop(row.insert(name, value)),
                }
            }
        }
        // Sent again it changes nothing.
        if !there.is_empty() && self.random.below(4) == 0 {
            if self.random.below(3) == 0 {
                self.reopen();
            }
            let again = self.collection().update(ids, fields, request).unwrap();
            assert_eq!((again.applied, again.updated), (false, 0), "seed {}", self.seed);
            assert_eq!(again.sequence, written.sequence, "seed {}", self.seed);
        }
    }

    fn delete(&mut self) {
        let ids: Vec<Id> = (0..self.random.below(6) + 1).map(|_| self.id()).collect();
        let written = self.collection().delete(&ids).unwrap();
        let removed = ids.iter().filter(|id| self.model.remove(id).is_some()).count();
        assert_eq!(written.deleted, removed, "seed {}", self.seed);
    }

    fn reopen(&mut self) {
        self.collection = None;
        // What it was created with need not be said again.
        let options = match self.random.below(2) {
            0 => self.options.clone(),
            _ => self.options.clone().schema(None),
        };
        let collection = Collection::open_in(self.dir.clone(), "here", &options).unwrap();
        assert_eq!(collection.schema(), self.options.schema, "seed {}", self.seed);
        self.collection = Some(collection);
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..30 => self.upsert(),
            30..60 => self.update(),
            60..72 => self.delete(),
            72..73 => {
                self.collection().clear(None).unwrap();
                self.model.clear();
            }
            73..78 => drop(self.collection().flush().unwrap()),
            78..86 => drop(self.collection().maintain(&Ctx::default()).unwrap()),
            86..89 => self.collection().compact(&Ctx::default()).unwrap(),
            89..94 => self.reopen(),
            94..97 => self.look(),
            _ => self.search(),
        }
        if self.random.below(4) == 0 {
            self.ask();
        }
    }

    /// All rows: their fields are those of the model, and their vectors too, bit for bit, as too few are there to train codecs.
    fn look(&self) {
        let snapshot = self.collection().snapshot();
        let ids: Vec<Id> = self.model.keys().cloned().collect();
        assert_eq!(snapshot.count(), ids.len(), "seed {}", self.seed);
        for (row, (vector, fields)) in
            snapshot.get(&ids, true, true).unwrap().into_iter().zip(self.model.values())
        {
            let row = row.unwrap();
            let stored: Row = serde_json::from_str(&row.fields.unwrap()).unwrap();
            assert_eq!(stored, *fields, "seed {} {}", self.seed, row.id);
            assert_eq!(row.vector.as_ref(), Some(vector), "seed {} {}", self.seed, row.id);
        }
    }

    /// The filter of an answer that is no error; one that names a field that no row has may be one.
    fn known<T>(&mut self, filter: &Value, answer: Result<T, Error>) -> Option<T> {
        self.filters.0 += 1;
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                let text = filter.to_string();
                let has = |name: &str| self.model.values().any(|(_, row)| payload::extent(row, name) > 0);
                let unknown = FIELDS.iter().any(|name| text.contains(&format!("\"{name}\"")) && !has(name));
                assert!(
                    unknown && error.code() == "filter" && self.options.schema.is_none(),
                    "seed {} {filter}: {error}",
                    self.seed
                );
                self.filters.1 += 1;
                None
            }
        }
    }

    fn matching(&self, filter: &Value) -> Vec<Id> {
        let matches =
            |(id, (_, row)): (&Id, &(Vec<f32>, Row))| payload::matches(filter, row).then(|| id.clone());
        self.model.iter().filter_map(matches).collect()
    }

    fn filter(&mut self) -> (Value, Filter) {
        let filter = payload::filter(&mut self.random, 2);
        let parsed = Filter::parse(&filter.to_string()).unwrap();
        (filter, parsed)
    }

    fn search(&mut self) {
        let (filter, parsed) = self.filter();
        let wanted = self.matching(&filter);
        let k = [1, 10, 1000][self.random.below(3)];
        let index = [IndexChoice::Auto, IndexChoice::Flat][self.random.below(2)];
        let options = SearchOptions::new(k).index(index).filter(parsed).fields(true);
        let query = self.random.vector(DIM);
        let answer = self.collection().search(&query, &options);
        let Some(answer) = self.known(&filter, answer) else { return };
        let hits: BTreeSet<&Id> = answer.hits.iter().map(|hit| &hit.id).collect();
        assert_eq!(
            (hits.len(), answer.hits.len()),
            (wanted.len().min(k), hits.len()),
            "seed {} {filter}",
            self.seed
        );
        assert!(hits.iter().all(|id| wanted.contains(id)), "seed {} {filter}", self.seed);
    }

    /// Counts, facets and pages.
    fn ask(&mut self) {
        let (filter, parsed) = self.filter();
        let wanted = self.matching(&filter);
        let answer = self.collection().count_matching(&parsed);
        let Some(count) = self.known(&filter, answer) else { return };
        let what = format!("seed {} {filter}", self.seed);
        assert_eq!(count, wanted.len() as u64, "{what}");
        assert_eq!(self.collection().count_matching(&Filter::all()).unwrap(), self.model.len() as u64);
        let filtered = self.random.below(4) > 0;
        let of: Vec<Id> = if filtered { wanted } else { self.model.keys().cloned().collect() };
        let filter = filtered.then_some(parsed);
        self.facets(filter.clone(), &of, &what);
        self.pages(filter, &of, &what);
    }

    fn facets(&mut self, filter: Option<Filter>, of: &[Id], what: &str) {
        let field = FACETS[self.random.below(FACETS.len())];
        let mut counts: Vec<(Key, u64)> = Vec::new();
        for id in of {
            for key in keys(&self.model[id].1, field) {
                match counts.iter_mut().find(|count| count.0 == key) {
                    Some(count) => count.1 += 1,
                    None => counts.push((key, 1)),
                }
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.partial_cmp(&b.0).unwrap()));
        let limit = [0, 3, 1000][self.random.below(3)];
        let answer = self.collection().facets(field, filter, limit);
        let Some(facets) = self.known(&json!({ field: 1 }), answer) else { return };
        assert_eq!(facets.distinct, counts.len(), "{what} {field}");
        counts.truncate(limit);
        let found: Vec<(Key, u64)> =
            facets.values.iter().map(|(value, count)| (key_of(value), *count)).collect();
        assert_eq!(found, counts, "{what} {field}");
    }

    fn pages(&mut self, filter: Option<Filter>, of: &[Id], what: &str) {
        let field = SORTED[self.random.below(SORTED.len())];
        let (sorted, descending) = (self.random.below(4) > 0, self.random.below(2) == 0);
        let snapshot = self.collection().snapshot();
        let query =
            RowsQuery::new(usize::MAX).filter(filter).fields(true).vectors(true).descending(descending);
        let query = query.sort_by(sorted.then(|| field.to_owned()));
        let answer = snapshot.page(&query);
        let Some(all) = self.known(&json!({ field: 1 }), answer) else { return };
        assert_eq!(all.next, None);
        let ids: Vec<&Id> = all.rows.iter().map(|row| &row.id).collect();
        let mut each = ids.clone();
        each.sort();
        assert!(each.iter().copied().eq(of), "{what}: {ids:?} in place of {of:?}");
        for row in &all.rows {
            let (vector, fields) = &self.model[&row.id];
            let stored: Row = serde_json::from_str(row.fields.as_deref().unwrap()).unwrap();
            assert_eq!((&stored, row.vector.as_ref()), (fields, Some(vector)), "{what}");
        }
        if sorted {
            // The least or the greatest value of each row; none comes last.
            let key = |id: &Id| {
                let keys = keys(&self.model[id].1, field).into_iter();
                keys.reduce(|a, b| if (a < b) == descending { b } else { a })
            };
            let in_order = |a: &&Id, b: &&Id| match (key(a), key(b)) {
                (Some(a), Some(b)) => {
                    if descending {
                        a >= b
                    } else {
                        a <= b
                    }
                }
                (a, b) => a.is_some() || b.is_none(),
            };
            assert!(ids.is_sorted_by(in_order), "{what} by {field}");
        }
        let (offset, limit) = (self.random.below(of.len() + 3), self.random.below(20));
        let mut query = query.offset(offset);
        query.limit = limit;
        let page = snapshot.page(&query).unwrap();
        let wanted = all.rows.iter().skip(offset).take(limit);
        assert!(page.rows.iter().eq(wanted), "{what}: {offset}, {limit}");
        assert_eq!(page.next.is_some(), offset + limit < of.len(), "{what}: {offset}, {limit}");
    }
}

/// The values of a row, each once.
fn keys(row: &Row, field: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let values = match row.get(field) {
        Some(Value::Array(values)) => values.clone(),
        value => value.cloned().into_iter().collect(),
    };
    for value in values {
        let key = match &value {
            Value::Null => continue,
            Value::String(_) if field == "at" => {
                let row = Row::from_iter([("at".to_owned(), value.clone())]);
                Key::Number(BEGIN + payload::extreme(&row, "at", false).unwrap() * 3_600_000.0)
            }
            Value::String(text) => Key::Text(text.clone()),
            Value::Bool(value) => Key::Text(value.to_string()),
            value => Key::Number(value.as_f64().unwrap()),
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn key_of(value: &FieldValue) -> Key {
    match value {
        FieldValue::Text(text) => Key::Text(text.clone()),
        FieldValue::Boolean(value) => Key::Text(value.to_string()),
        FieldValue::Integer(number) | FieldValue::Timestamp(number) => Key::Number(*number as f64),
        FieldValue::Float(number) => Key::Number(*number),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_answers_as_a_map_of_its_rows() {
    let (operations, first) =
        (number("PAGEVEC_MODEL_OPERATIONS", OPERATIONS), number("PAGEVEC_MODEL_SEED", 0));
    let (mut filters, mut unknown) = (0, 0);
    for seed in first..first + operations.div_ceil(ROUND) {
        let mut trial = Trial::new(seed);
        (0..ROUND).for_each(|_| trial.step());
        trial.reopen();
        trial.look();
        (filters, unknown) = (filters + trial.filters.0, unknown + trial.filters.1);
    }
    eprintln!("{operations} operations, {filters} filters and fields, {unknown} of which no row had");
    assert!(unknown * 20 < filters, "{unknown} of {filters} named a field that no row had");
}
