//! `build --model` names the model that made the vectors; the name stays with the index, and another is refused.

mod support;

use std::path::Path;
use support::{DIM, Room, json, refused, run, values};

/// A line of JSON with one row.
fn row(room: &Room, id: &str) -> String {
    let line = serde_json::json!({ "id": id, "vector": &values(1, DIM)[..DIM] });
    room.write(&format!("{id}.jsonl"), format!("{line}\n"))
}

fn model(folder: &str) -> serde_json::Value {
    json(&["inspect", folder, "--json"])["model"].take()
}

fn append(folder: &str, rows: &str, more: &[&str]) {
    let output = run(&[&["build", rows, "--append", "-o", folder], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_append_and_a_merge_keep_it() {
    let room = Room::new();
    let folder = room.index(&["--model", "all-MiniLM-L6-v2"]);
    assert_eq!(model(&folder), "all-MiniLM-L6-v2");
    append(&folder, &row(&room, "one"), &[]);
    append(&folder, &row(&room, "two"), &["--model", "all-MiniLM-L6-v2"]);
    refused(
        &["build", &row(&room, "three"), "--append", "-o", &folder, "--model", "bge-small"],
        2,
        &["bge-small", "all-MiniLM-L6-v2"],
    );
    let manifest = std::fs::read_to_string(Path::new(&folder).join("index.json")).expect("a manifest");
    assert_eq!(manifest.matches(r#""model":"all-MiniLM-L6-v2""#).count(), 3, "{manifest}");
    assert!(run(&["merge", &folder]).status.success());
    assert_eq!(model(&folder), "all-MiniLM-L6-v2");
    let text = String::from_utf8_lossy(&run(&["inspect", &folder]).stdout).into_owned();
    assert!(text.contains("all-MiniLM-L6-v2"), "{text}");
}

#[test]
fn an_index_without_one_takes_it_with_an_append() {
    let room = Room::new();
    let folder = room.index(&[]);
    assert!(model(&folder).is_null());
    append(&folder, &row(&room, "one"), &["--model", "e5"]);
    assert_eq!(model(&folder), "e5");
    refused(&["build", &row(&room, "two"), "--append", "-o", &folder, "--model", "bge"], 2, &["bge", "e5"]);
}

#[test]
fn a_name_is_a_line_of_text() {
    let room = Room::new();
    for name in ["", "two\nlines", &"x".repeat(201)] {
        let rows = row(&room, "one");
        refused(&["build", &rows, "-o", &room.join("other"), "--model", name], 2, &["model"]);
    }
}
