//! From appended rows to hits: `build --append` adds segments, `merge` makes one of them, and searches find the last row
//! of each id, before and after.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{DIM, Room, f32_bytes, json, npy, refused, run, values};

/// Rows `from` to `to` of the made-up vectors, moved by `by`, and the ids `w<from>`, …
struct Rows {
    data: Vec<f32>,
    first: usize,
}

impl Rows {
    fn new(from: usize, to: usize, by: f32) -> Self {
        let data = values(to, DIM)[from * DIM..].iter().map(|value| value + by).collect();
        Rows { data, first: from }
    }

    fn write(&self, room: &Room, name: &str) -> [String; 2] {
        let rows = self.data.len() / DIM;
        let ids = (self.first..self.first + rows).map(|i| format!("w{i}\n")).collect::<String>();
        let vectors = npy("<f4", false, rows, DIM, &f32_bytes(&self.data));
        [room.write(&format!("{name}.npy"), vectors), room.write(&format!("{name}.txt"), ids)]
    }

    fn row(&self, number: usize) -> String {
        let at = (number - self.first) * DIM;
        self.data[at..at + DIM].iter().map(f32::to_string).collect::<Vec<_>>().join(",")
    }
}

fn append(folder: &str, [vectors, ids]: &[String; 2], more: &[&str]) -> Value {
    let arguments = ["build", vectors, "--ids", ids, "--append", "-o", folder, "--json"];
    json(&[&arguments, more].concat())
}

