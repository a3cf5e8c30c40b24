//! A manifest that is damaged, foreign or hostile is a typed error, and never opens a file outside its folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs;
use std::path::Path;

use pagevec::{BuildOptions, Index, Io, OpenOptions, PublishOptions, publish};
use support::{code, data, file};

fn open(folder: &Path) -> Vec<&'static str> {
    let result = |io| code(&Index::open_with(folder, &OpenOptions::new().io(io)));
    let mut codes = vec![result(Io::Mmap), result(Io::Pread)];
    codes.dedup();
    codes
}

/// A folder with one published segment, its manifest as text, and another segment beside it.
fn published() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let rows = data::clustered(100, 6, 101);
    let base = BuildOptions::default();
    let other =
        publish(folder.path(), &file(&rows, 6, None, &base.clone().seed(9)), &PublishOptions::new()).unwrap();
    publish(folder.path(), &file(&rows, 6, None, &base), &PublishOptions::new()).unwrap();
    let manifest = fs::read_to_string(folder.path().join("index.json")).unwrap();
    (folder, manifest, other.file_name().unwrap().to_string_lossy().into_owned())
}

/// The string value of `key`.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    manifest.split(&format!("\"{key}\":\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let (folder, manifest, other) = published();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let named = value(&manifest, "file");
    let long = format!("{}.bin", "a".repeat(130));
    for name in [
        "../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b.bin",
        "a\\\\b.bin",
        "C:x.bin",
        "x?y",
        "x#y",
        "%2e%2e",
        "http://x/y.bin",
        "seg\\u0000.bin",
        "säg.bin",
        "seg .bin",
        &format!("../{other}"),
        &long,
    ] {
        fs::write(inside.join("index.json"), manifest.replace(named, name)).unwrap();
        assert_eq!(open(&inside), ["corrupt"], "{name:?}");
    }
    fs::write(inside.join("index.json"), manifest.replace(named, "seg-missing.bin")).unwrap();
    assert_eq!(open(&inside), ["io"]);
    fs::create_dir(inside.join("folder.bin")).unwrap();
    fs::write(inside.join("index.json"), manifest.replace(named, "folder.bin")).unwrap();
    assert!(matches!(open(&inside)[..], ["not-a-segment"] | ["io"]));
}

#[test]
fn another_files_name_id_or_length_is_noticed() {
    let (folder, manifest, other) = published();
    let path = folder.path().join("index.json");
    let length = manifest.split("\"length\":").nth(1).unwrap().split(',').next().unwrap();
    for (from, to) in [
        (value(&manifest, "file"), other.as_str()),
        (value(&manifest, "fileId"), "0123456789abcdef0123456789abcdef"),
        ("[\"codes\",", "[\"kodes\","),
        ("\"sections\":[", "\"sections\":[[\"graph\",0,64],"),
        (length, "18446744073709551615"),
        (length, "0"),
    ] {
        fs::write(&path, manifest.replace(from, to)).unwrap();
        assert_eq!(open(folder.path()), ["corrupt"], "{from} -> {to}");
    }
    // The content id takes the whole file to check: `verify` does.
    fs::write(&path, manifest.replace(value(&manifest, "contentId"), &"0".repeat(64))).unwrap();
    for io in [Io::Mmap, Io::Pread] {
        let index = Index::open_with(folder.path(), &OpenOptions::new().io(io)).unwrap();
        assert_eq!(code(&index.verify()), "corrupt");
    }
    fs::write(&path, &manifest).unwrap();
    assert_eq!(open(folder.path()), ["ok"]);
}

#[test]
fn what_is_no_manifest_is_named() {
    let (folder, manifest, _) = published();
    let path = folder.path().join("index.json");
    let entry = &manifest[manifest.find('[').unwrap() + 1..manifest.rfind(']').unwrap()];
    let twice = manifest.replace(entry, &format!("{entry},{entry}"));
    let deep = "[".repeat(100_000);
    let huge = format!("{}{manifest}", " ".repeat(2 << 20));
    let cases: Vec<(&str, &[u8])> = vec![
        ("corrupt", b""),
        ("corrupt", b"\0\0\0\0"),
        ("corrupt", b"\xff\xfe{}"),
        ("corrupt", b"<!DOCTYPE html><html></html>"),
        ("corrupt", b"null"),
        ("corrupt", b"[]"),
        ("corrupt", b"{}"),
        ("corrupt", b"{\"pagevec\":1,\"segments\":[]}"),
        ("corrupt", b"{\"pagevec\":1,\"segments\":{}}"),
        ("corrupt", b"{\"pagevec\":-1,\"segments\":[]}"),
        ("version", b"{\"pagevec\":2,\"segments\":[]}"),
        ("corrupt", twice.as_bytes()),
        ("corrupt", deep.as_bytes()),
        ("corrupt", huge.as_bytes()),
    ];
    for (expected, text) in cases {
        fs::write(&path, text).unwrap();
        assert_eq!(
            open(folder.path()),
            [expected],
            "{:?}",
            String::from_utf8_lossy(&text[..text.len().min(60)])
        );
    }
    // Every way to cut it short.
    for length in 0..manifest.trim_end().len() {
        fs::write(&path, &manifest[..length]).unwrap();
        assert_eq!(open(folder.path()), ["corrupt"], "cut to {length}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(open(folder.path()), ["io"]);
    assert_eq!(open(&folder.path().join("nowhere")), ["io"]);
}
