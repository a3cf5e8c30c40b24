//! The stored fields of rows are those that were given, byte for byte, in hits and by id: from any source, in several
//! segments, after appends and merges, and without dead rows.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use pagevec::{
    BuildInput, BuildOptions, CodecKind, Ctx, Fields, Id, Ids, Index, IndexChoice, Metric, OpenOptions,
    Operation, Outcome, SearchOptions, SessionOptions,
};
use support::bytes::Bytes;
use support::data::{self, Random};
use support::paged::{Remote, least_budget};
use support::{code, stored};

const DIM: usize = 16;

/// JSON of one row: nothing, short, of any script, or long.
fn object(random: &mut Random, row: usize) -> String {
    let word = |random: &mut Random| {
        let words = ["lake", "river", "größe", "日本", "🦀", "\\\"quoted\\\"", "\\n", "the", "of a", "north"];
        words[random.below(words.len())]
    };
    let text =
        |random: &mut Random, count: usize| (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ");
    match random.below(12) {
        0 => String::new(),
        1 => "{}".into(),
        2 => format!("{{\"n\":{row},\"list\":[1,2,{{\"a\":null}}]}}"),
        3 => format!("{{\"body\":\"{}\"}}", text(random, 1 + row % 900)),
        4 => format!("{{\"noise\":\"{:x}{:x}{:x}\"}}", random.next(), random.next(), random.next()),
        _ => format!("{{\"title\":\"{row} {}\",\"url\":\"https://example.org/{row}\"}}", text(random, 6)),
    }
}

fn objects(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    (0..count).map(|row| object(&mut random, row)).collect()
}

fn expected(json: &str) -> &str {
    if json.is_empty() { "{}" } else { json }
}

fn quick() -> BuildOptions {
    BuildOptions::new(Metric::Cosine).ef_construction(20).max_iterations(2)
}

fn build(rows: &[f32], ids: Ids, json: Option<&[String]>) -> Vec<u8> {
    support::file(rows, DIM, Some(ids), &quick().fields(json.map(Fields::of)))
}

/// What an index has to say, by id.
type Model = BTreeMap<u64, String>;

fn check_hits(answer: &pagevec::Answer, model: &Model) {
    assert!(!answer.hits.is_empty());
    for hit in &answer.hits {
        let Id::Number(id) = hit.id else { panic!("ids are numbers") };
        assert_eq!(hit.fields.as_deref(), Some(expected(&model[&id])), "row {id}");
    }
}

fn asked(model: &Model) -> (Vec<Id>, Vec<Option<Box<str>>>) {
    let ids = model.keys().copied().chain([1 << 40]);
    let fields = model.values().map(|json| Some(expected(json).into())).chain([None]);
    (ids.map(Id::Number).collect(), fields.collect())
}

fn check_index(index: &Index, model: &Model, queries: &[Vec<f32>]) {
    index.verify().unwrap();
    let (ids, fields) = asked(model);
    assert_eq!(index.fields(&ids).unwrap(), fields);
    for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
        for k in [1, 10, 100] {
            let o = SearchOptions::new(k).index(choice).fields(true);
            check_hits(&index.search(&queries[0], &o).unwrap(), model);
        }
        let o = SearchOptions::new(7).index(choice);
        for answer in index.search_batch(&queries.concat(), &o.clone().fields(true)).unwrap() {
            check_hits(&answer, model);
        }
        assert!(index.search(&queries[0], &o).unwrap().hits.iter().all(|hit| hit.fields.is_none()));
        let like = index.similar(&ids[3], &o.fields(true)).unwrap();
        check_hits(&like, model);
    }
}

