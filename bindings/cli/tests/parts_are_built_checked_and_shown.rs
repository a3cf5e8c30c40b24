//! `build --parts`: what it writes, `search` and `verify` read, `inspect` shows, `serve` serves.

mod support;

use support::{Room, Server, json, refused};

#[test]
fn instead_of_the_file_or_beside_it() {
    let room = Room::new();
    let (vectors, words) = (room.vectors(), room.words());
    let build = |name: &str, parts: &[&str]| {
        let folder = room.join(name);
        let arguments = ["build", &vectors, "--ids", &words, "-o", &folder, "--json"];
        (json(&[&arguments, parts].concat()), folder)
    };
    let (one, file) = build("file", &[]);
    assert_eq!(one["parts"], 0);
    assert!(json(&["inspect", &file, "--json"])["segments"][0]["parts"].is_null());
    refused(&["search", &file, "--id", "w7", "--io", "parts"], 1, &["not published in parts"]);
    let wanted = json(&["search", &file, "--id", "w7", "--json"]);

    for (option, beside) in [("--parts", true), ("--parts=also", true), ("--parts=only", false)] {
        let (built, folder) = build(option, &[option]);
        assert_eq!(built["content_id"], one["content_id"]);
        let shown = &json(&["inspect", &folder, "--json"])["segments"][0]["parts"];
        assert_eq!((&shown["count"], &shown["beside_file"]), (&built["parts"], &beside.into()));
        let place = std::path::Path::new(shown["folder"].as_str().expect("a folder"));
        let sizes: Vec<u64> = std::fs::read_dir(place)
            .expect("the parts")
            .map(|e| e.expect("a part").metadata().expect("a length").len())
            .collect();
        assert_eq!(built["parts"], sizes.len());
        assert_eq!(built["bytes"], sizes.iter().sum::<u64>());
        assert_eq!(shown["largest"], sizes.iter().copied().max().expect("some"));
        assert_eq!(std::fs::metadata(place.with_extension("bin")).is_ok(), beside);
        assert_eq!(json(&["verify", &folder, "--json"])["parts"], built["parts"]);
        for io in ["mmap", "pread", "parts"] {
            if beside || io == "parts" {
                assert_eq!(json(&["search", &folder, "--id", "w7", "--io", io, "--json"]), wanted, "{io}");
            }
        }

        // A bit in a part is found, and the part's folder named, whether or not the file beside it is sound.
        let part = std::fs::read_dir(place).expect("the parts").last().expect("one").expect("it").path();
        let mut bytes = std::fs::read(&part).expect("a part");
        bytes[0] ^= 1;
        std::fs::write(&part, bytes).expect("a part");
        refused(
            &["verify", &folder],
            1,
            &[if beside { place } else { folder.as_ref() }.to_str().expect("UTF-8"), "again"],
        );
    }
}

#[test]
fn parts_are_served_to_be_kept_for_good_and_the_manifest_to_be_asked_for_again() {
    let room = Room::new();
    let folder = room.index(&["--parts=only"]);
    let server = Server::start(folder.as_ref(), &[]);
    let manifest = server.get("/index.json", &[]);
    assert_eq!((manifest.status, manifest.header("cache-control")), (200, "no-cache"));
    let etag = format!("If-None-Match: {}", manifest.header("etag"));
    assert!(manifest.header("etag").starts_with('"'), "a strong ETag: {etag}");
    let again = server.get("/index.json", &[&etag, "Origin: https://example.org"]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(
        (again.header("cache-control"), again.header("access-control-allow-origin")),
        ("no-cache", "*")
    );
    // Published again, it has another ETag.
    room.index(&["--parts=only", "--seed", "2"]);
    assert_eq!(server.get("/index.json", &[&etag]).status, 200);

    let entry: serde_json::Value = serde_json::from_slice(&manifest.body).expect("JSON");
    let entry = &entry["segments"][0];
    let (folder, first) = (&entry["parts"]["folder"], &entry["parts"]["cuts"][0][1]);
    let path = format!("/{}/0-{}.bin", folder.as_str().expect("a name"), first.as_u64().expect("a size") - 1);
    let part = server.get(&path, &[]);
    assert_eq!((part.status, part.body.len() as u64), (200, first.as_u64().expect("a size")));
    assert_eq!(part.header("content-type"), "application/octet-stream");
    assert_eq!(part.header("cache-control"), "public, max-age=31536000, immutable, no-transform");
}
