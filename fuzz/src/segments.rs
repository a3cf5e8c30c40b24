//! The targets whose input is a segment.

use crate::support::data::{self, Random};
use crate::support::fields::{Part, parts};
use crate::support::mutate::change as change_fields;
use crate::support::survive::{BUDGETS, asked, use_remote, use_whole};
use crate::support::{self, CODECS, METRICS, format};
use crate::{Target, Tell};
use pagevec::{BuildOptions, CodecKind, Ids, Index, IndexChoice, Metric};
use std::sync::OnceLock;

/// A segment, searched by every route.
pub const SEGMENT: Target = Target {
    name: "segment",
    run: run_segment,
    seeds: segments,
    change: |input, random| change(input, random, &SEGMENTS),
};

/// A segment with clusters, searched by them.
pub const LISTS: Target = Target {
    name: "lists",
    run: run_lists,
    seeds: lists,
    change: |input, random| change(input, random, &CLUSTERED),
};

/// A segment with a graph, searched by it.
pub const LINKS: Target = Target {
    name: "links",
    run: run_links,
    seeds: links,
    change: |input, random| change(input, random, &LINKED),
};

const COUNT: usize = 24;
const DIM: usize = 5;
/// Below this length a file has no header, and no sums to make right.
const HEADER: usize = format::TABLE + 8;
/// A query has at most this many components: more is asked of no file, as they would take longer to make than to read.
const MOST_COMPONENTS: usize = 4096;

fn run_segment(input: &[u8], tell: &mut Tell) {
    run(input, &[IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters], tell);
}

fn run_lists(input: &[u8], tell: &mut Tell) {
    run(input, &[IndexChoice::Clusters], tell);
}

fn run_links(input: &[u8], tell: &mut Tell) {
    run(input, &[IndexChoice::Hnsw], tell);
}

fn run(input: &[u8], routes: &[IndexChoice], tell: &mut Tell) {
    sealed(input, &mut |file| use_file(file, routes, tell));
}

/// Uses the file as it is, and with its sums made right if they are not.
pub(crate) fn sealed(input: &[u8], use_file: &mut dyn FnMut(&[u8])) {
    use_file(input);
    let mut sealed = input.to_vec();
    seal(&mut sealed);
    if sealed != input {
        use_file(&sealed);
    }
}

fn use_file(file: &[u8], routes: &[IndexChoice], tell: &mut Tell) {
    let dim = Index::from_bytes(file).map_or(1, |index| index.info().dim);
    let asked = asked(file, dim.min(MOST_COMPONENTS), routes);
    // By number or by text, as the file has it: the other is refused before anything is read.
    let id = &asked.ids[if file.get(67) == Some(&1) { 2 } else { 0 }];
    use_whole(file, &asked, id, tell);
    (0..BUDGETS).for_each(|which| use_remote(file, &asked, which, tell));
}

fn seal(file: &mut [u8]) {
    if file.len() >= HEADER {
        format::seal(file);
    }
}

/// Where the fields of each seed are, by which its changed copies are changed again.
pub(crate) struct Changed(
    pub(crate) fn() -> Vec<(String, Vec<u8>)>,
    pub(crate) OnceLock<Vec<(Vec<u8>, Vec<Part>)>>,
    pub(crate) &'static [&'static str],
);

static SEGMENTS: Changed = Changed(segments, OnceLock::new(), &[]);
static CLUSTERED: Changed = Changed(
    lists,
    OnceLock::new(),
    &[
        "cells",
        "places of cells",
        "codes of cells",
        "leaves",
        "spilled",
        "centres of lists",
        "codes of lists",
        "positions of lists",
        "ids of lists",
    ],
);
static LINKED: Changed = Changed(links, OnceLock::new(), &["graph head", "upper layers", "links"]);

/// Of the seed from which `input` came, which has its content id, or of any.
pub(crate) fn change(input: &mut Vec<u8>, random: &mut Random, fields: &'static Changed) {
    let Changed(seeds, known, names) = fields;
    let known = known.get_or_init(|| {
        let of_interest = |part: &Part| names.is_empty() || names.contains(&part.name);
        let fields = |file: Vec<u8>| {
            let mut parts = parts(&file);
            parts.retain(of_interest);
            (file, parts)
        };
        seeds().into_iter().map(|(_, file)| fields(file)).filter(|(_, parts)| !parts.is_empty()).collect()
    });
    if input.len() < HEADER {
        input.clone_from(&known[random.below(known.len())].0);
    }
    let same = known.iter().find(|(file, _)| file[40..56] == input[40..56]);
    let (_, parts) = same.unwrap_or_else(|| &known[random.below(known.len())]);
    change_fields(random, input, parts);
    seal(input);
}

fn small(metric: Metric, codec: CodecKind) -> BuildOptions {
    support::options(metric, codec).m(3).max_leaf_size(6).branching_factor(4)
}

fn seed(name: &str, ids: Option<Ids>, options: &BuildOptions) -> (String, Vec<u8>) {
    let name = format!("{}-{}-{name}", options.metric.name(), options.codec);
    let rows = data::clustered(COUNT, DIM, 181);
    (name.replace('/', ""), support::file(&rows, DIM, ids, options))
}

fn wide_ids() -> Ids {
    Ids::Numbers((0..COUNT as u64).map(|i| (i * 7919) % 40 + (1 << 40)).collect())
}

/// Every codec and metric, with a graph, with clusters and with both; the kinds of id in turn.
fn segments() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (i, codec) in CODECS.into_iter().enumerate() {
        for (j, metric) in METRICS.into_iter().enumerate() {
            let (name, ids) = match (i + j) % 3 {
                0 => ("positions", None),
                1 => ("texts", Some(support::texts(COUNT))),
                _ => ("numbers", Some(wide_ids())),
            };
            let options = small(metric, codec).graph(j != 0).clusters(j != 1);
            all.push(seed(name, ids, &options));
        }
    }
    let exact = small(Metric::L2, CodecKind::Pq(2)).exact(CodecKind::F32);
    all.push(seed("exact", None, &exact));
    let stored = small(Metric::L2, CodecKind::Sq8).graph(false).fields(support::fields_of(COUNT));
    all.push(seed("fields", None, &stored));
    all
}

/// Clusters alone: codes of one bit and of more, spilled rows, each kind of id.
fn lists() -> Vec<(String, Vec<u8>)> {
    let alone = |metric, codec| small(metric, codec).graph(false).branching_factor(2).max_leaf_size(4);
    let wide = data::clustered(COUNT, 130, 172);
    vec![
        seed("positions", None, &alone(Metric::Cosine, CodecKind::Sq8)),
        seed("texts", Some(support::texts(COUNT)), &alone(Metric::L2, CodecKind::F16)),
        seed("numbers", Some(wide_ids()), &alone(Metric::Dot, CodecKind::Binary)),
        ("l2-sq8-of-130".into(), support::file(&wide, 130, None, &alone(Metric::L2, CodecKind::Sq8))),
    ]
}

/// A graph alone, of the least and of more links a node.
fn links() -> Vec<(String, Vec<u8>)> {
    let alone = |m, metric, codec| small(metric, codec).m(m).clusters(false);
    vec![
        seed("m-2", None, &alone(2, Metric::Cosine, CodecKind::Sq8)),
        seed("m-3", Some(support::texts(COUNT)), &alone(3, Metric::L2, CodecKind::Binary)),
        seed("m-8", None, &alone(8, Metric::Dot, CodecKind::F32)),
    ]
}
