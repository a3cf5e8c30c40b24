//! `serve` answers a range by exactly these bytes, and a range past the end by 416.

mod support;

use support::{Room, Server};

#[test]
fn ranges() {
    let room = Room::new();
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    room.write("data.bin", &bytes);
    let server = Server::start(room.path(), &[]);

    let whole = server.get("/data.bin", &["Accept-Encoding: gzip, br"]);
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, "bytes"));
    assert_eq!(whole.header("content-encoding"), "");
    assert!(whole.body == bytes);

    let cases = [
        ("bytes=0-9", 0..10),
        ("bytes=70000-150000", 70_000..150_001),
        ("bytes=-5", 199_995..200_000),
        ("bytes=199990-", 199_990..200_000),
        ("bytes=199990-999999", 199_990..200_000),
    ];
    for (range, expected) in cases {
        let reply = server.get("/data.bin", &[&format!("Range: {range}"), "Accept-Encoding: gzip"]);
        assert_eq!(reply.status, 206, "{range}");
        let place = format!("bytes {}-{}/200000", expected.start, expected.end - 1);
        assert_eq!(reply.header("content-range"), place);
        assert_eq!(reply.header("content-length"), expected.len().to_string());
        assert_eq!(reply.header("content-encoding"), "");
        assert!(reply.body == bytes[expected], "{range}");
    }

    let past = server.get("/data.bin", &["Range: bytes=200000-"]);
    assert_eq!((past.status, past.header("content-range")), (416, "bytes */200000"));
    let head = server.request("HEAD", "/data.bin", &[]);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "200000", 0));
}

#[test]
fn a_range_of_another_version_is_not_given() {
    let room = Room::new();
    room.write("data.bin", [7; 100]);
    let server = Server::start(room.path(), &[]);
    let etag = server.get("/data.bin", &[]).header("etag").to_owned();
    assert!(etag.starts_with('"'), "a strong ETag: {etag}");

    let with = |headers: &[&str]| server.get("/data.bin", &[&["Range: bytes=0-9"], headers].concat()).status;
    assert_eq!(with(&[&format!("If-Range: {etag}")]), 206);
    assert_eq!(with(&["If-Range: \"other\""]), 200);
    assert_eq!(with(&[&format!("If-Match: {etag}")]), 206);
    assert_eq!(with(&["If-Match: \"other\""]), 412);
    assert_eq!(with(&[&format!("If-None-Match: {etag}")]), 304);
}