/// What it prints for people; it must succeed.
fn shown(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Ids and scores of the hits.
fn hits(folder: &str, vector: &str, more: &[&str]) -> Vec<(String, f64)> {
    let arguments =
        ["search", folder, "--vector", vector, "-k", "7", "--recall", "1", "--index", "flat", "--json"];
    let found = json(&[&arguments, more].concat());
    let hits = found["hits"].as_array().expect("hits").iter();
    hits.map(|hit| {
        (hit["id"].as_str().expect("a text id").to_owned(), hit["score"].as_f64().expect("a score"))
    })
    .collect()
}

#[test]
fn the_last_row_of_an_id_is_found_before_and_after_a_merge() {
    let room = Room::new();
    let folder = room.join("index");
    let base = Rows::new(0, 200, 0.0);
    let [vectors, ids] = base.write(&room, "base");
    json(&["build", &vectors, "--ids", &ids, "--codec", "f32", "--metric", "l2", "-o", &folder, "--json"]);
    let second = Rows::new(150, 250, 0.25);
    let third = Rows::new(240, 260, 0.5);
    let told = append(&folder, &second.write(&room, "second"), &[]);
    assert_eq!([&told["segments"], &told["replaced"], &told["generation"], &told["rows"]], [2, 50, 2, 100]);
    let told = append(&folder, &third.write(&room, "third"), &["--codec", "f32", "--metric", "euclidean"]);
    assert_eq!([&told["segments"], &told["replaced"], &told["generation"]], [3, 10, 3]);

    let queries =
        [base.row(7), base.row(160), second.row(160), second.row(249), third.row(249), third.row(255)];
    let all = |more: &[&str]| -> Vec<Vec<(String, f64)>> {
        queries.iter().map(|query| hits(&folder, query, more)).collect()
    };
    let before = all(&[]);
    let nearest = |number: usize| (before[number][0].0.as_str(), before[number][0].1);
    assert_eq!(nearest(0), ("w7", 0.0));
    assert!(nearest(1).1 < 0.0, "the row that was replaced is not found: {:?}", nearest(1));
    assert_eq!([nearest(2), nearest(4), nearest(5)], [("w160", 0.0), ("w249", 0.0), ("w255", 0.0)]);
    assert!(nearest(3).1 < 0.0);
    for io in ["memory", "pread"] {
        assert_eq!(all(&["--io", io]), before);
    }
    let found = json(&["search", &folder, "--vector", &queries[5], "--json", "--explain"]);
    assert_eq!(found["hits"][0]["segment"], 2);
    assert_eq!(found["explain"]["segments"].as_array().map(Vec::len), Some(3));

    let facts = json(&["inspect", &folder, "--json"]);
    assert_eq!([&facts["count"], &facts["generation"]], [260, 3]);
    let segments = facts["segments"].as_array().expect("segments");
    let numbers = |key: &str| segments.iter().filter_map(|s| s[key].as_u64()).collect::<Vec<_>>();
    assert_eq!((numbers("count"), numbers("dead")), (vec![200, 100, 20], vec![50, 10, 0]));
    let text = shown(&["inspect", &folder]);
    let line = text.lines().find(|line| line.starts_with("1 ")).expect("a line for the segment 1");
    assert_eq!(line.split_whitespace().skip(1).take(2).collect::<Vec<_>>(), ["100", "10"], "{text}");
    let sound = json(&["verify", &folder, "--json"]);
    assert_eq!([&sound["ok"], &sound["segments"]], [&Value::from(true), &Value::from(3)]);

    let merged = json(&["merge", &folder, "--prune", "--json"]);
    assert_eq!(
        [&merged["merged"], &merged["dropped"], &merged["rows"], &merged["generation"]],
        [3, 60, 260, 4]
    );
    assert_eq!(all(&[]), before);
    let facts = json(&["inspect", &folder, "--json"]);
    assert_eq!(facts["segments"].as_array().map(Vec::len), Some(1));
    let left = std::fs::read_dir(&folder).expect("a folder").count();
    assert_eq!(left, 3, "index.json, .lock and a segment");
    let again = json(&["merge", &folder, "--json"]);
    assert_eq!([&again["merged"], &again["generation"]], [0, 4]);
}

#[test]
fn rows_without_ids_are_numbered_on() {
    let room = Room::new();
    let folder = room.join("index");
    let file = |name: &str, rows: &Rows| rows.write(&room, name)[0].clone();
    let [first, more] = [Rows::new(0, 30, 0.0), Rows::new(30, 40, 0.0)];
    json(&["build", &file("first", &first), "-o", &folder, "--metric", "l2", "--codec", "f32", "--json"]);
    for _ in 0..2 {
        json(&["build", &file("more", &more), "-o", &folder, "--append", "--json"]);
    }
    let found = json(&["search", &folder, "--vector", &more.row(30), "-k", "2", "--json"]);
    let ids: Vec<u64> =
        found["hits"].as_array().expect("hits").iter().filter_map(|hit| hit["id"].as_u64()).collect();
    assert_eq!(ids, [30, 40], "the same row twice");
    assert_eq!(json(&["inspect", &folder, "--json"])["count"], 50);
}

#[test]
fn parts_stay_parts_and_what_is_gone_is_named() {
    let room = Room::new();
    let folder = room.index(&["--parts"]);
    append(&folder, &Rows::new(290, 310, 0.5).write(&room, "more"), &[]);
    let facts = json(&["inspect", &folder, "--json"]);
    let segments = facts["segments"].as_array().expect("segments");
    assert!(segments.iter().all(|segment| segment["parts"]["beside_file"] == true), "{facts}");
    let sound = json(&["verify", &folder, "--json"]);
    let counts = segments.iter().filter_map(|segment| segment["parts"]["count"].as_u64());
    assert_eq!(sound["parts"], counts.sum::<u64>());

    let file = segments[1]["file"].as_str().expect("a path").to_owned();
    let bytes = std::fs::read(&file).expect("the segment");
    let mut bad = bytes.clone();
    *bad.last_mut().expect("bytes") ^= 1;
    std::fs::write(&file, &bad).expect("the segment can be written");
    refused(&["verify", &folder], 1, &[&file, "again"]);
    bad[30] ^= 1;
    std::fs::write(&file, &bad).expect("the segment can be written");
    refused(&["search", &folder, "--id", "w7"], 1, &[&file]);
    std::fs::remove_file(&file).expect("the segment can be removed");
    refused(&["search", &folder, "--id", "w7"], 1, &[&file, "check the path"]);
}

#[test]
fn what_contradicts_the_index_is_wrong_usage() {
    let room = Room::new();
    let folder = room.index(&["--codec", "pq4", "--refine", "sq8"]);
    let [vectors, ids] = Rows::new(0, 9, 0.1).write(&room, "more");
    let before = std::fs::read(Path::new(&folder).join("index.json")).expect("a manifest");
    let refuse = |more: &[&str], words: &[&str]| {
        let arguments = ["build", &vectors, "--ids", &ids, "--append", "-o", &folder];
        refused(&[&arguments, more].concat(), 2, words);
    };
    refuse(&["--metric", "l2"], &["--metric l2", "cosine"]);
    refuse(&["--codec", "sq8"], &["--codec sq8", "pq4"]);
    refuse(&["--refine", "f16"], &["--refine f16", "sq8"]);
    refuse(&["--exact", "f32"], &["--exact f32", "none"]);
    refused(&["build", &vectors, "--append", "-o", &folder], 2, &["--ids"]);
    let narrow = room.write("narrow.npy", npy("<f4", false, 2, 3, &f32_bytes(&values(2, 3))));
    let names = room.write("names.txt", "a\nb\n");
    refused(&["build", &narrow, "--ids", &names, "--append", "-o", &folder], 1, &["3 components", "16"]);
    let nowhere = room.join("nowhere");
    refused(&["build", &vectors, "--append", "-o", &nowhere], 1, &["no index.json", "leave out --append"]);
    assert!(!Path::new(&nowhere).exists(), "an append makes no folder");
    refused(&["merge", &nowhere], 1, &["no index.json", "pagevec build"]);
    refused(&["build", &vectors, "--append", "-o", &vectors], 2, &["is a file", "-o"]);
    refused(&["merge", &vectors], 2, &["is a file", "folder"]);
    assert_eq!(std::fs::read(Path::new(&folder).join("index.json")).expect("a manifest"), before);
}
