//! A merge into codecs that are given copies what they encoded, and encodes the rest as an append does.

use std::cell::Cell;
use std::collections::HashSet;

use super::changes::{alive, opened};
use crate::build::{BuildOptions, Frozen};
use crate::ctx::Ctx;
use crate::id::{Id, Ids};
use crate::index::{Index, OpenPart, append_into};
use crate::metric::Metric;
use crate::quant::CodecKind;
use crate::rows::BuildInput;
use crate::search::{IndexChoice, SearchOptions};
use crate::segment::{STAGES, Segment};
use crate::storage::{InMemory, Source};

const DIM: usize = 12;

fn rows(seed: u64, count: usize) -> Vec<f32> {
    let draw = |i: u64| (crate::hash::hash((seed << 32) + i) % 1009) as f32 / 500.0 - 0.9;
    (0..(count * DIM) as u64).map(draw).collect()
}

fn ids(first: u64, count: usize) -> Ids {
    Ids::Numbers((first..first + count as u64).collect())
}

fn part(file: &[u8]) -> OpenPart {
    OpenPart::whole(Box::new(InMemory(file.to_vec())), file.len() as u64)
}

fn appended(like: &Index, rows: &[f32], ids: Ids, options: &BuildOptions) -> Vec<u8> {
    let input = BuildInput::Memory { vectors: rows.to_vec(), dim: DIM };
    let mut file = Vec::new();
    append_into(like, input, Some(ids), options, &mut file, &Ctx::default()).unwrap();
    file
}

fn parameters(file: &[u8]) -> Vec<Frozen> {
    let segment = Segment::open(file, file.len() as u64).unwrap();
    let stage = |(at, &kind): (usize, &CodecKind)| {
        let extent = segment.extent(STAGES[at].parameters);
        (kind, extent.and_then(|extent| InMemory(file).get(extent).map(<[u8]>::to_vec)).unwrap_or_default())
    };
    segment.header.stages.iter().enumerate().map(stage).collect()
}

/// The bytes of a row, stage by stage.
fn stored(file: &[u8], id: u64) -> Option<Vec<Vec<u8>>> {
    let (segment, source) = (Segment::open(file, file.len() as u64).unwrap(), InMemory(file));
    let position = segment.find(&source, &Id::Number(id)).unwrap().unwrap()?;
    let stages = std::iter::once(&segment.codes).chain(&segment.finer);
    Some(stages.map(|matrix| source.get(matrix.row(position)).unwrap().to_vec()).collect())
}

#[test]
fn codes_are_copied_or_made_as_an_append_makes_them() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::L2] {
        for (codec, refine) in [
            (CodecKind::Sq8, None),
            (CodecKind::Sq8, Some(CodecKind::F16)),
            (CodecKind::Sq8, Some(CodecKind::F32)),
            (CodecKind::F16, None),
        ] {
            let options = BuildOptions::new(metric).codec(codec).refine(refine).m(4).max_iterations(2);
            let floats = BuildOptions::new(metric).codec(CodecKind::F32).graph(false).clusters(false);
            let late = rows(3, 150);
            let first =
                crate::build::build(rows(1, 400), DIM, Some(ids(0, 400)), &options, &Ctx::default()).unwrap();
            let like = opened(vec![part(&first)]);
            let second = appended(&like, &rows(2, 300), ids(390, 300), &options);
            let third = crate::build::build(late.clone(), DIM, Some(ids(690, 150)), &floats, &Ctx::default());
            let (third, direct) = (third.unwrap(), appended(&like, &late, ids(690, 150), &options));
            let stages = parameters(&first);
            let index = opened(vec![part(&first), part(&second), part(&third)]);
            let index = index.with_alive(vec![(0, alive(400, 9)), (2, alive(150, 4))]).unwrap();
            let lost: HashSet<u64> = dead(&index);
            let (mut file, warned) = (Vec::new(), Cell::new(0));
            let warn = |_| warned.set(warned.get() + 1);
            let ctx = Ctx { warning: Some(&warn), ..Ctx::default() };
            index.merge_as(&[0, 1, 2], &stages, &options, &mut file, &ctx).unwrap();
            assert_eq!(warned.get(), 0, "{metric:?} {codec} {refine:?}");
            assert_eq!(parameters(&file), stages);
            let merged = opened(vec![part(&file)]);
            merged.verify().unwrap();
            assert_eq!(merged.info().count, 840 - lost.len());
            for id in 0..840 {
                let from = [&first, &second, &direct][usize::from(id >= 390) + usize::from(id >= 690)];
                let expected = if lost.contains(&id) { None } else { stored(from, id) };
                assert_eq!(stored(&file, id), expected, "{metric:?} {codec} {refine:?} {id}");
            }
            for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
                let options = SearchOptions::new(1).index(choice);
                let near = |row: &[f32]| merged.search(row, &options).unwrap().hits[0].id.clone();
                let found = (690u64..).zip(late.chunks_exact(DIM)).filter(|(id, _)| !lost.contains(id));
                let own = found.clone().filter(|(id, row)| near(row) == Id::Number(*id)).count();
                let least = if metric == Metric::Dot { 0 } else { found.count() * 95 / 100 };
                assert!(own >= least, "{metric:?} {codec} {choice:?}: {own} found");
            }
        }
    }
}

/// The ids below 840 that no live row has.
fn dead(index: &Index) -> HashSet<u64> {
    let places = index.find_all(&ids(0, 840)).unwrap();
    (0..840).zip(places).filter(|(_, place)| place.is_none()).map(|(id, _)| id).collect()
}

#[test]
fn codecs_that_are_none_are_refused() {
    let options = BuildOptions::new(Metric::L2);
    let file = crate::build::build(rows(1, 50), DIM, None, &options, &Ctx::default()).unwrap();
    let index = opened(vec![part(&file)]);
    let sq8 = || parameters(&file).remove(0);
    let refused = |segments: &[usize], stages: &[Frozen]| {
        let merged = index.merge_as(segments, stages, &options, &mut Vec::new(), &Ctx::default());
        merged.unwrap_err().code()
    };
    assert_eq!(refused(&[0], &[]), "argument");
    assert_eq!(refused(&[1], &[sq8()]), "argument");
    assert_eq!(refused(&[], &[sq8()]), "argument");
    assert_eq!(refused(&[0], &[(CodecKind::Sq8, vec![0; 7])]), "corrupt");
    assert_eq!(refused(&[0], &[(CodecKind::F32, Vec::new()), sq8()]), "argument");
}
