//! A disk that is full, at whatever byte: an error that says so, no folder, no temporary file.
#![cfg(unix)]

mod support;

use std::process::Command;
use support::{Room, f32_bytes, npy, values};

/// Builds with files limited to so many blocks of 512 bytes. A write beyond is an error of the system, as on a full
/// disk.
fn build(room: &Room, input: &str, blocks: u64) -> std::process::Output {
    let script = "trap '' XFSZ; ulimit -f $1; shift; exec \"$@\"";
    let (limit, out) = (blocks.to_string(), room.join("index"));
    Command::new("sh")
        .args(["-c", script, "sh", &limit, env!("CARGO_BIN_EXE_pagevec"), "build", input, "-o", &out])
        .output()
        .expect("sh runs")
}

fn names(room: &Room) -> Vec<String> {
    let entries = std::fs::read_dir(room.path()).expect("a readable folder");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("a readable folder").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_leaves_nothing() {
    let room = Room::new();
    let rows = values(2000, 32);
    let lines: String =
        rows.chunks_exact(32).map(|row| serde_json::json!({ "vector": row }).to_string() + "\n").collect();
    let inputs = [
        room.write("v.npy", npy("<f4", false, 2000, 32, &f32_bytes(&rows))),
        // Its rows are first written to a temporary file, which is longer than the segment.
        room.write("v.jsonl", lines),
    ];
    let before = names(&room);
    for input in inputs {
        for blocks in [0, 1, 100, 250] {
            let output = build(&room, &input, blocks);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{input} {blocks}: {told}");
            assert!(told.contains("large"), "{input} {blocks}: {told}");
            assert_eq!(names(&room), before, "{input} {blocks}");
        }
        let output = build(&room, &input, 4000);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::remove_dir_all(room.join("index")).expect("the index was written");
    }
}
