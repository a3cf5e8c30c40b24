//! Rows of a collection are counted, grouped, listed and changed by their fields, in memory and in segments; what is wrong is named,
//! and a schema is kept.

mod support;

use serde_json::{Value, json};
use support::collection::{collection, direction, line, notes, told};
use support::{Room, run};

/// Twelve rows, half of them in a segment.
fn filled(room: &Room) -> String {
    let folder = notes(room);
    let rows = |range: std::ops::Range<usize>| -> String {
        let row = |i: usize| {
            let fields =
                json!({ "of": (["a", "b", "c"][i % 3]), "stars": i % 5, "title": format!("Row {i}") });
            line(format!("r{i}"), &direction(i), if i == 7 { json!({}) } else { fields })
        };
        range.map(row).collect()
    };
    collection(&["upsert", &folder, &room.write("first.jsonl", rows(0..6)), "--json"]);
    told(&["flush", &folder, "--json"]);
    collection(&["upsert", &folder, &room.write("second.jsonl", rows(6..12)), "--json"]);
    folder
}

/// The error of a call that must fail.
fn refused(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("an error as JSON");
    told["error"].clone()
}

fn listed(folder: &str, more: &[&str]) -> Vec<String> {
    let rows = collection(&[&["list", folder], more].concat());
    rows.iter().map(|row| row["id"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn rows_are_counted_grouped_and_sorted() {
    let room = Room::new();
    let folder = filled(&room);
    let many = r#"{"stars":{"$gte":3}}"#;
    assert_eq!(told(&["count", &folder, "--json"]), json!({ "count": 12 }));
    assert_eq!(told(&["count", &folder, "--filter", many, "--json"]), json!({ "count": 4 }));
    let facets = told(&["facets", &folder, "of", "--filter", many, "--json"]);
    let counted =
        json!([{ "value": "a", "count": 2 }, { "value": "b", "count": 1 }, { "value": "c", "count": 1 }]);
    assert_eq!(facets, json!({ "field": "of", "distinct": 3, "facets": counted }));
    let shown = run(&["collection", "facets", &folder, "stars", "--limit", "1"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "         3  0\n4 more values: raise --limit\n");
    assert_eq!(
        listed(&folder, &["--filter", many, "--sort-by", "stars", "--descending"]),
        ["r4", "r9", "r3", "r8"]
    );
    assert_eq!(
        listed(&folder, &["--sort-by", "stars", "--offset", "10"]),
        ["r9", "r7"],
        "without a value: last"
    );
    let row = collection(&["list", &folder, "--sort-by", "stars", "--limit", "1", "--fields", "title,stars"])
        .remove(0);
    assert_eq!(row, json!({ "id": "r0", "fields": { "title": "Row 0", "stars": 0 } }));
    let by_text = listed(&folder, &["--sort-by", "of", "--descending", "--limit", "5"]);
    assert_eq!(by_text, ["r2", "r5", "r8", "r11", "r1"], "in memory and in segments");
    assert_eq!(listed(&folder, &["--limit", "0"]), [""; 0]);
    for wrong in
        [&["count", "--filter", r#"{"star":1}"#][..], &["facets", "star"], &["list", "--sort-by", "off"]]
    {
        let arguments = [&["collection", wrong[0], &folder], &wrong[1..], &["--json"]].concat();
        assert_eq!(refused(&arguments)["code"], "filter", "{wrong:?}");
    }
}

#[test]
fn fields_are_changed_without_vectors() {
    let room = Room::new();
    let folder = filled(&room);
    let vectors = |folder: &str| collection(&["get", folder, "r2", "r7", "--vectors"]);
    let before = vectors(&folder);
    let changes = room.write(
        "changes.jsonl",
        "{\"id\":\"r2\",\"fields\":{\"stars\":9,\"title\":null}}\n{\"id\":\"gone\",\"fields\":{\"stars\":9}}\n{\"fields\":{\"stars\":9},\"id\":\"r7\"}\n",
    );
    let done = told(&["update", &folder, &changes, "--json"]);
    assert_eq!(done, json!({ "updated": 2, "missing": ["gone"] }));
    let after = vectors(&folder);
    let fields = |rows: &[Value]| rows.iter().map(|row| row["fields"].clone()).collect::<Vec<_>>();
    assert_eq!(fields(&after), [json!({ "of": "c", "stars": 9 }), json!({ "stars": 9 })]);
    assert_eq!([&after[0]["vector"], &after[1]["vector"]], [&before[0]["vector"], &before[1]["vector"]]);
    assert_eq!(listed(&folder, &["--filter", r#"{"stars":9}"#]), ["r2", "r7"]);
    let shown = run(&["collection", "update", &folder, &changes]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown, "2 rows updated\nno row has the ids gone: nothing was changed for them\n");
    // A line that is wrong is named, and nothing of its batch is done.
    for (wrong, part) in [
        ("{\"id\":\"r2\",\"vector\":[1,0],\"fields\":{}}", "unknown field `vector`"),
        ("{\"id\":3,\"fields\":{}}", "its id is a number"),
        ("{\"id\":\"r2\"}", "missing field `fields`"),
        ("{\"id\":\"r2\",\"fields\":[]}", "line 2"),
    ] {
        let changes =
            room.write("wrong.jsonl", format!("{{\"id\":\"r1\",\"fields\":{{\"stars\":99}}}}\n{wrong}\n"));
        let error = refused(&["collection", "update", &folder, &changes, "--json"]);
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains("line 2") && message.contains(part), "{message}");
    }
    assert_eq!(told(&["count", &folder, "--filter", r#"{"stars":99}"#, "--json"]), json!({ "count": 0 }));
    told(&["verify", &folder, "--json"]);
}

#[test]
fn a_schema_is_kept_and_checked() {
    let room = Room::new();
    let folder = room.join("goods");
    let schema = room.write("schema.json", r#"{"price":"float","url":"stored"}"#);
    told(&["create", &folder, "--dim", "2", "--schema", &schema, "--json"]);
    assert_eq!(told(&["count", &folder, "--filter", r#"{"price":1}"#, "--json"]), json!({ "count": 0 }));
    let good = line("a", &direction(1), json!({ "price": 2, "url": "x", "other": [1] }));
    collection(&["upsert", &folder, &room.write("good.jsonl", &good), "--json"]);
    let bad = line("b", &direction(2), json!({ "price": "two" }));
    let error = refused(&[
        "collection",
        "upsert",
        &folder,
        &room.write("bad.jsonl", format!("{good}{bad}")),
        "--json",
    ]);
    assert_eq!(error["code"], "field");
    let message = error["message"].as_str().expect("a text");
    assert!(message.contains("bad.jsonl: line 2: field \"price\": the text \"two\""), "{message}");
    let change = room.write("change.jsonl", "{\"id\":\"a\",\"fields\":{\"price\":true}}\n");
    assert_eq!(refused(&["collection", "update", &folder, &change, "--json"])["code"], "field");
    assert_eq!(told(&["count", &folder, "--filter", r#"{"price":2.0}"#, "--json"]), json!({ "count": 1 }));
    let wrong = room.write("wrong.json", r#"{"price":"money"}"#);
    let created =
        refused(&["collection", "create", &room.join("more"), "--dim", "2", "--schema", &wrong, "--json"]);
    assert_eq!(created["code"], "argument");
    assert_eq!(told(&["stats", &folder, "--json"])["schema"], json!({ "price": "float", "url": "stored" }));
    // What is published has these types too.
    let index = room.join("index");
    told(&["export", &folder, "-o", &index, "--json"]);
    let facets = support::json(&["facets", &index, "price", "--json"]);
    assert_eq!(facets["facets"], json!([{ "value": 2, "count": 1 }]));
}
