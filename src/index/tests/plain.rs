//! A plain segment of the codes of another segment is searched as that one is.

use std::time::Instant;

use crate::build::{BuildOptions, Fields, PlainRows, PlainStage, build, plain};
use crate::ctx::Ctx;
use crate::id::{Id, Ids};
use crate::index::Index;
use crate::metric::Metric;
use crate::quant::{self, CodecKind};
use crate::search::{Answer, SearchOptions};
use crate::segment::{IdView, STAGES, SectionKind, Segment};
use crate::storage::{InMemory, Source};

const DIM: usize = 24;

/// Rows in some clusters, drawn from integers.
fn drawn(count: usize, dim: usize) -> Vec<f32> {
    let draw = |i: u64| (crate::hash::hash(i) % 2001) as f32 / 1000.0 - 1.0;
    let row = |r: usize| {
        let centre = (r % 7 * dim) as u64;
        (0..dim as u64).map(move |i| draw(centre + i) + 0.4 * draw((1 << 20) + (r * dim) as u64 + i) + 0.05)
    };
    (0..count).flat_map(row).collect()
}

fn section(file: &[u8], segment: &Segment, kind: SectionKind) -> Vec<u8> {
    let extent = segment.extent(kind);
    extent.and_then(|extent| InMemory(file).get(extent).map(<[u8]>::to_vec)).unwrap_or_default()
}

/// The codes of a segment and its ids, by position.
fn codes(file: &[u8]) -> PlainRows<'static> {
    let segment = Segment::open(file, file.len() as u64).unwrap();
    let header = &segment.header;
    let stage = |(at, &kind): (usize, &CodecKind)| PlainStage {
        kind,
        parameters: section(file, &segment, STAGES[at].parameters),
        rows: section(file, &segment, STAGES[at].matrix).into(),
    };
    let bytes = section(file, &segment, SectionKind::Ids);
    let view = IdView::new(&bytes, header.count, header.text_ids).unwrap();
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for position in 0..header.count as u32 {
        match view.id(position).unwrap() {
            Id::Number(number) => numbers.push(number),
            Id::Text(text) => texts.push(text),
        }
    }
    PlainRows {
        metric: header.metric,
        dim: header.dim,
        seed: header.seed,
        stages: header.stages.iter().enumerate().map(stage).collect(),
        ids: if header.text_ids { Ids::Texts(texts) } else { Ids::Numbers(numbers) },
        fields: None,
        schema: Box::leak(Box::default()),
    }
}

fn written(rows: PlainRows<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    plain(rows, &mut file, &Ctx::default()).unwrap();
    file
}

fn opened(file: &[u8]) -> Index {
    let index = Index::from_bytes(file).unwrap();
    index.verify().unwrap();
    index
}

fn hits(answer: Answer) -> Vec<(Id, u32, Option<Box<str>>)> {
    answer.hits.into_iter().map(|hit| (hit.id, hit.score.to_bits(), hit.fields)).collect()
}

fn texts(count: usize) -> Ids {
    Ids::Texts((0..count).map(|i| format!("{}ö{i}", "x".repeat(i % 3))).collect())
}

#[test]
fn a_flat_search_gives_the_hits_and_scores_of_a_built_segment() {
    let (count, rows) = (500, drawn(500, DIM));
    for metric in [Metric::Cosine, Metric::Dot, Metric::L2] {
        for (codec, refine, text) in [
            (CodecKind::F32, None, false),
            (CodecKind::F16, None, true),
            (CodecKind::Sq8, None, false),
            (CodecKind::Sq8, Some(CodecKind::F16), true),
            (CodecKind::Sq8, Some(CodecKind::F32), false),
            (CodecKind::Sq4, None, false),
            (CodecKind::Binary, Some(CodecKind::F16), false),
            (CodecKind::Pq(8), None, true),
        ] {
            let options = BuildOptions::new(metric).codec(codec).refine(refine).graph(false).clusters(false);
            let ids = if text { texts(count) } else { Ids::Numbers((7..count as u64 + 7).rev().collect()) };
            let model = build(rows.clone(), DIM, Some(ids), &options, &Ctx::default()).unwrap();
            let file = written(codes(&model));
            assert_eq!(file, written(codes(&model)), "the same rows give the same file");
            let (model, made) = (opened(&model), opened(&file));
            for query in rows.chunks_exact(DIM).step_by(37) {
                let options = SearchOptions::new(20);
                let [expected, got] = [&model, &made].map(|index| index.search(query, &options).unwrap());
                assert_eq!(hits(got), hits(expected), "{metric:?} {codec} {refine:?}");
            }
        }
    }
}

