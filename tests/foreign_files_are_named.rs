//! Files that are no segments are told apart from damaged ones, by bytes, by mmap, by pread and over a page source.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs;

use pagevec::{Index, Io, OpenOptions, PublishOptions, publish};
use support::{code, paged};

fn foreign() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("one byte", vec![b'P']),
        ("half the magic", b"PAGE".to_vec()),
        ("HTML", b"<!DOCTYPE html><html><body>404</body></html>".repeat(20)),
        ("HTML after blanks", b"\r\n  <html></html>".to_vec()),
        ("gzip", [&[0x1f, 0x8b, 8, 0][..], &[7; 500]].concat()),
        ("PNG", [&b"\x89PNG\r\n\x1a\n"[..], &[0; 500]].concat()),
        ("zeros", vec![0; 70_000]),
        ("FF", vec![0xff; 70_000]),
        ("JSON", b"{\"pagevec\":1}".to_vec()),
        ("magic in lower case", b"pagevec\0".repeat(100)),
    ]
}

/// The codes of every way to open the bytes.
fn codes(bytes: &[u8]) -> Vec<&'static str> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let by = |io| code(&Index::open_with(file.path(), &OpenOptions::new().io(io)));
    let mut codes = vec![
        code(&Index::from_bytes(bytes)),
        code(&paged::segment(bytes)),
        by(Io::Mmap),
        by(Io::Memory),
        by(Io::Pread),
    ];
    codes.dedup();
    codes
}

#[test]
fn not_a_segment_and_what_it_is_instead() {
    for (name, bytes) in foreign() {
        assert_eq!(codes(&bytes), ["not-a-segment"], "{name}");
        let published = publish(tempfile::tempdir().unwrap(), &bytes, &PublishOptions::new());
        assert_eq!(code(&published), "not-a-segment");
    }
    let html = Index::from_bytes(&foreign()[3].1).err().unwrap().to_string();
    assert!(html.contains("HTML") && html.contains("URL"), "{html}");
}

#[test]
fn a_header_alone_is_cut_short() {
    for (name, file, _) in support::small_segments() {
        let header = support::format::header_end(&file) + 8;
        for length in [8, 20, 24, 95, 96, header - 1, header, header + 1] {
            assert_eq!(codes(&file[..length]), ["length"], "{name}: the first {length} bytes");
        }
    }
}

#[cfg(unix)]
#[test]
fn places_that_are_no_files() {
    for (path, expected) in
        [("/dev/null", "not-a-segment"), ("/dev/zero", "not-a-segment"), ("/nowhere/x", "io")]
    {
        for io in [Io::Mmap, Io::Memory, Io::Pread] {
            let options = OpenOptions::new().io(io);
            assert_eq!(code(&Index::open_with(path, &options)), expected, "{path}");
        }
    }
}
