//! The same vectors give the same segment, byte for byte, from every input format.

mod support;

use std::io::Write as _;
use std::process::Stdio;
use support::{DIM, ROWS, Room, f32_bytes, json, npy, pagevec, values};

fn build(room: &Room, input: &str) -> String {
    let report = json(&["build", input, "--no-store", "-o", &room.join("index"), "--json"]);
    report["content_id"].as_str().expect("a content id").to_owned()
}

fn lines(values: &[f32]) -> String {
    let line = |(id, vector): (usize, &[f32])| {
        serde_json::json!({ "id": id, "vector": vector, "note": "not stored" }).to_string() + "\n"
    };
    values.chunks_exact(DIM).enumerate().map(line).collect()
}

#[test]
fn every_format_gives_the_same_file() {
    let room = Room::new();
    let values = values(ROWS, DIM);
    let expected = build(&room, &room.vectors());

    let halves: Vec<u8> = values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect();
    let doubles: Vec<u8> = values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect();
    let record = |row: &[f32]| [(DIM as i32).to_le_bytes().as_slice(), &f32_bytes(row)].concat();
    let fvecs: Vec<u8> = values.chunks_exact(DIM).flat_map(record).collect();
    let inputs = [
        room.write("halves.npy", npy("<f2", false, ROWS, DIM, &halves)),
        room.write("doubles.npy", npy("<f8", false, ROWS, DIM, &doubles)),
        room.write("rows.fvecs", fvecs),
        room.write("rows.jsonl", lines(&values)),
    ];
    for input in inputs {
        assert_eq!(build(&room, &input), expected, "{input}");
    }
}

#[test]
fn json_lines_come_through_stdin() {
    let room = Room::new();
    let expected = build(&room, &room.vectors());
    let mut command = pagevec(&["build", "-", "--no-store", "-o", &room.join("index"), "--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("pagevec runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(lines(&values(ROWS, DIM)).as_bytes()).expect("pagevec reads");
    drop(stdin);
    let output = child.wait_with_output().expect("pagevec ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["content_id"], expected);
}

#[test]
fn limit_takes_the_first_rows() {
    let room = Room::new();
    let (vectors, words) = (room.vectors(), room.words());
    let arguments =
        ["build", &vectors, "--ids", &words, "--limit", "50", "-o", &room.join("index"), "--json"];
    assert_eq!(json(&arguments)["rows"], 50);
    assert_eq!(json(&["inspect", &room.join("index"), "--json"])["count"], 50);
}
