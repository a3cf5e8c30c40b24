//! Damage to a collection is told by `verify` and by opening, the files stay as they are, and `repair` keeps all that can be read.

mod support;

use serde_json::json;
use std::path::Path;
use support::collection::{collection, direction, line, notes, told};
use support::{Room, refused};

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("a file");
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).expect("it can be written");
}

/// A collection with 50 rows in a segment, and 30 in the log.
fn filled(room: &Room) -> String {
    let folder = notes(room);
    let rows = |numbers: std::ops::Range<usize>| -> String {
        numbers.map(|i| line(format!("n{i}"), &direction(i), json!({ "i": i }))).collect()
    };
    let (first, second) = (room.write("first.jsonl", rows(0..50)), room.write("second.jsonl", rows(50..80)));
    collection(&["upsert", &folder, &first, "--json"]);
    told(&["flush", &folder, "--json"]);
    collection(&["upsert", &folder, &second, "--batch", "10", "--json"]);
    folder
}

fn file(folder: &str, prefix: &str) -> std::path::PathBuf {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    };
    files.filter(is).max().expect(prefix)
}

#[test]
fn a_byte_of_a_segment() {
    let room = Room::new();
    let folder = filled(&room);
    let segment = file(&folder, "seg-");
    let length = std::fs::metadata(&segment).expect("a file").len() as usize;
    let mut told_by_verify = 0;
    for at in (0..length).step_by(37) {
        flip(&segment, at);
        let output = support::run(&["collection", "verify", &folder, "--json"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "byte {at}: {said}");
        assert!(said.contains("\"error\""), "byte {at}: {said}");
        told_by_verify += 1;
        flip(&segment, at);
    }
    assert!(told_by_verify > 20, "{told_by_verify} bytes of {length}");
    assert_eq!(told(&["verify", &folder, "--json"])["count"], 80);
}

#[test]
fn a_segment_that_is_gone() {
    let room = Room::new();
    let folder = filled(&room);
    let segment = file(&folder, "seg-");
    std::fs::remove_file(&segment).expect("it is removed");
    let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
    for command in ["count", "verify", "list", "flush"] {
        refused(&["collection", command, &folder], 1, &[&name]);
    }
    let repaired = told(&["repair", &folder, "--json"]);
    assert_eq!(repaired["count"], 30);
    assert!(repaired["given_up"].to_string().contains(&name), "{repaired}");
    assert_eq!(told(&["verify", &folder, "--json"])["count"], 30);
    assert_eq!(collection(&["list", &folder]).len(), 30);
}

#[test]
fn a_batch_of_the_log() {
    let room = Room::new();
    let folder = filled(&room);
    // The first of three batches: the later ones say that it was synced.
    let log = (0..9).map(|number| Path::new(&folder).join(format!("wal-{number}")));
    let bytes = |path: &Path| std::fs::read(path).unwrap_or_default();
    let (log, at) = log
        .filter_map(|path| {
            bytes(&path).windows(8).position(|part| part == b"{\"i\":50}").map(|at| (path, at))
        })
        .next()
        .expect("the rows are in a log");
    flip(&log, at + 5);
    let before = bytes(&log);
    refused(&["collection", "count", &folder], 1, &["wal-", "damaged", "repair"]);
    refused(&["collection", "verify", &folder], 1, &["damaged"]);
    assert_eq!(bytes(&log), before, "what is damaged is left as it is");
    let repaired = told(&["repair", &folder, "--json"]);
    assert_eq!(repaired["count"], 50);
    let kept = repaired["kept"][0].as_str().expect("a copy").to_owned();
    assert_eq!(bytes(&Path::new(&folder).join(&kept)), before, "{kept}");
    assert_eq!(told(&["verify", &folder, "--json"])["count"], 50);
    let more = room.write("more.jsonl", line("more", &[1.0, 0.0], json!({})));
    assert_eq!(collection(&["upsert", &folder, &more, "--json"]), [json!({ "acked": 1 })]);
    assert_eq!(told(&["count", &folder, "--json"])["count"], 51);
}