#[test]
fn from_any_source() {
    for (count, seed) in [(1, 1), (40, 2), (1500, 3), (5000, 4)] {
        let rows = data::clustered(count, DIM, seed);
        let json = objects(count, seed);
        let model: Model = (0..).zip(json.iter().cloned()).collect();
        let file = build(&rows, Ids::Numbers((0..count as u64).collect()), Some(&json));
        let queries = data::queries(&rows, DIM, 5, seed + 50);
        let (ids, fields) = asked(&model);
        if count > 40 {
            check_index(&Index::from_bytes(&file).unwrap(), &model, &queries);
        }
        // A second reader of the format finds the same lines.
        let index = Index::from_bytes(&file).unwrap();
        let lines = stored::lines(&file);
        for (id, json) in &model {
            let position = index.find(&Id::Number(*id)).unwrap().unwrap().position;
            let line = &lines[position as usize];
            assert_eq!(if line.is_empty() { "{}" } else { line }, expected(json), "row {id}");
        }
        for budget in [least_budget(&file), 1 << 26] {
            let mut remote = Remote::open(&file, budget).unwrap();
            for query in &queries {
                for k in [1, 10, 300] {
                    let o = SearchOptions::new(k).fields(true);
                    check_hits(&remote.search(query, &o).unwrap().0, &model);
                }
            }
            let (got, _) = remote.run(Operation::Fields(ids.clone())).unwrap();
            assert_eq!(got, Outcome::Fields(fields.clone()), "in {budget} bytes");
            let options = OpenOptions::new().memory_budget(budget);
            let paged = Index::from_reader(Bytes(file.clone()), &options).unwrap();
            assert_eq!(paged.fields(&ids).unwrap(), fields);
            check_hits(&paged.search(&queries[0], &SearchOptions::new(20).fields(true)).unwrap(), &model);
        }
    }
}

/// Rows of which some are replaced, some have no fields, and one segment has none at all.
#[test]
fn in_several_segments_and_merged() {
    let (count, seed) = (900, 11);
    let rows = data::clustered(count, DIM, seed);
    let json = objects(count, seed);
    let ctx = Ctx::default();
    let runs = [0..400, 300..700, 650..800, 700..900];
    let (mut files, mut model) = (Vec::<Vec<u8>>::new(), Model::new());
    for (number, run) in runs.iter().enumerate() {
        let ids = Ids::Numbers(run.clone().map(|id| id as u64).collect());
        let mine: Vec<String> = run
            .clone()
            .map(|id| {
                if number == 2 { String::new() } else { format!("{{\"s\":{number},\"of\":{:?}}}", json[id]) }
            })
            .collect();
        for (id, json) in run.clone().zip(&mine) {
            model.insert(id as u64, json.clone());
        }
        let options = quick().fields((number != 2).then(|| Fields::of(&mine)));
        let mut file = Vec::new();
        let vectors = rows[run.start * DIM..run.end * DIM].to_vec();
        match files.first() {
            None => file = support::file(&vectors, DIM, Some(ids), &options),
            Some(first) => {
                let like = Index::from_bytes(first).unwrap();
                let input = BuildInput::Memory { vectors, dim: DIM };
                pagevec::append_into(&like, input, Some(ids), &options, &mut file, &ctx).unwrap();
            }
        }
        files.push(file);
    }
    let queries = data::queries(&rows, DIM, 5, seed + 1);
    let opened: Vec<Index> = files.iter().map(|file| Index::from_bytes(file).unwrap()).collect();
    assert_eq!(code(&opened[2].fields(&[Id::Number(700)])), "argument");
    assert_eq!(code(&opened[2].search(&queries[0], &SearchOptions::new(3).fields(true))), "argument");

    // As one index, of whose earlier rows those are dead that a later segment has again.
    let dead = |number: usize| {
        let later: Vec<usize> = runs[number + 1..].iter().cloned().flatten().collect();
        let index = &opened[number];
        let again = runs[number].clone().filter(|id| later.contains(id));
        let places = again.map(|id| index.find(&Id::Number(id as u64)).unwrap().unwrap().position);
        let mut positions: Vec<u32> = places.collect();
        positions.sort_unstable();
        (!positions.is_empty())
            .then(|| pagevec::PositionSet::from_positions(runs[number].len(), positions).unwrap())
    };
    let segments: Vec<_> = files.iter().enumerate().map(|(number, file)| (&file[..], dead(number))).collect();
    let (ids, fields) = asked(&model);
    for budget in [2 << 20, 1 << 26] {
        let mut remote = Remote::of_segments(&segments, &SessionOptions::new(budget)).unwrap();
        for query in &queries {
            for k in [1, 10, 200] {
                check_hits(&remote.search(query, &SearchOptions::new(k).fields(true)).unwrap().0, &model);
            }
        }
        assert_eq!(remote.run(Operation::Fields(ids.clone())).unwrap().0, Outcome::Fields(fields.clone()));
    }

    // Merged, of one id the last row is taken.
    let mut merged = Vec::new();
    pagevec::merge_into(&opened.iter().collect::<Vec<_>>(), &quick(), &mut merged, &ctx).unwrap();
    check_index(&Index::from_bytes(&merged).unwrap(), &model, &queries);
    let mut twice = Vec::new();
    pagevec::merge_into(&opened.iter().collect::<Vec<_>>(), &quick(), &mut twice, &ctx).unwrap();
    assert!(merged == twice, "two merges of the same segments differ");
    let mut none = Vec::new();
    pagevec::merge_into(&[&opened[2]], &quick(), &mut none, &ctx).unwrap();
    assert!(!support::format::has(&none, stored::FIELDS));
}

