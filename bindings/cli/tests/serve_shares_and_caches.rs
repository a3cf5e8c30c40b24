//! `serve` lets pages of other origins read, and tells caches what may be kept.

mod support;

use support::{Room, Server};

const SEGMENT: &str = "seg-0123456789abcdef0123456789abcdef.bin";

#[test]
fn pages_of_other_origins_may_read() {
    let room = Room::new();
    room.write(SEGMENT, "segment");
    let path = format!("/{SEGMENT}");
    let server = Server::start(room.path(), &[]);
    let reply = server.get(&path, &["Origin: https://example.org", "Range: bytes=0-1"]);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["content-range", "etag", "content-length", "accept-ranges"] {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
    let asked = [
        "Origin: https://example.org",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: range",
    ];
    let preflight = server.request("OPTIONS", &path, &asked);
    assert_eq!(preflight.status, 200);
    assert!(preflight.header("access-control-allow-headers").to_ascii_lowercase().contains("range"));
    assert!(preflight.header("access-control-allow-methods").contains("GET"));
}

#[test]
fn or_only_those_of_one_origin_or_none() {
    let room = Room::new();
    room.write(SEGMENT, "segment");
    for (cors, allowed) in [("none", ""), ("https://example.org", "https://example.org")] {
        let server = Server::start(room.path(), &["--cors", cors]);
        let reply = server.get(&format!("/{SEGMENT}"), &["Origin: https://example.org"]);
        assert_eq!(reply.header("access-control-allow-origin"), allowed);
    }
}

#[test]
fn what_is_named_by_its_content_is_kept_for_good() {
    let room = Room::new();
    let names = [SEGMENT, "index.json", "index.html", "main.mjs", "plain.wasm", "hashed-0a1b2c3d.wasm"];
    for name in names {
        room.write(name, "content");
    }
    let server = Server::start(room.path(), &[]);
    let immutable = "public, max-age=31536000, immutable, no-transform";
    for (path, cache, kind) in [
        (SEGMENT, immutable, "application/octet-stream"),
        ("hashed-0a1b2c3d.wasm", immutable, "application/wasm"),
        ("plain.wasm", "no-cache", "application/wasm"),
        ("index.json", "no-cache", "application/json"),
        ("index.html", "no-cache", "text/html"),
        ("", "no-cache", "text/html"),
        ("main.mjs", "no-cache", "text/javascript"),
    ] {
        let reply = server.get(&format!("/{path}"), &[]);
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!((reply.header("cache-control"), reply.header("content-type")), (cache, kind), "{path}");
        assert_eq!(reply.body, b"content");
    }
    let part = server.get(&format!("/{SEGMENT}"), &["Range: bytes=0-1"]);
    assert_eq!((part.status, part.header("cache-control")), (206, immutable));
    let missing = server.get("/seg-ffffffffffffffffffffffffffffffff.bin", &[]);
    assert_eq!((missing.status, missing.header("cache-control")), (404, "no-cache"));
}
