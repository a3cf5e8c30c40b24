//! One bit flipped anywhere in a segment: `verify` always says so, and a search that reads only parts either says so
//! or answers as if nothing had happened.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pagevec::{CodecKind, Id, Index, Metric, Operation, Outcome, RowPlace};
use support::data::Random;
use support::paged::{Remote, hits};
use support::{data, file, options, small_segments, texts};

fn verified(file: &[u8]) -> bool {
    let result = catch_unwind(|| Index::from_bytes(file).and_then(|index| index.verify()));
    result.expect("a panic instead of an error").is_ok()
}

/// What a user sees of a file over a paged source, `Err` with a code where something was noticed.
fn seen(file: &[u8], budget: u64, query: &[f32]) -> Vec<Result<String, &'static str>> {
    let run = || {
        let mut remote = match Remote::open(file, budget) {
            Ok(remote) => remote,
            Err(error) => return vec![Err(error.code())],
        };
        let o = support::top(8).rescore(12);
        let answer = remote.search(query, &o).map(|(a, _)| format!("{:?}", hits(&a)));
        let id = |remote: &mut Remote<'_>, operation| match remote.run(operation) {
            Ok((Outcome::Vector(v), _)) => {
                Ok(format!("{:?}", v.iter().map(|x| x.to_bits()).collect::<Vec<_>>()))
            }
            Ok((other, _)) => Ok(format!("{other:?}")),
            Err(error) => Err(error.code()),
        };
        let known = if remote.session.segment().info().ids == "text" {
            Id::Text("wwä-7".into())
        } else {
            Id::Number(7)
        };
        let from = RowPlace { segment: 0, position: 9 };
        let lists = o.clone().index(pagevec::IndexChoice::Clusters);
        let by_lists = remote.search(query, &lists).map(|(a, _)| format!("{:?}", hits(&a)));
        let position = id(&mut remote, Operation::Find(known.clone()));
        vec![
            answer.map_err(|e| e.code()),
            by_lists.map_err(|e| e.code()),
            position,
            id(&mut remote, Operation::Vector(known.clone())),
            id(&mut remote, Operation::Fields(vec![known, Id::Number(1), Id::Number(39)])),
            id(&mut remote, Operation::Rows { from, count: 12, vectors: true, fields: false }),
        ]
    };
    catch_unwind(AssertUnwindSafe(run)).expect("a panic instead of an error")
}

/// Every bit of `file` in turn.
fn flip_all(name: &str, file: &[u8], dim: usize) {
    assert!(verified(file), "{name}");
    let query = data::clustered(1, dim, 111);
    let budget = 1 << 20;
    let truth = seen(file, budget, &query);
    assert!(truth[0].is_ok());
    let mut damaged = file.to_vec();
    let mut noticed = 0;
    for bit in 0..file.len() * 8 {
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!verified(&damaged), "{name}: bit {} of byte {} went unnoticed", bit % 8, bit / 8);
        let got = seen(&damaged, budget, &query);
        noticed += usize::from(got != truth);
        for (i, got) in got.iter().enumerate() {
            let harmless = got == &truth[i] || matches!(got, Err(code) if *code != "ok" && got != &truth[i]);
            assert!(harmless, "{name}: bit {} of byte {}: {got:?} for {:?}", bit % 8, bit / 8, truth[i]);
        }
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(noticed * 3 > file.len() * 8, "{name}: only {noticed} flips were in what a search reads");
    assert_eq!(damaged, file);
}

#[test]
fn in_sq8_with_graph_and_text_ids() {
    let (name, file, dim) = small_segments().swap_remove(0);
    flip_all(name, &file, dim);
}

#[test]
fn in_binary_with_rows() {
    let (name, file, dim) = small_segments().swap_remove(1);
    flip_all(name, &file, dim);
}

#[test]
fn in_f32_without_graph() {
    let (name, file, dim) = small_segments().swap_remove(2);
    flip_all(name, &file, dim);
}

#[test]
fn in_sq8_with_f16_rows_and_wide_ids() {
    let (name, file, dim) = small_segments().swap_remove(3);
    flip_all(name, &file, dim);
}

#[test]
fn in_pq_with_rows_and_exact_rows() {
    let (name, file, dim) = small_segments().swap_remove(4);
    flip_all(name, &file, dim);
}

#[test]
fn in_sq4_with_rows() {
    let (name, file, dim) = small_segments().swap_remove(5);
    flip_all(name, &file, dim);
}

#[test]
fn in_stored_fields() {
    let (name, file, dim) = small_segments().swap_remove(6);
    flip_all(name, &file, dim);
}

/// Where sections have many blocks, whose sums stand in a table: bits here and there.
#[test]
fn in_a_file_of_many_blocks() {
    let dim = 70;
    let rows = data::clustered(2500, dim, 112);
    let options = options(Metric::L2, CodecKind::Binary).ef_construction(20);
    let file = file(&rows, dim, Some(texts(2500)), &options);
    assert!(verified(&file));
    let mut random = Random(113);
    let mut damaged = file.clone();
    for _ in 0..4000 {
        let bit = random.below(file.len() * 8);
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!verified(&damaged), "bit {} of byte {}", bit % 8, bit / 8);
        damaged[bit / 8] = file[bit / 8];
    }
}
