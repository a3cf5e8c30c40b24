//! `pagevec stats` tells what an index and a collection hold in memory, as text, as JSON and for Prometheus.

mod support;

use serde_json::{Value, json};
use std::collections::HashMap;
use support::collection::{collection, line, notes};
use support::{DIM, ROWS, Room, f32_bytes, json as told, npy, refused, run, values};

/// An index of made-up rows.
fn index(room: &Room) -> String {
    let rows = room.write("rows.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(&values(ROWS, DIM))));
    let folder = room.join("index");
    told(&["build", &rows, "-o", &folder, "--json"]);
    folder
}

/// The samples of a text of Prometheus by series; each line is one, or a comment.
fn samples(text: &str) -> HashMap<String, f64> {
    let mut samples = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        assert!(series.starts_with("pagevec_"), "{line:?}");
        let value = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
    }
    samples
}

#[test]
fn an_index_is_told_in_three_ways() {
    let room = Room::new();
    let folder = index(&room);
    let stats = told(&["stats", &folder, "--json"]);
    assert_eq!(stats["memory"]["budget"], Value::Null, "a mapped index has none");
    let reserved = stats["memory"]["reserved"].as_u64().unwrap();
    assert!(reserved > 0);
    let vectors = stats["contents"]["vectors"]["stored"].as_u64().unwrap();
    assert!(vectors >= (ROWS * DIM) as u64, "{vectors}");
    let file = told(&["inspect", &folder, "--json"])["file_length"].as_u64().unwrap();
    let stored: u64 =
        stats["contents"].as_object().unwrap().values().map(|kind| kind["stored"].as_u64().unwrap()).sum();
    assert_eq!(stored, file, "each byte of the file is of one kind");
    let machine = &stats["machine"];
    if cfg!(target_os = "linux") {
        assert!(
            machine["minor_faults"].as_u64().unwrap() > 0 && machine["total"].as_u64().unwrap() > 1 << 20
        );
        assert!(machine["resident"].as_u64().unwrap() > reserved);
    }
    let text = run(&["stats", &folder, "--prometheus"]);
    let samples = samples(&String::from_utf8(text.stdout).unwrap());
    let series = |name: &str, label: &str| samples[&format!("pagevec_{name}{{path=\"{folder}\"{label}}}")];
    assert_eq!(series("memory_reserved_bytes", "") as u64, reserved);
    assert_eq!(series("stored_bytes", ",kind=\"vectors\"") as u64, vectors);
    assert_eq!(series("memory_level", ",level=\"normal\"") as u64, 1);
    assert!(!samples.keys().any(|name| name.starts_with("pagevec_memory_budget")), "there is none");
    let text = String::from_utf8(run(&["stats", &folder]).stdout).unwrap();
    assert!(text.contains("no budget") && text.contains("vectors"), "{text}");
}

#[test]
fn a_budget_shows_as_pressure() {
    let room = Room::new();
    let folder = index(&room);
    let stats = told(&["stats", &folder, "--io", "pread", "--memory-budget", "1MB", "--json"]);
    assert_eq!(stats["memory"]["budget"], 1_000_000);
    let pressure = stats["memory"]["pressure"].as_f64().unwrap();
    assert!(pressure > 0.0 && pressure < 1.0, "{pressure}");
    assert_eq!(stats["contents"]["vectors"]["resident"], 0, "nothing was searched");
}

#[test]
fn a_collection_is_told_with_its_memtable() {
    let room = Room::new();
    let folder = notes(&room);
    let rows: String = (0..100).map(|i| line(i, &[i as f32, 1.0], json!({ "i": i }))).collect();
    collection(&["upsert", &folder, &room.write("rows.jsonl", rows), "--json"]);
    let stats = told(&["stats", &folder, "--memory-budget", "64MB", "--json"]);
    assert!(stats["memtable"].as_u64().unwrap() > 100 * 8);
    assert_eq!(stats["memory"]["budget"], 64_000_000);
    assert_eq!(stats["memory"]["parts"]["memtable"]["reserved"], stats["memtable"]);
    assert_eq!((&stats["memory"]["level"], &stats["memory"]["alert"]), (&json!("normal"), &json!("quiet")));
    collection(&["flush", &folder, "--json"]);
    let stats = told(&["stats", &folder, "--json"]);
    assert_eq!(stats["memtable"], 0);
    assert!(stats["contents"]["vectors"]["stored"].as_u64().unwrap() > 0);
}

#[test]
fn what_is_neither_is_refused() {
    let room = Room::new();
    let folder = notes(&room);
    refused(&["stats", &room.join("nothing")], 1, &["nothing"]);
    refused(&["stats", &folder, "--io", "pread"], 2, &["--io", "collection"]);
    refused(&["stats", &folder, "--json", "--prometheus"], 2, &["--prometheus"]);
    std::fs::create_dir(room.join("empty")).unwrap();
    refused(&["stats", &room.join("empty")], 1, &["empty", "no collection"]);
}
