//! A collection holds the last row of each id, whatever is written, flushed, merged and reopened in between, and searches find
//! exactly those rows. The model is a map; the truth of a search is a scan of it.
//!
//! `PAGEVEC_MODEL_OPERATIONS` is how many operations to try, `PAGEVEC_MODEL_SEED` the first seed. A failure prints its seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use pagevec::{
    CodecKind, Collection, CollectionOptions, Ctx, FlushAt, Id, IndexChoice, MemoryDir, Metric, NewRow,
    SearchOptions,
};
use support::data::Random;

/// Operations, unless told.
const OPERATIONS: u64 = 30_000;
/// Operations with one collection.
const ROUND: u64 = 3000;
const IDS: usize = 150;
const DIM: usize = 6;

type Model = BTreeMap<Id, (Vec<f32>, Option<String>)>;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

struct Trial {
    seed: u64,
    random: Random,
    texts: bool,
    options: CollectionOptions,
    dir: MemoryDir,
    collection: Option<Collection>,
    model: Model,
    searched: BTreeMap<&'static str, u64>,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let metric = [Metric::Cosine, Metric::Dot, Metric::L2][random.below(3)];
        let codec = [CodecKind::F32, CodecKind::Sq8][random.below(2)];
        let flush = FlushAt::default().rows(random.below(60) + 5);
        let options = CollectionOptions::new(DIM).metric(metric).codec(codec).flush(flush).log_bytes(1 << 14);
        let options = options.segment_rows(if random.below(3) == 0 { 80 } else { 1 << 20 });
        let (texts, dir) = (random.below(2) == 0, MemoryDir::default());
        let collection = Some(Collection::open_in(dir.clone(), "here", &options).unwrap());
        Trial {
            seed,
            random,
            texts,
            options,
            dir,
            collection,
            model: Model::new(),
            searched: BTreeMap::new(),
        }
    }

    fn collection(&self) -> &Collection {
        self.collection.as_ref().unwrap()
    }

    fn id(&mut self) -> Id {
        let number = self.random.below(IDS);
        if self.texts { Id::Text(format!("id {number}")) } else { Id::Number(number as u64) }
    }

    fn vector(&mut self) -> Vec<f32> {
        let far = if self.random.below(4) == 0 { 20.0 } else { 1.0 };
        (0..DIM).map(|_| self.random.normal() * far + 0.01).collect()
    }

    fn upsert(&mut self) {
        let rows: Vec<(Id, Vec<f32>, String)> = (0..self.random.below(12) + 1)
            .map(|_| {
                let fields = if self.random.below(3) == 0 {
                    String::new()
                } else {
                    format!(r#"{{"n":{}}}"#, self.random.below(99))
                };
                (self.id(), self.vector(), fields)
            })
            .collect();
        let new: Vec<NewRow<'_>> =
            rows.iter().map(|(id, vector, fields)| NewRow::new(id.clone(), vector).fields(fields)).collect();
        self.collection().upsert(&new).unwrap();
        for (id, vector, fields) in rows {
            self.model.insert(id, (vector, (!fields.is_empty()).then_some(fields)));
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
        self.collection = Some(Collection::open_in(self.dir.clone(), "here", &self.options).unwrap());
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..45 => self.upsert(),
            45..60 => self.delete(),
            60..61 => {
                self.collection().clear(None).unwrap();
                self.model.clear();
            }
            61..64 => {
                self.collection().flush().unwrap();
            }
            64..70 => {
                self.collection().maintain(&Ctx::default()).unwrap();
            }
            70..72 => self.collection().compact(&Ctx::default()).unwrap(),
            72..76 => self.reopen(),
            76..80 => self.look(),
            _ => self.search(),
        }
    }

    /// All rows, by id.
    fn look(&self) {
        let (collection, seed) = (self.collection(), self.seed);
        let snapshot = collection.snapshot();
        assert_eq!(
            (collection.count(), snapshot.count()),
            (self.model.len(), self.model.len()),
            "seed {seed}"
        );
        let (mut ids, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let (page, next) = snapshot.ids(at, 7).unwrap();
            ids.extend(page);
            from = next;
        }
        ids.sort();
        assert!(ids.iter().eq(self.model.keys()), "seed {seed}");
        let rows = snapshot.get(&ids, true, true).unwrap();
        for (row, (id, (vector, fields))) in rows.into_iter().zip(&self.model) {
            let row = row.unwrap();
            assert_eq!(
                (&row.id, row.fields.as_deref()),
                (id, Some(fields.as_deref().unwrap_or("{}"))),
                "seed {seed}"
            );
            let stored = row.vector.unwrap();
            let metric = self.options.metric.unwrap();
            let wanted = if metric == Metric::Cosine { unit(vector) } else { vector.clone() };
            let largest = wanted.iter().fold(0.0f32, |a, x| a.max(x.abs()));
            let close = 1e-6 * (1.0 + largest);
            assert!(
                stored.iter().zip(&wanted).all(|(a, b)| (a - b).abs() <= close),
                "seed {seed} {id} {stored:?} {wanted:?}"
            );
        }
    }

    fn search(&mut self) {
        let query = self.vector();
        let k = [1, 3, 10, 1000][self.random.below(4)];
        let index = [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters];
        let index = index[self.random.below(4)];
        // As wide as it goes: then these few rows are found whatever the index.
        let mut options = SearchOptions::new(k).index(index).fields(true).ef(1000).probes(4096).rescore(1000);
        let known: Vec<Id> = self.model.keys().cloned().collect();
        let mut allowed: Vec<&Id> = known.iter().collect();
        if self.random.below(3) == 0 && !known.is_empty() {
            let some: Vec<Id> = (0..5).map(|_| known[self.random.below(known.len())].clone()).collect();
            match self.random.below(2) {
                0 => {
                    allowed.retain(|id| !some.contains(id));
                    options = options.exclude(some);
                }
                _ => {
                    allowed.retain(|id| some.contains(id));
                    options = options.among(some);
                }
            }
        }
        let answer = self.collection().search(&query, &options).unwrap();
        *self.searched.entry(answer.stats.index).or_default() += 1;
        let metric = self.options.metric.unwrap();
        let mut truth: Vec<(f32, &Id)> =
            allowed.iter().map(|id| (score(metric, &query, &self.model[*id].0), *id)).collect();
        truth.sort_by(|a, b| b.0.total_cmp(&a.0));
        truth.truncate(k);
        let what = format!("seed {} {options:?}\n{answer:?}\n{truth:?}", self.seed);
        assert_eq!(answer.hits.len(), truth.len(), "{what}");
        for (hit, (wanted, _)) in answer.hits.iter().zip(&truth) {
            let (vector, fields) = &self.model[&hit.id];
            assert_eq!(hit.fields.as_deref(), Some(fields.as_deref().unwrap_or("{}")), "{what}");
            let own = score(metric, &query, vector);
            let close = 1e-4 * (1.0 + own.abs());
            assert!((hit.score - own).abs() <= close, "{what}");
            assert!((hit.score - wanted).abs() <= close, "{what}");
            assert!(allowed.contains(&&hit.id), "{what}");
        }
        let mut ids: Vec<&Id> = answer.hits.iter().map(|hit| &hit.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), answer.hits.len(), "an id twice: {what}");
    }
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / norm).collect()
}

fn score(metric: Metric, query: &[f32], row: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    match metric {
        Metric::Cosine => dot(&unit(query), &unit(row)),
        Metric::Dot => dot(query, row),
        Metric::L2 => -query.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum::<f32>(),
    }
}

#[test]
fn it_holds_the_last_row_of_each_id() {
    let (operations, first) =
        (number("PAGEVEC_MODEL_OPERATIONS", OPERATIONS), number("PAGEVEC_MODEL_SEED", 0));
    let mut searched = BTreeMap::<&str, u64>::new();
    for seed in first..first + operations.div_ceil(ROUND) {
        let mut trial = Trial::new(seed);
        (0..ROUND).for_each(|_| trial.step());
        trial.reopen();
        trial.look();
        trial.searched.iter().for_each(|(index, count)| *searched.entry(index).or_default() += count);
    }
    eprintln!("{operations} operations; searches by index: {searched:?}");
}
