//! Rows go from files and indexes into a collection, and from there to an index or a copy, with ids, vectors and fields.

mod support;

use serde_json::{Value, json};
use support::collection::{collection, direction, line, notes, told};
use support::{DIM, ROWS, Room, json as pagevec_json, refused, segment, values};

/// All rows with their vectors, by id.
fn all(folder: &str) -> Vec<Value> {
    let mut all = collection(&["list", folder, "--vectors"]);
    all.sort_by_key(|row| row["id"].to_string());
    all
}

#[test]
fn an_index_that_is_exported_has_the_rows() {
    let room = Room::new();
    let folder = notes(&room);
    let row = |i: usize| line(format!("n{i}"), &direction(i), json!({ "i": i }));
    let input = room.write("rows.jsonl", (0..90).map(row).collect::<String>());
    collection(&["upsert", &folder, &input, "--json"]);
    told(&["flush", &folder, "--json"]);
    let again = room.write("again.jsonl", (40..100).map(row).collect::<String>());
    collection(&["upsert", &folder, &again, "--json"]);
    let index = room.join("site/index");
    let exported = told(&["export", &folder, "-o", &index, "--json"]);
    assert_eq!(exported["rows"], 100);
    let inspected = pagevec_json(&["inspect", &index, "--json"]);
    assert_eq!(inspected["segments"].as_array().map(Vec::len), Some(1));
    pagevec_json(&["verify", &index, "--json"]);
    let vector = direction(70).map(|x| x.to_string()).join(",");
    let hit = pagevec_json(&["search", &index, "--vector", &vector, "-k", "1", "--fields", "--json"])["hits"]
        [0]
    .clone();
    assert_eq!((&hit["id"], &hit["fields"]), (&json!("n70"), &json!({ "i": 70 })));

    for source in [index.clone(), segment(&index).to_str().expect("UTF-8").to_owned()] {
        let back = room.join(if source == index { "of-folder" } else { "of-file" });
        told(&["create", &back, "--dim", "2", "--json"]);
        assert_eq!(told(&["import", &back, &source, "--json"]), json!({ "imported": 100, "count": 100 }));
        let (was, is) = (all(&folder), all(&back));
        for (was, is) in was.iter().zip(&is) {
            assert_eq!((&was["id"], &was["fields"]), (&is["id"], &is["fields"]));
            for at in 0..2 {
                let apart = was["vector"][at].as_f64().unwrap() - is["vector"][at].as_f64().unwrap();
                assert!(apart.abs() < 0.02, "{was} {is}");
            }
        }
        assert_eq!(told(&["verify", &back, "--json"])["count"], 100);
    }
    let other = room.join("other");
    told(&["create", &other, "--dim", "2", "--metric", "l2", "--json"]);
    refused(&["collection", "import", &other, &index], 2, &["cosine", "l2"]);
    refused(&["collection", "import", &other, &index, "--ids", &input], 2, &["--ids"]);
    refused(&["collection", "import", &other, &room.join("")], 1, &["no index.json"]);
    let wide = room.join("wide");
    told(&["create", &wide, "--dim", "3", "--json"]);
    refused(&["collection", "import", &wide, &index], 1, &["2", "3"]);
    assert_eq!(told(&["count", &wide, "--json"])["count"], 0);
}

#[test]
fn files_that_build_reads_are_taken() {
    let room = Room::new();
    let (vectors, words, folder) = (room.vectors(), room.words(), room.join("words"));
    told(&["create", &folder, "--dim", &DIM.to_string(), "--metric", "l2", "--refine", "f32", "--json"]);
    let imported = told(&["import", &folder, &vectors, "--ids", &words, "--json"]);
    assert_eq!(imported, json!({ "imported": ROWS, "count": ROWS }));
    let row = told(&["get", &folder, "w7", "--vectors"]);
    let vector =
        row["vector"].as_array().expect("a vector").iter().map(|x| x.as_f64().expect("a number") as f32);
    assert_eq!(vector.collect::<Vec<_>>(), values(ROWS, DIM)[7 * DIM..8 * DIM]);
    // Lines as `build` takes them: fields beside the vector.
    let lines = values(2, DIM)
        .chunks(DIM)
        .enumerate()
        .map(|(i, v)| format!("{}\n", json!({ "id": format!("w{i}"), "vector": v, "t": i })))
        .collect::<String>();
    let lines = room.write("pages.jsonl", lines);
    assert_eq!(told(&["import", &folder, &lines, "--json"]), json!({ "imported": 2, "count": ROWS }));
    assert_eq!(told(&["get", &folder, "w1"])["fields"], json!({ "t": 1 }));
    let numbered = room.join("numbered");
    told(&["create", &numbered, "--dim", &DIM.to_string(), "--json"]);
    told(&["import", &numbered, &vectors, "--json"]);
    assert_eq!(told(&["get", &numbered, "299"])["id"], 299);
    refused(&["collection", "import", &folder, &vectors], 2, &["ids of the collection are texts"]);
}

#[test]
fn a_copy_goes_its_own_way() {
    let room = Room::new();
    let folder = notes(&room);
    let input = room.write(
        "rows.jsonl",
        (0..30).map(|i| line(format!("n{i}"), &direction(i), json!({ "i": i }))).collect::<String>(),
    );
    collection(&["upsert", &folder, &input, "--json"]);
    let copy = room.join("copies/one");
    assert_eq!(told(&["backup", &folder, "-o", &copy, "--json"])["count"], 30);
    let ids = room.write("ids.txt", "n1\nn2\n");
    told(&["delete", &folder, "--ids", &ids, "--json"]);
    assert_eq!((all(&folder).len(), all(&copy).len()), (28, 30));
    collection(&["upsert", &copy, &input, "--json"]);
    assert_eq!(told(&["verify", &copy, "--json"])["count"], 30);
    refused(&["collection", "backup", &folder, "-o", &copy], 2, &["there is a collection", "another folder"]);
}
