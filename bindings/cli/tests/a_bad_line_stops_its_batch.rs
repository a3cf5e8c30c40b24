//! A line that is wrong is named, and nothing of its batch is applied; the batches before it are durable.

mod support;

use serde_json::json;
use support::collection::{collection, line, notes, told};
use support::{Room, refused, run};

#[test]
fn and_names_itself() {
    let room = Room::new();
    let folder = notes(&room);
    let good = |i: usize| line(format!("r{i}"), &[1.0, i as f32], json!({ "i": i }));
    let long = line("x", &[1.0, 2.0], json!({ "text": "y".repeat(65_536) }));
    let cases = [
        (line("x", &[0.0, 0.0], json!({})), "no direction"),
        (line("x", &[1.0, 2.0, 3.0], json!({})), "3 components"),
        (line(5, &[1.0, 2.0], json!({})), "its id is a number"),
        (line("x".repeat(70_000), &[1.0, 2.0], json!({})), "its id has 70000 bytes"),
        (long, "65535"),
        (line("x", &[1.0, 2.0], json!([1])), "no object"),
        ("{\"id\": \"x\", \"vector\": [1, 1e39]}\n".to_owned(), "beyond f32"),
        ("{\"id\": \"x\", \"vector\": [1, NaN]}\n".to_owned(), "NaN"),
        ("{\"id\": \"x\", \"vector\": [1, 2], \"title\": \"T\"}\n".to_owned(), "\"title\" beside"),
        ("{\"vector\": [1, 2]}\n".to_owned(), "no field \"id\""),
        ("{\"id\": \"x\"}\n".to_owned(), "no field \"vector\""),
        ("{\"id\": \"x\", \"vector\": [1, 2]\n".to_owned(), "does not end where its line does"),
        ("seven\n".to_owned(), "line"),
    ];
    let mut sequence = 0;
    for (number, (bad, words)) in cases.iter().enumerate() {
        // Two batches of 10, then one with the bad line at its end.
        let text: String = (0..29).map(good).collect::<String>() + bad;
        let input = room.write("rows.jsonl", text);
        let output = run(&["collection", "upsert", &folder, &input, "--batch", "10", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{bad}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("rows.jsonl: line 30: ") && stderr.contains(words), "{bad}: {stderr}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with("{\"acked\":10}\n{\"acked\":20}\n{\"error\":{\"code\":\"input\""), "{said}");
        sequence += 20;
        let stats = told(&["stats", &folder, "--json"]);
        assert_eq!((&stats["count"], &stats["sequence"]), (&json!(20), &json!(sequence)), "case {number}");
    }
    assert_eq!(collection(&["list", &folder]).len(), 20);
}

#[test]
fn and_so_do_bad_files() {
    let room = Room::new();
    let folder = notes(&room);
    refused(
        &["collection", "upsert", &folder, &room.join("none.jsonl")],
        1,
        &["none.jsonl", "check the path"],
    );
    refused(&["collection", "upsert", &folder, &folder], 1, &["this is a folder"]);
    let empty = room.write("empty.jsonl", "");
    assert_eq!(collection(&["upsert", &folder, &empty, "--json"]), [json!({ "acked": 0 })]);
    let array = room.write("array.json", r#"[{"id": "a", "vector": [1, 0]}, {"id": "b", "vector": [0, 1]}]"#);
    assert_eq!(collection(&["upsert", &folder, &array, "--json"]), [json!({ "acked": 2 })]);
    refused(&["collection", "delete", &folder, "--ids", &room.join("none.txt")], 1, &["none.txt"]);
    // Of an id that comes twice the last row counts.
    let twice = room.write(
        "twice.jsonl",
        line("a", &[1.0, 0.0], json!({ "n": 1 })) + &line("a", &[0.0, 1.0], json!({ "n": 2 })),
    );
    collection(&["upsert", &folder, &twice, "--json"]);
    assert_eq!(told(&["get", &folder, "a"])["fields"], json!({ "n": 2 }));
}