#[test]
fn large_rows_have_blocks_of_their_own_up_to_a_limit() {
    let most = Fields::MAX_ROW;
    let text = |length: usize, seed: u64| -> String {
        let mut random = Random(seed);
        let noise: String = (0..length - 8).map(|_| char::from(b' ' + 3 + random.below(56) as u8)).collect();
        format!("{{\"t\":\"{noise}\"}}")
    };
    let rows = data::clustered(60, DIM, 21);
    let mut json = objects(60, 22);
    json[5] = text(most, 1);
    json[6] = text(most, 2);
    json[40] = format!("{{\"t\":\"{}\"}}", "same ".repeat(13_000));
    json[41] = text(30_000, 3);
    let model: Model = (0..).zip(json.iter().cloned()).collect();
    let file = build(&rows, Ids::Numbers((0..60).collect()), Some(&json));
    check_index(&Index::from_bytes(&file).unwrap(), &model, &data::queries(&rows, DIM, 3, 23));
    let mut remote = Remote::open(&file, least_budget(&file)).unwrap();
    let (ids, fields) = asked(&model);
    assert_eq!(remote.run(Operation::Fields(ids)).unwrap().0, Outcome::Fields(fields));

    let refused = |row: usize, text: &[u8]| {
        let mut json: Vec<Vec<u8>> = json.iter().map(|json| json.clone().into_bytes()).collect();
        json[row] = text.to_vec();
        let options = quick().fields(Fields::of(json));
        let error = pagevec::build(rows.clone(), DIM, None, &options, &Ctx::default()).unwrap_err();
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains(&format!("row {row}")), "{error}");
    };
    refused(17, text(most + 1, 4).as_bytes());
    refused(0, b"[1]");
    refused(59, b"{\"a\": 1");
    refused(3, b"{\"a\": \"\xff\"}");
    let few = quick().fields(Fields::of(&json[1..]));
    assert_eq!(code(&pagevec::build(rows.clone(), DIM, None, &few, &Ctx::default())), "argument");
}

/// Line ends between the tokens of JSON become spaces, since a block is lines.
#[test]
fn fields_of_several_lines_are_one_line() {
    let json = ["{\n  \"a\": 1,\r\n  \"b\": \"x\\ny\"\n}\n", "  {} ", " \n", "{\"c\":2}"];
    let options = quick().fields(Fields::of(json));
    let index = support::index(&data::clustered(4, DIM, 31), DIM, &options);
    let ids: Vec<Id> = (0..4).map(Id::Number).collect();
    let fields: Vec<String> = index.fields(&ids).unwrap().into_iter().map(|f| f.unwrap().into()).collect();
    assert_eq!(fields, ["{   \"a\": 1,    \"b\": \"x\\ny\" } ", "{}", "{}", "{\"c\":2}"]);
}

/// The file id names fields too, and a file without fields is what it was before there were any.
#[test]
fn they_are_of_the_file_id() {
    let rows = data::clustered(30, DIM, 41);
    let json = objects(30, 42);
    let file = |json: Option<&[String]>| build(&rows, Ids::Numbers((0..30).collect()), json);
    let (with, without) = (file(Some(&json)), file(None));
    assert!(with[40..56] != without[40..56] && with == file(Some(&json)));
    let mut other = json.clone();
    other[7] = "{\"other\":true}".into();
    assert!(file(Some(&other))[40..56] != with[40..56]);
    assert_eq!(code(&Index::from_bytes(&without).unwrap().fields(&[Id::Number(0)])), "argument");
    let o = SearchOptions::new(1).index(IndexChoice::Flat);
    let plain = support::options(Metric::L2, CodecKind::F32).fields(Fields::of(&json));
    assert!(support::index(&rows, DIM, &plain).search(&rows[..DIM], &o).unwrap().hits[0].fields.is_none());
}
