//! From vectors to hits: what `build` wrote, `search`, `inspect` and `verify` read.

mod support;

use support::{DIM, ROWS, Room, json, npy, refused, segment, values};

#[test]
fn a_row_is_not_its_own_hit() {
    let room = Room::new();
    let index = room.index(&["--codec", "f32"]);
    let found = json(&["search", &index, "--id", "w7", "-k", "5", "--explain", "--json"]);
    let hits = found["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 5);
    assert!(hits.iter().all(|hit| hit["id"] != "w7"));
    let scores: Vec<f64> = hits.iter().filter_map(|hit| hit["score"].as_f64()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "larger is nearer: {scores:?}");
    assert_eq!(found["explain"]["index"], "flat");
}

#[test]
fn a_vector_finds_its_row_in_text_file_and_either_way_of_reading() {
    let room = Room::new();
    let index = room.index(&[]);
    let all = values(ROWS, DIM);
    let row = &all[7 * DIM..8 * DIM];
    let text: Vec<String> = row.iter().map(f32::to_string).collect();
    let file = room.write("q.npy", npy("<f4", false, 1, DIM, &support::f32_bytes(row)));
    let by_text = json(&["search", &index, "--vector", &text.join(","), "--json"]);
    assert_eq!(by_text["hits"][0]["id"], "w7");
    assert_eq!(json(&["search", &index, "--vector-file", &file, "--json"]), by_text);
    assert_eq!(json(&["search", &index, "--vector-file", &file, "--io", "pread", "--json"]), by_text);
}

#[test]
fn a_file_of_several_vectors_gives_a_line_for_each() {
    let room = Room::new();
    let index = room.index(&[]);
    let all = values(ROWS, DIM);
    let few = |name: &str, rows: &[f32]| {
        room.write(name, npy("<f4", false, rows.len() / DIM, DIM, &support::f32_bytes(rows)))
    };
    let three = few("three.npy", &all[..3 * DIM]);
    let told = support::run(&["search", &index, "--vector-file", &three, "-k", "4", "--json"]);
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&told.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let alone = |i: usize| {
        let one = few("one.npy", &all[i * DIM..(i + 1) * DIM]);
        json(&["search", &index, "--vector-file", &one, "-k", "4", "--json"])
    };
    assert_eq!(lines, [alone(0), alone(1), alone(2)]);
    refused(&["search", &index, "--vector-file", &three], 1, &["3 vectors", "--json"]);
}

#[test]
fn sections_lie_inside_the_file_and_weigh_what_is_said() {
    let room = Room::new();
    let index = room.index(&["--codec", "sq8"]);
    let facts = json(&["inspect", &index, "--json"]);
    let length = std::fs::metadata(segment(&index)).expect("a segment").len();
    assert_eq!(facts["file_length"], length);
    let sections = facts["segments"][0]["sections"].as_array().expect("sections");
    for section in sections {
        let end =
            section["offset"].as_u64().expect("an offset") + section["length"].as_u64().expect("a length");
        assert!(end <= length, "{section}");
    }
    let codes = sections.iter().find(|s| s["name"] == "codes").expect("codes");
    assert_eq!(codes["bytes_per_vector"], (DIM + 8) as f64);
}

#[test]
fn verify_names_the_file_of_a_changed_bit() {
    let room = Room::new();
    let index = room.index(&[]);
    assert_eq!(json(&["verify", &index, "--json"])["ok"], true);
    let file = segment(&index);
    let mut bytes = std::fs::read(&file).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("the segment can be written");
    refused(&["verify", &index], 1, &[file.to_str().expect("UTF-8"), "again"]);
}

#[test]
fn stages_are_built_shown_and_searched() {
    let room = Room::new();
    let index = room.index(&["--codec", "pq5", "--refine", "sq8", "--exact", "f32"]);
    let facts = json(&["inspect", &index, "--json"]);
    assert_eq!([&facts["codec"], &facts["refine"], &facts["exact"]], ["pq5", "sq8", "f32"]);
    assert!(support::run(&["verify", &index]).status.success());
    let all = values(ROWS, DIM);
    let text: Vec<String> = all[7 * DIM..8 * DIM].iter().map(f32::to_string).collect();
    let found = json(&["search", &index, "--vector", &text.join(","), "--explain", "--json"]);
    assert_eq!(found["hits"][0]["id"], "w7");
    // 100 candidates by rows, the best 40 of them by exact rows.
    assert_eq!(found["explain"]["rescored"], 140);
}

#[test]
fn build_and_inspect_tell_the_recall_of_each_step() {
    let room = Room::new();
    let index = room.index(&[]);
    let facts = json(&["inspect", &index, "--json"]);
    let curve = facts["curve"].as_array().expect("a curve");
    let number = |step: &serde_json::Value, name: &str| step[name].as_f64().expect("a number");
    let ks: Vec<f64> = curve.iter().map(|step| number(step, "k")).collect();
    assert!(ks.is_sorted() && ks.first() == Some(&1.0) && ks.last() == Some(&1000.0), "{ks:?}");
    for steps in curve.chunk_by(|a, b| a["k"] == b["k"]) {
        assert!(steps.is_sorted_by(|a, b| number(a, "wanted") < number(b, "wanted")), "{steps:?}");
        assert!(steps.is_sorted_by(|a, b| number(a, "reached") <= number(b, "reached")), "{steps:?}");
        assert!(
            steps.iter().all(|s| (0.0..=1.0).contains(&number(s, "reached")) && number(s, "probes") >= 1.0)
        );
    }
    let text = support::run(&["inspect", &index]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let reached = number(curve.last().expect("a step"), "reached");
    let line = text.lines().find(|line| line.starts_with("recall, k 1000 ")).expect("a line for k 1000");
    assert!(line.ends_with(&format!("0.99: {reached:.3}")), "{line}");
    let bare = room.index(&["--no-clusters"]);
    assert_eq!(json(&["inspect", &bare, "--json"])["curve"], serde_json::json!([]));
}
