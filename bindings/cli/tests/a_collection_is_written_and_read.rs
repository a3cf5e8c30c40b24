//! What is written to a collection is there, once, in every command that reads it, in memory, flushed and compacted.

mod support;

use serde_json::{Value, json};
use support::collection::{collection, direction, line, notes, told};
use support::{Room, f32_bytes, npy, refused, run};

fn rows(numbers: std::ops::Range<usize>, title: &str) -> String {
    let row =
        |i: usize| line(format!("n{i}"), &direction(i), json!({ "title": format!("{title} {i}"), "i": i }));
    numbers.map(row).collect()
}

/// All rows by their ids, which must each be there once.
fn all(folder: &str) -> std::collections::BTreeMap<String, Value> {
    let lines = collection(&["list", folder]);
    let count = lines.len();
    let all: std::collections::BTreeMap<_, _> = lines
        .into_iter()
        .map(|row| (row["id"].as_str().expect("a text").to_owned(), row["fields"].clone()))
        .collect();
    assert_eq!(all.len(), count, "an id is there twice");
    assert_eq!(told(&["count", folder, "--json"]), json!({ "count": count }));
    assert_eq!(told(&["verify", folder, "--json"])["count"], count);
    all
}

#[test]
fn in_memory_flushed_and_compacted() {
    let room = Room::new();
    let folder = notes(&room);
    assert!(all(&folder).is_empty());
    let first = room.write("first.jsonl", rows(0..250, "Old"));
    let acked = collection(&["upsert", &folder, &first, "--batch", "100", "--json"]);
    assert_eq!(acked, [json!({ "acked": 100 }), json!({ "acked": 200 }), json!({ "acked": 250 })]);
    let later = room.write("later.jsonl", rows(200..300, "New"));
    collection(&["upsert", &folder, &later, "--json"]);
    let ids = room.write("old.txt", (0..50).map(|i| format!("n{i}\n")).collect::<String>() + "nobody\n");
    let check = |step: &str| {
        let all = all(&folder);
        let title = |i: usize| format!("{} {i}", if i < 200 { "Old" } else { "New" });
        let wanted: std::collections::BTreeMap<_, _> =
            (50..300).map(|i| (format!("n{i}"), json!({ "title": title(i), "i": i }))).collect();
        assert_eq!(all, wanted, "{step}");
        let vector = direction(70).map(|x| x.to_string()).join(",");
        let hits = &told(&["search", &folder, "--vector", &vector, "-k", "5", "--fields", "title", "--json"])
            ["hits"];
        assert_eq!(hits[0]["id"], "n70", "{step}: {hits}");
        assert_eq!(hits[0]["fields"], json!({ "title": "Old 70" }), "{step}");
        let row = &collection(&["get", &folder, "n71", "n250", "--vectors"])[0];
        let near =
            |at: usize| (row["vector"][at].as_f64().unwrap() - f64::from(direction(71)[at])).abs() < 0.02;
        assert!(near(0) && near(1), "{step}: {row}");
        let missing = run(&["collection", "get", &folder, "n71", "n3"]);
        assert_eq!(missing.status.code(), Some(1), "{step}: a deleted row is found");
        assert!(
            String::from_utf8_lossy(&missing.stdout).contains("\"n71\""),
            "those that are there are printed"
        );
    };
    assert_eq!(told(&["delete", &folder, "--ids", &ids, "--json"]), json!({ "deleted": 50, "count": 250 }));
    check("in memory");
    assert_eq!(told(&["flush", &folder, "--json"]), json!({ "flushed": true, "segments": 1 }));
    assert_eq!(told(&["flush", &folder, "--json"])["flushed"], false);
    check("flushed");
    collection(&["upsert", &folder, &later, "--json"]);
    check("replaced by the same rows");
    let compacted = told(&["compact", &folder, "--json"]);
    assert_eq!(
        (&compacted["rows"], &compacted["dropped"], &compacted["segments"]),
        (&json!(250), &json!(100), &json!(1))
    );
    check("compacted");
    let stats = told(&["stats", &folder, "--json"]);
    assert_eq!(
        (&stats["dead"], &stats["unindexed"], &stats["sequence"]),
        (&json!(0), &json!(0), &json!(501))
    );
    assert_eq!(
        (&stats["dim"], &stats["metric"], &stats["ids"]),
        (&json!(2), &json!("cosine"), &json!("text"))
    );
}

