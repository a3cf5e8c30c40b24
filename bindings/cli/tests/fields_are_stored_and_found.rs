//! The fields of rows are stored from JSON lines and from a payload file, come with hits, and are carried by appends and
//! merges; bad input is named.

mod support;

use serde_json::{Value, json as value};
use support::{DIM, ROWS, Room, json, refused, run, values};

/// Lines with a vector, and fields of many kinds. Every ninth row has none.
fn lines() -> String {
    let row = |(i, vector): (usize, &[f32])| {
        let mut row = value!({ "id": format!("w{i}"), "vector": vector });
        if i % 9 != 0 {
            row["title"] = value!(format!("Titel ä {i}"));
            row["url"] = value!(format!("https://example.org/{i}"));
            row["tags"] = value!([i, { "deep": null }, 1.5]);
        }
        format!("{row}\n")
    };
    values(ROWS, DIM).chunks_exact(DIM).enumerate().map(row).collect()
}

fn found(index: &str, id: usize, more: &[&str]) -> Value {
    let vector: Vec<String> =
        values(ROWS, DIM)[id * DIM..(id + 1) * DIM].iter().map(|x| x.to_string()).collect();
    let arguments = ["search", index, "--vector", &vector.join(","), "-k", "3", "--json"];
    json(&[&arguments, more].concat())["hits"][0].clone()
}

