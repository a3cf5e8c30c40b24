//! Many ids at once give what they give one by one.

use std::time::Instant;

use super::changes::{File, alive, opened};
use crate::build::{PlainRows, PlainStage, plain};
use crate::ctx::Ctx;
use crate::id::{Id, Ids};
use crate::index::{Index, OpenPart};
use crate::metric::Metric;
use crate::quant::CodecKind;
use crate::search::RowPlace;

fn one_by_one(index: &Index, ids: &Ids) -> Vec<Option<RowPlace>> {
    ids.iter().map(|id| index.find(&id.to_id()).unwrap()).collect()
}

#[test]
fn all_ids_are_found_where_each_is() {
    for (paged, text) in [(false, false), (true, false), (false, true), (true, true)] {
        // The second has ids of the first and of the third.
        let files = [File::new(0, 3000, text), File::new(2500, 1500, text), File::new(3900, 400, text)];
        let parts = || files.iter().map(|file| file.part(paged)).collect();
        let id = |number: u64| format!("ä{number}");
        let ids = match text {
            true => Ids::Texts((0..5000).rev().map(id).collect()),
            false => Ids::Numbers((0..5000).rev().collect()),
        };
        for of in [0, 2, 1] {
            let changes = (0..3).map(|at| (at, alive(files[at].count, of * (at as u32 + 1)))).collect();
            let index = opened(parts()).with_alive(changes).unwrap();
            // Of a file that was not read yet, and of one whose sections are there.
            for _ in 0..2 {
                let found = index.find_all(&ids).unwrap();
                assert_eq!(found, one_by_one(&index, &ids), "{paged} {text} {of}");
            }
        }
        let index = opened(parts());
        let other = if text { Ids::Numbers(vec![1, 2]) } else { Ids::Texts(vec![id(1)]) };
        assert!(index.find_all(&other).unwrap().iter().all(Option::is_none));
        assert!(index.find_all(&Ids::Numbers(Vec::new())).unwrap().is_empty());
    }
}

#[test]
fn the_ids_of_positions_are_those_of_the_rows() {
    for (paged, text) in [(false, false), (true, false), (false, true), (true, true)] {
        let files = [File::new(0, 500, text), File::new(500, 2000, text)];
        let index = opened(files.iter().map(|file| file.part(paged)).collect());
        let index = index.with_alive(vec![(1, alive(2000, 1))]).unwrap();
        let few = [7, 1999, 7, 0];
        let ids = index.ids_at(1, &few).unwrap();
        let all = index.ids_at(1, &(0..2000).collect::<Vec<u32>>()).unwrap();
        let all: Vec<Id> = all.iter().map(|id| id.to_id()).collect();
        assert!(ids.iter().map(|id| id.to_id()).eq(few.map(|at| all[at as usize].clone())));
        // Dead rows have ids too, but are not found.
        assert_eq!(index.find(&all[3]).unwrap(), None);
        let first = index.ids_at(0, &[0, 250, 499]).unwrap();
        let places: Vec<u32> =
            index.find_all(&first).unwrap().iter().map(|at| at.unwrap().position).collect();
        assert_eq!(places, [0, 250, 499]);
        for (segment, position) in [(1, 2000), (0, 500), (2, 0)] {
            assert_eq!(index.ids_at(segment, &[position]).err().unwrap().code(), "argument");
        }
        assert!(index.ids_at(0, &[]).unwrap().is_empty());
    }
}

/// `cargo test --release --lib how_long_lookups_take -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn how_long_lookups_take() {
    const ROWS: usize = 1 << 20;
    for text in [false, true] {
        let ids = |numbers: &mut dyn Iterator<Item = u64>| match text {
            true => Ids::Texts(numbers.map(|number| format!("note-{number:09}")).collect()),
            false => Ids::Numbers(numbers.collect()),
        };
        let rows = PlainRows {
            metric: Metric::Dot,
            dim: 1,
            seed: 0,
            stages: vec![PlainStage {
                kind: CodecKind::F32,
                parameters: Vec::new(),
                rows: vec![0; ROWS * 4].into(),
            }],
            ids: ids(&mut (0..ROWS as u64)),
            fields: None,
            schema: &crate::payload::Schema::default(),
        };
        let mut file = Vec::new();
        plain(rows, &mut file, &Ctx::default()).unwrap();
        let part = || {
            let length = file.len() as u64;
            OpenPart::whole(Box::new(crate::storage::InMemory(file.clone())), length)
        };
        let index = opened(vec![part()]);
        for (name, first) in [("there", 0), ("not there", 1 << 40)] {
            // The middle of many batches: a machine that does other things too interrupts some.
            let mut times = Vec::new();
            for batch in 0..301u64 {
                let mut drawn =
                    (0..1000u64).map(|i| first + crate::hash::hash((batch << 20) + i) % ROWS as u64);
                let wanted = ids(&mut drawn);
                let start = Instant::now();
                let found = index.find_all(&wanted).unwrap();
                times.push(start.elapsed().as_nanos() / 1000);
                assert_eq!(found.iter().flatten().count(), if first == 0 { 1000 } else { 0 });
            }
            times.sort_unstable();
            eprintln!("1 of {ROWS} rows, texts: {text}, ids that are {name}: {} ns an id", times[150]);
        }
        let start = Instant::now();
        let rounds = 1000u32;
        for round in 0..rounds {
            let changed = index.with_alive(Vec::new()).unwrap();
            assert_eq!(changed.segments()[0].dead, 0, "{round}");
        }
        eprintln!("with_alive: {:?}", start.elapsed() / rounds);
    }
}