#[test]
fn searches_are_those_of_an_index() {
    let room = Room::new();
    let folder = notes(&room);
    let input = room.write("rows.jsonl", rows(0..120, "Row"));
    collection(&["upsert", &folder, &input, "--json"]);
    let query = room.write("q.npy", npy("<f4", false, 2, 2, &f32_bytes(&[1.0, 0.2, -0.5, 1.0])));
    let exclude = room.write("seen.txt", "n0\nn9\n");
    let among = room.write("some.txt", (0..60).map(|i| format!("n{i}\n")).collect::<String>());
    let index = room.join("index");
    told(&["export", &folder, "-o", &index, "--json"]);
    for more in
        [&[][..], &["--exclude", &exclude], &["--among", &among, "--exclude", &exclude], &["--fields"]]
    {
        let arguments = [&[&folder, "--vector-file", &query, "-k", "7", "--json"], more].concat();
        let found = collection(&[&["search"], &arguments[..]].concat());
        let of_index = run(&[&["search", &index], &arguments[1..], &["--index", "flat"]].concat());
        let of_index = String::from_utf8(of_index.stdout).expect("UTF-8");
        let ids = |answer: &Value| -> Vec<Value> {
            answer["hits"]
                .as_array()
                .expect("hits")
                .iter()
                .map(|hit| json!([hit["id"], hit["fields"]]))
                .collect()
        };
        let wanted: Vec<_> =
            of_index.lines().map(|line| ids(&serde_json::from_str(line).expect("JSON"))).collect();
        assert_eq!(wanted.len(), 2);
        assert_eq!(found.iter().map(ids).collect::<Vec<_>>(), wanted, "{more:?}");
    }
    let similar = &told(&["search", &folder, "--id", "n5", "-k", "3", "--json"])["hits"];
    assert!(similar.as_array().unwrap().iter().all(|hit| hit["id"] != "n5"), "{similar}");
    refused(&["collection", "search", &folder, "--id", "nobody"], 1, &["nobody"]);
    refused(&["collection", "search", &folder, "--vector", "1,2,3"], 1, &["3", "2"]);
}

#[test]
fn a_collection_keeps_to_what_it_was_created_with() {
    let room = Room::new();
    let folder = room.join("deep/notes");
    let options = ["--dim", "2", "--metric", "dot", "--codec", "sq4", "--refine", "f32", "--json"];
    let made = told(&[&["create", &folder], &options[..]].concat());
    assert_eq!(
        (&made["metric"], &made["codec"], &made["refine"]),
        (&json!("dot"), &json!("sq4"), &json!("f32"))
    );
    let numbers = room.write("n.jsonl", line(7, &[3.0, 0.25], json!({})));
    collection(&["upsert", &folder, &numbers, "--json"]);
    let row = told(&["get", &folder, "7", "--vectors"]);
    assert_eq!(row, json!({ "id": 7, "vector": [3.0, 0.25], "fields": {} }), "f32 rows are kept as they are");
    refused(&["collection", "get", &folder, "seven"], 2, &["seven", "numbers"]);
    refused(&["collection", "create", &folder, "--dim", "2"], 2, &["already", "upsert"]);
    let other = room.join("other");
    refused(&["collection", "create", &other, "--dim", "0"], 2, &["dim"]);
    refused(&["collection", "create", &other, "--dim", "4", "--codec", "pq"], 2, &["pq", "sq8"]);
    refused(&["collection", "create", &other, "--dim", "4", "--refine", "sq8"], 2, &["refine"]);
    for command in ["count", "list", "flush", "compact", "stats", "verify", "repair"] {
        refused(&["collection", command, &other], 1, &["no collection", "create"]);
    }
    let index = room.index(&[]);
    refused(&["collection", "count", &index], 2, &["is an index", "import"]);
    refused(&["collection", "count", &numbers], 2, &["is a file"]);
}