#[test]
fn of_json_lines() {
    let room = Room::new();
    let input = room.write("pages.jsonl", lines());
    let index = room.join("all");
    let told = json(&["build", &input, "-o", &index, "--json"]);
    assert_eq!(told["fields"], value!(["title", "url", "tags"]));
    assert!(told["field_bytes"].as_u64() > Some(1000) && told["warnings"] == value!([]), "{told}");
    let all =
        value!({ "title": "Titel ä 5", "url": "https://example.org/5", "tags": [5, { "deep": null }, 1.5] });
    for io in ["mmap", "pread"] {
        let hit = found(&index, 5, &["--io", io, "--fields"]);
        assert_eq!((&hit["id"], &hit["fields"]), (&value!("w5"), &all));
        assert_eq!(found(&index, 9, &["--io", io, "--fields"])["fields"], value!({}));
        let named = &found(&index, 5, &["--io", io, "--fields", "url,none,title"])["fields"];
        assert_eq!(named.to_string(), r#"{"url":"https://example.org/5","title":"Titel ä 5"}"#);
        assert_eq!(found(&index, 5, &["--io", io]).get("fields"), None);
    }
    let text = run(&["search", &index, "--id", "w5", "-k", "2", "--fields", "title"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("title: Titel ä "), "{text:?}");
    let sections = json(&["inspect", &index, "--json"])["segments"][0]["sections"].clone();
    let names: Vec<&str> = sections.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert!(names.ends_with(&["field directory", "fields"]), "{names:?}");
    json(&["verify", &index, "--json"]);

    let some = room.join("some");
    assert_eq!(
        json(&["build", &input, "-o", &some, "--store", "title", "--json"])["fields"],
        value!(["title"])
    );
    assert_eq!(found(&some, 5, &["--fields"])["fields"], value!({ "title": "Titel ä 5" }));
    let none = room.join("none");
    assert_eq!(json(&["build", &input, "-o", &none, "--no-store", "--json"])["fields"], value!([]));
    refused(&["search", &none, "--id", "w5", "--fields"], 2, &["no stored fields", "--payload"]);
    let out = room.join("out");
    refused(&["build", &input, "-o", &out, "--store", "titel"], 2, &["--store titel", "title, url, tags"]);
    refused(&["build", &input, "-o", &out, "--store", "vector"], 2, &["--store \"vector\""]);
    refused(&["build", &input, "-o", &out, "--store", "title", "--no-store"], 2, &["--no-store"]);
}

#[test]
fn of_a_payload_file() {
    let room = Room::new();
    let (vectors, words) = (room.vectors(), room.words());
    let meta: String =
        (0..ROWS).map(|i| format!("{{\"id\": \"x{i}\", \"title\": \"T{i}\", \"n\": 1.0}}\n")).collect();
    let payload = room.write("meta.jsonl", &meta);
    let index = room.join("npy");
    let build = ["build", &vectors, "--ids", &words, "-o", &index, "--payload", &payload, "--json"];
    assert_eq!(json(&build)["fields"], value!(["title", "n"]));
    assert_eq!(found(&index, 7, &["--fields"])["fields"].to_string(), r#"{"title":"T7","n":1}"#);
    let limited = room.join("limited");
    let few = ["build", &vectors, "-o", &limited, "--payload", &payload, "--limit", "50", "--json"];
    assert_eq!(json(&few)["rows"], 50);
    assert_eq!(found(&limited, 7, &["--fields", "title"])["fields"], value!({ "title": "T7" }));

    // Both files have fields: those of the payload count.
    let input = room.write("pages.jsonl", lines());
    let both = room.join("both");
    json(&["build", &input, "-o", &both, "--payload", &payload, "--store", "title,url", "--json"]);
    let fields = value!({ "title": "T5", "url": "https://example.org/5" });
    assert_eq!(found(&both, 5, &["--fields"])["fields"], fields);
    assert_eq!(found(&both, 9, &["--fields"])["fields"], value!({ "title": "T9" }));

    let out = room.join("out");
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(65_536));
    for (name, text, words) in [
        ("few.jsonl", "{}\n{}\n".to_owned(), ["2 lines for 300 rows", "one object for each row"]),
        ("many.jsonl", format!("{meta}{{}}\n"), ["301 lines for 300 rows", "in the same order"]),
        (
            "list.jsonl",
            meta.replacen("{\"id\": \"x4\"", "[1]\n{\"id\": \"x4\"", 1),
            ["line 5", "no JSON object"],
        ),
        ("cut.jsonl", meta.replacen("\"n\": 1.0}", "\"n\": 1.0", 3), ["line 1", "one object a line"]),
        (
            "long.jsonl",
            meta.replacen("{\"id\": \"x2\", \"title\": \"T2\", \"n\": 1.0}", &long, 1),
            ["line 3", "65535"],
        ),
    ] {
        let payload = room.write(name, text);
        refused(&["build", &vectors, "-o", &out, "--payload", &payload], 1, &[name, words[0], words[1]]);
    }
    let long =
        room.write("long.jsonl", lines().replacen("Titel ä 3\"", &format!("{}\"", "y".repeat(65_536)), 1));
    refused(&["build", &long, "-o", &out], 1, &["long.jsonl", "row 3", "65535"]);
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn of_a_table() {
    let room = Room::new();
    let vectors = room.vectors();
    let row = |i: usize| value!({ "title": format!("T, \"{i}\"\n"), "n": i as f64 / 2.0, "flag": i.is_multiple_of(2), "zip": format!("{}", 10_000 + i % 9) });
    let lines: String = (0..ROWS).map(|i| format!("{}\n", row(i))).collect();
    let table = |delimiter: &str| -> String {
        let row = |i: usize| {
            let cells = [
                format!("\"T, \"\"{i}\"\"\n\""),
                (i as f64 / 2.0).to_string(),
                i.is_multiple_of(2).to_string(),
                (10_000 + i % 9).to_string(),
            ];
            cells.join(delimiter) + "\r\n"
        };
        let names = ["title", "n", "flag", "zip"].join(delimiter) + "\r\n";
        names + &(0..ROWS).map(row).collect::<String>()
    };
    let schema = room.write("schema.json", r#"{"n": "float", "flag": "boolean", "zip": "keyword"}"#);
    let build = |name: &str, text: String| {
        let (payload, index) = (room.write(name, text), room.join(&name.replace('.', "-")));
        json(&["build", &vectors, "-o", &index, "--payload", &payload, "--schema", &schema, "--json"])["content_id"].clone()
    };
    let expected = build("meta.jsonl", lines);
    assert_eq!(build("meta.csv", table(",")), expected);
    assert_eq!(build("meta.tsv", table("\t")), expected);

    let out = room.join("out");
    for (text, words) in [
        (table(",").replacen("\r\n", "\r\n1,2\r\n", 1), ["record 2", "2 cells where the first record has 4"]),
        (table(",").replace("n,flag", "title,flag"), ["record 1", "two columns have the name"]),
        ("a\n1\n2\n".to_owned(), ["2 lines for 300 rows", "one object for each row"]),
        (format!("a\n\"{}\"\n", "x".repeat(65_536)), ["record 2", "65535"]),
    ] {
        let payload = room.write("bad.csv", text);
        refused(&["build", &vectors, "-o", &out, "--payload", &payload], 1, &["bad.csv", words[0], words[1]]);
    }
    let empty = room.write("bad.parquet", "PAR1");
    refused(&["build", &vectors, "-o", &out, "--payload", &empty], 1, &["bad.parquet", "whole Parquet file"]);
    let wrong = room.write("wrong.csv", table(",").replace(",10004\r", ",x\r"));
    let schema = room.write("schema.json", r#"{"zip": "integer"}"#);
    let told = ["row 4, field \"zip\"", "the schema wants a whole number"];
    refused(&["build", &vectors, "-o", &out, "--payload", &wrong, "--schema", &schema], 1, &told);
}

#[test]
fn of_what_is_appended_and_merged() {
    let room = Room::new();
    let input = room.write("pages.jsonl", lines());
    let index = room.join("index");
    json(&["build", &input, "-o", &index, "--limit", "200", "--json"]);
    let later: String =
        lines().lines().skip(150).map(|line| format!("{}\n", line.replace("Titel", "Neu"))).collect();
    let later = room.write("later.jsonl", later);
    json(&["build", &later, "-o", &index, "--append", "--json"]);
    let check = || {
        for (id, title) in [(5, "Titel ä 5"), (149, "Titel ä 149"), (151, "Neu ä 151"), (250, "Neu ä 250")]
        {
            let hit = found(&index, id, &["--fields", "title"]);
            assert_eq!((&hit["id"], &hit["fields"]["title"]), (&value!(format!("w{id}")), &value!(title)));
        }
    };
    check();
    assert_eq!(json(&["merge", &index, "--json"])["rows"], ROWS);
    check();
    json(&["verify", &index, "--json"]);
}

/// What the npm package stores of the same objects: `JSON.stringify` of them.
#[test]
fn as_javascript_writes_them() {
    let room = Room::new();
    let line =
        r#"{"vector": [1, 0], "b" : 1.50, "a\u00e4": "\u0041\/", "2": [ 1e21, -0.0 ], "b": {"x": true }}"#;
    let (input, index) = (room.write("one.jsonl", line), room.join("index"));
    json(&["build", &input, "-o", &index, "--json"]);
    let bytes = std::fs::read(support::segment(&index)).unwrap();
    let stored = r#"{"2":[1e+21,0],"b":{"x":true},"aä":"A/"}"#;
    let text = [stored.as_bytes(), b"\n"].concat();
    assert!(bytes.windows(text.len()).any(|part| part == text), "the only block is stored as it is");
}