/// Scores of f32 rows are those of the rows themselves, so decoded codes are an oracle of the codes.
#[test]
fn scores_are_those_of_the_decoded_rows() {
    let rows = drawn(300, DIM);
    let options = BuildOptions::new(Metric::L2).graph(false).clusters(false);
    let file = build(rows.clone(), DIM, None, &options, &Ctx::default()).unwrap();
    let coded = codes(&file);
    let codec = quant::load(CodecKind::Sq8, Metric::L2, DIM, &coded.stages[0].parameters).unwrap();
    let mut decoded = vec![0.0; 300 * DIM];
    let stride = CodecKind::Sq8.stride(DIM, Metric::L2);
    let each = coded.stages[0].rows.chunks_exact(stride).zip(decoded.chunks_exact_mut(DIM));
    each.for_each(|(code, row)| codec.decode(code, row));
    let decoded = PlainStage {
        kind: CodecKind::F32,
        parameters: Vec::new(),
        rows: bytemuck::cast_slice::<f32, u8>(&decoded).into(),
    };
    let oracle = PlainRows { stages: vec![decoded], ..codes(&file) };
    let (oracle, made) = (opened(&written(oracle)), opened(&written(coded)));
    for query in rows.chunks_exact(DIM).step_by(29) {
        let [expected, got] =
            [&oracle, &made].map(|index| index.search(query, &SearchOptions::new(10)).unwrap());
        for (a, b) in expected.hits.iter().zip(&got.hits) {
            assert_eq!(a.id, b.id);
            assert!((a.score - b.score).abs() < 1e-4, "{} {}", a.score, b.score);
        }
    }
}

#[test]
fn fields_are_stored_and_no_rows_are_a_segment() {
    let rows = drawn(90, DIM);
    let options = BuildOptions::new(Metric::Cosine).graph(false).clusters(false);
    let model = build(rows, DIM, Some(texts(90)), &options, &Ctx::default()).unwrap();
    let line = |row: usize| if row.is_multiple_of(4) { String::new() } else { format!("{{\"row\":{row}}}") };
    let fields = Fields::of((0..90).map(line));
    let made = opened(&written(PlainRows { fields: Some(fields.source()), ..codes(&model) }));
    let Ids::Texts(ids) = codes(&model).ids else { panic!("text ids") };
    let stored = made.fields(&ids.into_iter().map(Id::Text).collect::<Vec<_>>()).unwrap();
    for (row, stored) in stored.into_iter().enumerate() {
        let expected = if row.is_multiple_of(4) { "{}".to_owned() } else { line(row) };
        assert_eq!(stored.as_deref(), Some(&*expected));
    }
    let too_few = Fields::of((0..89).map(line));
    let refused = PlainRows { fields: Some(too_few.source()), ..codes(&model) };
    assert_eq!(plain(refused, &mut Vec::new(), &Ctx::default()).unwrap_err().code(), "argument");

    for ids in [Ids::Numbers(Vec::new()), Ids::Texts(Vec::new())] {
        let fields = Fields::of([""; 0]);
        let mut none = PlainRows { ids, fields: Some(fields.source()), ..codes(&model) };
        none.stages[0].rows = Vec::new().into();
        let none = opened(&written(none));
        assert_eq!(none.info().count, 0);
        assert!(none.search(&[1.0; DIM], &SearchOptions::new(3)).unwrap().hits.is_empty());
    }
}

#[test]
fn what_is_no_segment_is_refused() {
    let options = BuildOptions::new(Metric::L2).graph(false).clusters(false);
    let model = build(drawn(40, DIM), DIM, None, &options, &Ctx::default()).unwrap();
    let refused = |change: &dyn Fn(&mut PlainRows<'static>)| {
        let (mut rows, mut file) = (codes(&model), Vec::new());
        change(&mut rows);
        let code = plain(rows, &mut file, &Ctx::default()).unwrap_err().code();
        assert!(file.is_empty());
        code
    };
    assert_eq!(refused(&|rows| rows.dim = 0), "argument");
    assert_eq!(refused(&|rows| rows.dim = DIM + 1), "corrupt");
    assert_eq!(refused(&|rows| rows.metric = Metric::Dot), "argument");
    assert_eq!(refused(&|rows| rows.stages.clear()), "argument");
    assert_eq!(refused(&|rows| rows.stages.extend(codes(&model).stages)), "argument");
    assert_eq!(refused(&|rows| rows.stages[0].rows.to_mut().truncate(7)), "argument");
    assert_eq!(refused(&|rows| rows.stages[0].parameters.truncate(8)), "corrupt");
    assert_eq!(refused(&|rows| rows.ids = Ids::Numbers(vec![3; 40])), "duplicate-id");
    assert_eq!(refused(&|rows| rows.ids = Ids::counting(39)), "argument");
}

/// `cargo test --release --lib plain -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn how_long_a_flush_takes() {
    const ROWS: usize = 16_384;
    let options = BuildOptions::new(Metric::Cosine).graph(false).clusters(false).max_iterations(1);
    let model = build(drawn(ROWS, 384), 384, None, &options, &Ctx::default()).unwrap();
    let mut times = Vec::new();
    for _ in 0..15 {
        let rows = codes(&model);
        let start = Instant::now();
        let file = written(rows);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(file.len() > ROWS * 384);
    }
    times.sort_by(f64::total_cmp);
    eprintln!("{ROWS} x 384 sq8 rows to memory: {:.1} ms, {:.1} at best", times[7], times[0]);
}
