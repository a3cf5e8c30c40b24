//! What `build --append` and `merge` tell, and what the other options of `build` mean beside `--append`.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{DIM, Room, Server, json, refused, run, values};

/// JSON lines of the rows `from` to `to` of the made-up vectors, with the ids `w<from>`, …
fn lines(room: &Room, from: usize, to: usize) -> String {
    let values = values(to, DIM);
    let line = |row: usize| {
        let vector = &values[row * DIM..(row + 1) * DIM];
        format!("{}\n", serde_json::json!({ "id": format!("w{row}"), "vector": vector }))
    };
    room.write(&format!("{from}-{to}.jsonl"), (from..to).map(line).collect::<String>())
}

/// What an append prints, to stdout and to stderr.
fn append(folder: &str, rows: &str, more: &[&str]) -> (String, String) {
    let output = run(&[&["build", rows, "--append", "-o", folder], more].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn found(folder: &str, id: &str, io: &str) -> Value {
    json(&["search", folder, "--id", id, "-k", "5", "--index", "flat", "--io", io, "--json"])["hits"].take()
}

#[test]
fn rows_that_are_new_and_that_replace_others_are_counted() {
    let room = Room::new();
    let folder = room.index(&[]);
    let rows = lines(&room, 290, 320);
    let (text, told) = append(&folder, &rows, &[]);
    assert!(text.contains("30 of 16 components: 20 new, 10 in place of earlier ones"), "{text}");
    assert!(text.contains("320 rows in 2 segments, generation 2"), "{text}");
    assert!(!text.contains("pagevec merge") && !text.contains("earlier files"), "{text}");
    assert_eq!(told, "");
    let (text, _) = append(&folder, &rows, &[]);
    assert!(text.contains("had this very segment"), "{text}");
    assert!(text.contains("320 rows in 2 segments, generation 2"), "{text}");

    let told = json(&["build", &lines(&room, 310, 321), "--append", "-o", &folder, "--json"]);
    let numbers = ["rows", "replaced", "index_rows", "segments", "generation"].map(|key| told[key].as_u64());
    assert_eq!(numbers, [11, 10, 321, 3, 3].map(Some));
}

#[test]
fn many_segments_and_many_dead_rows_end_in_a_hint() {
    let room = Room::new();
    let folder = room.index(&["--codec", "f32"]);
    let (text, _) = append(&folder, &lines(&room, 0, 150), &[]);
    let merge = format!("`pagevec merge {folder}`");
    assert!(text.contains("150 of the 450 rows stored are dead") && text.contains(&merge), "{text}");
    let merged = String::from_utf8_lossy(&run(&["merge", &folder]).stdout).into_owned();
    assert!(
        merged.contains("2 merged into one") && merged.contains("300; 150 dead rows left out"),
        "{merged}"
    );
    for number in 0..7 {
        let (text, _) = append(&folder, &lines(&room, 300 + number, 301 + number), &[]);
        assert_eq!(text.contains(&merge), number == 6, "{text}");
    }
    let text = String::from_utf8_lossy(&run(&["inspect", &folder]).stdout).into_owned();
    assert!(text.contains("each of the 8 segments") && text.contains(&merge), "{text}");
    assert!(!text.contains("list parameters"), "sections are those of one segment: {text}");
    let again = |arguments: &[&str]| String::from_utf8_lossy(&run(arguments).stdout).into_owned();
    assert!(again(&["merge", &folder]).contains("8 merged into one"));
    let text = again(&["merge", &folder, "--prune"]);
    assert!(
        text.contains("nothing to merge") && text.contains("removed") && !text.contains("before"),
        "{text}"
    );
}

#[test]
fn a_limit_is_kept_and_prune_leaves_what_the_index_has() {
    let room = Room::new();
    let folder = room.index(&[]);
    let rows = lines(&room, 290, 320);
    append(&folder, &rows, &["--limit", "15"]);
    assert_eq!(json(&["inspect", &folder, "--json"])["count"], 305);
    // The second append writes the dead rows of the first segment anew.
    let (text, _) = append(&folder, &lines(&room, 0, 3), &["--limit", "2", "--prune"]);
    assert!(text.contains("1, ") && text.contains("removed"), "{text}");
    let names = std::fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(names, 6, "index.json, .lock, three segments and one file of dead rows");
    assert_eq!(json(&["verify", &folder, "--json"])["count"], 305);
    assert_eq!(found(&folder, "w304", "mmap"), found(&folder, "w304", "pread"));
    refused(&["search", &folder, "--id", "w305"], 1, &["w305"]);
}

#[test]
fn parts_beside_files_are_told_checked_and_mended_by_a_merge() {
    let room = Room::new();
    let folder = room.index(&["--codec", "f32"]);
    let (text, told) = append(&folder, &lines(&room, 290, 320), &["--parts"]);
    assert!(text.contains("part files"), "{text}");
    assert!(told.contains("1 segment is not in parts") && told.contains("pagevec merge"), "{told}");
    let before = found(&folder, "w300", "mmap");
    assert_eq!(found(&folder, "w300", "parts"), before);

    // The parts of one segment are checked, also where another has none.
    let segments = json(&["inspect", &folder, "--json"])["segments"].take();
    let place = segments[1]["parts"]["folder"].as_str().expect("a folder").to_owned();
    let part = std::fs::read_dir(&place).expect("parts").next().expect("one").expect("it").path();
    let sound = std::fs::read(&part).expect("a part");
    let mut bad = sound.clone();
    bad[9] ^= 4;
    std::fs::write(&part, bad).expect("a part");
    refused(&["verify", &folder], 1, &[&place]);
    std::fs::write(&part, sound).expect("a part");
    assert_eq!(json(&["verify", &folder, "--json"])["parts"], segments[1]["parts"]["count"]);

    let merged = json(&["merge", &folder, "--prune", "--json"]);
    assert_eq!([&merged["merged"], &merged["dropped"], &merged["rows"]], [2, 10, 320]);
    let facts = json(&["inspect", &folder, "--json"]);
    assert_eq!(facts["segments"][0]["parts"]["beside_file"], true);
    for io in ["mmap", "parts"] {
        let hits =
            |found: &Value| found.as_array().expect("hits").iter().map(|hit| hit["id"].clone()).collect();
        let [now, before]: [Vec<Value>; 2] = [hits(&found(&folder, "w300", io)), hits(&before)];
        assert_eq!(now, before);
    }
}

#[test]
fn an_index_in_parts_only_is_merged() {
    let room = Room::new();
    let folder = room.index(&["--codec", "f32", "--parts=only"]);
    append(&folder, &lines(&room, 290, 320), &[]);
    append(&folder, &lines(&room, 310, 330), &[]);
    let facts = json(&["inspect", &folder, "--json"]);
    assert_eq!((facts["segments"].as_array().map(Vec::len), &facts["count"]), (Some(3), &330.into()));
    let before = found(&folder, "w315", "parts");
    assert_eq!(found(&folder, "w315", "memory"), before);
    let merged = json(&["merge", &folder, "--prune", "--json"]);
    assert_eq!([&merged["merged"], &merged["dropped"], &merged["rows"]], [3, 20, 330]);
    let facts = json(&["inspect", &folder, "--json"]);
    assert_eq!(facts["segments"].as_array().map(Vec::len), Some(1));
    assert_eq!(facts["segments"][0]["parts"]["beside_file"], false);
    let now = found(&folder, "w315", "parts");
    let ids =
        |hits: &Value| hits.as_array().expect("hits").iter().map(|h| h["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&now), ids(&before));
    assert!(json(&["verify", &folder, "--json"])["ok"].as_bool().expect("whether it is sound"));
}

#[test]
fn dead_rows_are_served_to_be_kept_for_good() {
    let room = Room::new();
    let folder = room.index(&[]);
    append(&folder, &lines(&room, 290, 320), &[]);
    let manifest = std::fs::read(Path::new(&folder).join("index.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let dead = &manifest["segments"][0]["dead"];
    let server = Server::start(folder.as_ref(), &[]);
    let reply = server.get(&format!("/{}", dead["file"].as_str().expect("a name")), &[]);
    assert_eq!((reply.status, Some(reply.body.len() as u64)), (200, dead["length"].as_u64()));
    assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable, no-transform");
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    assert_eq!(server.get("/index.json", &[]).header("cache-control"), "no-cache");
}
