//! What a plan says of bytes is what the file has and what an open index reserves, within 5 %; what it says of searches is what
//! they find, within 0.01 of recall and 15 % of distances. Real rows need `PAGEVEC_DATA`; the test says so and goes on without.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use pagevec::plan::{PayloadField, Plan, PlanOptions, Residency, plan};
use pagevec::{
    BuildOptions, CodecKind, Error, Fields, Filter, Id, Metric, Operation, Part, Schema, SearchOptions,
};
use support::paged::Remote;
use support::{data, file, npy, oracle};

const K: usize = 10;
const MB: u64 = 1_000_000;
/// Of the text queries of wordnet; `expected` was measured with as many.
const QUERIES: usize = 1000;

/// Rows, queries, and of each query the nearest rows.
struct Set {
    dim: usize,
    rows: Vec<f32>,
    queries: Vec<f32>,
    truth: Vec<Vec<u64>>,
}

impl Set {
    /// The first rows of wordnet. Of each query 100 nearest rows are known: of many rows, those among the first are the nearest.
    fn wordnet(count: usize) -> Option<Self> {
        let Some(folder) = npy::folder() else {
            eprintln!("SKIPPED: PAGEVEC_DATA is not set");
            return None;
        };
        let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), count);
        let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
        let (near, width) = npy::i32(&folder.join("truth.npy"));
        let known = |near: &[i32]| -> Vec<u64> {
            near.iter().map(|&row| row as u64).filter(|&row| row < count as u64).take(K).collect()
        };
        let truth = queries.chunks_exact(dim).zip(near.chunks_exact(width));
        let truth = truth.map(|(query, near)| match known(near) {
            known if known.len() == K => known,
            _ => nearest(&rows, query),
        });
        Some(Set { dim, truth: truth.collect(), queries, rows })
    }

    fn generated() -> Self {
        let (count, dim) = (20_000, 96);
        let rows = data::clustered(count, dim, 77);
        let queries = data::queries(&rows, dim, 200, 78);
        let truth = queries.iter().map(|query| nearest(&rows, query)).collect();
        Set { dim, queries: queries.concat(), rows, truth }
    }

    fn count(&self) -> usize {
        self.rows.len() / self.dim
    }
}

