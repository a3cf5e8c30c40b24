//! What the tests share. Nothing here comes from src/ but the public API, so that a test cannot inherit its mistakes.
//!
//! | file | duty |
//! |---|---|
//! | `data`   | seeded rows in clusters, from integers and divisions only |
//! | `odd`    | odd data from seeds, and recall over it: mean, worst tenth, cost |
//! | `sets`   | sets of rows that may be hits, and recall over them |
//! | `oracle` | the nearest rows by definition, in f64; recall against them |
//! | `paged`  | drives a `Session` over a byte slice and counts what it moves |
//! | `format` | a second reading of FORMAT.md: finds sections, writes fields, makes every checksum right again |
//! | `clusters` | the same of the clusters' sections |
//! | `positions` | the same of a set of positions |
//! | `stored` | the same of stored fields |
//! | `log`    | the same of a write-ahead log |
//! | `indexes` | the same of payload indexes |
//! | `fields` | every field of a file, by what it means, to change it |
//! | `mutate` | changes them, and the values of a manifest |
//! | `survive` | what a user may do with a hostile file, and what must hold of the answers |
//! | `payload` | rows with fields, filters, and which rows match by the definition |
//! | `disk`   | a disk that fails, and loses, tears and reorders what was not synced |
//! | `alloc`  | an allocator that counts what one thread holds |
//! | `alloc_all` | one that counts what all threads hold |
//! | `npy`    | reads `.npy` matrices |
//! | `words`  | reads the documents of wordnet; a module of the files that do, as the fuzz targets have no gzip |

// Every test file is a crate of its own and uses some of this.
#![allow(dead_code)]

pub(crate) mod alloc;
pub(crate) mod alloc_all;
pub(crate) mod bytes;
pub(crate) mod clusters;
pub(crate) mod data;
pub(crate) mod disk;
pub(crate) mod fields;
pub(crate) mod format;
pub(crate) mod indexes;
pub(crate) mod log;
pub(crate) mod mutate;
pub(crate) mod npy;
pub(crate) mod odd;
pub(crate) mod oracle;
pub(crate) mod paged;
pub(crate) mod payload;
pub(crate) mod positions;
pub(crate) mod sets;
pub(crate) mod stored;
pub(crate) mod survive;

use pagevec::{
    Answer, BuildOptions, CodecKind, Ctx, Error, FieldType, Fields, Ids, Index, IndexChoice, Metric, Schema,
    SearchOptions,
};

pub(crate) const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::L2];
/// One part fits vectors of any length.
pub(crate) const CODECS: [CodecKind; 6] =
    [CodecKind::F32, CodecKind::F16, CodecKind::Sq8, CodecKind::Binary, CodecKind::Sq4, CodecKind::Pq(1)];

/// The file of `rows`, which must be buildable.
pub(crate) fn file(rows: &[f32], dim: usize, ids: Option<Ids>, options: &BuildOptions) -> Vec<u8> {
    pagevec::build(rows.to_vec(), dim, ids, options, &Ctx::default()).expect("the rows are good")
}

pub(crate) fn index(rows: &[f32], dim: usize, options: &BuildOptions) -> Index {
    Index::from_bytes(&file(rows, dim, None, options)).expect("a file just built opens")
}

pub(crate) fn options(metric: Metric, codec: CodecKind) -> BuildOptions {
    BuildOptions::new(metric).codec(codec)
}

/// Without the clustered index: codes, rows and graph alone.
pub(crate) fn plain(metric: Metric, codec: CodecKind) -> BuildOptions {
    options(metric, codec).clusters(false)
}

/// What to ask for to go the way an answer went.
pub(crate) fn same_way(answer: &Answer) -> IndexChoice {
    answer.stats.index.parse().expect("an index that can be asked for")
}

pub(crate) fn top(k: usize) -> SearchOptions {
    SearchOptions::new(k)
}

/// `result`'s error code, or `"ok"`.
pub(crate) fn code<T>(result: &Result<T, Error>) -> &'static str {
    result.as_ref().err().map_or("ok", Error::code)
}

/// Text ids of varied length, some beyond ASCII.
pub(crate) fn texts(count: usize) -> Ids {
    Ids::Texts((0..count).map(|i| format!("{}ä-{i}", "w".repeat(i % 5))).collect())
}

/// Fields of some rows: one in seven has none.
pub(crate) fn fields_of(count: usize) -> Fields {
    let row = |i: usize| match i % 7 {
        0 => String::new(),
        _ => format!("{{\"title\":\"the title of row {i}\",\"of\":[{i},\"ä\"]}}"),
    };
    Fields::of((0..count).map(row))
}

/// Fields of every type, and what they are. Of one row in nine all are missing; terms and their sets do not fit the head.
pub(crate) fn indexed_fields(count: usize) -> (Fields, Schema) {
    let row = |i: usize| match i % 9 {
        0 => String::new(),
        _ => format!(
            "{{\"name\":\"the long name of row {i}, which is {}\",\"tag\":[\"t{}\",\"ü\"],\"size\":{},\"price\":{}.25,\
             \"new\":{},\"at\":\"2026-11-{:02}\",\"near\":{{\"lat\":{},\"lon\":{}}}}}",
            i * 7919,
            i % 5,
            i * i % 1000,
            i % 13,
            i.is_multiple_of(2),
            1 + i % 28,
            (i * 37 % 180) as f64 / 2.0,
            (i * 53 % 360) as f64 - 180.0,
        ),
    };
    (Fields::of((0..count).map(row)), Schema::infer().field("name", FieldType::Keyword))
}

/// The kinds of small segment that damage is tried on, with their rows' dimension: between them every section,
/// codec and kind of id.
pub(crate) fn small_segments() -> Vec<(&'static str, Vec<u8>, usize)> {
    let (n, dim) = (40, 5);
    let rows = data::clustered(n, dim, 11);
    let small = |metric, codec| options(metric, codec).m(3).max_leaf_size(6).branching_factor(4);
    let wide = Ids::Numbers((0..n as u64).map(|i| (i * 7919) % 40 + (1 << 40)).collect());
    vec![
        (
            "sq8, graph, text ids",
            file(&rows, dim, Some(texts(n)), &small(Metric::Cosine, CodecKind::Sq8)),
            dim,
        ),
        ("binary, sq8 rows, graph", file(&rows, dim, None, &small(Metric::L2, CodecKind::Binary)), dim),
        (
            "f32, no graph, no clusters",
            file(&rows, dim, None, &small(Metric::Dot, CodecKind::F32).graph(false).clusters(false)),
            dim,
        ),
        (
            "sq8, f16 rows, no graph, wide number ids",
            file(
                &rows,
                dim,
                Some(wide),
                &small(Metric::Cosine, CodecKind::Sq8).refine(CodecKind::F16).graph(false),
            ),
            dim,
        ),
        (
            "pq of uneven parts, sq8 rows, exact rows, graph",
            file(&rows, dim, None, &small(Metric::L2, CodecKind::Pq(2)).exact(CodecKind::F32)),
            dim,
        ),
        ("sq4, sq8 rows, graph", file(&rows, dim, None, &small(Metric::Dot, CodecKind::Sq4)), dim),
        (
            "sq8, stored fields, no graph",
            file(&rows, dim, None, &small(Metric::L2, CodecKind::Sq8).graph(false).fields(fields_of(n))),
            dim,
        ),
    ]
}
