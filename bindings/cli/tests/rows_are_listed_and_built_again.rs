//! The rows of an index go out as JSON lines, all or those that match, and an index or a collection is made of them again.

mod support;

use serde_json::{Value, json as value};
use support::collection::{collection, told};
use support::{DIM, ROWS, Room, json, refused, run, values};

fn listed(arguments: &[&str]) -> Vec<Value> {
    let output = run(&[&["list"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Ids and fields, in order of the ids.
fn rows(arguments: &[&str]) -> Vec<(String, Value)> {
    let mut rows: Vec<(String, Value)> =
        listed(arguments).into_iter().map(|row| (row["id"].to_string(), row["fields"].clone())).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// An index of two segments, in which some rows have other fields than at first.
fn index(room: &Room, codec: &str) -> String {
    let line = |i: usize, n: usize| {
        let vector = &values(ROWS, DIM)[i * DIM..(i + 1) * DIM];
        let big = 9_007_199_254_740_993_u64 + i as u64;
        let fields = value!({ "title": format!("T \"{i}\"\n"), "n": n, "big": big, "fields": { "a": i } });
        match i % 9 {
            0 => format!("{}\n", value!({ "id": format!("w{i}"), "vector": vector })),
            _ => format!("{}\n", value!({ "id": format!("w{i}"), "vector": vector, "fields": fields })),
        }
    };
    let first = room.write("first.jsonl", (0..200).map(|i| line(i, i)).collect::<String>());
    let more = room.write("more.jsonl", (150..ROWS).map(|i| line(i, 2 * i)).collect::<String>());
    let folder = room.join(codec);
    json(&["build", &first, "--codec", codec, "-o", &folder, "--json"]);
    json(&["build", &more, "--append", "-o", &folder, "--json"]);
    folder
}

#[test]
fn all_of_them() {
    let room = Room::new();
    for (codec, most) in [("sq8", 0.02), ("f32", 1e-6)] {
        let folder = index(&room, codec);
        let (file, back) = (room.join("rows.jsonl"), room.join("back"));
        assert_eq!(listed(&[&folder, "--vectors", "-o", &file]), [Value::Null; 0]);
        json(&["build", &file, "--codec", codec, "-o", &back, "--json"]);
        let before = rows(&[&folder]);
        assert_eq!(before.len(), ROWS);
        assert_eq!(rows(&[&back]), before);
        assert_eq!(rows(&[&back, "--io", "pread", "--memory-budget", "1MB"]), before);

        let notes = room.join(&format!("notes-{codec}"));
        told(&["create", &notes, "--dim", &DIM.to_string(), "--codec", codec, "--json"]);
        collection(&["upsert", &notes, &file, "--json"]);
        let out = room.join("notes.jsonl");
        assert_eq!(collection(&["list", &notes, "--vectors", "-o", &out]), [Value::Null; 0]);
        let again = room.join("again");
        json(&["build", &out, "--codec", codec, "-o", &again, "--json"]);
        assert_eq!(rows(&[&again]), before);

        let vector = |folder: &str, row: usize| {
            listed(&[folder, "--vectors"]).into_iter().find(|one| one["id"] == format!("w{row}")).unwrap()["vector"].clone()
        };
        for row in [3, 170, 299] {
            let was = vector(&folder, row);
            for folder in [&back, &again] {
                let is = vector(folder, row);
                for at in 0..DIM {
                    let apart = was[at].as_f64().unwrap() - is[at].as_f64().unwrap();
                    assert!(apart.abs() < most, "{codec}, row {row}: {was} {is}");
                }
            }
        }
    }
}

#[test]
fn those_that_match() {
    let room = Room::new();
    let folder = index(&room, "sq8");
    let filter = r#"{"n":{"$gte":390,"$lt":410}}"#;
    let page = listed(&[&folder, "--filter", filter, "--sort-by", "n", "--descending", "--fields", "n"]);
    let wanted = |i: usize| value!({ "id": format!("w{i}"), "fields": { "n": 2 * i } });
    let expected: Vec<Value> = (195..205).rev().filter(|i| i % 9 > 0).map(wanted).collect();
    assert_eq!(page, expected);
    let part = listed(&[
        &folder,
        "--filter",
        filter,
        "--sort-by",
        "n",
        "--descending",
        "--fields",
        "n",
        "--offset",
        "2",
        "--limit",
        "3",
    ]);
    assert_eq!(part, expected[2..5]);
    assert_eq!(listed(&[&folder, "--filter", r#"{"n":{"$in":[]}}"#]), [Value::Null; 0]);
    assert_eq!(listed(&[&folder, "--limit", "7"]).len(), 7);

    let file = room.join("kept.jsonl");
    refused(
        &["list", &folder, "--filter", r#"{"m":1}"#, "-o", &file],
        1,
        &["no row has a field of this name"],
    );
    refused(&["list", &folder, "--descending"], 2, &["--sort-by"]);
    refused(&["list", &room.join("no")], 1, &["no"]);
    assert!(!std::path::Path::new(&file).exists());
    let plain = room.join("plain");
    json(&["build", &room.vectors(), "-o", &plain, "--json"]);
    assert_eq!(listed(&[&plain, "--limit", "2"])[1]["fields"], value!({}));
    refused(&["list", &plain, "--fields", "a"], 2, &["no stored fields"]);
}