fn nearest(rows: &[f32], query: &[f32]) -> Vec<u64> {
    let scores = oracle::scores(Metric::Cosine, rows, query);
    let mut order: Vec<u64> = (0..scores.len() as u64).collect();
    order.select_nth_unstable_by(K, |&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
    order.truncate(K);
    order
}

/// Plans, builds what was planned, opens and searches it as planned, and compares.
fn check(set: &Set, o: &PlanOptions, fields: Option<(Fields, Schema)>) -> Plan {
    let plan = plan(o).unwrap();
    let mut build = BuildOptions::new(o.metric).codec(plan.codec).refine(plan.refine);
    build = build.graph(plan.graph).clusters(plan.clusters).m(o.m);
    if let Some((fields, schema)) = &fields {
        build = build.fields(fields.clone()).schema(schema.clone());
    }
    let file = file(&set.rows, set.dim, None, &build);
    let name = format!("{} x {} {} {}", set.count(), set.dim, plan.codec, plan.index);
    let off = |what: &str, planned: u64, got: u64, most: f64| {
        let off = planned as f64 / got as f64 - 1.0;
        eprintln!("{name}: {what}: planned {planned}, got {got}, {:+.1} %", off * 100.0);
        assert!(off.abs() <= most, "{name}: {what}: planned {planned}, got {got}");
    };
    let mut remote = Remote::open(&file, plan.memory_budget).unwrap();
    for section in remote.session.segment().info().sections {
        let planned = plan.sections.iter().find(|planned| planned.0 == section.name);
        eprintln!("{name}: {} has {}, planned {planned:?}", section.name, section.length);
    }
    off("file", plan.file, file.len() as u64, 0.05);
    if plan.residency == Residency::Memory && plan.graph {
        remote.run(Operation::Load).unwrap();
    }
    let search = SearchOptions::new(K).fields(fields.is_some());
    let (mut found, mut distances) = (0, 0);
    for (query, near) in set.queries.chunks_exact(set.dim).zip(&set.truth) {
        let (answer, _) = remote.search(query, &search).unwrap();
        assert_eq!(answer.stats.index, plan.index, "{name}");
        let is_near = |id: &Id| matches!(id, Id::Number(row) if near.contains(row));
        found += answer.hits.iter().filter(|hit| is_near(&hit.id)).count();
        distances += answer.stats.distances;
    }
    if fields.is_some() {
        let filter =
            r#"{"kind":{"$ne":"term 5"},"price":{"$lt":3000},"at":{"$geo":{"lat":0,"lon":0,"radius":4e6}}}"#;
        let filtered = search.clone().filter(Filter::parse(filter).unwrap());
        assert_eq!(remote.search(&set.queries[..set.dim], &filtered).unwrap().0.hits.len(), K);
    }
    // A lookup by id needs the order of ids.
    remote.run(Operation::Similar { id: Id::Number(1), options: search }).unwrap();
    let memory = remote.session.stats().memory;
    let resident = &plan.resident;
    for part in Part::ALL {
        eprintln!("{name}: {}: {:?}", part.name(), memory.of(part));
    }
    eprintln!("{name}: {resident:?}");
    let beside = [Part::Scratch, Part::Operations];
    let of_searches: u64 = beside.iter().map(|&part| memory.of(part).peak).sum();
    // What is held of indexes depends on which of them filters read.
    if fields.is_none() {
        off(
            "resident",
            resident.total() - resident.search,
            memory.reserved() - of_now(&memory, &beside),
            0.05,
        );
    }
    assert!(of_searches <= resident.search, "{name}: {of_searches} bytes of searches, {}", resident.search);
    assert!(memory.reserved() <= o.budget, "{name}: {} of {}", memory.reserved(), o.budget);

    let expected = plan.expected.as_ref().unwrap();
    let queries = set.truth.len() as f64;
    let (recall, distances) = (found as f64 / queries / K as f64, distances as f64 / queries);
    eprintln!(
        "{name}: recall {recall:.4}, expected {:.4}; distances {distances:.0}, expected {:.0}",
        expected.recall, expected.distances
    );
    assert!((recall - expected.recall).abs() <= 0.01, "{name}: recall {recall}, {}", expected.recall);
    let off = distances / expected.distances - 1.0;
    assert!(off.abs() <= 0.15, "{name}: {distances} distances, {}", expected.distances);
    plan
}

fn of_now(memory: &pagevec::Memory, parts: &[Part]) -> u64 {
    parts.iter().map(|&part| memory.of(part).reserved).sum()
}

fn options(set: &Set, budget: u64) -> PlanOptions {
    PlanOptions::new(set.count() as u64, set.dim as u64, budget)
}

#[test]
fn five_thousand_words_in_memory() {
    let Some(set) = Set::wordnet(5000) else { return };
    let plan = check(&set, &options(&set, 8 * MB).codec(CodecKind::Sq8), None);
    assert_eq!((plan.index, plan.residency), ("hnsw", Residency::Memory));
}

#[test]
fn twenty_thousand_words_as_bits_in_memory() {
    let Some(set) = Set::wordnet(20_000) else { return };
    let plan = check(&set, &options(&set, 16 * MB).codec(CodecKind::Binary), None);
    assert_eq!((plan.index, plan.residency), ("hnsw", Residency::Memory));
}

#[test]
fn sixty_thousand_words_by_clusters() {
    let Some(set) = Set::wordnet(60_000) else { return };
    let plan = check(&set, &options(&set, 12 * MB).refine(CodecKind::F16), None);
    assert_eq!((plan.index, plan.residency, plan.graph), ("clusters", Residency::Pages, false));
}

#[test]
fn all_words_in_memory() {
    let Some(set) = Set::wordnet(117_791) else { return };
    let plan = check(&set, &options(&set, 80 * MB), None);
    assert_eq!((plan.index, plan.codec), ("hnsw", CodecKind::Sq8));
}

#[test]
fn generated_rows_with_fields() {
    let set = Set::generated();
    let payload = ["keyword:300", "float", "geo"].map(|text| text.parse::<PayloadField>().unwrap());
    let mut random = data::Random(5);
    let mut line = || {
        let [a, b, c, d] = [300, 1_000_000, 1_800_000, 3_600_000].map(|end| random.below(end));
        let (lat, lon) = (c as f64 / 1e4 - 90.0, d as f64 / 1e4 - 180.0);
        format!(
            "{{\"kind\":\"term {a}\",\"price\":{}.{:02},\"at\":{{\"lat\":{lat:.4},\"lon\":{lon:.4}}}}}",
            b / 100,
            b % 100
        )
    };
    let fields = Fields::of((0..set.count()).map(|_| line()));
    let schema = Schema::parse(r#"{"kind":"keyword","price":"float","at":"geo"}"#).unwrap();
    // Not so much that each row's fields had room.
    let o = options(&set, 24 * MB).codec(CodecKind::F32).payload(payload.to_vec());
    let plan = check(&set, &o, Some((fields, schema)));
    assert_eq!(plan.index, "hnsw");
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let code = |o: PlanOptions| plan(&o).map_err(|error| (error.code(), error.to_string()));
    let ok = PlanOptions::new(1_000_000, 768, 1 << 30);
    let changed = |change: fn(&mut PlanOptions)| {
        let mut o = ok.clone();
        change(&mut o);
        code(o).expect_err("it cannot be planned")
    };
    let refused = [
        (changed(|o| o.rows = 0), "rows"),
        (changed(|o| o.rows = 1 << 31), "2147483647"),
        (changed(|o| o.rows = u64::MAX), "rows"),
        (changed(|o| o.dim = 0), "dim"),
        (changed(|o| o.dim = 65_536), "65535"),
        (changed(|o| o.dim = u64::MAX), "dim"),
        (changed(|o| o.m = 1), "m"),
        (changed(|o| o.m = 257), "m"),
        (changed(|o| o.codec = Some(CodecKind::Pq(769))), "pq768"),
        (changed(|o| (o.codec, o.refine) = (Some(CodecKind::F32), Some(CodecKind::Sq8))), "refine"),
        (changed(|o| o.refine = Some(CodecKind::Binary)), "refine"),
        (changed(|o| o.text_ids = Some(0)), "text_ids"),
        (changed(|o| o.payload = vec!["geo".parse().unwrap(); 33]), "payload"),
        (changed(|o| (o.rows, o.dim) = (2_000_000_000, 65_535)), "front"),
    ];
    for ((code, message), word) in refused {
        assert_eq!(code, "argument", "{message}");
        assert!(message.contains(word), "{message}");
    }
    for words in ["keywrd:3", "keyword:0", "float:3", "keyword:-1", ""] {
        assert_eq!(words.parse::<PayloadField>().unwrap_err().code(), "argument", "{words}");
    }
    let named = |name: &'static str, text: &str| PlanOptions::of_words(1e6, 768.0, 1e9, &[(name, text)]);
    assert!(named("codec", "sq9").unwrap_err().to_string().contains("did you mean sq8?"));
    assert!(named("payload", "keyword:10,flaot").unwrap_err().to_string().contains("did you mean float?"));
    assert_eq!(named("codecs", "sq8").unwrap_err().code(), "argument");
    for number in [f64::NAN, f64::INFINITY, -1.0, 0.0, 0.5, 1e300] {
        assert_eq!(PlanOptions::of_words(number, 8.0, 1e9, &[]).unwrap_err().code(), "argument");
    }
    // The least that an error names works, and a byte less does not.
    let Err(Error::Budget { needed, budget: 0 }) = plan(&PlanOptions::new(1_000_000, 768, 0)) else {
        panic!("a plan in no memory")
    };
    let least = plan(&PlanOptions::new(1_000_000, 768, needed)).unwrap();
    assert!(least.resident.total() <= needed && least.residency == Residency::Pages);
    assert_eq!(code(PlanOptions::new(1_000_000, 768, needed - 1)).unwrap_err().0, "budget");
    assert_eq!(plan(&PlanOptions::new(1, 1, u64::MAX)).unwrap().index, "flat");
}
