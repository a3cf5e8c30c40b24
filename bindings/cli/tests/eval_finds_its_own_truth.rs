//! Without a truth, `eval` scans what the index stores, or the vectors it was built from, by definition and in f64. A
//! row as near as the k-th is as true; the worst tenth of the queries is told beside the mean.

mod support;

use serde_json::Value;
use support::{Room, f32_bytes, json, npy, refused, run, values};

const ROWS: usize = 260;
const DIM: usize = 11;
const QUERIES: usize = 35;
const K: usize = 7;

fn score(metric: &str, query: &[f32], row: &[f32]) -> f64 {
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        query.iter().zip(row).map(|(a, b)| f(f64::from(*a), f64::from(*b))).sum()
    };
    let norm = |v: &[f32]| v.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    match metric {
        "l2" => -sum(&|a, b| (a - b) * (a - b)),
        "dot" => sum(&|a, b| a * b),
        _ => sum(&|a, b| a * b) / norm(query) / norm(row),
    }
}

/// Mean and worst tenth of the recall of `search` over an index whose ids are row numbers.
fn measured(metric: &str, index: &str, rows: &[f32], queries: &[f32], more: &[&str]) -> (f64, f64) {
    let recall = |query: &[f32]| {
        let mut scores: Vec<f64> = rows.chunks_exact(DIM).map(|row| score(metric, query, row)).collect();
        let text = query.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        let k = K.to_string();
        let found = json(&[&["search", index, "--vector", &text, "-k", &k, "--json"], more].concat());
        let hits = found["hits"].as_array().expect("hits");
        let of = |hit: &Value| scores[hit["id"].as_u64().expect("a number") as usize];
        let near: Vec<f64> = hits.iter().map(of).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        near.iter().filter(|score| **score >= scores[K - 1] - 1e-9).count() as f64 / K as f64
    };
    let mut recalls: Vec<f64> = queries.chunks_exact(DIM).map(recall).collect();
    recalls.sort_by(f64::total_cmp);
    let mean = |recalls: &[f64]| recalls.iter().sum::<f64>() / recalls.len() as f64;
    (mean(&recalls), mean(&recalls[..QUERIES.div_ceil(10)]))
}

#[test]
fn the_truth_is_that_of_the_vectors_it_was_built_from() {
    let all = values(ROWS + QUERIES, DIM);
    let (rows, queries) = all.split_at(ROWS * DIM);
    for metric in ["cosine", "dot", "l2"] {
        let room = Room::new();
        let base = room.write("base.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(rows)));
        let asked = room.write("q.npy", npy("<f4", false, QUERIES, DIM, &f32_bytes(queries)));
        let index = room.join("index");
        // Codes of one bit alone rank badly, so there is something to measure.
        json(&["build", &base, "--metric", metric, "--codec", "binary", "-o", &index, "--json"]);
        let poor = ["--index", "flat", "--rescore", "0"];
        let k = K.to_string();
        let eval = ["eval", &index, "--queries", &asked, "-k", &k, "--base", &base, "--json"];
        let told = json(&[eval.as_slice(), &poor].concat());
        let (mean, worst) = measured(metric, &index, rows, queries, &poor);
        assert!(mean < 0.95 && worst < mean, "{metric}: {mean} {worst} leave nothing to measure");
        let near = |told: &Value, is: f64| (told.as_f64().expect("a number") - is).abs() < 1e-12;
        assert!(
            near(&told["recall"], mean) && near(&told["worst_tenth"], worst),
            "{metric}: {told} {mean} {worst}"
        );
        assert!(
            told["truth"].as_str().is_some_and(|t| t.starts_with("exact scan of") && t.contains("base.npy"))
        );
        // The best candidates by their rows are those of the rows.
        let fine = json(&[eval.as_slice(), &["--index", "flat", "--rescore", "260"]].concat());
        assert!(fine["recall"].as_f64() > told["recall"].as_f64());
    }
}

#[test]
fn the_truth_is_that_of_what_is_stored() {
    let room = Room::new();
    let asked = room
        .write("q.npy", npy("<f4", false, QUERIES, support::DIM, &f32_bytes(&values(QUERIES, support::DIM))));
    for (build, told) in [
        (&["--codec", "f32"][..], "exact scan of the stored f32 rows"),
        (&["--codec", "sq8"], "exact scan of the stored sq8 rows"),
        (&["--codec", "binary", "--refine", "f16"], "exact scan of the stored f16 rows"),
        (&["--codec", "pq4", "--refine", "sq8", "--exact", "f32"], "exact scan of the stored f32 rows"),
    ] {
        let index = room.index(build);
        let eval = ["eval", &index, "--queries", &asked, "--json", "--index", "flat", "--rescore", "300"];
        let row = json(&eval);
        assert_eq!(row["truth"], told);
        // The widest search ranks by the same rows, in f32: two of them may change places.
        let least = row["worst_tenth"].as_f64();
        assert!(least >= Some(0.97), "{row}");
        let text = run(&["eval", &index, "--queries", &asked]);
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        assert!(text.starts_with(&format!("truth: {told}\n")) && text.contains("worst tenth"), "{text}");
    }
}

#[test]
fn copies_of_the_nearest_are_as_true() {
    let room = Room::new();
    // Five directions, each in 40 rows: of 40 equal rows any seven are right.
    let kinds = values(5, DIM);
    let rows: Vec<f32> = (0..200).flat_map(|i| kinds[i % 5 * DIM..][..DIM].to_vec()).collect();
    let base = room.write("base.npy", npy("<f4", false, 200, DIM, &f32_bytes(&rows)));
    let asked = room.write("q.npy", npy("<f4", false, 5, DIM, &f32_bytes(&kinds)));
    let index = room.join("index");
    json(&["build", &base, "-o", &index, "--json"]);
    for more in [&["--base", &base][..], &[]] {
        let eval = ["eval", &index, "--queries", &asked, "-k", "7", "--index", "flat", "--json"];
        assert_eq!(json(&[&eval, more].concat())["recall"], 1.0, "{more:?}");
    }
}

#[test]
fn text_ids_come_with_the_base_or_with_their_file() {
    let room = Room::new();
    let lines: String = (values(ROWS, DIM).chunks_exact(DIM).enumerate())
        .map(|(i, row)| format!("{}\n", serde_json::json!({ "id": format!("x{i}"), "vector": row })))
        .collect();
    let base = room.write("base.jsonl", &lines);
    let queries: String = lines.lines().take(9).map(|line| format!("{line}\n")).collect();
    let asked = room.write("q.jsonl", queries);
    let index = room.join("index");
    json(&["build", &base, "-o", &index, "--codec", "f32", "--json"]);
    let eval = ["eval", &index, "--queries", &asked, "--index", "flat", "--json"];
    assert_eq!(json(&[eval.as_slice(), &["--base", &base]].concat())["recall"], 1.0);
    let numbers = room.write("base.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(&values(ROWS, DIM))));
    refused(&[eval.as_slice(), &["--base", &numbers]].concat(), 2, &["--truth-ids"]);
    let names = room.write("names.txt", (0..ROWS).map(|i| format!("x{i}\n")).collect::<String>());
    assert_eq!(
        json(&[eval.as_slice(), &["--base", &numbers, "--truth-ids", &names]].concat())["recall"],
        1.0
    );
    let other = room.vectors();
    refused(
        &[eval.as_slice(), &["--base", &other]].concat(),
        1,
        &["300 rows of 16", "260 of 11", "built from"],
    );
    refused(&[eval.as_slice(), &["--base", &base, "--truth", &numbers]].concat(), 2, &["--truth", "--base"]);
}
