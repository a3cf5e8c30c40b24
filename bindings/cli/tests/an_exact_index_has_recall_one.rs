//! `eval` measures what it says: exact codes and every row read give recall 1 against a brute force.

mod support;

use support::{DIM, ROWS, Room, f32_bytes, json, npy, refused, run, values};

const QUERIES: usize = 20;
const K: usize = 10;

/// Row numbers by cosine, nearest first.
fn nearest(rows: &[f32], query: &[f32]) -> Vec<i32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = |row: &[f32]| dot(row, query) / dot(row, row).sqrt();
    let mut scored: Vec<(f64, i32)> = rows.chunks_exact(DIM).map(cosine).zip(0..).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(K).map(|(_, row)| row).collect()
}

/// Paths of queries and truth.
fn made_up(room: &Room) -> (String, String) {
    let all = values(ROWS + QUERIES, DIM);
    let (rows, queries) = all.split_at(ROWS * DIM);
    let truth: Vec<i32> = queries.chunks_exact(DIM).flat_map(|q| nearest(rows, q)).collect();
    let truth: Vec<u8> = truth.iter().flat_map(|row| row.to_le_bytes()).collect();
    let queries = room.write("q.npy", npy("<f4", false, QUERIES, DIM, &f32_bytes(queries)));
    (queries, room.write("t.npy", npy("<i4", false, QUERIES, K, &truth)))
}

#[test]
fn an_exact_index_has_recall_one() {
    let room = Room::new();
    let (queries, truth) = made_up(&room);
    let index = room.join("numbers");
    json(&["build", &room.vectors(), "--codec", "f32", "-o", &index, "--json"]);
    let eval = ["eval", &index, "--queries", &queries, "--truth", &truth, "--json"];
    let row = json(&[eval.as_slice(), &["--index", "flat"]].concat());
    assert_eq!(
        (&row["recall"], &row["index"], &row["distances"]),
        (&1.0.into(), &"flat".into(), &(ROWS as f64).into())
    );
    assert!(row["p50_us"].as_f64() <= row["p99_us"].as_f64());

    let lines = run(&[eval.as_slice(), &["--ef", "10,300", "--threads", "2", "--repeat", "2"]].concat());
    let rows = String::from_utf8(lines.stdout).expect("UTF-8");
    let rows: Vec<serde_json::Value> = rows.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(rows.iter().map(|r| r["ef"].as_u64()).collect::<Vec<_>>(), [Some(10), Some(300)]);
    assert_eq!(rows[1]["recall"], 1.0, "a beam as wide as the index finds everything");
}

#[test]
fn text_ids_are_mapped_back_to_rows() {
    let room = Room::new();
    let (queries, truth) = made_up(&room);
    let index = room.index(&["--codec", "f32"]);
    let eval = ["eval", &index, "--queries", &queries, "--truth", &truth, "--index", "flat", "--json"];
    let words = room.join("words.txt");
    assert_eq!(json(&[eval.as_slice(), &["--truth-ids", &words]].concat())["recall"], 1.0);
    refused(&eval, 2, &["--truth-ids"]);
    let narrow = [eval.as_slice(), &["--truth-ids", &words, "-k", "11"]].concat();
    refused(&narrow, 1, &["20 x 10"]);
}
